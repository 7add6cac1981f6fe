"""The least possible: what a set of jobs costs at the very least, and what usual firmwares spend.

    jobs = [Job("sample", 300, flex_s=30), Job("report", 3600, flex_s=300, size=158)]
    least(windows(jobs, 86400), 86400, Costs(module, board, conditions)).mah_per_day

Pure functions of windows, profiles and conditions. `least` knows the future and is a lower bound
for every schedule that does each job once in each of its windows. Times are in seconds from the
beginning, where the node is off; charges in microcoulombs.

What it takes for granted, as limits of this hardware: the board boots for each wake; it sleeps
lightly while the module starts or looks for satellites, and is awake in a session, because what
the module says to a UART that sleeps is lost; a message has as many bytes as the module takes; the
code of a wake has to be loaded.
"""

import bisect
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tools.power import model
from tools.power.currents import board_amperes
from tools.power.model import UC_PER_MAH, Conditions, Exchange, Phase, charge_uc
from tools.power.profiles import Profile
from tools.virtual_board.runner import BOOT_MS
from tools.virtual_c1100.measured import Luck


class Job(NamedTuple):
    """A periodic job: its n-th window begins at first_s + n * period_s and is flex_s long.

    size -- bytes that it reports; None: it needs no network
    board_s -- seconds for which it keeps the board active, besides the module's session
    gnss_s -- seconds for which it needs the module's GNSS receiver
    """

    name: str
    period_s: float
    first_s: float = 0.0
    flex_s: float = 0.0
    size: int | None = None
    board_s: float = 0.0
    gnss_s: float = 0.0


class Window(NamedTuple):
    """One instance of a job: at the earliest, at the latest."""

    release_s: float
    deadline_s: float
    job: Job


@dataclass(frozen=True)
class Estimate:
    """What one way to do the jobs costs over `span_s` seconds."""

    name: str
    span_s: float
    charge_uc: float
    wakes: int
    sessions: int

    @property
    def mah_per_day(self) -> float:
        """Mean consumption in mAh a day."""
        return self.charge_uc / UC_PER_MAH * 86400 / self.span_s


class Code(NamedTuple):
    """Seconds that a board computes at least in a wake, and to load what the module needs besides,
    which can be done while the module starts.
    """

    wake_s: float = 0.0
    module_s: float = 0.0


FREE = Code()


@dataclass(frozen=True, eq=False)
class Costs:
    """Profiles and conditions of a node.

    levels -- how the coverage changes: (from when, coverage level) in the order of time, and the
              RSRP behind them in a network where that makes a difference
    boot_s -- of the board until its firmware runs
    code -- what it computes then
    uplink, sizes -- by which it reports, and what its messages hold besides (model.Exchange)
    keepalive_s -- between the pings of a connection that is kept (manual 3.6.1)
    first -- the luck of the first session: all ways to do the jobs begin with it, at once
    """

    module: Profile
    board: Profile
    conditions: Conditions
    levels: tuple[tuple[float, int] | tuple[float, int, int | None], ...] = ()
    boot_s: float = BOOT_MS / 1000
    code: Code = FREE
    keepalive_s: float = 60.0
    uplink: str = "mqtt"
    sizes: dict[str, int] = field(default_factory=dict)
    first: Luck | None = None

    def best(self, from_s: float, to_s: float) -> "Costs":
        """The costs at the best coverage that there is within a span of time."""
        now = (self.conditions.radio.coverage, self.conditions.rsrp)
        places = [now, *(((*level, None)[1:3]) for level in self.levels)]
        starts = [-math.inf, *(level[0] for level in self.levels), math.inf]
        found = {
            place
            for place, (start, end) in zip(places, itertools.pairwise(starts), strict=True)
            if start <= to_s and end > from_s
        }
        return min((self._at(*place) for place in sorted(found, key=str)), key=Costs.typical_uc)

    def _at(self, coverage: int, rsrp: int | None) -> "Costs":
        place = coverage, rsrp
        if place not in self._known:
            conditions = self.conditions.at(coverage, rsrp)
            self._known[place] = replace(self, conditions=conditions, levels=())
        return self._known[place]

    @functools.cached_property
    def _known(self) -> dict[tuple[int, int | None], "Costs"]:
        return {}

    def begun(self) -> "Costs":
        """The costs of the first session."""
        if self.first is None:
            return self
        lucks = ((self.first,),) * (self.conditions.radio.coverage + 1)
        return replace(self, conditions=replace(self.conditions, luck=lucks))

    def typical_uc(self) -> float:
        """By which two places compare."""
        return self._typical_uc

    @functools.cached_property
    def _typical_uc(self) -> float:
        start, tail = model.start_from_off(self.conditions), model.tail(self.conditions)
        return self.session_uc + self.module_uc([*start, *tail])

    def asleep_uc(self, seconds: float) -> float:
        """The sleeping board and its regulator."""
        floor = self.board.amperes("deep-sleep") + self.board.amperes("regulator")
        return floor * seconds * 1e6

    def board_uc(self, seconds: float, state: str = "active") -> float:
        """What the board needs more than asleep for `seconds` in `state`."""
        above = board_amperes(self.board, state) - self.board.amperes("deep-sleep")
        return above * seconds * 1e6

    @functools.cached_property
    def wake_uc(self) -> float:
        """The board alone in a wake."""
        return self.board_uc(self.boot_s + self.code.wake_s)

    def module_uc(self, phases: Iterable[Phase]) -> float:
        """The module in `phases`."""
        return charge_uc(phases, self.module, self.conditions.link)

    def talk(self, size: int = 0) -> list[Phase]:
        """A session that reports `size` bytes, from the connection's set-up to the last answer."""
        latency = self.conditions.latency
        what = Exchange.least(self.uplink, latency, size, **self.sizes)
        return model.exchange(self.conditions, what)

    @functools.cached_property
    def setup_uc(self) -> float:
        """What the set-up of a connection costs module and board in a session: after an attach
        there is one.
        """
        setup = model.signalling(self.conditions, self.conditions.air.setup)
        return self.module_uc(setup) + self.board_uc(model.seconds(setup))

    @functools.cached_property
    def call_uc(self) -> float:
        """Module and board while the bearer is set up in a module that was off."""
        phases = model.exchange(self.conditions, Exchange.call(self.conditions.latency))
        # The session's own connection is the same one.
        setup = model.exchange(self.conditions, Exchange(0, (), ()))
        longer_s = model.seconds(phases) - model.seconds(setup)
        return self.module_uc(phases) - self.module_uc(setup) + self.board_uc(longer_s)

    @functools.cached_property
    def talk_s(self) -> float:
        """How long the shortest session takes."""
        return model.seconds(self.talk())

    @functools.cached_property
    def session_uc(self) -> float:
        """Module and board in the shortest session, from the board's boot on."""
        code_s = self.code.module_s
        loading = self.board_uc(code_s) - self.board_uc(code_s, "light-sleep")
        return self.module_uc(self.talk()) + self.wake_uc + loading + self.board_uc(self.talk_s)

    def payload_uc(self, size: int) -> float:
        """What a session costs more because it reports `size` bytes."""
        talk = self.talk(size)
        longer_s = model.seconds(talk) - self.talk_s
        return self.module_uc(talk) - self.module_uc(self.talk()) + self.board_uc(longer_s)

    def gnss_uc(self, seconds: float) -> float:
        """The receiver for `seconds`, in a module that is awake, and the dozing board."""
        receiver = 1e6 * self.module.amperes("gnss") * seconds
        awake = self.module_uc([Phase("awake", seconds)])
        return receiver + awake + self.board_uc(seconds, "light-sleep")

    def work_uc(self, wanted: Iterable[Window]) -> float:
        """What the jobs themselves cost, however they are scheduled, at their best coverage."""
        total = 0.0
        for w in wanted:
            total += self.board_uc(w.job.board_s) + self.gnss_uc(w.job.gnss_s)
            if w.job.size is not None:
                total += self.best(w.release_s, w.deadline_s).payload_uc(w.job.size)
        return total


def windows(jobs: Sequence[Job], span_s: float) -> list[Window]:
    """Every instance whose window lies within the span, in the order of deadlines."""
    found = []
    for job in jobs:
        if job.period_s <= 0:
            raise ValueError(f"job {job.name!r}: its period is {job.period_s} s")
        count = math.floor((span_s - job.flex_s - job.first_s) / job.period_s) + 1
        for n in range(count):
            release = job.first_s + n * job.period_s
            found.append(Window(release, release + job.flex_s, job))
    return sorted(found, key=lambda w: (w.deadline_s, w.release_s))


# What the module does between two sessions -----------------------------------------------------
#
# Each takes the seconds from the last answer to the next set-up of a connection, and whether
# there is a next one. It returns the module's charge, and the seconds that its start takes.

Gap = tuple[float, float]


def in_psm(costs: Costs, gap_s: float, again: bool) -> Gap:
    """Tail, active time, PSM, and the updates that fall due. Needs a granted T3324."""
    conditions = costs.conditions
    if conditions.t3324_s is None:
        return math.inf, 0.0
    waiting = [*model.tail(conditions), *model.active_time(conditions)]
    wake = model.wake_from_psm(conditions) if again else []
    update = model.update_from_psm(conditions)
    count = _updates(conditions, gap_s)
    awake = [*waiting, *update * count, *wake]
    rest = gap_s - model.seconds(awake)
    if rest < 0:  # the next session comes before it sleeps: it stays where it is
        return in_idle(costs, gap_s, again)
    return costs.module_uc([*awake, Phase("psm", rest)]), model.seconds(wake)


def switched_off(costs: Costs, gap_s: float, again: bool) -> Gap:
    """Off at once, without waiting for the connection's release, and a whole start."""
    start = model.start_from_off(costs.conditions) if again else []
    awake = [*model.switch_off(costs.conditions), *start]
    rest = gap_s - model.seconds(awake)
    if rest < 0:
        return math.inf, 0.0
    spared = costs.setup_uc - costs.call_uc if again else 0.0
    return costs.module_uc([*awake, Phase("off", rest)]) - spared, model.seconds(start)


def in_idle(costs: Costs, gap_s: float, _again: bool) -> Gap:
    """Registered, asleep between paging occasions, in eDRX where granted."""
    return _registered(costs, gap_s, "edrx" if costs.conditions.edrx else "idle"), 0.0


def _registered(costs: Costs, gap_s: float, state: str) -> float:
    conditions = costs.conditions
    tail = model.tail(conditions)
    if gap_s < model.seconds(tail):
        tail = [Phase("connected-tail", gap_s)]
    update = model.tau(conditions) * _updates(conditions, gap_s)
    rest = max(0.0, gap_s - model.seconds([*tail, *update]))
    return costs.module_uc([*tail, *update, Phase(state, rest)])


def _updates(conditions: Conditions, gap_s: float) -> int:
    """Periodic updates in a gap: T3412 begins with the release of the connection."""
    if not conditions.t3412_s:
        return 0
    tail_s = model.seconds(model.tail(conditions))
    return max(0, math.ceil((gap_s - tail_s) / conditions.t3412_s) - 1)


# The least possible -----------------------------------------------------------------------------


def least(wanted: list[Window], span_s: float, costs: Costs) -> Estimate:
    """The least charge with which all jobs can be done in their windows within `span_s`.

    Any schedule can be moved to deadlines of windows without missing one, so only these are
    considered: the sessions as a shortest path over them, each step with its cheapest gap and the
    fewest wakes without module in between. A session may lie earlier than its deadline, so what
    a gap costs beyond its floor is counted for the shortest that it may have, and at the best
    coverage of that time: the result is a lower bound, and exact where windows are short against
    the gaps. A job that needs the receiver alone is counted as if the module were on anyway.
    """
    charge, wakes, sessions = _cheapest(costs, wanted, span_s)
    charge += costs.asleep_uc(span_s) + costs.work_uc(wanted)
    return Estimate("least possible", span_s, charge, wakes, sessions)


def _cheapest(costs: Costs, wanted: list[Window], span_s: float) -> tuple[float, int, int]:
    """Charge, wakes and sessions of the cheapest path, without the work itself."""
    wanted = sorted(wanted, key=lambda w: (w.deadline_s, w.release_s))
    earliest: dict[float, float] = {}
    for w in wanted:
        earliest[w.deadline_s] = min(earliest.get(w.deadline_s, math.inf), w.release_s)
    deadlines = [w.deadline_s for w in wanted]
    points = list(earliest)  # in ascending order, as the windows are
    floor = 1e6 * min(costs.module.amperes("off"), costs.module.amperes("psm"))

    @functools.cache
    def gap(at: Costs, least_s: float, again: bool) -> float:
        """Charge above the floor of the cheapest way through a gap."""
        light = at.board_uc(1.0, "light-sleep")
        found = (mode(at, least_s, again) for mode in (in_psm, switched_off, in_idle))
        return min(uc + light * start_s for uc, start_s in found) - floor * least_s

    def first(at: Costs) -> float:
        begun = at.begun()
        start = model.start_from_off(begun.conditions)
        light = at.board_uc(1.0, "light-sleep")
        start_uc = begun.module_uc(start) - at.setup_uc + at.call_uc
        return start_uc + (light - floor) * model.seconds(start)

    # best[i]: cheapest way up to and with a session at points[i]; index -1 is the beginning
    best: dict[int, tuple[float, int, int]] = {-1: (0.0, 0, 0)}
    end = (math.inf, 0, 0)
    for i in range(-1, len(points)):
        if i not in best:
            continue
        charge, wakes, sessions = best[i]
        at = points[i] if i >= 0 else -math.inf
        stabbed, count = at, 0  # by the wakes without module since points[i]
        following = iter(wanted[bisect.bisect_right(deadlines, at) :])
        window = next(following, None)
        for j in range(i + 1, len(points) + 1):
            to = points[j] if j < len(points) else math.inf
            missed = False
            while window is not None and window.deadline_s < to:
                if window.job.size is not None:
                    missed = window.release_s > at
                    if missed:
                        break
                elif window.release_s > stabbed:
                    stabbed, count = window.deadline_s, count + 1
                window = next(following, None)
            if missed:
                break
            total = charge + count * costs.wake_uc
            here = costs.best(earliest[at] if i >= 0 else 0.0, min(to, span_s))
            if j == len(points):
                rest = gap(here, max(0.0, span_s - at - here.talk_s), False) if i >= 0 else 0.0
                end = min(end, (total + rest, wakes + count, sessions))
                break
            there = costs.best(earliest[to], to)
            shortest = max(0.0, earliest[to] - at - here.talk_s) if i >= 0 else 0.0
            total += there.session_uc
            total += gap(here, round(shortest, 6), True) if i >= 0 else first(there)
            better = (total, wakes + count + 1, sessions + 1)
            best[j] = min(best.get(j, better), better)
    charge, wakes, sessions = end
    asleep_s = span_s - sessions * costs.talk_s
    return charge + floor * asleep_s, wakes, sessions


# Three usual firmwares --------------------------------------------------------------------------


def always_connected(wanted: list[Window], span_s: float, costs: Costs) -> Estimate:
    """Board and module never sleep; one connection, kept by a ping whenever it was silent."""
    times = sorted(w.release_s for w in wanted if w.job.size is not None)
    conditions, talk = costs.conditions, costs.talk()
    ping = model.exchange(conditions, Exchange(conditions.latency.mqtt_packet, (2,), (2,)))
    charge = costs.asleep_uc(span_s) + costs.board_uc(span_s) + costs.work_uc(wanted)
    charge += costs.module_uc(model.start_from_off(conditions))
    for at, following in itertools.pairwise([*times, span_s]):
        silent = following - at
        pings = max(0, math.ceil(silent / costs.keepalive_s) - 1)
        part = (silent - model.seconds(talk) - pings * model.seconds(ping)) / (pings + 1)
        between = max(0.0, part)
        charge += costs.module_uc([*talk, *ping * pings])
        charge += (pings + 1) * _registered(costs, between, "awake")
    if times:
        charge += costs.module_uc([Phase("awake", times[0])])
    return Estimate("always connected", span_s, charge, 1, len(times))


def power_cycled(wanted: list[Window], span_s: float, costs: Costs) -> Estimate:
    """Each job has its wake; the module is off in between and attaches for each report."""
    return _job_by_job("module off between reports", wanted, span_s, costs, switched_off)


def psm_per_job(wanted: list[Window], span_s: float, costs: Costs) -> Estimate:
    """Each job has its wake; the module is in PSM in between, if the network grants it."""
    granted = costs.conditions.t3324_s is not None
    return _job_by_job(
        "PSM, a wake per job", wanted, span_s, costs, in_psm if granted else in_idle
    )


FIRMWARES = (always_connected, power_cycled, psm_per_job)


def _job_by_job(
    name: str,
    wanted: list[Window],
    span_s: float,
    costs: Costs,
    between: Callable[[Costs, float, bool], Gap],
) -> Estimate:
    """The board is awake until the module is back in the network, as it usually is."""
    reports = sorted(w.release_s for w in wanted if w.job.size is not None)
    charge = costs.asleep_uc(span_s) + costs.work_uc(wanted)
    charge += len(wanted) * costs.wake_uc
    start = model.start_from_off(costs.conditions) if reports else []
    first_s = reports[0] if reports else span_s
    charge += costs.module_uc(start) + costs.board_uc(model.seconds(start))
    charge += costs.module_uc([Phase("off", max(0.0, first_s - model.seconds(start)))])
    for n, (at, end) in enumerate(itertools.pairwise([*reports, span_s]), 1):
        now = costs.best(at, at)
        again = n < len(reports)
        rest = max(0.0, end - at - now.talk_s)
        uc, start_s = between(now, rest, again)
        if math.isinf(uc):  # too short to go off and come back
            uc, start_s = in_idle(now, rest, again)
        charge += now.module_uc(now.talk()) + uc
        charge += now.board_uc(now.talk_s + start_s)
    return Estimate(name, span_s, charge, len(wanted), len(reports))
