"""The scheduler: due jobs, windows that share a wake, and what changes its mind."""

from firmware import energy
from firmware.scheduler import GNSS, MODEM, NOTHING, Job, Scheduler, spread, stretch

PROFILE = energy.Profile(energy.MDM9206, energy.BOARDS["esp32"])
NOW = 1000000  # not on the grid of any job below
SAMPLE = Job("sample", 300, 0, 0, NOTHING)
REPORT = Job("report", 3600, 600, 1800, MODEM)
POSITION = Job("position", 7200, 1200, 1200, GNSS)


def made(*jobs, offset_s=NOW, last=NOW):
    return Scheduler(list(jobs), PROFILE, offset_s, [last] * len(jobs))


def live(scheduler, now, until):
    """[(clock time, names of the jobs that ran)], as a node would."""
    done = []
    while True:
        plan = scheduler.plan(now)
        now += max(plan.wait_s, 0)
        if now > until:
            return done
        done.append((now, [job.name for job in plan.jobs]))
        for job in plan.jobs:
            scheduler.ran(job, now)


def test_a_new_node_does_everything_at_once():
    plan = made(SAMPLE, REPORT, POSITION, last=0).plan(NOW)
    assert plan.wait_s <= 0
    assert [job.name for job in plan.jobs] == ["sample", "report", "position"]
    assert plan.board == energy.IDLE


def test_the_first_time_is_not_followed_by_another_soon():
    for offset_s in range(0, 3600, 100):
        scheduler = made(SAMPLE, REPORT, offset_s=offset_s, last=0)
        first = scheduler.plan(NOW)
        for job in first.jobs:
            scheduler.ran(job, NOW)
        plan = scheduler.plan(NOW)
        assert 150 <= plan.wait_s <= 450
        assert 1800 <= plan.module_s <= 5400 + 600


def test_a_report_waits_for_a_sample_within_its_window():
    report = Job("report", 3500, 600, 1800, MODEM)
    done = live(made(SAMPLE, report), NOW, NOW + 7 * 3600)
    both = [names for _, names in done if "report" in names]
    assert len(both) == 7
    assert all("sample" in names for names in both)
    assert len(done) == 7 * 12


def test_all_that_needs_the_module_shares_its_wakes():
    done = live(made(SAMPLE, REPORT, POSITION), NOW, NOW + 86400)
    assert len([1 for _, names in done if "report" in names]) == 23  # the last is still open
    for _, names in done:
        if "position" in names:
            assert "report" in names


def test_a_missed_wake_is_done_once_and_the_grid_holds():
    scheduler = made(SAMPLE, REPORT)
    late = NOW + 3 * 3600 + 17
    plan = scheduler.plan(late)
    assert plan.wait_s <= 0
    assert [job.name for job in plan.jobs] == ["sample", "report"]
    for job in plan.jobs:
        scheduler.ran(job, late)
    assert scheduler.plan(late).wait_s == 300 - 17


def test_a_clock_that_was_set_back_does_not_stop_the_node():
    scheduler = made(SAMPLE, REPORT)
    plan = scheduler.plan(NOW - 100000)
    assert plan.wait_s <= 0
    assert [job.name for job in plan.jobs] == ["sample", "report"]
    # By less than a period: not done twice.
    scheduler = made(SAMPLE)
    assert scheduler.plan(NOW - 2).wait_s == 302


def test_a_known_step_of_the_clock_moves_what_is_remembered():
    scheduler = made(SAMPLE, REPORT)
    scheduler.shift(756000000)  # 300 and 3600 are divisors
    assert scheduler.plan(NOW + 756000000).wait_s == 300


def test_the_clock_may_wrap():
    scheduler = Scheduler([SAMPLE, REPORT], PROFILE, 0, [0xFFFFFFFF - 1000] * 2)
    now = 0xFFFFFFFF - 1000
    wakes = []
    for _ in range(40):
        plan = scheduler.plan(now)
        assert 0 < plan.wait_s <= 600
        now = (now + plan.wait_s) & 0xFFFFFFFF
        wakes.append([job.name for job in plan.jobs])
        for job in plan.jobs:
            scheduler.ran(job, max(now, 1))
    assert all(wakes)
    assert 3 <= len([1 for names in wakes if "report" in names]) <= 4


def test_poor_signal_puts_a_report_off_to_its_deadline():
    scheduler = made(SAMPLE, REPORT)
    assert scheduler.plan(NOW).module_s == 4200  # the end of its window, with a sample
    scheduler.poor = True
    assert scheduler.plan(NOW).module_s == 5400
    # What needs no network does not wait.
    scheduler = made(POSITION)
    scheduler.poor = True
    assert scheduler.plan(NOW).module_s == 8400


def test_after_a_failure_the_module_is_left_alone_and_samples_go_on():
    scheduler = made(SAMPLE, REPORT, last=NOW - 3600)
    scheduler.ran(SAMPLE, NOW)
    scheduler.hold_s = NOW + 3000
    plan = scheduler.plan(NOW)
    assert plan.wait_s == 300
    assert [job.name for job in plan.jobs] == ["sample"]
    assert plan.module_s == 3300  # together with a sample, up to an eighth of a period later
    scheduler.hold_s = None
    assert scheduler.plan(NOW).module_s <= 600


def test_a_report_comes_before_an_update_that_is_due():
    scheduler = made(SAMPLE, REPORT)
    scheduler.tau_s = NOW + 4000
    plan = scheduler.plan(NOW)
    assert plan.module_s <= 4000 - 30
    assert plan.module_s >= 3600
    scheduler.tau_s = NOW + 3000  # before the window: it happens by itself
    assert scheduler.plan(NOW).module_s == 4200


def test_a_low_battery_stretches_all_periods():
    assert stretch(None, 3.3, 3.0) == 1
    assert stretch(3.3, 3.3, 3.0) == 1
    assert stretch(3.2, 3.3, 3.0) == 2
    assert stretch(2.9, 3.3, 3.0) == 4
    assert stretch(0.1, 0.0, 0.0) == 1  # not configured
    scheduler = made(SAMPLE, REPORT)
    scheduler.stretch = 4
    done = live(scheduler, NOW, NOW + 86400)
    assert len(done) == 86400 // 1200
    assert len([1 for _, names in done if "report" in names]) == 6


def test_nodes_are_spread_over_the_period():
    offsets = [spread("node-%d" % n, 3600) for n in range(400)]
    assert offsets == [spread("node-%d" % n, 3600) for n in range(400)]
    for quarter in range(4):
        within = [o for o in offsets if quarter * 900 <= o < (quarter + 1) * 900]
        assert 60 < len(within) < 140
    # and a node keeps its place
    done = live(made(SAMPLE, REPORT, offset_s=1234), NOW, NOW + 36000)
    assert all((at - 1234) % 300 == 0 for at, _ in done)


def test_nothing_to_do_is_no_error():
    plan = Scheduler([], PROFILE).plan(NOW)
    assert plan.jobs == []
    assert plan.module_s is None
    assert plan.module == energy.OFF
    assert plan.board == energy.DEEP


def test_until_bounds_the_plan():
    scheduler = made(SAMPLE, REPORT)
    scheduler.until_s = NOW + 1000
    assert len(live(scheduler, NOW, NOW + 100000)) == 3


def test_many_samples_between_two_reports():
    sample = Job("sample", 10, 2, 2, NOTHING)
    scheduler = made(sample, Job("report", 86400, 3600, 3600, MODEM))
    now = NOW
    for _ in range(20):
        plan = scheduler.plan(now)
        assert plan.wait_s == (12 if now == NOW else 10)
        assert plan.jobs == [sample]
        assert plan.module_s == NOW + 86400 + 3600 - now  # where a sample's window is open as well
        now += plan.wait_s
        scheduler.ran(sample, now)


def test_a_plan_holds_until_its_wake_while_nothing_changes():
    for jobs in ((SAMPLE,), (SAMPLE, REPORT), (SAMPLE, REPORT, POSITION), (POSITION,)):
        scheduler = made(*jobs)
        wait_s = scheduler.plan(NOW).wait_s
        for passed in (1, 17, wait_s, 5, wait_s + 1, wait_s + 400):
            assert scheduler.plan(NOW + passed) == made(*jobs).plan(NOW + passed)
    scheduler = made(SAMPLE, REPORT)
    assert scheduler.plan(NOW).module == energy.OFF
    scheduler.network = energy.Network(40, 10, 86400, None, 15)
    assert scheduler.plan(NOW).module == energy.PSM
