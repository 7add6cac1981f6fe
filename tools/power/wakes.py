"""The wakes of a run, sorted into kinds; and the one that is worth a closer look."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.power.account import NAUS_PER_MAH, Interval
from tools.power.currents import ASLEEP

GNSS, MODULE, ITSELF, BOARD = "with GNSS", "with the module", "module by itself", "board alone"
KINDS = {
    GNSS: "the receiver has looked for satellites",
    MODULE: "the board has used the module",
    ITSELF: "the module has been active while the board slept, as for its periodic update",
    BOARD: "the module has slept all the time: a sample, or nothing at all",
}
AT_ONCE_US = 1_000_000  # what follows within this time is part of it
MARGIN, LEAST_MARGIN_US = 0.08, 500_000  # of sleep, after an enlarged wake
LATE_US = 5_000_000  # a wake may begin that long after what it is for
PATIENCE = 2  # active time that is shown, in lengths of what went before


@dataclass
class Wake:
    """One life of the board with the sleep after it. Times in microseconds, charge in nA us.

    awake_us -- when the board has gone to sleep
    busy_us -- when the module, too, has nothing more to do
    rest_us -- when the module has come to its deepest sleep, after its active time
    """

    number: int
    start_us: int
    end_us: int
    awake_us: int
    busy_us: int
    rest_us: int
    kind: str
    by_load: dict[str, int] = field(default_factory=dict)

    @property
    def charge(self) -> int:
        return sum(self.by_load.values())

    @property
    def uah(self) -> float:
        """Charge in microampere-hours."""
        return 1000 * self.charge / NAUS_PER_MAH

    @property
    def shown_us(self) -> int:
        """Where a picture of this wake ends: after tail and active time, a little asleep."""
        busy = self.busy_us - self.start_us
        rest = self.rest_us - self.start_us
        active = rest if rest <= (1 + PATIENCE) * busy else busy
        margin = max(round(active * MARGIN), min(active, LEAST_MARGIN_US))
        return min(self.end_us, self.start_us + active + margin)


@dataclass
class Group:
    """All wakes of one kind."""

    kind: str
    wakes: list[Wake]

    @property
    def charge(self) -> int:
        """nA us."""
        return sum(wake.charge for wake in self.wakes)

    @property
    def by_load(self) -> dict[str, int]:
        """Charge by load, in nA us."""
        found: dict[str, int] = defaultdict(int)
        for wake in self.wakes:
            for load, charge in wake.by_load.items():
                found[load] += charge
        return found

    @property
    def median_uah(self) -> float:
        """Of a wake's charge, in microampere-hours."""
        return statistics.median(wake.uah for wake in self.wakes)


def wakes(intervals: Iterable[Interval]) -> list[Wake]:
    """The wakes in the order of their numbers."""
    parts: dict[int, list[Interval]] = defaultdict(list)
    for interval in intervals:
        parts[interval.wake].append(interval)
    return [_wake(number, part) for number, part in sorted(parts.items())]


def done_us(found: Sequence[Wake]) -> float:
    """From when on a run's node was at work when the run ended; infinite where it slept."""
    last = found[-1]
    return last.start_us - LATE_US if last.busy_us >= last.end_us else math.inf


def groups(found: Iterable[Wake]) -> list[Group]:
    """The kinds that occur. Every wake is in one of them."""
    kinds: dict[str, list[Wake]] = {kind: [] for kind in KINDS}
    for wake in found:
        kinds[wake.kind].append(wake)
    return [Group(kind, members) for kind, members in kinds.items() if members]


def typical(found: Sequence[Wake]) -> Wake:
    """The wake with the median charge of those with the module, or of all when there is none.

    The first start and the wake that the run's end cuts are not typical, unless there is no other.
    """
    used = [wake for wake in found if wake.kind in (GNSS, MODULE)] or list(found)
    ends = found[0].number, found[-1].number
    whole = [wake for wake in used if wake.number not in ends] or used
    return sorted(whole, key=lambda wake: (wake.charge, wake.number))[len(whole) // 2]


def _wake(number: int, part: list[Interval]) -> Wake:
    part.sort(key=lambda i: i.start_us)
    start, end = part[0].start_us, max(i.end_us for i in part)
    board = [i for i in part if i.load == "board"]
    if len(board) > 1 and board[-1].state == "light-sleep":
        del board[-1]  # a short sleep between two wakes
    awake = max((i.end_us for i in board if i.state not in ASLEEP), default=start)
    fixing = [i for i in part if i.load == "gnss" and i.state == "on"]
    radio = [i for i in part if i.load == "module"]
    working = [i for i in radio if i.state not in ASLEEP]
    busy = awake
    for i in sorted([*working, *fixing], key=lambda i: i.start_us):
        if i.start_us <= busy + AT_ONCE_US:
            busy = max(busy, i.end_us)
    rest = busy
    for i in radio:
        if i.state in ("idle", "edrx") and i.start_us <= rest < i.end_us < end:
            rest = i.end_us
    if fixing:
        kind = GNSS
    elif any(i.start_us < awake for i in working):
        kind = MODULE
    else:
        kind = ITSELF if working else BOARD
    charges: dict[str, int] = defaultdict(int)
    for i in part:
        charges[i.load] += i.charge
    return Wake(number, start, end, awake, busy, rest, kind, dict(charges))
