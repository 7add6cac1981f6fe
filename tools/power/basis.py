"""What the figures of a report rest on: whole periods of a run, and how far they may be off.

A node's start is no part of its daily life, and neither is half a period. So a figure per day is
of whole periods from the second report on, and a run without one gets none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tools.power.account import DAY_US, NAUS_PER_MAH, Account
from tools.power.profiles import Profile
from tools.power.run import Run
from tools.power.wakes import GNSS, MODULE, Wake, wakes
from tools.power.wording import count, duration, number, percent

EARLY_US = 5_000_000  # a period begins a little before its wake, where everything sleeps
# Of a current: how far off it may be. 7 of 10 published figures are met within the first
# (python -m tools published); the second is assumed.
PUBLISHED, INFERRED = 0.15, 0.30
FIGURES = {"computing": "instruction", "awake": "awake", "idle": "page", "edrx": "page",
           "connected-rx": "rx", "connected-open": "tail",
           "connected-answer": "tail", "connected-tail": "tail", "on": "gnss"}  # fmt: skip


@dataclass
class Basis:
    """part -- of `run`, that figures are of; periods -- how many whole ones, 0: not known

    daily -- there is a figure per day
    """

    run: Run
    part: Run
    periods: int = 0
    daily: bool = True

    @classmethod
    def of(cls, run: Run) -> "Basis":
        """The whole periods of a run; all of a run whose period is not known."""
        if not run.period_us:
            return cls(run, run)
        reports = _reports(wakes(run.intervals))
        early_us = min(EARLY_US, run.period_us // 20)
        begin_us = reports[1].start_us - early_us if len(reports) > 1 else run.end_us
        periods = (run.end_us - begin_us) // run.period_us
        if periods < 1:
            return cls(run, run, 0, False)
        end_us = begin_us + periods * run.period_us
        return cls(run, clipped(run, begin_us, end_us, reports[1].number), periods)

    @property
    def account(self) -> Account:
        """The sums of the part."""
        return self.part.account()

    @property
    def unit(self) -> str:
        """Of what `rate` gives."""
        return "mAh a day" if self.daily else "\N{MICRO SIGN}Ah in this run"

    def rate(self, charge: int) -> float:
        """A charge in nA us as a part of what the node needs."""
        if not self.daily:
            return 1000 * charge / NAUS_PER_MAH
        return charge / NAUS_PER_MAH * DAY_US / self.part.span_us

    @property
    def mah_per_day(self) -> float:
        """The headline."""
        return self.account.mah_per_day(self.part.span_us)

    @property
    def words(self) -> str:
        """What the headline is of."""
        if self.periods:
            each = duration(self.run.period_us)
            return f"{count(self.periods, 'whole period')} of {each}, without the node's start"
        return f"the whole run of {duration(self.run.span_us)}"

    @property
    def spread(self) -> list[float]:
        """mAh a day of each whole day, or of each period of a shorter run."""
        part, width_us = self.part, self.run.period_us
        if not width_us:
            return []
        if part.span_us >= 2 * DAY_US:
            width_us *= max(1, round(DAY_US / width_us))
        charges = [0] * (part.span_us // width_us)
        for i in part.intervals:
            at_us = i.start_us
            while at_us < i.end_us:
                n = (at_us - part.begin_us) // width_us
                upto_us = min(i.end_us, part.begin_us + (n + 1) * width_us)
                if n < len(charges):
                    charges[n] += i.na * (upto_us - at_us)
                at_us = upto_us
        return [charge / NAUS_PER_MAH * DAY_US / width_us for charge in charges]

    @property
    def _each(self) -> str:
        return "days" if self.part.span_us >= 2 * DAY_US else "periods"

    def range(self, profiles: Iterable[Profile]) -> "Range":
        """How far the headline may be off."""
        daily = self.mah_per_day
        account, known = self.account, list(profiles)
        inferred = sum(
            total.charge
            for (load, state), total in account.by_state.items()
            if _is_inferred(load, state, known)
        )
        share = inferred / (account.total.charge or 1)
        spread = self.spread
        low, high = min(spread, default=daily), max(spread, default=daily)
        found = Range(low, high, low, high, len(spread), self._each, share)
        return replace(found, low=low * (1 - found.off), high=high * (1 + found.off))

    def ratio_range(self, ratio: float, profiles: Iterable[Profile]) -> tuple[float, float]:
        """How far it may be off how many times the least possible a run has used.

        Both are made of the same currents, and what is used has all of the least in it. So what is
        beyond the least may be off one way while the least is off the other; and days differ.
        Nothing is below the least.
        """
        between, daily = self.range(profiles), self.mah_per_day
        off = between.off
        low, high = ((1 - off) / (1 + off), (1 + off) / (1 - off))
        days = (between.least / daily, between.most / daily) if daily else (1.0, 1.0)
        beyond = ratio - 1
        return max(1.0, (1 + beyond * low) * min(1.0, days[0])), (1 + beyond * high) * max(
            1.0, days[1]
        )


@dataclass(frozen=True)
class Range:
    """low, high -- mAh a day, with the profiles' uncertainty; least, most -- of the run alone"""

    low: float
    high: float
    least: float
    most: float
    count: int
    each: str  # "days" or "periods", of which there are so many
    inferred: float  # share of the charge

    @property
    def off(self) -> float:
        """How far off all currents together may be, as a share."""
        return self.inferred * INFERRED + (1 - self.inferred) * PUBLISHED

    @property
    def words(self) -> str:
        """How it is made."""
        least, most = number(self.least), number(self.most)
        alike = f"are alike in the run, {least}" if least == most else f"have {least} to {most}"
        alone = f"its {self.count} {self.each} {alike}; " if self.count > 1 else ""
        return (
            f"The range: {alone}currents that are published count as "
            f"\N{PLUS-MINUS SIGN}{100 * PUBLISHED:.0f} %, inferred ones "
            f"({percent(self.inferred)} of the charge) as "
            f"\N{PLUS-MINUS SIGN}{100 * INFERRED:.0f} %."
        )


def clipped(run: Run, begin_us: int, end_us: int, first: int) -> Run:
    """The part of a run from `begin_us` to `end_us`. first -- the first wake of it"""
    kept = [
        i._replace(
            start_us=max(i.start_us, begin_us),
            end_us=min(i.end_us, end_us),
            wake=max(i.wake, first),
        )
        for i in run.intervals
        if i.start_us < end_us and i.end_us > begin_us
    ]
    return replace(run, begin_us=begin_us, end_us=end_us, intervals=kept)


def _reports(lives: list[Wake]) -> list[Wake]:
    """The wakes with the module; of a node that never uses it, all."""
    return [wake for wake in lives if wake.kind in (MODULE, GNSS)] or lives


def _is_inferred(load: str, state: str, profiles: Iterable[Profile]) -> bool:
    """Whether any figure that this state may rest on is inferred."""
    kind = "board" if load == "regulator" else "module" if load == "gnss" else load
    name = "regulator" if load == "regulator" else FIGURES.get(state, state)
    return any(
        figure.inferred
        for profile in profiles
        if profile.kind == kind
        for key, figure in profile.all_figures()
        if key == name or key.endswith(f".{name}")
    )
