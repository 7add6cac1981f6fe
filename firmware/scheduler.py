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

What a plan costs to find does not grow with the number of wakes that it has: a node has one job
without the module, whose wakes are counted by arithmetic. Of several such jobs some tens of wakes
are looked at; at worst there is one wake too many then for each with the module.
"""

from collections import namedtuple

from micropython import const

from . import energy
from .clock import difference

NOTHING = const(0)
MODEM = const(1)
GNSS = const(2)  # the module's receiver: the module is on, a network is not needed

_AHEAD = const(16)  # wakes with the module that a decision looks ahead
_ROWS = const(8)  # rows of wakes that are kept side by side meanwhile
_MEETING = const(20)  # wakes after which it is given up that two rows meet
_STEPS = const(48)  # wakes of several jobs that are counted one by one between two with the module
_ALL_STEPS = const(1500)  # and for a whole decision
_START_S = const(15)  # an attach, until one was measured
_RETRY_FLEX = const(8)  # what was put off waits for a wake up to 1/8 of its period longer
_NEVER = const(0x7FFFFFFF)
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
        self._asked = ()  # what the last decision was made of, when, and what it was
        self._now = 0
        self._next = (_NEVER, _NEVER, [])
        self._light = []
        self._heavy = []
        self._hold = 0
        self._until = _NEVER
        self._steps = 0
        self.shifted = 0  # the clock, in this wake

    def ran(self, job: Job, now_s: int) -> None:
        """A job has been done. The first time, and once the clock has been set, it does for the
        window after it too if that opens soon.
        """
        j = self.jobs.index(job)
        new = not self.last[j] or self._off_grid(j)
        self.last[j] = self._done_at(j, now_s) if new else now_s

    def shift(self, step_s: int) -> None:
        """The clock has been set by so many seconds: nothing is due because of that."""
        self.shifted += step_s
        for j, last in enumerate(self.last):
            if last:
                last += step_s
                self.last[j] = self._done_at(j, last) if self._off_grid(j) else last

    def _off_grid(self, j: int) -> bool:
        """Whether the grid of a job has moved, as time really goes."""
        return self.shifted % (self.jobs[j].period_s * self.stretch) != 0

    def _done_at(self, j: int, now_s: int) -> int:
        """When a job counts as done that is done now."""
        period = self.jobs[j].period_s * self.stretch
        soon = period - (now_s - self.offset_s) % period
        return now_s + soon if soon < period // 2 else now_s

    def plan(self, now_s: int) -> Plan:
        """The next wake, seen from ``now_s``."""
        asked = (list(self.last), self.stretch, self.poor, self.hold_s, self.tau_s, self.until_s)
        if asked != self._asked or not 0 <= now_s - self._now <= self._next[0]:
            self._next = self._decide(now_s)
            self._asked = asked
            self._now = now_s
        at, module, jobs = self._next
        passed = now_s - self._now
        at -= passed
        gap = module - passed
        return Plan(
            at,
            jobs,
            gap if module < _NEVER else None,
            energy.module_sleep(self.profile.module, gap, self.network, self.allowed),
            energy.board_sleep(self.profile.board, at),
        )

    def _decide(self, now_s: int) -> tuple:
        """(next wake, when the module is needed next, jobs of that wake); _NEVER: not at all."""
        self._begin(now_s)
        module = self._next_module(now_s)
        at = min(module, self._closing(self._light, None)[0])
        if at == _NEVER:
            return at, module, []
        open_ = self._light + (self._heavy if at == module else [])
        return at, module, [window[0] for window in open_ if window[1] <= at]

    # Windows, in seconds from now ------------------------------------------------------------

    def _begin(self, now_s: int) -> None:
        """The windows of each job: (job, when the first opens, for how long, period, phase of the
        present in it, before when none closes).
        """
        self._hold = 0 if self.hold_s is None else difference(self.hold_s, now_s)
        self._until = _NEVER if self.until_s is None else difference(self.until_s, now_s)
        self._light = []
        self._heavy = []
        for j, job in enumerate(self.jobs):
            period = job.period_s * self.stretch
            phase = now_s - self.offset_s
            since = difference(now_s, self.last[j])
            # "In the future": the clock was set back. By less than a period, the rhythm holds.
            if self.last[j] and since > -job.period_s:
                first = period - (phase - since) % period - since
            else:
                first = -max(job.flex_s, job.deadline_s)  # at once
            open_s = job.deadline_s if self.poor and job.needs == MODEM else job.flex_s
            least = 0
            if job.needs and self.hold_s is not None:
                least = max(self._hold + job.period_s // _RETRY_FLEX, 0)
            of_kind = self._heavy if job.needs else self._light
            of_kind.append((job, first, open_s, period, phase % period, least))

    def _closing(self, windows: list, after: int | None) -> tuple:
        """(closes, opens) of the window that closes first, of those that open after a wake; both
        are _NEVER when there is none. One that was missed closes now.

        after -- None for the first windows
        """
        closes = opens = _NEVER
        for _, start, open_s, period, phase, least in windows:
            if after is not None:
                start = after + period - (phase + after) % period
            end = start + open_s
            if end > self._until:
                continue
            if end < least:
                end = least
            if end < closes or (end == closes and start < opens):
                closes = end
                opens = start
        return closes, opens

    # Wakes with the module -------------------------------------------------------------------

    def _next_module(self, now_s: int) -> int:
        """When the module is needed next; _NEVER if it is not.

        In each of its windows only two places can be the best: the end, and that of the last wake
        before it, which is saved. (An earlier wake would be saved as well, but for more to do
        afterwards.) Rows of such places are followed side by side, each as (its last, minus the
        number of wakes besides, its first), until all have the same first.
        """
        end, start = self._closing(self._heavy, None)
        if end == _NEVER:
            return end
        start = max(start, self._hold, 0)
        if self.tau_s is not None:
            update = difference(self.tau_s, now_s) - _TAU_MARGIN_S
            if start <= update < end and not self._costs_one_more(update, end):
                end = update
        self._steps = _ALL_STEPS
        count, last = self._wakes(None, end)
        if count == _NEVER:
            return end  # to be decided when it is nearer
        rows = [(end, -count, end)]
        if last >= start:
            rows.append((last, 1 - count, last))
        for _ in range(_AHEAD):
            if len({row[2] for row in rows}) == 1:
                break
            longer = self._longer(rows)
            if not longer:
                break
            rows = longer
        return self._best(rows)

    def _longer(self, rows: list) -> list:
        """Rows with one more place each, the latest first; none where the look-ahead ends.

        The last place decides what comes after it, and the later it is the less that is: an
        earlier one is worth keeping only in a row that has needed less so far.
        """
        found = []
        for at, spared, first in rows:
            end, start = self._closing(self._heavy, at)
            count, last = self._wakes(at, end)
            if end == _NEVER or count == _NEVER:
                return []
            found.append((end, spared - count, first))
            if last >= max(start, self._hold):
                found.append((last, spared - count + 1, first))
        found.sort(reverse=True)
        kept = found[:1]
        for row in found:
            # One that another row reached a place earlier is a whole wake with the module behind.
            if row[1] > kept[-1][1] and row[0] > rows[0][0]:
                kept.append(row)
        return kept[:_ROWS]

    def _best(self, rows: list) -> int:
        """The first place of the row that needs the fewest wakes. The latest of equals: by then
        there may be a reason to wake anyway.
        """
        latest = rows[0][0]
        best = (-_NEVER, latest)
        # What was done last makes a difference until the wakes of all rows are the same again.
        periods = [window[3] for window in self._light]
        horizon = latest
        if periods:
            horizon += min(periods) * _STEPS // (2 * len(periods)) + 1
        for at, spared, first in rows:
            if at < latest and self._costs_one_more(at, latest):
                continue
            self._steps = _STEPS
            count = min(self._wakes(at, horizon)[0], _STEPS)
            best = max(best, (spared - count, first))
        return best[1]

    def _costs_one_more(self, early: int, end: int) -> bool:
        """Whether a wake with the module before the end of its window leads to more of them.

        At the end of each following window is where the fewest are needed. The two rows of wakes
        keep in step until they meet; the early one has one more by then, or not.
        """
        for _ in range(_MEETING):
            early = self._closing(self._heavy, early)[0]
            late = self._closing(self._heavy, end)[0]
            if early == late:
                return False
            if self._closing(self._heavy, early)[0] == late:
                return True
            end = late
        return True

    def _wakes(self, after: int | None, before: int) -> tuple:
        """(number, the last) of the wakes that the jobs without the module need between two with
        it. The number is _NEVER when there are too many to count.
        """
        count = 0
        last = -1
        at = self._closing(self._light, after)[0]
        while at < before:
            if count == _STEPS or not self._steps:
                return _NEVER, last
            self._steps -= 1
            count += 1
            following = self._closing(self._light, at)[0]
            if len(self._light) == 1 and count > 1:
                # From the second on they are as far apart as the windows.
                step = following - at
                more = (min(before - 1, self._until) - at) // step
                return count + more, at + more * step
            last = at
            at = following
        return count, last
