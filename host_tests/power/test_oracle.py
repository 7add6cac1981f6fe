"""The least possible is a lower bound, and a near one: against an exhaustive search."""

import functools
import json
import math
import random
from dataclasses import replace

import pytest

from tools.deploy import settings
from tools.power import compare, model, oracle
from tools.power.model import Conditions, Phase
from tools.power.oracle import Code, Costs, Job, Window
from tools.power.profiles import load
from tools.power.scenario import NODE, Change
from tools.virtual_c1100 import Profile, measured
from tools.virtual_c1100.air import RELEASES, Grants, RadioLink
from tools.virtual_c1100.measured import Luck

MODULE, BOARD = load("mdm9206", "module"), load("esp32", "board")
MODES = (oracle.in_psm, oracle.switched_off, oracle.in_idle)
SETS = 60
HOUR_S = 3600.0


def costs(
    registration_s: float,
    psm: bool = True,
    t3412_s: float = 86400.0,
    release: str = "ignored",
    **kw,
) -> Costs:
    profile = Profile(grants=Grants(release=release))
    profile.latency.registration = registration_s
    granted = {"t3324_s": 10.0, "t3412_s": t3412_s} if psm else {}
    return Costs(MODULE, BOARD, Conditions.of(profile, "lte-m", **granted), **kw)


def exhaustive(wanted: list[Window], span_s: float, c: Costs) -> float:
    """The cheapest of all schedules whose wakes lie at an edge of a window, or where an update of
    the module's is just avoided; each gap is paid for as long as it is.
    """
    edges = {w.release_s for w in wanted} | {w.deadline_s for w in wanted}
    tail_s = model.seconds(model.tail(c.conditions))
    early = (c.conditions.t3412_s or 0.0) + tail_s + c.talk_s
    times = sorted(edges | {t + early for t in edges if t + early <= span_s})
    light = c.board_uc(1.0, "light-sleep")

    @functools.cache
    def gap_uc(gap_s: float, again: bool) -> float:
        found = (mode(c, gap_s, again) for mode in MODES)
        return min(uc + light * start_s for uc, start_s in found)

    @functools.cache
    def start_uc(at: float) -> float:
        start = model.start_from_off(c.conditions)
        seconds = model.seconds(start)
        off = 1e6 * MODULE.amperes("off") * max(0.0, at - seconds)
        return off + c.module_uc(start) + light * seconds + c.call_uc

    @functools.cache
    def best(index: int, session: int, wake: int) -> float:
        """From times[index] on; the last session, and the last wake, were at times[...], or -1."""
        if index == len(times):
            if session < 0:
                return 1e6 * MODULE.amperes("off") * span_s
            return gap_uc(max(0.0, span_s - times[session] - c.talk_s), False)
        now, found = times[index], math.inf
        for with_session, with_wake in ((False, False), (False, True), (True, True)):
            s, w = index if with_session else session, index if with_wake else wake
            served_s, served_w = (times[i] if i >= 0 else -1.0 for i in (s, w))
            if any(
                x.deadline_s == now
                and (served_w if x.job.size is None else served_s) < x.release_s
                for x in wanted
            ):
                continue
            paid = c.wake_uc if with_wake else 0.0
            if with_session:
                paid += c.session_uc - c.wake_uc
                gap_s = now - times[session] - c.talk_s
                paid += start_uc(now) if session < 0 else gap_uc(max(0.0, gap_s), True)
            found = min(found, paid + best(index + 1, s, w))
        return found

    return best(0, -1, -1) + c.asleep_uc(span_s) + c.work_uc(wanted)


def random_jobs(r: random.Random) -> list[Job]:
    jobs = [Job("sample", r.choice((900, 1200, 1800)), r.randint(0, 600), r.choice((0, 60, 300)))]
    for n in range(r.randint(1, 2)):
        period = r.choice((3600, 5400, 7200, 10800))
        flex = r.choice((0, 300, 1800))
        jobs.append(Job(f"report {n}", period, r.randint(0, 1800), flex, size=r.randint(50, 1500)))
    return jobs


@pytest.mark.parametrize("registration_s", [2.0, 8.0, 40.0])
@pytest.mark.parametrize(
    "grant",
    [
        {},
        {"psm": False},
        {"t3412_s": 6000.0},
        {"code": Code(0.3, 0.5)},
        {"release": "honoured"},
        {"release": "honoured", "t3412_s": 6000.0},
        {"release": "honoured", "code": Code(0.3, 0.5)},
    ],
)
def test_no_schedule_is_cheaper_and_one_is_nearly_as_cheap(registration_s, grant):
    numbers = random.Random(7)
    c = costs(registration_s, **grant)
    worst = 0.0
    for _ in range(SETS // 9 + 1):
        span_s = numbers.choice((4, 6, 9)) * HOUR_S
        wanted = oracle.windows(random_jobs(numbers), span_s)
        found, best = oracle.least(wanted, span_s, c).charge_uc, exhaustive(wanted, span_s, c)
        assert found <= best * (1 + 1e-9), wanted
        worst = max(worst, best / found)
    # Without PSM it pays for the shortest time in idle mode that a gap may have.
    assert worst < (1.03 if c.conditions.t3324_s else 1.031)


def test_the_bound_holds_where_a_release_leaves_nothing_but_idle():
    """A far one: it pays for the shortest gap that there may be."""
    numbers = random.Random(7)
    for registration_s in (2.0, 40.0):
        c = costs(registration_s, psm=False, release="honoured")
        for _ in range(SETS // 9 + 1):
            wanted = oracle.windows(random_jobs(numbers), 4 * HOUR_S)
            found = oracle.least(wanted, 4 * HOUR_S, c).charge_uc
            assert found <= exhaustive(wanted, 4 * HOUR_S, c) * (1 + 1e-9), wanted


@pytest.mark.parametrize("rat", ["lte-m", "nb-iot"])
@pytest.mark.parametrize("coverage", [0, 1, 2])
@pytest.mark.parametrize("inactivity", [0.5, 5.0, 15.0, 60.0])
def test_a_release_never_costs_more_than_the_tail(rat, coverage, inactivity):
    """At poor coverage, or in a quick network, to ask for it may cost more than to wait."""
    profile = Profile(radio=RadioLink(coverage=coverage, inactivity=inactivity))
    granted = {"t3324_s": 10.0, "t3412_s": 86400.0}
    wanted = oracle.windows([Job("report", 3600, size=200)], 86400)
    charges = []
    for release in RELEASES:
        profile.grants.release = release
        c = Costs(MODULE, BOARD, Conditions.of(profile, rat, **granted))
        charges.append(oracle.least(wanted, 86400, c).charge_uc)
    honoured, ignored, refused = charges
    assert ignored == refused
    assert honoured <= ignored
    if inactivity > 5 and coverage < 2:
        assert honoured < 0.95 * ignored


def test_a_session_waits_for_better_coverage_within_its_window():
    """The best coverage of a window is what the least possible has to pay for."""
    wanted = oracle.windows([Job("report", 7200, flex_s=3600, size=200)], 86400)
    good = oracle.least(wanted, 86400, costs(8.0)).charge_uc
    sometimes = tuple((h * 3600.0, (h % 2 == 0) * 1) for h in range(24))
    seldom = tuple((h * 3600.0, (h % 12 != 0) * 2) for h in range(24))
    assert oracle.least(wanted, 86400, costs(8.0, levels=sometimes)).charge_uc <= 1.01 * good
    assert oracle.least(wanted, 86400, costs(8.0, levels=seldom)).charge_uc > 1.2 * good


def test_the_first_start_has_the_luck_that_it_had():
    """Nobody can wait for another one; of all later starts the bound has the mean."""
    jobs = [Job("sample", 1800), Job("report", 10800, size=400)]
    wanted = oracle.windows(jobs, 86400)
    network = measured.fitting(Profile(), MODULE.network)
    granted = Conditions.of(network, "nb-iot", t3324_s=10.0, t3412_s=86400.0)
    usual = Costs(MODULE, BOARD, granted)
    least = oracle.least(wanted, 86400, usual).charge_uc
    for search_s in (0.0, 0.3, 0.5, 0.7, 1.0):
        luck = Luck(search_s=search_s)
        found = oracle.least(wanted, 86400, replace(usual, first=luck)).charge_uc - least
        took, mean = (
            network.latency.registration * measured.connect_factor(0, granted.rsrp, one)
            for one in (luck, Luck())
        )
        search = usual.module_uc([Phase("search", 1.0)]) + usual.board_uc(1.0, "light-sleep")
        assert found == pytest.approx((took - mean) * search, rel=0.001, abs=1.0)


def test_the_usual_firmwares_cost_more():
    jobs = [Job("sample", 300, 150), Job("report", 3600, 1950, size=1800)]
    for registration_s in (4.0, 40.0):
        c = costs(registration_s)
        wanted = oracle.windows(jobs, 86400)
        least = oracle.least(wanted, 86400, c)
        for firmware in oracle.FIRMWARES:
            assert firmware(wanted, 86400, c).charge_uc > least.charge_uc
    assert least.sessions == 24
    assert least.wakes == 288


def test_a_session_says_more_when_it_has_more_to_report():
    c = costs(8.0)
    charges = [c.payload_uc(size) for size in (0, 100, 512, 513, 2000)]
    assert charges == sorted(charges)
    assert charges[0] == 0
    assert charges[3] - charges[2] > 10 * (charges[2] - charges[1])  # another message


def test_a_period_of_nothing_is_refused():
    with pytest.raises(ValueError, match="period is 0 s"):
        oracle.windows([Job("sample", 0)], 100)


def test_a_report_may_wait_for_its_deadline_only_about_a_poor_signal():
    node = NODE | {"report": {"period_s": 3600, "deadline_s": 1800}}
    checked = settings.checked({"config.json": json.dumps(node).encode()})
    changes = [Change(12 * HOUR_S, 1, 1), Change(15 * HOUR_S, 0, 22)]
    wanted = compare.windows(Profile(), checked, 24 * HOUR_S, 100, changes)
    waits = [w for w in wanted if w.job.name == "report" and w.deadline_s > w.release_s]
    assert {w.deadline_s - w.release_s for w in waits} == {1800}
    # From half an hour before it to a period and half an hour behind it.
    assert 11.5 * HOUR_S < min(w.release_s for w in waits) <= 12.5 * HOUR_S
    assert 15.5 * HOUR_S <= max(w.release_s for w in waits) < 16.5 * HOUR_S
    assert len([w for w in wanted if w.job.name == "report"]) >= 24
