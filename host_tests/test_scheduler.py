"""The scheduler against an exhaustive search: never more wakes than the least possible.

Of all schedules that meet every window, the search finds the fewest wakes with the module, and
the fewest wakes among those. It knows all windows at once; the scheduler decides wake by wake.

Over long times, where an exhaustive search takes too long, `least` goes from each possible wake
with the module to each that may follow it.
"""

import bisect
import functools
import heapq
import itertools
import random

import pytest

import host_tests.shim  # noqa: F401
from firmware import energy
from firmware.scheduler import MODEM, NOTHING, Job, Scheduler

PROFILE = energy.Profile(energy.MDM9206, energy.BOARDS["esp32"])
START = 1_000_000
SETS = 1000

Window = tuple[int, int, bool]  # opens, closes, needs the module


def windows(jobs: list[Job], span: int) -> list[Window]:
    """All windows that close within the span; each job has run at its beginning."""
    return [
        (opens, opens + job.flex_s, bool(job.needs))
        for job in jobs
        for opens in range(job.period_s, span - job.flex_s + 1, job.period_s)
    ]


def optimum(wanted: list[Window]) -> tuple[int, int]:
    """(wakes with the module, wakes): exhaustive, over the ends of all windows.

    Any wake can be moved to the next end of a window that it serves, so no other time is better.
    """
    ends = sorted({closes for _, closes, _ in wanted})
    missed = (10**9, 10**9)

    @functools.cache
    def least(index: int, module: int, wake: int) -> tuple[int, int]:
        """From ends[index] on, when the last wake with the module and the last wake were at..."""
        if index == len(ends):
            return 0, 0
        now, best = ends[index], missed
        for wakes, modules in ((0, 0), (1, 0), (1, 1)):
            last_module = now if modules else module
            last_wake = now if wakes else wake
            if any(
                closes == now and opens > (last_module if needs else last_wake)
                for opens, closes, needs in wanted
            ):
                continue
            rest = least(index + 1, last_module, last_wake)
            best = min(best, (rest[0] + modules, rest[1] + wakes))
        return best

    return least(0, -1, -1)


def least(jobs: list[Job], span: int) -> tuple[int, int]:
    """What `optimum` finds, for spans of any length: between two wakes with the module, waking at
    the end of each window that is not served yet is the least for the other jobs.
    """
    never = span + 1
    light = [(job.period_s, job.flex_s) for job in jobs if not job.needs]
    heavy = [(job.period_s, job.flex_s) for job in jobs if job.needs]
    ends = sorted({closes for _, closes, _ in windows(jobs, span)})

    def following(kind: list[tuple[int, int]], after: int) -> tuple[int, int]:
        """When the first window closes of those that open after a wake, and when one opens."""
        opens = [((after // period + 1) * period, flex) for period, flex in kind]
        within = [(start + flex, start) for start, flex in opens if start + flex <= span]
        return min(within)[0] if within else never, min([s for _, s in within], default=never)

    def alone(after: int, before: int) -> list[int]:
        """The wakes for the other jobs after one with the module, before a time."""
        if len(light) == 1:
            period, flex = light[0]
            first = (after // period + 1) * period + flex
            return list(range(first, min(before, never), period))
        found = [following(light, after)[0]]
        while found[-1] < before:
            found.append(following(light, found[-1])[0])
        return found[:-1]

    known = {0: (0, 0)}  # wakes with the module, the last of them then: (of them, all)
    todo, best = [0], (never, never)
    while todo:
        at = heapq.heappop(todo)
        modules, wakes = known[at]
        closes, opens = following(heavy, at)
        others = alone(at, closes)
        if closes == never:
            best = min(best, (modules, wakes + len(others)))
            continue
        first = bisect.bisect_left(ends, max(opens, at + 1))
        for end in itertools.islice(ends, first, bisect.bisect_right(ends, closes)):
            found = (modules + 1, wakes + bisect.bisect_left(others, end) + 1)
            if end not in known:
                heapq.heappush(todo, end)
            known[end] = min(found, known.get(end, found))
    return best


def lived(jobs: list[Job], span: int, stretch: int = 1) -> tuple[int, int]:
    """What the scheduler needs; fails when it misses a window.

    stretch -- the jobs have been given to the scheduler with periods that are so much shorter
    """
    given = [job._replace(period_s=job.period_s // stretch) for job in jobs]
    scheduler = Scheduler(given, PROFILE, START, [START] * len(jobs))
    scheduler.stretch = stretch
    scheduler.until_s = START + span
    now, modules, wakes = START, 0, 0
    left = set(windows(jobs, span))
    while True:
        plan = scheduler.plan(now)
        now += plan.wait_s
        if not plan.jobs or now > START + span:
            break
        wakes += 1
        modules += any(job.needs for job in plan.jobs)
        for job in plan.jobs:
            scheduler.ran(job, now)
            job = jobs[given.index(job)]
            served = (now - START) // job.period_s * job.period_s
            left.discard((served, served + job.flex_s, bool(job.needs)))
    assert not left, f"missed {sorted(left)}"
    return modules, wakes


def job(random_: random.Random, number: int, period: tuple[int, int], needs: int) -> Job:
    period_s = random_.randint(*period)
    return Job(str(number), period_s, random_.randint(0, period_s - 1), period_s, needs)


def mixed(r: random.Random) -> list[Job]:
    return [
        job(r, n, (5, 60), r.choice((NOTHING, NOTHING, MODEM))) for n in range(r.randint(1, 5))
    ]


def alike(r: random.Random) -> list[Job]:
    needs = r.choice((NOTHING, MODEM))
    return [job(r, n, (5, 60), needs) for n in range(r.randint(1, 5))]


def frequent_samples(r: random.Random) -> list[Job]:
    samples = [job(r, n, (4, 20), NOTHING) for n in range(r.randint(1, 2))]
    return samples + [job(r, n + 2, (40, 90), MODEM) for n in range(r.randint(1, 3))]


@pytest.mark.parametrize(("kind", "sets"), [(mixed, SETS), (alike, SETS), (frequent_samples, 200)])
def test_the_number_of_wakes_is_the_optimum(kind, sets: int) -> None:
    numbers = random.Random(2024)
    for n in range(sets):
        jobs, span = kind(numbers), numbers.randint(100, 200)
        best = optimum(windows(jobs, span))
        assert lived(jobs, span) == best, f"set {n}, span {span}: {jobs}"


def any_ratio(r: random.Random) -> list[Job]:
    """What a configuration can have: a sample, a report and perhaps a position."""
    found = []
    for needs in (NOTHING, MODEM, MODEM)[: r.randint(2, 3)]:
        period_s = int(10 ** r.uniform(1, 3.5))
        flex_s = int((period_s - 1) * r.random() ** r.choice((1, 3, 6)))
        found.append(Job(str(len(found)), period_s, flex_s, period_s, needs))
    return found


def many_between(r: random.Random) -> list[Job]:
    """More wakes between two with the module than are counted one by one."""
    samples = [job(r, n, (5, 60), NOTHING) for n in range(r.randint(2, 3))]
    return samples + [job(r, n + 3, (500, 3000), MODEM) for n in range(r.randint(1, 2))]


@pytest.mark.parametrize("kind", [mixed, alike, frequent_samples])
def test_both_ways_to_find_the_optimum_agree(kind) -> None:
    numbers = random.Random(3)
    for _ in range(150):
        jobs, span = kind(numbers), numbers.randint(100, 200)
        assert least(jobs, span) == optimum(windows(jobs, span)), (jobs, span)


@pytest.mark.parametrize(
    ("kind", "sets", "periods"),
    [(mixed, 400, 40), (frequent_samples, 200, 30), (any_ratio, 400, 6), (many_between, 20, 5)],
)
def test_the_number_of_wakes_is_the_optimum_over_a_long_time(kind, sets, periods) -> None:
    numbers = random.Random(7)
    for n in range(sets):
        jobs = kind(numbers)
        span = min(periods * max(job.period_s for job in jobs), 10_000)
        assert lived(jobs, span) == least(jobs, span), f"set {n}, span {span}: {jobs}"


# s: period and flex of the sample, of the report, and days
LARGE = (
    ((300, 30), (86_400, 3600), 30),
    ((60, 10), (86_400, 3600), 8),
    ((10, 2), (86_400, 3600), 3),
    ((10, 9), (70_000, 3000), 3),
    ((900, 0), (604_800, 86_399), 40),
    ((3600, 3000), (60, 59), 3),
)


@pytest.mark.parametrize("stretch", [1, 2, 4])
@pytest.mark.parametrize(("sample", "report", "days"), LARGE)
def test_many_samples_for_one_report_are_no_more_wakes(sample, report, days, stretch) -> None:
    jobs = [
        Job("sample", sample[0] * stretch, sample[1], sample[1], NOTHING),
        Job("report", report[0] * stretch, report[1], report[1], MODEM),
    ]
    span = days * 86_400
    assert lived(jobs, span, stretch) == least(jobs, span)
