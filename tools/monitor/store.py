"""What the nodes have said, in a file that outlives the monitor: a database of SQLite.

    node    a node: when its last message came, and what Node.state() gives, as JSON
    record  numbers of the records that have come, each once
    series  a measurement of a node by name: its latest value and unit
    sample  its values over time
    event   what nodes have told, and results of commands

There is one writer, a thread that a slow disk may hold up, while what is shown never waits for it.
A store that cannot be used any more says so in `problem`, tries again, and keeps what fits in
memory meanwhile.
"""

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.monitor import senml
from tools.monitor.database import StoreError, lock, look_at, opened, pragma, said
from tools.monitor.history import Point
from tools.monitor.model import EVENTS, MOST_NAMES, MOST_NODES, TRACK, Fleet, Kept, Node, locate
from tools.monitor.sequence import Sequence
from tools.monitor.units import number, shown

KEEP_DAYS = 365.0
MOST_BYTES = 1_000_000_000  # the oldest tenth goes when there is more
DAY_S = 86400.0
COMMIT_S = 0.5
RETRY_S = 5.0
PRUNE_S = 3600.0
WAITING = 20_000  # messages, in memory, while the file cannot be written
CLOSE_S = 10.0


class Store:
    """path -- made when missing; keep_days -- what is older is forgotten

    Raises StoreError when it cannot be used. A context manager.
    """

    def __init__(
        self, path: Path, keep_days: float = KEEP_DAYS, most_bytes: int = MOST_BYTES
    ) -> None:
        self.path = path.absolute()
        self.problem = ""  # why nothing is kept at the moment
        self.lost = 0  # messages that could not be kept
        self._keep_s = keep_days * DAY_S
        self._most_bytes = most_bytes
        self._waiting: deque[Kept] = deque()
        self._news, self._closing = threading.Event(), threading.Event()
        self._pruned = 0.0
        look_at(self.path)
        self._lock = lock(self.path)
        try:
            self._file = opened(self.path)
        except StoreError:
            os.close(self._lock)
            raise
        self._inode = self.path.stat().st_ino
        self._writer = threading.Thread(target=self._write, name="store", daemon=True)

    def __enter__(self) -> "Store":
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._news.set()
        self._writer.join(CLOSE_S)
        if not self._writer.is_alive():
            self._file.close()
            os.close(self._lock)

    def put(self, kept: Kept) -> None:
        """Keep what a message has brought, soon."""
        if len(self._waiting) >= WAITING:
            self.lost += 1
            return
        self._waiting.append(kept)
        self._news.set()

    # Reading ------------------------------------------------------------------------------------

    def load(self, fleet: Fleet) -> None:
        """Tell a fleet what was kept. Raises StoreError."""
        with self._reading() as file:
            nodes = [_node(file, *row) for row in file.execute(
                "SELECT id, state FROM node ORDER BY heard DESC LIMIT ?", (MOST_NODES,)
            ).fetchall()]  # fmt: skip
            events = file.execute(
                "SELECT at, node, text FROM event ORDER BY id DESC LIMIT ?", (EVENTS,)
            ).fetchall()
            for at, node, text in events:
                _check(at, float, node, str, text, str)
        fleet.restore(nodes, reversed(events))

    def points(self, node: str, since: float) -> dict[str, list[Point]]:
        """What is kept of a node's values from a time on, by name. Raises StoreError."""
        found: dict[str, list[Point]] = {}
        with self._reading() as file:
            rows = file.execute(
                "SELECT name, sample.at, sample.value, life, seq FROM series "
                "JOIN sample ON sample.series = series.id WHERE node = ? AND sample.at >= ?",
                (node, since),
            )
            for name, at, value, life, seq in rows:
                height = number(value)
                if height is not None:
                    found.setdefault(name, []).append(Point(at, height, life, seq))
        return found

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The file, read only. Raises StoreError, also when something else is wrong with it."""
        try:
            file = sqlite3.connect(self.path.as_uri() + "?mode=ro", uri=True)
            with contextlib.closing(file):
                yield file
        except (sqlite3.Error, ValueError, TypeError, LookupError, RecursionError) as error:
            raise StoreError(said(self.path, error)) from error

    # Writing ------------------------------------------------------------------------------------

    def _write(self) -> None:
        """The one writer. What cannot be written waits."""
        while True:
            self._news.wait()
            self._closing.wait(COMMIT_S)  # more may come: one commit for all
            self._news.clear()
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            is_written = not batch or self._written(batch)
            if not is_written:
                self._waiting.extendleft(reversed(batch))
                self._closing.wait(RETRY_S)
                self._news.set()
            if self._closing.is_set() and (not is_written or not self._waiting):
                return

    def _written(self, batch: list[Kept]) -> bool:
        file = self._file
        try:
            if not self._is_there():
                raise sqlite3.OperationalError("taken away")
            file.execute("BEGIN IMMEDIATE")
            for kept in batch:
                try:
                    _insert(file, kept)
                except (ValueError, OverflowError):  # no such value is known; it costs no other
                    self.lost += 1
            is_due = not self._pruned or time.monotonic() - self._pruned > PRUNE_S
            if is_due or self._bytes(file) > self._most_bytes:
                self._prune(file, time.time() - self._keep_s)
            file.execute("COMMIT")
        except sqlite3.Error as error:
            self.problem = said(self.path, error)
            with contextlib.suppress(sqlite3.Error):
                file.execute("ROLLBACK")
            return False
        self.problem = ""
        return True

    def _is_there(self) -> bool:
        """Whether the file that is open is still the one of that name."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def _prune(self, file: sqlite3.Connection, before: float) -> None:
        """Forget what is too old, and the oldest when it is too much."""
        _forget(file, before)
        while self._bytes(file) > self._most_bytes:
            first, last = file.execute("SELECT min(heard), max(heard) FROM sample").fetchone()
            if first is None:
                break
            _forget(file, first + (last - first) / 10 if first < last else last + 1)
        self._pruned = time.monotonic()

    def _bytes(self, file: sqlite3.Connection) -> int:
        used = pragma(file, "page_count") - pragma(file, "freelist_count")
        return used * pragma(file, "page_size")


def _insert(file: sqlite3.Connection, kept: Kept) -> None:
    file.execute(
        "INSERT OR REPLACE INTO node VALUES (?, ?, ?)",
        (kept.node, kept.heard, json.dumps(kept.state)),
    )
    file.executemany(
        "INSERT INTO event (node, at, heard, text) VALUES (?, ?, ?, ?)",
        [(kept.node, at, kept.heard, text) for at, text in kept.events],
    )
    for record in kept.records:
        if record.seq is not None:
            file.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)",
                (kept.node, record.life, record.seq, record.at, kept.heard),
            )
        for value in record.values:
            if value.name in ("event", "reset"):
                continue
            told = shown(value.value)
            row = file.execute(
                "INSERT INTO series (node, name, unit, at, value) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (node, name) DO UPDATE SET "
                "unit = CASE WHEN excluded.at >= at THEN excluded.unit ELSE unit END, "
                "value = CASE WHEN excluded.at >= at THEN excluded.value ELSE value END, "
                "at = max(at, excluded.at) RETURNING id",
                (kept.node, value.name, value.unit, value.at, told),
            ).fetchone()
            file.execute(
                "INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?, ?, ?)",
                (row[0], value.at, told, record.life, record.seq, kept.heard),
            )


def _forget(file: sqlite3.Connection, before: float) -> None:
    for table in ("node", "record", "sample", "event"):
        file.execute(f"DELETE FROM {table} WHERE heard < ?", (before,))
    file.execute("DELETE FROM series WHERE node NOT IN (SELECT id FROM node)")
    file.execute("DELETE FROM sample WHERE series NOT IN (SELECT id FROM series)")


def _node(file: sqlite3.Connection, id: str, text: str) -> Node:
    """A node as it was. Raises TypeError, ValueError, LookupError for what nobody has written."""
    state: dict[str, Any] = json.loads(text)
    node = Node(id, state["heard"], rhythm=state["rhythm"], malformed=state["malformed"],
                recoveries=state["recoveries"], count=Sequence.of(state["count"]))  # fmt: skip
    times = (node.heard, float, node.rhythm, float)
    _check(id, str, *times, node.malformed, int, node.recoveries, int)
    rows = file.execute(
        "SELECT name, value, unit, at FROM series WHERE node = ? ORDER BY id LIMIT ?",
        (id, MOST_NAMES),
    )
    for name, value, unit, at in rows:
        _check(name, str, unit, str, at, float, value, (str, int, float))
        node.values[name] = senml.Value(name, value, unit, at)
    rows = file.execute(
        "SELECT lat.value, lon.value, lat.at FROM series a, series o "
        "JOIN sample lat ON lat.series = a.id JOIN sample lon ON lon.series = o.id "
        "AND lon.at = lat.at WHERE a.node = ?1 AND a.name = 'lat' AND o.node = ?1 AND "
        "o.name = 'lon' ORDER BY lat.at DESC LIMIT ?2",
        (id, TRACK),
    ).fetchall()
    for lat, lon, at in reversed(rows):
        locate(node, senml.Value("lat", lat, "", at), position := {})
        locate(node, senml.Value("lon", lon, "", at), position)
    return node


def _check(*pairs: Any) -> None:
    for value, kind in zip(pairs[::2], pairs[1::2], strict=True):
        if not isinstance(value, kind):
            raise ValueError(f"{value!r} is of the wrong kind")
