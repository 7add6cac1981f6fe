"""Did a run deliver what it sampled? If not, why, in the node's own words.

What was sampled since the last report that was due waits for the next one: that is no loss. A
record is overdue when a report has failed since, or when it is older than a report may be.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.demo.subscriber import as_sampled
from tools.power.wording import count

Line = tuple[int, str]  # virtual microseconds, what the board has printed
SAMPLED, FAILED, CONFIRMED = "sampled ", "wake failed: ", "delivered "
LONGEST_WAKE_S = 300
LEVELS = ("high", "normal", "low", "dead")
SILENT = 1000  # times a period: for as long as its battery is dead
# What the node says when it loses or keeps back a record, the most telling first.
REASONS = (FAILED, "no delivery by ", "record dropped: ", "refused records wait: ",
           "configuration: ")  # fmt: skip


@dataclass(frozen=True)
class Delivery:
    """Records of a run. waiting -- for the next report; reason -- the node's words for overdue"""

    sampled: int
    arrived: int
    waiting: int
    overdue: int
    strange: int = 0  # arrived, but never sampled
    reason: str = ""
    idle: bool = False  # the node should have sampled, and has not

    @property
    def problem(self) -> str:
        """What is wrong, in a sentence; "" when nothing is."""
        said = f" {self.reason}" if self.reason else ""
        if self.idle:
            return f"NOTHING WAS SAMPLED, so nothing was delivered.{said}"
        if self.overdue:
            due = self.sampled - self.waiting
            return (
                f"NOT DELIVERED: {self.overdue} of {count(due, 'record')} "
                f"that {'was' if due == 1 else 'were'} due.{said}"
            )
        if self.strange:
            return f"DAMAGED: {count(self.strange, 'record')} arrived that was never sampled."
        return ""


def of(
    console: Sequence[Line], arrived: Iterable[bytes] | None, span_s: float,
    settings: dict[str, Any],
) -> Delivery:  # fmt: skip
    """arrived -- at servers of our own; None: what the node says that others have confirmed"""
    made = [(at, text.removeprefix(SAMPLED).encode()) for at, text in console
            if text.startswith(SAMPLED)]  # fmt: skip
    strange = 0
    if arrived is None:
        missing = made[confirmed(console) :]  # the oldest goes first
    else:
        sampled = {record for _, record in made}
        there = {as_sampled(record, sampled) for record in arrived}
        missing = [(at, record) for at, record in made if record not in there]
        strange = len(there - sampled)
    failed_us = max((at for at, text in console if text.startswith(FAILED)), default=-1)
    oldest_us = 1e6 * (span_s - _longest_s(settings, made))
    late = [at for at, _ in missing if at <= max(failed_us, oldest_us)]
    idle = not made and span_s > settings["sample.period_s"] + 2 * LONGEST_WAKE_S
    reason = _reason(console, late[0] if late else 0) if late or idle else ""
    arrivals = len(made) - len(missing)
    return Delivery(
        len(made), arrivals, len(missing) - len(late), len(late), strange, reason, idle
    )


def confirmed(console: Iterable[Line]) -> int:
    """Records of which the node says that the far side has them."""
    return sum(int(text.split()[1]) for _, text in console if text.startswith(CONFIRMED))


def stretch(records: Iterable[bytes], settings: dict[str, Any]) -> int:
    """By how much the node's periods were longer at the most: on a low battery 2 or 4, or what
    `battery.report` has for the worst level that it has told of.
    """
    records = list(records)
    if settings.get("battery.kind", "none") != "none":
        told = b"".join(records)
        factors = dict(zip(LEVELS, map(int, settings["battery.report"].split(",")), strict=True))
        return max(factors[level] or SILENT for level in LEVELS
                   if level == "high" or b"battery %s: " % level.encode() in told)  # fmt: skip
    volts = [
        value
        for record in records
        if (value := _value(record, "battery")) is not None
    ]  # fmt: skip
    least = min(volts, default=settings["battery.low_v"])
    if least >= settings["battery.low_v"]:
        return 1
    return 2 if least >= settings["battery.critical_v"] else 4


def _value(record: bytes, name: str) -> float | None:
    try:
        return next(
            (float(part["v"]) for part in json.loads(record) if part.get("n") == name), None
        )
    except (ValueError, TypeError, KeyError, AttributeError):  # no record of this firmware's
        return None


def _longest_s(settings: dict[str, Any], made: Iterable[tuple[int, bytes]]) -> float:
    """How old a record may be before it is delivered, where nothing goes wrong."""
    period_s = settings["report.period_s"] * stretch((record for _, record in made), settings)
    wait_s = max(settings["report.flex_s"], settings["report.deadline_s"])
    return period_s + min(wait_s, period_s) + LONGEST_WAKE_S


def _reason(console: Sequence[Line], since_us: int) -> str:
    """What the node says most often since then."""
    for start in REASONS:
        said = Counter(t for at, t in console if at >= since_us and t.startswith(start))
        if said:
            text, times = said.most_common(1)[0]
            return f"The node says ({count(times, 'time')}): {text}"
    if not console:
        return "The node has printed nothing."
    return f"The node gives no reason; it ends with: {console[-1][1]}"
