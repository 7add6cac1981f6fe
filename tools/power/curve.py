"""The run as one curve: total current and the state that is shown for it, step by step."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tools.power.account import Interval
from tools.power.currents import ASLEEP


class Step(NamedTuple):
    """All loads together. `state` names what the current is for: see `shown`."""

    start_us: int
    end_us: int
    na: int
    state: str


@dataclass
class _Now:
    state: str
    na: int


def shown(states: dict[str, str]) -> str:
    """One name for the states of all loads: the module's, unless only something else is active."""
    module, board = states.get("module", "off"), states.get("board", "off")
    if states.get("gnss") == "on" and (module == "awake" or module in ASLEEP):
        return "gnss"  # the receiver works, and the module's processor for it
    if module not in ASLEEP:
        return module
    if board in ("active", "computing", "light-sleep"):
        return f"board {board}"
    return f"asleep, module {module}"


def steps(intervals: Iterable[Interval]) -> Iterator[Step]:
    """The steps in order of time; equal neighbours are one."""
    changes = sorted((i.start_us, i.load, i.state, i.na, i.end_us) for i in intervals)
    now: dict[str, _Now] = {}
    begin, end = 0, 0
    last: Step | None = None
    for start_us, load, state, na, end_us in changes:
        if now and start_us > begin:
            last = yield from _emit(last, _step(begin, start_us, now))
        begin, end = start_us, max(end, end_us)
        now[load] = _Now(state, na)
    if now and end > begin:
        last = yield from _emit(last, _step(begin, end, now))
    if last:
        yield last


def _step(start_us: int, end_us: int, now: dict[str, _Now]) -> Step:
    state = shown({name: load.state for name, load in now.items()})
    return Step(start_us, end_us, sum(load.na for load in now.values()), state)


def _emit(last: Step | None, step: Step) -> Iterator[Step]:
    """Give out `last` unless `step` continues it. Returns what is pending then."""
    if last and (last.na, last.state) == (step.na, step.state):
        return last._replace(end_us=step.end_us)
    if last:
        yield last
    return step


def levels(
    curve: Iterable[Step], begin_us: int, end_us: int, columns: int
) -> dict[tuple[int, str], int]:
    """For a picture `columns` wide: the highest current of each state in each column, in nA."""
    found: dict[tuple[int, str], int] = {}
    width = max(1, -(-(end_us - begin_us) // columns))
    for step in curve:
        first = (step.start_us - begin_us) // width
        last = (step.end_us - 1 - begin_us) // width
        for column in range(first, last + 1):
            key = column, step.state
            found[key] = max(found.get(key, 0), step.na)
    return found
