"""Intervals of constant current, and their sums: by state, by cause, by wake. All in integers.

Charge is counted in nanoampere-microseconds (1e-15 C), so that no sum is ever rounded.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

NAUS_PER_MAH = 3_600_000_000_000_000  # 1 mAh = 3.6 C
DAY_US = 86_400_000_000

LOADS = ("module", "gnss", "board", "regulator")


class Interval(NamedTuple):
    """A load in one state. `wake` numbers the life of the board in which it lies, from 1."""

    load: str
    start_us: int
    end_us: int
    state: str
    cause: str
    na: int
    wake: int

    @property
    def charge(self) -> int:
        """nA us."""
        return self.na * (self.end_us - self.start_us)


@dataclass
class Sum:
    """Time in microseconds and charge in nA us."""

    us: int = 0
    charge: int = 0

    def add(self, interval: Interval) -> None:
        self.us += interval.end_us - interval.start_us
        self.charge += interval.charge

    @property
    def mah(self) -> float:
        """Charge in milliampere-hours."""
        return self.charge / NAUS_PER_MAH

    def joules(self, volts: float) -> float:
        """Energy at a constant voltage."""
        return self.charge * 1e-15 * volts


@dataclass
class Account:
    """The sums of some intervals."""

    total: Sum = field(default_factory=Sum)  # its time counts every load
    by_load: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_state: dict[tuple[str, str], Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_cause: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_wake: dict[int, dict[str, Sum]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Sum))
    )

    def add(self, interval: Interval) -> None:
        """Count one interval."""
        for found in (
            self.total,
            self.by_load[interval.load],
            self.by_state[interval.load, interval.state],
            self.by_cause[interval.cause],
            self.by_wake[interval.wake][interval.load],
        ):
            found.add(interval)

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> "Account":
        """The account of `intervals`."""
        account = cls()
        for interval in intervals:
            account.add(interval)
        return account

    def mah_per_day(self, span_us: int) -> float:
        """Mean consumption over a span of `span_us` microseconds, in mAh a day."""
        return self.total.charge * DAY_US / span_us / NAUS_PER_MAH if span_us else 0.0
