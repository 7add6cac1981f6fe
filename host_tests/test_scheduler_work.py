"""What a plan costs to compute: bounded for every configuration that the table of settings takes.

A board may need a millisecond for ten calls, and plans in each wake. Counted are calls of Python
functions and lines that are run, so that a loop in place of calls would be found as well.
"""

import random
import sys
from types import FrameType
from typing import Any

import pytest

import host_tests.shim  # noqa: F401
from firmware import config, energy, jobs
from firmware.scheduler import MODEM, NOTHING, Job, Plan, Scheduler
from firmware.state import State

CALLS, LINES = 300, 4000  # of what a configuration can have: a sample, a report, a position
GENERAL_CALLS = 5000  # of any jobs
GENERAL_LINES = 60_000
PROFILE = energy.Profile(energy.MDM9206, energy.BOARDS["esp32"])
NOW = 800_000_000
CLOCKS = (1, NOW, NOW + 12_345, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF - 50_000, 0xFFFFFFFF)
# s: the ends of what is allowed, and what is usual
SPANS = (0, 1, 2, 9, 10, 11, 30, 60, 299, 300, 900, 3600, 70_000, 86_400, 604_800, 2_592_000)

# sample, report: period and flex. Those that once took longest.
SLOW = (
    ((300, 30), (86_400, 3600)),
    ((60, 10), (86_400, 3600)),
    ((10, 2), (86_400, 3600)),
    ((10, 9), (604_800, 70_000)),
    ((10, 0), (604_800, 86_400)),
    ((604_800, 86_400), (10, 9)),
)


def work(made: Scheduler, now: int) -> tuple[int, int, Plan]:
    """(calls, lines, what was planned)"""
    counted = {"call": 0, "line": 0}

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        counted[event] = counted.get(event, 0) + 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        plan = made.plan(now)
    finally:
        sys.settrace(before)
    return counted["call"], counted["line"], plan


def checked(**given: dict[str, Any]) -> dict[str, Any]:
    """Settings as the firmware takes them."""
    node = {"id": "n", "mqtt": {"host": "h"}, **given}
    return config.check(node, config.SCHEMA, "config.json")


def drawn(r: random.Random, key: str) -> int:
    """A value that the table allows: its ends, a usual one, or any."""
    _, _, least, most = config.SCHEMA[key]
    usual = [span for span in SPANS if least <= span <= most]
    if r.random() < 0.6:
        return r.choice([least, most, *usual])
    return int(max(least, 1) * (most / max(least, 1)) ** r.random())


def drawn_settings(r: random.Random) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for key in (
        "sample.period_s", "sample.flex_s", "report.period_s", "report.flex_s",
        "report.deadline_s", "position.period_s", "position.flex_s",
    ):  # fmt: skip
        section, name = key.split(".")
        given.setdefault(section, {})[name] = drawn(r, key)
    if r.random() < 0.3:
        given["position"]["period_s"] = 0
    return checked(**given)


def near(r: random.Random, now: int) -> int:
    """A time on the clock that a state may hold; 0: never."""
    shift = r.choice((0, 1, r.choice(SPANS), r.randrange(3_000_000), -r.randrange(3_000_000)))
    return r.choice((0, now, (now - shift) & 0xFFFFFFFF))


@pytest.mark.parametrize("seed", range(4))
def test_the_work_is_bounded_for_every_configuration(seed: int) -> None:
    r = random.Random(seed)
    most_calls = most_lines = 0
    for _ in range(2500):
        settings, now = drawn_settings(r), r.choice(CLOCKS)
        state = State(
            sampled=near(r, now), reported=near(r, now), positioned=near(r, now),
            hold=near(r, now), tau=near(r, now), signal=r.choice((0, -70, -112)),
            psm_active=r.choice((0, 11)), psm_tau=r.choice((0, 3240)),
        )  # fmt: skip
        made = jobs.scheduler(settings, state)
        made.stretch = r.choice((1, 2, 4))
        made.until_s = r.choice((None, None, None, near(r, now)))
        calls, lines, plan = work(made, now)
        assert calls <= CALLS and lines <= LINES, (calls, lines, settings, vars(state))
        assert plan.wait_s >= 0 and (plan.jobs or made.until_s is not None)
        most_calls, most_lines = max(calls, most_calls), max(lines, most_lines)
    print(f"at most {most_calls} calls, {most_lines} lines")


@pytest.mark.parametrize("stretch", [1, 2, 4])
@pytest.mark.parametrize(("sample", "report"), SLOW)
def test_the_work_does_not_grow_with_the_number_of_samples(sample, report, stretch) -> None:
    settings = checked(
        sample={"period_s": sample[0], "flex_s": sample[1]},
        report={"period_s": report[0], "flex_s": report[1]},
    )
    made = jobs.scheduler(settings, State(sampled=NOW, reported=NOW))
    made.stretch = stretch
    calls, lines, _ = work(made, NOW)
    assert calls <= 100 and lines <= 1000, (calls, lines)


def some_jobs(r: random.Random) -> list[Job]:
    """Several of each kind, at any ratio."""
    found = []
    for needs in (NOTHING, MODEM):
        for _ in range(r.randint(1, 4)):
            period = int(10 ** (1 + r.random() * 4.5))
            flex = int((period - 1) * r.random() ** r.choice((1, 3)))
            found.append(Job(str(len(found)), period, flex, period - 1, needs))
    return found


def test_the_work_is_bounded_for_any_jobs() -> None:
    r = random.Random(1)
    most_calls = most_lines = 0
    for _ in range(1500):
        given, now = some_jobs(r), r.choice(CLOCKS)
        made = Scheduler(given, PROFILE, r.randrange(100_000), [near(r, now) for _ in given])
        made.stretch, made.poor = r.choice((1, 2, 4)), r.random() < 0.3
        made.tau_s = r.choice((None, near(r, now)))
        made.hold_s = r.choice((None, None, near(r, now)))
        calls, lines, _ = work(made, now)
        assert calls <= GENERAL_CALLS and lines <= GENERAL_LINES, (calls, lines, given)
        most_calls, most_lines = max(calls, most_calls), max(lines, most_lines)
    print(f"at most {most_calls} calls, {most_lines} lines")


def test_nothing_is_planned_twice_while_nothing_changes() -> None:
    settings = checked(sample={"period_s": 300}, report={"period_s": 3600, "flex_s": 300})
    made = jobs.scheduler(settings, State(sampled=NOW, reported=NOW))
    first, _, plan = work(made, NOW)
    again, _, later = work(made, NOW + 7)
    assert again < 15 < first
    assert (later.wait_s, later.module_s) == (plan.wait_s - 7, plan.module_s - 7)
    made.stretch = 2
    assert work(made, NOW + 7)[0] > 15


CHANGES: dict[str, Any] = {
    "stretch": 2, "poor": True, "hold_s": NOW + 5000, "tau_s": NOW + 4000, "until_s": NOW + 200,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_is_planned_for(name: str) -> None:
    settings = checked(
        sample={"period_s": 300}, report={"period_s": 3600, "flex_s": 600, "deadline_s": 1800}
    )

    def new() -> Scheduler:
        return jobs.scheduler(settings, State(sampled=NOW, reported=NOW))

    made, fresh = new(), new()
    made.plan(NOW)
    setattr(made, name, CHANGES[name])
    setattr(fresh, name, CHANGES[name])
    assert made.plan(NOW + 1) == fresh.plan(NOW + 1)
    made.ran(made.jobs[0], NOW + 100)
    fresh.ran(fresh.jobs[0], NOW + 100)
    assert made.plan(NOW + 100) == fresh.plan(NOW + 100)
    made.shift(-5000)
    fresh.shift(-5000)
    assert made.plan(NOW + 100) == fresh.plan(NOW + 100)
    assert made.plan(NOW) == fresh.plan(NOW)  # a clock that went back


def test_a_plan_that_is_kept_is_the_one_that_would_be_made() -> None:
    r = random.Random(3)
    for _ in range(2000):
        settings, state = drawn_settings(r), State()
        for name in ("sampled", "reported", "positioned"):
            setattr(state, name, NOW - r.randrange(100_000))
        state.hold = r.choice((0, NOW + r.randrange(5000)))
        state.tau = r.choice((0, NOW + r.randrange(5000)))
        kept = jobs.scheduler(settings, state)
        now = NOW + r.randint(0, kept.plan(NOW).wait_s)
        assert kept.plan(now) == jobs.scheduler(settings, state).plan(now)
