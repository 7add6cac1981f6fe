"""How the commands of one node stand: what its broker has retained goes in, words come out."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from tools.command import words
from tools.monitor.model import plain

WITHDRAWN = "withdrawn"  # by an operator: the node has not been asked
FINAL = ("done", "failed", "refused", "kept", "taken back", WITHDRAWN)
GOOD = ("done", "kept")
KEPT = 20  # results that stay at the broker, the newest
MARK = b"-"  # a node's, where its module publishes nothing that is empty
DAY_S = 86400
LAST_YEAR = 9999
PLAUSIBLE_MS = 10**12  # of Unix time: 2001
NAMED = 5  # commands in front of another
WIDEST = 36  # column of the listing
LONGEST = 120  # characters of an entry in the listing: anybody may write results
HEAD = ("id", "counter", "result", "do", "time", "due", "lines", "last", "proof")
REPLAY = "replay"  # a node's reason: its counter is behind


@dataclass
class Waiting:
    """A command at the broker. since -- Unix time, 0: not known"""

    name: str
    counter: int
    what: str
    since: float
    message: dict[str, Any]


@dataclass
class Standing:
    """topics below nodes/<node>/ -> what is known. reported -- Unix time of the last telemetry"""

    waiting: dict[str, Waiting] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    single: Waiting | None = None  # where an older firmware has its only one
    marks: set[str] = field(default_factory=set)
    reported: float = 0.0
    refusals: list[dict[str, Any]] = field(default_factory=list)  # of replays, as they were told

    def message(self, below: str, payload: bytes, retained: bool, now: float) -> None:
        """Take in what was said on a topic."""
        kind, _, name = below.partition("/")
        if kind == "telemetry" and not retained:
            self.reported = now
        elif kind == "commands" and not name:
            self.single = _waiting("", payload, now)
        elif kind == "commands":
            self.marks.discard(name)
            self.waiting.pop(name, None)
            found = _waiting(name, payload, now)
            if payload == MARK:
                self.marks.add(name)
            elif found is not None:
                self.waiting[name] = found
        elif kind == "results":
            result = _object(payload)
            if name:
                self.results.pop(name, None)
            if name and result is not None:
                self.results[name] = result
            if result is not None and result.get("why") == REPLAY and not retained:
                self.refusals = [*self.refusals[1 - KEPT :], result]

    @property
    def queue(self) -> list[Waiting]:
        """What waits, in the order in which it will be executed."""
        known = [each for each in self.waiting.values() if not self._is_over(each)]
        return sorted(known, key=lambda each: each.counter)

    def _is_over(self, one: Waiting) -> bool:
        return self.results.get(one.name, {}).get("counter") == one.counter

    def left_over(self) -> list[str]:
        """Topics that nobody needs any more: commands with a result, old results."""
        over = [each.name for each in self.waiting.values() if self._is_over(each)]
        old = sorted(self.results, key=lambda name: _number(self.results[name], "counter"))
        return [f"commands/{name}" for name in (*over, *self.marks)] + [
            f"results/{name}" for name in old[:-KEPT]
        ]

    def next_counter(self, node: str, key: bytes, now: float) -> int:
        """Greater than that of every command so far, on whatever host that was given. What anybody
        could have written is not believed far: a counter that is too great would be the last.
        What the node has signed is.
        """
        limit = int((now + DAY_S) * 1000)
        waiting = (*self.waiting.values(), *([self.single] if self.single else []))
        known = [each.counter for each in waiting if words.is_genuine(node, key, each.message)]
        told = [_number(result, "counter") for result in self.results.values()]
        known += [words.proven(node, key, each) for each in self._replays]
        return 1 + max([int(now * 1000), *known, *[each for each in told if each < limit]])

    def greatest(self) -> int:
        """Counter that any result tells, whoever wrote it; 0: none."""
        return max((_number(each, "counter") for each in self.results.values()), default=0)

    @property
    def _replays(self) -> list[dict[str, Any]]:
        return [*self.results.values(), *self.refusals]

    def genuine(self, node: str, key: bytes) -> int:
        """How many commands with this key wait: anybody may put other things there."""
        return sum(words.is_genuine(node, key, each.message) for each in self.queue)

    def heard(self, now: float | None = None) -> str:
        """When the node has last been heard, and is due, as far as that is known. Its reports are
        not kept at the broker, so a due time that is over says nothing.
        """
        theirs = [each for each in self.results.values() if each.get("result") != WITHDRAWN]
        last = max(theirs, key=lambda result: _number(result, "time"), default={})
        told, due = _number(last, "time"), _number(last, "due")
        at = max(self.reported, told)
        if not at:
            return "when the node last reported is not known"
        due_at = at + due - told
        if due > told and due_at >= (time.time() if now is None else now):
            return f"the node last reported {at_time(at)}, due {at_time(due_at)}"
        if self.reported >= told:
            return f"the node last reported {at_time(at)}"
        return f"the node last answered {at_time(at)}; its reports since then are not kept"

    def told(self, name: str) -> str:
        """How a command that waits stands, in a line."""
        queue = self.queue
        names = [each.name for each in queue]
        if name not in names:
            return f"{name}; {self.heard()}"
        at = names.index(name)
        first = ", ".join(_cut(each.what) for each in queue[: min(at, NAMED)])
        more = f" and {at - NAMED} more" if at > NAMED else ""
        front = f"; in front of it: {first}{more}" if at else ""
        return plain(f"{name} waits since {at_time(queue[at].since)}; {self.heard()}{front}")

    def listing(self) -> list[str]:
        """All results and what waits, a line each, in their order."""
        rows: list[tuple[int, tuple[str, ...]]] = []
        for name, result in self.results.items():
            at = _number(result, "time")
            outcome = f"{result.get('result')} {at_time(at) if at else ''}".strip()
            counter = _number(result, "counter")
            what = result.get("do", "?")
            what = f"set {result['key']}" if what == "set" and "key" in result else what
            rows.append((counter, (name, _sent(counter), str(what), outcome, values(result))))
        rows += [
            (each.counter, (each.name, _sent(each.counter), each.what, "waits", ""))
            for each in self.queue
        ]
        if self.single is not None:
            name = str(self.single.message.get("id"))
            told = "in the single place of older firmware: whether it waits is not known"
            rows.append(
                (
                    self.single.counter,
                    (name, _sent(self.single.counter), self.single.what, told, ""),
                )
            )
        if not rows:
            return []
        cut = ([_cut(text) for text in row] for _, row in sorted(rows))
        table = [("id", "sent", "command", "result", ""), *cut]
        widths = [min(WIDEST, max(len(row[i]) for row in table)) for i in range(3)]
        return [
            plain("  ".join([*(t.ljust(w) for t, w in zip(row, widths, strict=False)), *row[3:]]))
            .rstrip()
            for row in table
        ]  # fmt: skip


def _cut(text: str) -> str:
    """What fits into a line among others: `results ID` shows the whole of it."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def behind(result: dict[str, Any]) -> str:
    """Why a node has refused a replay, and what that has to do with clocks."""
    last = _number(result, "last")
    at = at_time(last / 1000) if last > PLAUSIBLE_MS else "?"
    when = f", of {at}" if at != "?" else ""
    return (
        f"the node has already taken a command with a later counter{when}: the clock of the host "
        "that gave it was ahead, or this one is behind"
    )


def values(result: dict[str, Any]) -> str:
    """What a result has besides its outcome, on a line; texts behind the numbers."""
    rest = [pair for pair in result.items() if pair[0] not in HEAD]
    told = sorted(rest, key=lambda pair: (isinstance(pair[1], str), pair[0]))
    return " ".join(f"{name}={value}" for name, value in told)


def at_time(unix: float) -> str:
    """A moment as people here read it; with its date where that is another one."""
    try:
        moment, today = time.localtime(unix), time.localtime()
    except (OverflowError, ValueError, OSError):
        return "?"
    if moment.tm_year > LAST_YEAR:
        return "?"
    same_day = moment[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S", moment)


def _sent(counter: int) -> str:
    """When a command was sent: our counters are Unix time in milliseconds."""
    plausible = PLAUSIBLE_MS < counter < (time.time() + DAY_S) * 1000
    return at_time(counter / 1000) if plausible else "?"


def _waiting(name: str, payload: bytes, now: float) -> Waiting | None:
    message = _object(payload)
    if message is None:
        return Waiting(name, 0, "damaged", now, {}) if len(payload) > 1 else None
    counter = _number(message, "counter")
    what = words.shown(_object(str(message.get("body")).encode("utf-8", "replace")))
    since = counter / 1000 if _sent(counter) != "?" else now
    return Waiting(name, counter, what, since, message)


def _object(payload: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(values: dict[str, Any], name: str) -> int:
    value = values.get(name)
    return value if type(value) is int and 0 <= value < 2**53 else 0
