"""The scheduler against an exhaustive search: never more wakes than the least possible.

Of all schedules that meet every window, the search finds the fewest wakes with the module, and
the fewest wakes among those. It knows all windows at once; the scheduler decides wake by wake.
"""

import functools
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


def lived(jobs: list[Job], span: int) -> tuple[int, int]:
    """What the scheduler needs; fails when it misses a window."""
    scheduler = Scheduler(jobs, PROFILE, START, [START] * len(jobs))
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
