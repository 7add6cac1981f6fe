"""docs/troubleshooting.md: each text is one that the code prints, and a node prints those that
have a way to be seen.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from host_tests.docs.markdown import ROOT, Document
from host_tests.docs.shown import alike
from host_tests.docs.templates import unknown
from tools.broker import Address, mosquitto
from tools.virtual_c1100 import Profile

DOCUMENT = Document(ROOT / "docs/troubleshooting.md")
ROWS = [row for table in DOCUMENT.tables for row in table[1:]]
SEEN = [(row[3].strip("`"), row[0]) for row in ROWS if len(row) > 3 and row[3]]
HTTP = {"first": "http"}


def texts(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_the_code_prints_it(row):
    found = texts(row[0])
    assert len(found) == 1
    assert unknown(found[0]) == [], found[0]
    assert len(row) == 3 or len(row) == 4
    assert row[2], "and what to do?"


# What is seen on a node -----------------------------------------------------------------------


def without_cover(profile: Profile) -> None:
    profile.cell.covered = False


def without_card(profile: Profile) -> None:
    profile.sim.present = False


def with_pin(profile: Profile) -> None:
    profile.sim.pin = "1234"


def refused(**cause: int) -> Callable[[Profile], None]:
    return lambda profile: profile.cell.__dict__.update(cause)


NOTHING: Callable[[Profile], None] = lambda profile: None  # noqa: E731

# What no fault of the module shows: (changes of the profile, secrets, settings).
WAYS: dict[str, tuple[Callable[[Profile], None], dict, dict[str, Any]]] = {
    "no-pins": (NOTHING, {}, {"pins": None}),
    "no-sim": (without_card, {}, {}),
    "pin": (with_pin, {}, {}),
    "wrong-pin": (with_pin, {"pin": "1111"}, {}),
    **{f"denied-{n}": (refused(denied_cause=n), {}, {}) for n in (3, 6, 13, 22)},
    "no-context-27": (refused(denied_context=27), {}, {}),
    "no-cover": (without_cover, {}, {"register_s": 180}),
    "psm-never": (NOTHING, {}, {"sleep": {"module": "psm"}}),
    "psm-refused": (NOTHING, {}, {"sleep": {"module": "psm"}}),
    "tcp-nobody": (NOTHING, {}, {"uplink": {"first": "tcp"},
                                 "tcp": {"host": "127.0.0.1", "port": 1}}),
    "mqtt-nobody": (NOTHING, {}, {"mqtt": {"host": "127.0.0.1", "port": 1}}),
    "http-nobody": (NOTHING, {}, {"uplink": HTTP, "http": {"url": "http://127.0.0.1:1/x"}}),
    "bad-pin": (NOTHING, {}, {"pins": {"pwrkey": 99}}),
    "http-401": (NOTHING, {}, {"uplink": HTTP}),
    "http-503": (NOTHING, {}, {"uplink": HTTP}),
}  # fmt: skip
FILES = {
    "no-config": None,
    "no-host": '{"id": "n1"}',
    "bad-json": "{id: 1}",
}
WAKES = {"psm-never": 6, "psm-refused": 2}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Address]:
    """A broker that knows one user."""
    with mosquitto({"n1": "right"}) as address:
        yield address


@pytest.mark.parametrize("way", sorted({way for way, _ in SEEN}))
def test_a_node_prints_it(way: str, node, web_server, guarded):
    profile = Profile()
    changed, secrets, settings = WAYS.get(way, (NOTHING, {}, {}))
    changed(profile)
    kind, _, status = way.partition("-")
    if way not in (*WAYS, *FILES, "login") or kind == "psm":
        profile.faults.append(way)
    if status.isdecimal():
        profile.faults.append(f"http-status:{status}")
        host, port = web_server.address
        settings = settings | {"http": {"url": f"http://{host}:{port}/"}}
    if way == "login":
        address = {"host": guarded.host, "port": guarded.port}
        secrets, settings = {"mqtt": {"password": "wrong"}}, {"mqtt": {**address, "user": "n1"}}
    n = node(profile, secrets, source=False, **settings)
    if way in FILES:
        write_config(n, way)
    else:
        n.live(WAKES.get(way, 1))
    said = [alike(line) for _, line in n.bench.console]
    for each, cell in SEEN:
        text = alike(texts(cell)[0])
        assert each != way or any(text in line for line in said), (text, said)


def write_config(n, way: str) -> None:
    """A node starts with that file; one that has been at work has a copy of the one before."""
    text = FILES[way]
    path = n.flash / "config.json"
    if way == "bad-json":
        n.live(1)
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    try:
        n.bench.run(until=n.bench.timeline.now_us / 1e6 + 1000)
    except Exception as error:
        assert type(error).__name__ == "BoardStopped", error
