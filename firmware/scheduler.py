"""The power-aware scheduler: which jobs run when, in the fewest wakes, and how to sleep between.

    jobs = [Job("sample", 300, 30, 30, NOTHING), Job("report", 3600, 300, 1800, MODEM)]
    scheduler = Scheduler(jobs, energy.profile(), spread("field-17", 3600))
    plan = scheduler.plan(now)           # in plan.wait_s seconds: plan.jobs
    scheduler.ran(job, now)              # remembered, and out of the next plan

Owns no clock: the present is given, decisions are returned. Times are whole seconds of any clock
of 32 bits; it may wrap, and a job that seems to have run in the future runs at once.

Each job has a window in each of its periods, the grid of which does not depend on when it ran. A
wake serves every window that is open. The module costs so much more than the board that the wakes
with the module come first: of all plans with the fewest of them, the one with the fewest wakes.
"""

from collections import namedtuple

from micropython import const

from . import energy

NOTHING = const(0)
MODEM = const(1)
GNSS = const(2)  # the module's receiver: the module is on, a network is not needed

_AHEAD = const(4)  # wakes with the module that a decision looks ahead
_CHOICES = const(8)  # places that it considers for each of them
_MEETING = const(20)  # wakes after which it is given up that two plans meet
_START_S = const(15)  # an attach, until one was measured
_RETRY_FLEX = const(8)  # what was put off waits for a wake up to 1/8 of its period longer
_NEVER = const(0x7FFFFFFF)
_WORST = (_NEVER, _NEVER, 0)
_TAU_MARGIN_S = const(30)  # a session this long before a tracking-area update makes it needless

# A period of work, in seconds: its window opens once in a period, stays open for flex_s, and for
# deadline_s while the signal is poor. needs -- NOTHING, MODEM or GNSS.
Job = namedtuple("Job", ("name", "period_s", "flex_s", "deadline_s", "needs"))

# wait_s -- seconds until the next wake; 0 or less: now
# jobs -- those to run then
# module_s -- seconds until the module is needed, None without such a job
# module, board -- how they sleep until then (energy.OFF, PSM, EDRX, IDLE; IDLE, LIGHT, DEEP)
Plan = namedtuple("Plan", ("wait_s", "jobs", "module_s", "module", "board"))


def spread(node: str, period_s: int) -> int:
    """A stable place in the period for a node, so that a fleet does not call all at once."""
    from binascii import crc32

    return crc32(node.encode()) % period_s


def stretch(volts: float | None, low_v: float, critical_v: float) -> int:
    """By how much all periods are longer: 2 on a low battery, 4 on one that is nearly empty.

    volts -- None where it is not measured; a threshold of 0 is never reached
    """
    if volts is None or volts >= low_v:
        return 1
    return 2 if volts >= critical_v else 4


class Scheduler:
    """jobs     -- Job tuples
    profile  -- of energy.profile()
    offset_s -- where on the clock the grid of all jobs begins
    last     -- when each job ran, in the order of ``jobs``; None or 0: never

    What may change from one plan to the next:

    stretch  -- all periods are so many times longer
    poor     -- the signal is poor: what needs the network may wait until its deadline
    hold_s   -- clock time before which the module is left alone, after a failure; None
    tau_s    -- clock time of the next periodic tracking-area update; None
    until_s  -- clock time after which no window may close: what would, is left out; None
    network  -- energy.Network: what is granted, and how long an attach takes
    allowed  -- the module's ways to sleep that may be chosen
    """

    def __init__(
        self, jobs: list, profile: energy.Profile, offset_s: int = 0, last: list | None = None
    ) -> None:
        self.jobs = jobs
        self.profile = profile
        self.offset_s = offset_s
        self.last = list(last) if last else [0] * len(jobs)
        self.stretch = 1
        self.poor = False
        self.hold_s: int | None = None
        self.tau_s: int | None = None
        self.until_s: int | None = None
        self.network = energy.Network(_START_S, None, None, None, energy.RELEASE_S)
        self.allowed = (energy.OFF, energy.PSM, energy.EDRX, energy.IDLE)
        self._now = 0
        self._first = []
        self._light = []
        self._heavy = []
        self._hold = 0
        self._horizon = 0
        self._slack = 0
        self._known = {}

    def ran(self, job: Job, now_s: int) -> None:
        """A job has been done. The first time does for the window after it if that opens soon."""
        j = self.jobs.index(job)
        if not self.last[j]:
            self._now = now_s
            soon = self._after(j, 0)
            if soon < job.period_s // 2:
                now_s += soon
        self.last[j] = now_s

    def shift(self, step_s: int) -> None:
        """The clock has been set by so many seconds: nothing is due because of that."""
        self.last = [last + step_s if last else 0 for last in self.last]

    def plan(self, now_s: int) -> Plan:
        """The next wake, seen from ``now_s``."""
        self._begin(now_s)
        module = self._next_module()
        light = min([self._end(j, self._first[j]) for j in self._light] or [_NEVER])
        at = light if module is None or light < module else module
        open_ = self._light + (self._heavy if at == module else [])
        jobs = [self.jobs[j] for j in open_ if self._first[j] <= max(at, 0)]
        gap = _NEVER if module is None else module
        return Plan(
            at,
            jobs,
            module,
            energy.module_sleep(self.profile.module, gap, self.network, self.allowed),
            energy.board_sleep(self.profile.board, at),
        )

    # Windows, in seconds from now ------------------------------------------------------------

    def _begin(self, now_s: int) -> None:
        self._now = now_s
        self._hold = 0 if self.hold_s is None else _difference(self.hold_s, now_s)
        self._known = {}
        self._first = []
        self._light = []
        self._heavy = []
        for j, job in enumerate(self.jobs):
            since = _difference(now_s, self.last[j])
            # "In the future": the clock was set back. By less than a period, the rhythm holds.
            known = self.last[j] and since > -job.period_s
            at_once = -max(job.flex_s, job.deadline_s)
            self._first.append(self._after(j, -since) if known else at_once)
            (self._heavy if job.needs else self._light).append(j)

    def _after(self, j: int, at: int) -> int:
        """When the first window of a job that opens after ``at`` does."""
        period = self.jobs[j].period_s * self.stretch
        phase = (self._now + at - self.offset_s) % period
        return at + period - phase

    def _end(self, j: int, start: int) -> int:
        """When a window closes; one that was missed closes now."""
        job = self.jobs[j]
        end = start + (job.deadline_s if self.poor and job.needs == MODEM else job.flex_s)
        if self.until_s is not None and end > _difference(self.until_s, self._now):
            return _NEVER
        if job.needs and self.hold_s is not None:
            end = max(end, self._hold + job.period_s // _RETRY_FLEX)
        return max(end, 0)

    # Wakes with the module -------------------------------------------------------------------

    def _next_module(self) -> int | None:
        """When the module is needed next: the best of the places that its windows leave."""
        if not self._heavy:
            return None
        ends = [(self._end(j, self._first[j]), self._first[j]) for j in self._heavy]
        end, start = min(ends)
        if end == _NEVER:
            return None
        self._horizon = following = end
        for _ in range(_AHEAD):
            following = self._module_window(following)[0]
            if following == _NEVER:
                break
            self._horizon = following
        # What was done last decides when it is due again, which is behind the horizon.
        self._slack = max([self.jobs[j].period_s * self.stretch for j in self._light] or [0]) + 1
        return self._best(None, start, end)[2]

    def _module_window(self, after: int) -> tuple:
        """(closes, opens) of the module's window that closes first, of those after a wake."""
        starts = [(j, self._after(j, after)) for j in self._heavy]
        return min([(self._end(j, start), start) for j, start in starts])

    def _best(self, after: int | None, start: int, end: int) -> tuple:
        """The best wake in a window of the module, with what follows up to the horizon.

        after -- the wake with the module before it; None for the present

        Returns (updates of the module not avoided, wakes, when).
        """
        best = self._known.get(after, _WORST)
        if best is not _WORST:
            return best
        for at in self._places(max(start, self._hold, 0), end):
            if at < end and self._costs_one_more(at, end):
                continue
            following, opens = self._module_window(at)
            wakes = self._wakes_between(after, at) + 1
            if following > self._horizon:
                wakes += self._wakes_between(at, self._horizon + self._slack)
            else:
                wakes += self._best(at, opens, following)[1]
            late = 0
            if after is None and self.tau_s is not None:
                late = int(at > _difference(self.tau_s, self._now) - _TAU_MARGIN_S)
            # The latest of equals: by then there may be a reason to wake anyway.
            if (late, wakes) < best[:2]:
                best = (late, wakes, at)
        self._known[after] = best
        return best

    def _costs_one_more(self, early: int, end: int) -> bool:
        """Whether a wake with the module before the end of its window leads to more of them.

        At the end of each following window is where the fewest are needed. The two rows of wakes
        keep in step until they meet; the early one has one more by then, or not.
        """
        for _ in range(_MEETING):
            early = self._module_window(early)[0]
            late = self._module_window(end)[0]
            if early == late:
                return False
            if self._module_window(early)[0] == late:
                return True
            end = late
        return True

    def _places(self, start: int, end: int) -> list:
        """Where in a window a wake with the module may be best, the latest first: at its end, or
        where a job without the module has to be done anyway, or before an update of the module's.
        """
        places = {end}
        for j in self._light:
            flex = self.jobs[j].flex_s
            at = self._end(j, self._first[j])
            if start <= at <= end:
                places.add(at)
            at = self._after(j, start - flex - 1) + flex
            while at <= end and len(places) < _CHOICES:
                places.add(at)
                at += self.jobs[j].period_s * self.stretch
        if self.tau_s is not None:
            at = _difference(self.tau_s, self._now) - _TAU_MARGIN_S
            if start <= at <= end:
                places.add(at)
        return sorted(places, reverse=True)

    def _wakes_between(self, after: int | None, before: int) -> int:
        """How many wakes the jobs without the module need between two with it."""
        count = 0
        while True:
            if after is None:
                ends = [self._end(j, self._first[j]) for j in self._light]
            else:
                ends = [self._end(j, self._after(j, after)) for j in self._light]
            after = min(ends or [_NEVER])
            if after >= before:
                return count
            count += 1


def _difference(a: int, b: int) -> int:
    """a - b on a clock of 32 bits."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000
