"""docs/extending.md: each example, put into the firmware as printed, in a node that lives."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.docs.markdown import ROOT, Document
from tools.demo.subscriber import Subscriber
from tools.virtual_c1100 import Profile

DOCUMENT = Document(ROOT / "docs/extending.md")
TOPIC = "nodes/n1/telemetry"


def extend(flash: Path, heading: str) -> None:
    """Do to a node's files what a section says."""
    done = 0
    for block in DOCUMENT.blocks:
        if block.heading != heading:
            continue
        done += 1
        if block.language == "python":
            name = re.findall(r"`(firmware/[\w/]+\.py)`", block.before)[-1]
            assert not (flash / name).exists()
            (flash / name).write_text(block.text)
        else:
            assert block.language == "diff"
            change(flash, block.text)
    assert done >= 2


def change(flash: Path, diff: str) -> None:
    """Apply hunks, each of which stands in its file exactly once."""
    head, _, rest = diff.partition("\n")
    path = flash / head.removeprefix("--- ")
    text = path.read_text()
    for hunk in rest.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(old) == 1, f"{head}: {old}"
        text = text.replace(old, new)
    path.write_text(text)


def sampled(n) -> list[dict[str, object]]:
    return [
        {field["n"]: field.get("v", field.get("vs")) for field in json.loads(text)}
        for text in n.said("sampled")
    ]


def test_a_sensor(node, broker):
    n = node(Profile(), source=True)
    extend(n.flash, "A sensor")
    n.configure(pins={"pwrkey": 4, "wake": 5, "status": 18, "moisture": 34})
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(2)
        assert n.deliver(subscriber) == n.said("sampled")
    assert all(0.5 < record["moisture"] < 0.7 for record in sampled(n))
    assert '"n":"moisture","u":"/","v":0.6' in n.said("sampled")[0]


def test_a_sensor_that_is_not_wired_says_nothing(node):
    n = node(Profile(), source=True)
    extend(n.flash, "A sensor")
    n.live(1)
    assert "moisture" not in sampled(n)[0]


class Datagrams:
    """A server of the example's protocol. deaf -- datagrams that it does not hear"""

    def __init__(self, deaf: int = 0) -> None:
        self.records: dict[int, bytes] = {}
        self._deaf = deaf
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            data, far = self._socket.recvfrom(4096)
            if data == b"end":
                return
            if self._deaf:
                self._deaf -= 1
                continue
            number, _, record = data.partition(b" ")
            self.records[int(number)] = record
            self._socket.sendto(number, far)

    def end(self) -> None:
        self._socket.sendto(b"end", ("127.0.0.1", self.port))


@pytest.fixture
def datagrams() -> Iterator[Datagrams]:
    made = Datagrams(deaf=1)
    yield made
    made.end()


def test_an_uplink(node, datagrams):
    n = node(
        Profile(), source=True, mqtt=None, uplink={"first": "udp"},
        udp={"host": "127.0.0.1", "port": datagrams.port},
    )  # fmt: skip
    extend(n.flash, "An uplink")
    n.live(3)
    assert len(n.said("delivered")) == 3
    assert [text.decode() for text in datagrams.records.values()] == n.said("sampled")
    assert sorted(datagrams.records) == [record["seq"] for record in sampled(n)]


def test_an_uplink_that_nobody_answers_loses_nothing(node, broker):
    n = node(
        Profile(), source=True, uplink={"first": "udp", "then": "mqtt"},
        udp={"host": "127.0.0.1", "port": 9},
    )  # fmt: skip
    extend(n.flash, "An uplink")
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(2)
        assert n.deliver(subscriber) == n.said("sampled")
    assert n.said("no delivery by udp")


def test_a_board(node, broker):
    n = node(Profile(), source=True, uart={"id": 1, "tx": 0, "rx": 1})
    extend(n.flash, "A board")
    table = n.flash / "firmware/boards/__init__.py"
    assert '"linux": "unix"' in table.read_text()  # what the virtual board says of itself
    table.write_text(table.read_text().replace('"linux": "unix"', '"linux": "rp2"'))
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(4)
        n.bench.cut_power(60)
        n.live(5)
        arrived = n.deliver(subscriber)
    assert arrived == n.said("sampled")
    found = sampled(n)
    assert [record.get("reset") for record in found[:4]] == ["power", None, None, None]
    assert [record["wake"] for record in found[:4]] == [1, 2, 3, 4]
    assert found[0]["start"] == 1
    assert (found[-1]["start"], found[-1]["reset"]) == (2, "power")
    assert all(3.5 < record["battery"] < 3.8 for record in found)
