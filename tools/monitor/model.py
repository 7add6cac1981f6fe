"""What is known of the nodes: messages go in, a state comes out. No clock, no network."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tools.monitor import senml

TELEMETRY, RESULTS = "telemetry", "results"
TOPICS = tuple(f"nodes/+/{kind}" for kind in (TELEMETRY, RESULTS))
SHOWN = ("battery", "temperature", "signal", "backlog", "dropped", "start", "wake", "alt")
EVENTS = 200
TRACK = 500
BURST_S = 5.0  # messages within this are one report
OVERDUE = 2.5  # times a node's own rhythm
MOST_NAMES = 64  # of values of one node: a hostile one fills no memory
MOST_NODES = 10_000
MOST_TEXT = 120


@dataclass
class Node:
    """One node. Times are Unix times."""

    id: str
    heard: float = 0.0  # last message
    rhythm: float = 0.0  # seconds between messages, a mean that forgets; 0: not known
    values: dict[str, senml.Value] = field(default_factory=dict)
    highest: int = 0  # sequence number
    missing: set[int] = field(default_factory=set)
    repeated: int = 0
    malformed: int = 0
    recoveries: int = 0
    track: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=TRACK))

    def overdue(self, now: float) -> bool:
        """Whether it should have reported by now, going by its own rhythm."""
        return bool(self.rhythm) and now - self.heard > OVERDUE * self.rhythm


class Fleet:
    """All nodes, and the last events."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.events: deque[tuple[float, str, str]] = deque(maxlen=EVENTS)
        self.changes = 0  # counts messages: a view looks whether there is anything new

    def message(self, topic: str, payload: bytes, now: float) -> None:
        """Take in one message; whatever is in it."""
        parts = topic.split("/")
        if len(parts) != 3 or parts[0] != "nodes" or parts[2] not in (TELEMETRY, RESULTS):
            return
        if parts[1] not in self.nodes and len(self.nodes) >= MOST_NODES:
            return
        self.changes += 1
        node = self.nodes.setdefault(parts[1], Node(parts[1]))
        if parts[2] == RESULTS:
            self._result(node, payload, now)
            return
        try:
            values = senml.resolve(payload, now)
        except ValueError as error:
            node.malformed += 1
            self._event(now, node, f"damaged message: {error}")
            return
        if node.heard:
            gap = now - node.heard
            if gap > BURST_S:
                node.rhythm = gap if not node.rhythm else 0.7 * node.rhythm + 0.3 * gap
        node.heard = now
        position: dict[str, float] = {}
        for value in values:
            self._value(node, value, position)

    def _value(self, node: Node, value: senml.Value, position: dict[str, float]) -> None:
        name = value.name.removeprefix(f"{node.id}:")
        if name == "seq" and isinstance(value.value, int | float):
            _count(node, int(value.value))
        elif name in ("event", "reset"):
            node.recoveries += name == "event"
            self._event(value.at, node, f"{name}: {value.value}")
        elif name in ("lat", "lon") and isinstance(value.value, int | float):
            position[name] = float(value.value)
            if len(position) == 2:
                node.track.append((position["lat"], position["lon"], value.at))
                position.clear()
        elif name in node.values or len(node.values) < MOST_NAMES:
            known = node.values.get(name)
            if known is None or value.at >= known.at:  # a backlog comes oldest first
                node.values[name] = value

    def _result(self, node: Node, payload: bytes, now: float) -> None:
        try:
            text = json.dumps(json.loads(payload))
        except (ValueError, RecursionError):
            text = "damaged result"
        self._event(now, node, f"result: {text}")

    def _event(self, at: float, node: Node, text: str) -> None:
        self.events.append((at, plain(node.id), plain(text[:MOST_TEXT])))

    def snapshot(self, now: float) -> dict[str, Any]:
        """Everything that a view shows, as JSON has it; the nodes in the order of their ids."""
        return {
            "now": now,
            "nodes": [_row(self.nodes[id], now) for id in sorted(self.nodes)],
            "events": [{"at": at, "node": id, "text": text} for at, id, text in self.events],
        }


def plain(text: str) -> str:
    """Text of a stranger's, without what a terminal would take for an order."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _count(node: Node, seq: int) -> None:
    """Sequence numbers tell what is missing and what came twice."""
    if seq > node.highest:
        if node.highest:
            node.missing.update(range(max(node.highest + 1, seq - 1000), seq))
        node.highest = seq
    elif seq in node.missing:
        node.missing.discard(seq)
    elif seq == 1 and node.highest > 1 and not node.missing:
        node.highest = 1  # its flash was erased: it begins again
    else:
        node.repeated += 1


def _row(node: Node, now: float) -> dict[str, Any]:
    return {
        "id": plain(node.id),
        "heard": node.heard,
        "overdue": node.overdue(now),
        "values": {
            name: {"value": value.value, "unit": value.unit}
            for name, value in node.values.items()
            if name in SHOWN
        },
        "missing": len(node.missing),
        "repeated": node.repeated,
        "malformed": node.malformed,
        "recoveries": node.recoveries,
        "track": [[lat, lon] for lat, lon, _ in node.track],
    }
