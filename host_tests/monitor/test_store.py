"""What the monitor keeps over its restart, and files that it cannot use."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tests.monitor.conftest import asked, listens
from host_tests.monitor.test_model import pack
from host_tests.monitor.test_values import FIELD, NAMED
from host_tests.patience import LIMIT_S, until
from tools.broker import Address
from tools.monitor import store as stores
from tools.monitor.database import StoreError
from tools.monitor.feed import Feed
from tools.monitor.model import Fleet
from tools.monitor.store import Store

NOW = 1_800_000_000.0
DAY_S = 86400.0
ODD = [
    {"n": "text", "vs": "dry"}, {"n": "on", "vb": True}, {"n": "data", "vd": "aGVsbG8"},
    {"n": "nan", "v": float("nan")}, {"n": "huge", "v": 10**300}, {"n": "float", "v": 1e300},
    {"n": "wide", "v": 2**70}, {"n": "\ud800", "vs": "\ud800\x00\n"}, {"n": "n" * 9999, "v": 1},
    {"n": "u", "u": "x" * 999, "v": 2}, {"n": "s", "u": "\ud800", "v": 2}, {"n": "", "v": 3},
    {"n": "seq", "vs": "none"},
]  # fmt: skip


def told(fleet: Fleet, store: Store, *fields: dict, at: float = NOW, node: str = "n1") -> None:
    kept = fleet.message(f"nodes/{node}/telemetry", pack(*fields, node=node, at=int(at)), at)
    assert kept is not None
    store.put(kept)


def again(path: Path, **options: float) -> Fleet:
    """What another monitor knows that begins with the file."""
    fleet = Fleet()
    with Store(path, **options) as store:
        store.load(fleet)
    return fleet


def of(fleet: Fleet, *without: str) -> dict:
    """What is shown, but for what lies in the present."""
    state = fleet.snapshot(NOW + 10)
    for node in state["nodes"]:
        for about in node["about"].values():
            del about["plot"]
    return {key: value for key, value in state.items() if key not in without}


def test_what_the_nodes_said_is_there_again(tmp_path: Path):
    fleet = Fleet()
    path = tmp_path / "m.db"
    with Store(path, 1e4) as store:
        for n, seq in enumerate((1, 2, 5, 5, 4)):
            told(fleet, store, {"n": "seq", "v": seq}, {"n": "battery", "u": "V", "v": 3.6 + n},
                 {"n": "lat", "v": 31 + n}, {"n": "lon", "v": 121}, {"n": "event", "vs": "radio"},
                 at=NOW + 60 * n)  # fmt: skip
        told(fleet, store, *ODD, node="odd")
        kept = fleet.message("nodes/n1/results", b'{"id": "a7", "result": "done"}', NOW)
        assert kept is not None
        store.put(kept)
        bad = fleet.message("nodes/n2/telemetry", b"\xff", NOW)
        assert bad is not None
        store.put(bad)
    after = again(path, keep_days=1e4)
    assert of(after) == of(fleet)
    assert after.nodes["n1"].missing == {3}
    assert after.nodes["n1"].repeated == 1
    assert not list(tmp_path.glob("*-wal"))


def test_whatever_is_json_can_be_kept(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(stores, "COMMIT_S", 0.001)
    fleet, path = Fleet(), tmp_path / "m.db"
    with Store(path, 1e4) as store:

        @given(st.lists(FIELD | NAMED, max_size=6))
        @settings(suppress_health_check=list(HealthCheck))
        def keep(fields: list[dict]) -> None:
            kept = fleet.message("nodes/n1/telemetry", json.dumps(fields).encode(), NOW)
            assert kept is not None
            store.put(kept)

        keep()
        until(lambda: not store._waiting)
        assert (store.problem, store.lost) == ("", 0)
        assert store._writer.is_alive()
    shown = fleet.snapshot(NOW)["nodes"][0]
    again_shown = again(path, keep_days=1e4).snapshot(NOW)["nodes"][0]
    assert again_shown["values"] == shown["values"]


def test_what_cannot_be_kept_costs_nothing_else(tmp_path: Path):
    fleet, path = Fleet(), tmp_path / "m.db"
    with Store(path, 1e4) as store:
        for n, text in enumerate(("a", "\ud800", "b")):
            kept = fleet.message("nodes/n1/telemetry", pack({"n": "x", "v": n}), NOW + n)
            assert kept is not None
            store.put(kept._replace(events=[(NOW, text)]))
    assert store.lost == 1
    assert [event[2] for event in again(path, keep_days=1e4).events] == ["a", "b"]


def test_records_are_kept_once_and_repetitions_are_counted_over_a_restart(tmp_path: Path):
    path = tmp_path / "m.db"
    for _ in range(3):
        fleet = Fleet()
        with Store(path, 1e4) as store:
            store.load(fleet)
            for seq in (1, 2, 3):
                told(fleet, store, {"n": "seq", "v": seq}, {"n": "x", "v": seq}, at=NOW + seq)
    with contextlib.closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT node, life, seq FROM record ORDER BY seq").fetchall()
        assert rows == [("n1", 0, 1), ("n1", 0, 2), ("n1", 0, 3)]
        assert file.execute("SELECT count(*) FROM sample").fetchone() == (3,)
    assert again(path, keep_days=1e4).nodes["n1"].repeated == 6


def test_what_was_said_while_the_monitor_was_away_is_not_missing(tmp_path: Path):
    path = tmp_path / "m.db"
    fleet = Fleet()
    with Store(path, 1e4) as store:
        for seq in (1, 3):
            told(fleet, store, {"n": "seq", "v": seq}, {"n": "x", "v": 1}, at=NOW + 60 * seq)
    fleet = Fleet()
    with Store(path, 1e4) as store:
        store.load(fleet)
        for seq in (9, 11):
            told(fleet, store, {"n": "seq", "v": seq}, {"n": "x", "v": 1}, at=NOW + 60 * seq)
    (row,) = again(path, keep_days=1e4).snapshot(NOW)["nodes"]
    assert (row["missing"], row["unheard"]) == (2, 5)  # 2 and 10; 4 to 8


def test_a_node_that_begins_again_is_told_from_one_that_repeats(tmp_path: Path):
    path = tmp_path / "m.db"
    fleet = Fleet()
    with Store(path, 1e4) as store:
        for life in range(2):
            for seq in (1, 2, 3):
                for _ in range(2):
                    told(fleet, store, {"n": "seq", "v": seq}, {"n": "x", "v": life + seq},
                         at=NOW + 10 * life + seq)  # fmt: skip
    assert fleet.nodes["n1"].repeated == 6
    assert not fleet.nodes["n1"].missing
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*), max(life) FROM record").fetchone() == (6, 1)


def test_a_history_is_of_store_and_memory_with_its_gaps(tmp_path: Path):
    path = tmp_path / "m.db"
    now = time.time()
    fleet = Fleet()
    with Store(path) as store:
        for seq in (1, 2, 5, 6):
            told(fleet, store, {"n": "seq", "v": seq}, {"n": "x", "v": seq}, at=now - 100 + seq)
    fleet = Fleet()
    with Store(path) as store:
        store.load(fleet)
        told(fleet, store, {"n": "seq", "v": 7}, {"n": "x", "v": 7}, at=now - 100 + 7)
        feed = Feed(fleet, Address("h", 1), store=store)
        plot = feed.history("n1", DAY_S)["x"]
    assert [[value for _, value in part] for part in plot["parts"]] == [[1, 2], [5, 6, 7]]
    assert (plot["count"], plot["least"], plot["most"], plot["last"]) == (5, 1, 7, 7)
    assert feed.history("nobody", DAY_S) == {}


def test_what_is_old_is_forgotten_and_the_oldest_when_it_is_too_much(tmp_path: Path):
    path = tmp_path / "m.db"
    now = time.time()
    fleet = Fleet()
    with Store(path) as store:
        for days in (20, 8, 6, 1):
            told(fleet, store, {"n": "x", "v": days}, {"n": "event", "vs": f"e{days}"},
                 at=now - days * DAY_S, node=f"n{days}")  # fmt: skip
    fleet = Fleet()
    with Store(path, 7) as store:
        told(fleet, store, {"n": "x", "v": 0}, at=now, node="n0")
    assert set(again(path).nodes) == {"n0", "n1", "n6"}
    with Store(path, 7, 400_000) as store:
        for n in range(300):
            told(fleet, store, *({"n": f"x{m}", "v": n} for m in range(40)), at=now + n)
    with contextlib.closing(sqlite3.connect(path)) as file:
        pages = [file.execute(f"PRAGMA {name}").fetchone()[0]
                 for name in ("page_count", "freelist_count", "page_size")]  # fmt: skip
        assert (pages[0] - pages[1]) * pages[2] <= 400_000
        assert file.execute("SELECT max(value) FROM sample").fetchone() == (299,)


def damaged(path: Path) -> None:
    fleet = Fleet()
    with Store(path, 1e4) as store:
        for n in range(300):
            told(fleet, store, *({"n": f"x{m}", "v": n} for m in range(9)), at=NOW + n)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x55" * (len(data) - 4096)
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    damaged(path)
    path.write_bytes(path.read_bytes()[:5000])


def of_another(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE mine (x)")


def of_version(version: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with Store(path):
            pass
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.execute(f"PRAGMA user_version = {version}")

    return make


def with_state(state: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with Store(path):
            pass
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("INSERT INTO node VALUES ('n', 1.0, ?)", (state,))

    return make


UNUSABLE: list[tuple[Callable[[Path], object], str]] = [
    (damaged, "is damaged: move it away"),
    (cut_short, "is damaged: move it away"),
    (lambda path: path.write_bytes(b"\x00" * 5000), "is no database: name another file"),
    (lambda path: path.write_bytes(b"hello, world\n" * 99), "is no database: name another file"),
    (lambda path: path.write_text("x"), "is no database: name another file"),
    (of_another, "belongs to another program: name another file"),
    (of_version(0), "was written by an older monitor (format 0"),
    (of_version(99), "was written by a newer monitor (format 99"),
    (with_state("{"), "is damaged: move it away"),
    (with_state("[]"), "is damaged: move it away"),
    (with_state("{}"), "is damaged: move it away"),
    (with_state("[" * 9999), "is damaged: move it away"),
    (Path.mkdir, "is a folder: name a file"),
    (os.mkfifo, "is no file: name a file"),
]


@pytest.mark.parametrize(("make", "says"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_file_that_cannot_be_used_is_named_and_left_as_it_is(tmp_path: Path, make, says):
    path = tmp_path / "m.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError) as raised, Store(path, 1e4) as store:
        store.load(Fleet())
    assert str(raised.value).startswith(f"{path} ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize(
    ("path", "says"),
    [("/proc/m.db", "cannot be written"), ("/nowhere/m.db", "there is no folder /nowhere"),
     ("/dev/null/m.db", "cannot be used: Not a directory"), ("x" * 300, "File name too long")],
)  # fmt: skip
def test_a_place_where_no_file_can_be_is_said(path, says):
    with pytest.raises(StoreError) as raised:
        Store(Path(path))
    assert says in str(raised.value)
    assert str(Path(path).absolute()) in str(raised.value)


def test_two_monitors_do_not_write_one_file(tmp_path: Path):
    path = tmp_path / "m.db"
    with Store(path), pytest.raises(StoreError, match="is in use by another monitor"):
        Store(path)
    with Store(path):
        pass


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """A disk that is full when it is told so: SQLite gets no page more."""
    monkeypatch.setattr(stores, "RETRY_S", 0.05)
    monkeypatch.setattr(stores, "COMMIT_S", 0.01)
    real = stores.opened
    files: list[sqlite3.Connection] = []

    def opened(path: Path) -> sqlite3.Connection:
        files.append(real(path))
        return files[-1]

    monkeypatch.setattr(stores, "opened", opened)

    def full(is_full: bool) -> None:
        files[-1].execute(f"PRAGMA max_page_count = {1 if is_full else 1 << 30}")

    return full


def test_a_full_disk_is_said_and_costs_neither_the_view_nor_what_comes(
    tmp_path: Path, small_disk, monkeypatch
):
    fleet = Fleet()
    path = tmp_path / "m.db"
    with Store(path, 1e4) as store:
        feed = Feed(fleet, Address("h", 1), store=store)
        assert feed.snapshot()["store"] == ""
        small_disk(True)
        for n in range(50):
            told(fleet, store, *({"n": f"x{m}", "v": n} for m in range(99)), at=NOW + n)
        until(lambda: store.problem)
        said = feed.snapshot()["store"]
        assert (
            said
            == f"not kept at the moment: {path} cannot be written, the disk is full: make room"
        )
        assert len(feed.snapshot()["nodes"][0]["values"]) == 99
        small_disk(False)
        until(lambda: not store.problem and not store._waiting)
        monkeypatch.setattr(stores, "WAITING", 2)
        small_disk(True)
        for n in range(50, 99):
            told(fleet, store, *({"n": f"y{m}", "v": n} for m in range(99)), at=NOW + n)
        until(lambda: store.lost)
        assert f"{store.lost} message" in feed.snapshot()["store"]
    assert again(path, keep_days=1e4).nodes["n1"].values["x98"].value == 49
    assert threading.active_count() < 50


def test_a_file_that_is_taken_away_is_said(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(stores, "COMMIT_S", 0.01)
    fleet = Fleet()
    path = tmp_path / "m.db"
    with Store(path, 1e4) as store:
        told(fleet, store, {"n": "x", "v": 1})
        until(lambda: not store._waiting)
        path.unlink()
        told(fleet, store, {"n": "x", "v": 2})
        until(lambda: store.problem)
        assert "was taken away: start the monitor again" in store.problem


def test_what_is_wrong_with_the_store_is_one_line_and_the_page_is_served(tmp_path: Path, broker):
    path = tmp_path / "m.db"
    path.write_text("mine")
    child = subprocess.Popen(
        [sys.executable, "-m", "tools", "monitor", "--broker", str(broker), "--web", "0",
         "--no-terminal", "--store", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline().startswith("http://")
    child.terminate()
    _, said = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 0
    assert said == f"monitor: nothing is kept: {path} is no database: name another file\n"
    assert json.dumps(said)


@contextlib.contextmanager
def monitor(broker: Address, path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A monitor with its page, for as long as it is not killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tools", "monitor", "--broker", str(broker), "--web", "0",
         "--no-terminal", "--store", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield listens(child), child
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_monitor_that_is_started_again_shows_what_the_nodes_said(
    tmp_path: Path, broker, publish, end
):
    path = tmp_path / "m.db"
    node = f"again-{end}"
    at = int(time.time()) - 100
    fields = [{"n": "battery", "u": "V", "v": 3.6}, {"n": "soil", "u": "%RH", "v": 41},
              {"n": "event", "vs": "radio"}, {"n": "lat", "v": 31.2},
              {"n": "lon", "v": 121.5}]  # fmt: skip

    def shown(url: str) -> dict:
        found = asked(url + "state")
        rows = [row for row in found["nodes"] if row["id"] == node]
        return rows[0] if rows else {}

    with monitor(broker, path) as (url, child):
        for seq in (1, 2, 4, 4):
            record = pack({"n": "seq", "v": seq}, *fields, node=node, at=at + seq)
            publish(f"nodes/{node}/telemetry", record)
        until(lambda: shown(url).get("repeated") == 1)
        before, events = shown(url), asked(url + "state")["events"]
        with monitor(broker, path) as (second, other):  # it shows, and writes nothing
            assert asked(second + "state")["store"].startswith(
                f"nothing is kept: {path} is in use by another monitor"
            )
            other.terminate()
            assert other.wait(LIMIT_S) == 0
        query = f"history?node={node}"
        until(lambda: asked(url + query)["soil"]["count"] == 3)
        until(lambda: _stored(path) == 3)
        getattr(child, end)()
        child.wait(LIMIT_S)
    with monitor(broker, path) as (url, _):
        after = shown(url)
        assert after["values"] == before["values"]
        assert after["track"] == before["track"]
        assert (after["missing"], after["repeated"], after["recoveries"]) == (1, 1, 3)
        assert asked(url + "state")["events"] == events
        assert [len(part) for part in asked(url + query)["soil"]["parts"]] == [2, 1]
        publish(
            f"nodes/{node}/telemetry", pack({"n": "seq", "v": 3}, *fields, node=node, at=at + 3)
        )
        until(lambda: shown(url)["missing"] == 0)
        assert [len(part) for part in asked(url + query)["soil"]["parts"]] == [4]


def _stored(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        return file.execute("SELECT count(*) FROM record").fetchone()[0]
