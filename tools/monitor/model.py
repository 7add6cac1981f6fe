"""What is known of the nodes: messages go in, a state comes out. No clock, no network."""

import json
import shlex
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zlib import crc32

from tools.monitor import schema, senml
from tools.monitor.history import Point
from tools.monitor.sequence import Sequence, numbered
from tools.monitor.units import UNIT_CHARACTERS, cut, meaning, number, plain, shown, symbol
from tools.monitor.words import RESULT, explained, left_out

TELEMETRY, RESULTS = "telemetry", "results"
CBOR = "/cbor"  # behind the topic of telemetry that is not JSON
TOPICS = tuple(f"nodes/+/{kind}" for kind in (TELEMETRY, TELEMETRY + CBOR, RESULTS))
EVENTS = 200
TRACK = 500
BURST_S = 5.0  # messages within this are one report
OVERDUE = 2.5  # times a node's own rhythm
MOST_NAMES = 512  # of values of one node: a hostile one fills no memory
MOST_VALUES = 100_000  # of all nodes
MOST_POINTS = 1_000_000  # of all values
POINTS = 500  # of one value
MOST_NODES = 10_000
MOST_TEXT = 120
MOST_UNFIT = 20  # of a node: what does not fit the schema
AHEAD_S = 3600.0  # a node's clock may be ahead of ours by that much


class Record(NamedTuple):
    """What a node has said of one moment. seq -- None: it had no number"""

    life: int
    seq: int | None
    at: float
    values: list[senml.Value]


class Kept(NamedTuple):
    """What a message that came at `heard` has brought, for whoever keeps it."""

    node: str
    heard: float
    state: dict[str, Any]
    records: list[Record]
    events: list[tuple[float, str]]


@dataclass
class Node:
    """One node. Times are Unix times."""

    id: str
    heard: float = 0.0  # last message
    since: float = 0.0  # when we began to listen; 0: before it spoke first
    rhythm: float = 0.0  # seconds between messages, a mean that forgets; 0: not known
    values: dict[str, senml.Value] = field(default_factory=dict)
    points: dict[str, deque[Point]] = field(default_factory=dict)
    unshown: int = 0  # values that there was no room for, in the last message that had such
    count: Sequence = field(default_factory=Sequence)
    malformed: int = 0
    unfit: set[str] = field(default_factory=set)  # what was told of it
    recoveries: int = 0
    track: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=TRACK))

    @property
    def missing(self) -> set[int]:
        """Sequence numbers that were skipped, and have not come since."""
        return self.count.missing

    @property
    def repeated(self) -> int:
        """Records that have come before."""
        return self.count.repeated

    def overdue(self, now: float) -> bool:
        """Whether it should have reported by now, going by its own rhythm."""
        return bool(self.rhythm) and now - max(self.heard, self.since) > OVERDUE * self.rhythm

    def state(self) -> dict[str, Any]:
        """What is kept of it besides its values."""
        return {
            "heard": self.heard,
            "rhythm": self.rhythm,
            "malformed": self.malformed,
            "recoveries": self.recoveries,
            "count": self.count.state(),
        }


class Fleet:
    """All nodes, and the last events."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        # when, node, what it told, and in words
        self.events: deque[tuple[float, str, str, str]] = deque(maxlen=EVENTS)
        self.changes = 0  # counts messages: a view looks whether there is anything new
        self._values = self._points = 0

    def message(self, topic: str, payload: bytes, now: float) -> Kept | None:
        """Take in one message; whatever is in it. Returns what is to be kept of it."""
        parts = topic.removesuffix(CBOR).split("/")
        if len(parts) != 3 or parts[0] != "nodes" or parts[2] not in (TELEMETRY, RESULTS):
            return None
        if parts[1] not in self.nodes and len(self.nodes) >= MOST_NODES:
            return None
        self.changes += 1
        node = self.nodes.setdefault(parts[1], Node(parts[1]))
        kept = Kept(node.id, now, {}, [], [])
        if parts[2] == RESULTS:
            self._result(node, payload, now, kept)
        else:
            self._telemetry(node, payload, now, kept)
        kept.state.update(node.state())
        return kept

    def _telemetry(self, node: Node, payload: bytes, now: float, kept: Kept) -> None:
        try:
            values = senml.resolve(payload, now)
        except ValueError as error:
            node.malformed += 1
            self._event(now, node, f"damaged message: {error}", kept)
            return
        if node.heard > node.since:
            gap = now - node.heard
            if gap > BURST_S:
                node.rhythm = gap if not node.rhythm else 0.7 * node.rhythm + 0.3 * gap
        node.heard = now
        node.unshown = 0
        if any(value.name.endswith(":seq") for value in values):  # else nobody's of this firmware
            self._unfit(node, TELEMETRY, payload, now, kept)
        for seq, found in _records(node.id, values, now):
            at = found[0].at if found else now
            digest = crc32(repr([value[:3] for value in found]).encode("utf-8", "replace"))
            if seq is None or node.count.take(seq, at, digest):
                record = Record(node.count.life, seq, at, found)
                kept.records.append(record)
                self._record(node, record, kept)

    def _unfit(self, node: Node, kind: str, payload: bytes, now: float, kept: Kept) -> None:
        """Tell what of a message does not fit the schema, once; it is taken all the same."""
        for text in schema.unfit(kind, payload):
            if text not in node.unfit and len(node.unfit) < MOST_UNFIT:
                node.unfit.add(text)
                self._event(now, node, f"does not fit the schema: {text}", kept)

    def _record(self, node: Node, record: Record, kept: Kept) -> None:
        position: dict[str, float] = {}
        for value in record.values:
            if value.name in ("event", "reset"):
                node.recoveries += value.name == "event"
                node.count.never_given(left_out(str(value.value)))
                self._event(value.at, node, f"{value.name}: {shown(value.value)}", kept)
                continue
            if value.name in ("lat", "lon"):
                locate(node, value, position)
            self._value(node, value, record)

    def _value(self, node: Node, value: senml.Value, record: Record) -> None:
        known = node.values.get(value.name)
        if known is None:
            if len(node.values) >= MOST_NAMES or self._values >= MOST_VALUES:
                node.unshown += 1
                return
            self._values += 1
        if known is None or value.at >= known.at:  # a backlog comes oldest first
            node.values[value.name] = value
        height = number(value.value)
        if height is None:
            return
        points = node.points.setdefault(value.name, deque(maxlen=POINTS))
        if len(points) < POINTS:
            if self._points >= MOST_POINTS:
                return
            self._points += 1
        points.append(Point(value.at, height, record.life, record.seq))

    def _result(self, node: Node, payload: bytes, now: float, kept: Kept) -> None:
        self._unfit(node, "result", payload, now, kept)
        try:
            text = json.dumps(json.loads(payload))
        except (ValueError, RecursionError):
            text = "damaged result"
        self._event(now, node, RESULT + text, kept)

    def _event(self, at: float, node: Node, text: str, kept: Kept) -> None:
        kept.events.append((at, plain(text[:MOST_TEXT])))
        self.events.append(_told(at, node.id, text))

    def restore(self, known: Iterable[Node], events: Iterable[tuple[float, str, str]]) -> None:
        """Go on from what was kept: nodes, and the last events, oldest first."""
        for node in known:
            if len(self.nodes) < MOST_NODES:
                self.nodes[node.id] = node
                self._values += len(node.values)
        self.events.extend(_told(*event) for event in events)

    def listen(self, now: float) -> None:
        """Nobody has listened until now: what the nodes have said meanwhile is not missing."""
        for node in self.nodes.values():
            node.since = now
            node.count.resumed = True

    def snapshot(self, now: float) -> dict[str, Any]:
        """Everything that a view shows, as JSON has it; the nodes in the order of their ids."""
        return {
            "now": now,
            "nodes": [_row(self.nodes[id], now) for id in sorted(self.nodes)],
            "events": [
                {"at": at, "node": id, "text": text, "words": words}
                for at, id, text, words in self.events
            ],
        }


def _told(at: float, node: str, text: str) -> tuple[float, str, str, str]:
    words = explained(text).replace("NODE", shlex.quote(node))
    return at, plain(node), plain(text[:MOST_TEXT]), plain(words)


def _records(
    node: str, values: list[senml.Value], now: float
) -> Iterator[tuple[int | None, list[senml.Value]]]:
    """The records of a message: each begins with its number, if it has one."""
    seq: int | None = None
    found: list[senml.Value] = []
    for value in values:
        name = cut(value.name.removeprefix(f"{node}:"), MOST_TEXT)
        # A clock that is wrong is not believed: what it says would stay the latest for ever.
        at = value.at if 0 <= value.at <= now + AHEAD_S else now
        own = numbered(value.value) if name == "seq" else None
        if own is None:
            unit = cut(value.unit, UNIT_CHARACTERS)
            found.append(senml.Value(name, value.value, unit, at))
            continue
        if found or seq is not None:
            yield seq, found
        seq, found = own, []
    if found or seq is not None:
        yield seq, found


def locate(node: Node, value: senml.Value, position: dict[str, float]) -> None:
    """A position that is one goes onto the map."""
    most = 90 if value.name == "lat" else 180
    degrees = number(value.value)
    if degrees is None or isinstance(value.value, bool) or not -most <= degrees <= most:
        return
    position[value.name] = degrees
    if len(position) == 2:
        node.track.append((position["lat"], position["lon"], value.at))
        position.clear()


def _row(node: Node, now: float) -> dict[str, Any]:
    return {
        "id": plain(node.id),
        "key": node.id,
        "heard": node.heard,
        "overdue": node.overdue(now),
        "values": {
            name: {"value": shown(value.value), "unit": symbol(value.unit)}
            for name, value in node.values.items()
        },
        "about": {
            name: {"at": value.at, "unit": meaning(value.unit), "plot": name in node.points}
            for name, value in node.values.items()
        },
        "unshown": node.unshown,
        "seq": node.count.highest,
        "missing": len(node.count.missing) + node.count.forgotten,
        "unheard": len(node.count.unheard),
        "repeated": node.count.repeated,
        "malformed": node.malformed,
        "recoveries": node.recoveries,
        "track": [[lat, lon] for lat, lon, _ in node.track],
    }
