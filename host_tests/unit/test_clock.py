"""The network's time, and what becomes of the node's memory when the clock is set."""

import time

from firmware import clock, config, jobs, state


def test_time_from_the_network():
    assert clock.parse("23/11/14,22:13:20+00") == 1700000000
    assert clock.parse("23/11/15,00:13:20+08") == 1700000000  # two hours east
    assert clock.parse("23/11/14,17:13:20-20") == 1700000000
    assert clock.parse("23/11/14,22:13:20") == 1700000000


def test_a_module_that_does_not_know_the_time():
    for text in ("80/01/06,00:00:11+00", "70/01/01,00:00:00+00", "00/01/01,00:00:00", "", "soon"):
        assert clock.parse(text) is None, text


class Board:
    def __init__(self):
        self.utc = None

    def set_clock(self, utc):
        self.utc = utc


def test_the_clock_is_set_only_when_it_is_off():
    epoch = 0 if time.gmtime(0)[0] == 1970 else 946684800
    board = Board()
    assert clock.correct(board, 1700000001, 1700000000 - epoch) == 0
    assert board.utc is None
    assert clock.correct(board, 1700000000, 1700000007 - epoch) == -7
    assert board.utc[:6] == (2023, 11, 14, 22, 13, 20)
    assert clock.unix(1700000000 - epoch) == 1700000000
    assert clock.unix(3 - epoch if epoch == 0 else 3) is None


# What is told: a table for each way in which it comes, with its right value. None: it is no time.

GOOD = 1700000000  # 2023-11-14 22:13:20, a Tuesday

CCLK = (
    ("23/11/14,22:13:20+00", GOOD),
    ("23/11/15,00:13:20+08", GOOD),  # two hours east
    ("23/11/14,17:13:20-20", GOOD),
    ("23/11/14,22:13:20", GOOD),  # without zone
    ("2023/11/14,22:13:20+00", GOOD),  # four digits
    ('"23/11/14,22:13:20+00"', GOOD),  # quotes, as an older driver leaves them
    ('"23/11/14","22:13:20+00"', GOOD),
    (" 23/11/14 , 22:13:20 +00 ", GOOD),  # blanks
    ("23/11/15,00:13:20+08,1", GOOD),  # summer time behind it, which the zone has
    ("23/11/15,22:13:20+96", GOOD),  # the ends of the zone
    ("23/11/13,22:13:20-96", GOOD),
    ("23/11/14,22:58:20+03", GOOD),  # Nepal is not far: quarters count
    ("24/02/29,12:00:00+00", 1709208000),
    ("28/02/29,12:00:00+00", 1835438400),
    ("24/12/31,23:59:59+00", 1735689599),
    ("24/12/31,23:59:60+00", 1735689600),  # a leap second is the next one
    ("25/01/01,00:00:00+00", 1735689600),
    ("69/12/31,23:59:59+00", 3155759999),
    ("2070/01/01,00:00:00+00", 3155760000),
    ("2099/12/31,23:59:59+00", 4102444799),
    ("23/11/14,00:00:00+00", 1699920000),  # the firmware's day
    ("23/11/13,23:59:59+00", None),  # the second before
    ("23/11/14,00:00:00+04", None),
    ("2100/01/01,00:00:00+00", None),
    ("2099/12/31,23:59:59-04", None),
    ("9999/12/31,23:59:59+00", None),
    ("80/01/06,00:00:11+00", None),  # a module that does not know the time
    ("70/01/01,00:00:00+00", None),
    ("1980/01/06,00:00:11+00", None),
    ("00/01/01,00:00:00", None),
    ("04/01/01,00:00:00+00", None),
    ("15/01/01,00:00:00+00", None),
    ("21/06/01,00:00:00+00", None),  # before the firmware was made
    ("99/12/31,23:59:59+00", None),
    ("24/13/45,25:61:61+00", None),
    ("24/13/15,12:00:00+00", None),  # month
    ("24/00/15,12:00:00+00", None),
    ("24/01/00,12:00:00+00", None),  # day
    ("24/01/32,12:00:00+00", None),
    ("24/04/31,12:00:00+00", None),
    ("24/06/31,12:00:00+00", None),
    ("24/09/31,12:00:00+00", None),
    ("24/11/31,12:00:00+00", None),
    ("24/02/30,12:00:00+00", None),
    ("25/02/29,12:00:00+00", None),
    ("2025/02/29,12:00:00+00", None),
    ("24/11/15,24:00:00+00", None),  # hour
    ("24/11/15,99:00:00+00", None),
    ("24/11/15,12:60:00+00", None),  # minute
    ("24/11/15,12:00:61+00", None),  # second
    ("24/11/15,12:00:00+97", None),  # zone
    ("24/11/15,12:00:00-97", None),
    ("24/11/15,12:00:00+", None),  # cut off
    ("24/11/15,12:00:00+0", None),
    ("24/11/15,12:00:0", None),
    ("24/11/15,12:00:", None),
    ("24/11/15,12:00", None),
    ("24/11/15,", None),
    ("24/11/15", None),
    ("24/11/1", None),
    ("24/1/15,12:00:00+00", None),  # a digit is lost: which one, nobody knows
    ("24/11/15 12:00:00+00", None),
    ("24-11-15,12:00:00+00", None),
    ("24/11/15/16,12:00+00", None),
    ("24/11,15:12:00:00+00", None),
    ("24/11/15,12:00:00+08:00", None),
    ("24/11/15,12:00:00+00-00", None),
    ("24/11/15,-1:00:00+00", None),
    ("024/11/15,12:00:00+00", None),
    ("20234/11/15,12:00:00", None),
    ("24/1111/15,12:00:00", None),
    ("24/11/15,12:00:0000", None),
    ("1_/11/15,12:00:00", None),
    ("24/+1/15,12:00:00", None),
    ("\u0662\u0664/11/15,12:00:00", None),  # digits of another script
    ("24/11/15,12:00:\u00b2\u00b2", None),
    ("24/11/15,12:00:00\x0000", None),
    ("nan/11/15,12:00:00", None),
    ("soon", None),
    (",", None),
    (",,,,", None),
    ("", None),
    ('"', None),
    ("/" * 1000 + "," + ":" * 1000, None),
    ("9" * 1000 + "/01/01,00:00:00", None),
)

NUMBERS = (
    (GOOD, GOOD),
    (1699920000, 1699920000),  # the firmware's day
    (1699919999, None),
    (4102444799, 4102444799),  # the last second of 2099
    (4102444800, None),
    (1800000001456, 1800000001),  # milliseconds
    (1699920000000, 1699920000),
    (1699919999999, None),
    (4102444799999, 4102444799),
    (4102444800000, None),
    (1800000001456789, 1800000001),  # microseconds
    (1800000001456789123, 1800000001),  # nanoseconds
    (18000000014567891234, None),
    (180000000145, None),  # hundredths are not known
    (17000000000, None),
    (0, None),
    (1, None),
    (-1, None),
    (-GOOD, None),
    (22, None),
    (946684800, None),  # 2000
    (315964800, None),  # 1980, where GPS begins
    (1080000000, None),  # 1024 weeks of GPS before 2023
    (1600000000, None),
    (2147483647, 2147483647),
    (2147483648, 2147483648),
    (4294967295, None),
    (4294967296, None),
    (9223372036854775807, None),
    (9223372036854775808, None),
    (1 << 64, None),
    (10**40, None),
    (-(10**40), None),
    (True, None),
    (False, None),
    (None, None),
    (1700000000.0, None),  # a board's float has 128 s between two of them here
    (1.7e12, None),
    (float("nan"), None),
    (float("inf"), None),
    ("1700000000", None),
    ("", None),
    (b"1700000000", None),
    ([GOOD], None),
    ({"time": GOOD}, None),
    ((), None),
)


def test_the_time_as_the_network_tells_it():
    wrong = [
        (text[:40], clock.parse(text), time) for text, time in CCLK if clock.parse(text) != time
    ]
    assert wrong == []


def test_each_day_is_what_the_calendar_says():
    at = 1704067200  # 2024-01-01
    for year in range(2024, 2100):
        for month in range(1, 13):
            days = 31 if month in (1, 3, 5, 7, 8, 10, 12) else 30
            if month == 2:
                days = 29 if year % 4 == 0 else 28
            for day in (1, days):
                text = "%04d/%02d/%02d,00:00:00" % (year, month, day)
                assert clock.parse(text) == at + (day - 1) * 86400, text
            assert clock.parse("%04d/%02d/%02d,00:00:00" % (year, month, days + 1)) is None
            at += days * 86400


def test_the_time_as_a_number():
    wrong = [
        (value, clock.told(value), time) for value, time in NUMBERS if clock.told(value) != time
    ]
    assert wrong == []


def test_the_day_of_the_firmware_has_been():
    assert 1699920000 <= clock.BUILT <= time.time() + clock.epoch()


# Whether it is believed. The clock was last right 3600 s ago, so it may be off by 30 + 180 s.

SYNCED = 1700000000
STEPS = (
    (0, True),
    (1, True),
    (-1, True),
    (59, True),
    (-59, True),
    (210, True),
    (-210, True),
    (211, False),
    (-211, False),
    (3600, False),  # summer time, an hour too early
    (-3600, False),
    (86400, False),
    (-86400, False),
    (31536000, False),
    (-31536000, False),
    (1000000000, False),
    (-1000000000, False),
    (2100000000, False),
)


def heard(remembered, now, *steps):
    """Whether each of these steps, told one after the other at ``now``, is believed."""
    here = clock.epoch()
    return [not clock.doubtful(remembered, now + here + step, now) for step in steps]


def set_an_hour_ago():
    now = SYNCED - clock.epoch() + 3600
    return state.State(synced=now - 3600), now


def test_a_clock_that_was_set_makes_no_large_step_at_once():
    for step, believed in STEPS:
        remembered, now = set_an_hour_ago()
        assert heard(remembered, now, step) == [believed], step


def test_a_large_step_is_believed_when_it_is_told_again():
    for step, believed in STEPS:
        if not believed:
            remembered, now = set_an_hour_ago()
            assert heard(remembered, now, step, step) == [False, True], step
            # In the next session, told by one who was slower.
            remembered, now = set_an_hour_ago()
            assert heard(remembered, now, step) == [False]
            assert heard(remembered, now + 900, step + 40) == [True], step
            assert remembered.doubt == 0


def test_different_lies_are_not_believed():
    remembered, now = set_an_hour_ago()
    lies = (86400, -86400, 86400 + 1000, 5000, 2 * 86400, 10**9, -(10**9), 10**8)
    assert heard(remembered, now, *lies) == [False] * len(lies)
    assert heard(remembered, now, 5) == [True]
    assert heard(remembered, now, 10**8) == [False]  # what came in between counts


def test_a_clock_that_stands_still_is_not_believed():
    remembered, now = set_an_hour_ago()
    for hours in range(1, 1000):
        assert heard(remembered, now + hours * 3600, -(hours + 1) * 3600) == [False]


def test_doubts_survive_a_sleep():
    for step in (-86400, 86400, 2100000000, -1000000000):
        remembered, now = set_an_hour_ago()
        assert heard(remembered, now, step) == [False]
        remembered = state.unpack(remembered.pack())
        assert heard(remembered, now + 60, step) == [True], step


def test_a_clock_that_was_never_set_takes_any_time():
    for remembered in (state.State(), state.State(synced=5)):
        assert heard(remembered, 100, 1900000000 - clock.epoch()) == [True]


def test_how_far_a_clock_may_drift():
    for since, most in ((0, 30), (60, 33), (900, 75), (86400, 4350), (30 * 86400, 129630)):
        now = SYNCED - clock.epoch() + since
        for step, believed in ((most, True), (-most, True), (most + 1, False), (-most - 1, False)):
            assert heard(state.State(synced=SYNCED - clock.epoch()), now, step) == [believed]


def test_a_time_behind_the_ports_calendar_leaves_the_clock_alone():
    class Short:
        """``time`` of a port with 32 bits."""

        def gmtime(self, seconds=None):
            if seconds is not None and seconds > 0x7FFFFFFF:
                raise OverflowError
            return time.gmtime(seconds)

    board = Board()
    before, clock.time = clock.time, Short()
    try:
        assert clock.correct(board, 4102444799, 100) == 0
    finally:
        clock.time = before
    assert board.utc is None


SETTINGS = {
    "id": "n1",
    "sample.period_s": 300,
    "sample.flex_s": 0,
    "report.period_s": 3600,
    "report.flex_s": 0,
    "report.deadline_s": 0,
    "report.poor_dbm": -109,
    "position.period_s": 0,
    "position.flex_s": 0,
    "pins.pwrkey": 4,
    "pins.wake": -1,
    "sleep.module": "auto",
    "sleep.release_s": 15,
    "battery.kind": "none",
    "battery.low_v": 3.3,
    "battery.critical_v": 3.0,
}


def test_settings_of_this_test_are_known_ones():
    assert [key for key in SETTINGS if key not in config.SCHEMA] == []


def test_setting_the_clock_keeps_the_rhythm():
    remembered = state.State(sampled=1000, reported=900, hold=5000)
    made = jobs.scheduler(SETTINGS, remembered)
    before = made.plan(1200)
    jobs.step(made, remembered, 756000000)
    after = made.plan(1200 + 756000000)
    assert (after.wait_s, after.module_s) == (before.wait_s, before.module_s)
    assert remembered.sampled == 756001000
    assert remembered.tau == 0  # never stays never


def test_what_the_scheduler_learns_from_the_state():
    made = jobs.scheduler(SETTINGS, state.State(signal=-111, psm_active=11, psm_tau=7200))
    assert made.poor
    assert made.network.active_s == 10
    assert made.network.tau_s == 7200
    assert made.network.start_s == jobs.USUAL_ATTACH_S
    assert not jobs.scheduler(SETTINGS, state.State(signal=-70)).poor
    assert not jobs.scheduler(SETTINGS, state.State()).poor
    assert jobs.scheduler(SETTINGS, state.State()).network.active_s is None


def test_attach_times_are_averaged():
    remembered = state.State()
    jobs.attached(remembered, SETTINGS, 8)
    assert jobs.network(remembered, SETTINGS).start_s == 8
    jobs.attached(remembered, SETTINGS, 40)
    assert 8 < jobs.network(remembered, SETTINGS).start_s < 40
    for _ in range(30):
        jobs.attached(remembered, SETTINGS, 40)
    assert abs(jobs.network(remembered, SETTINGS).start_s - 40) < 2


def test_attach_times_at_a_poor_signal_are_remembered_apart():
    remembered = state.State(signal=-70)
    jobs.attached(remembered, SETTINGS, 8)
    remembered.signal = -111
    assert jobs.network(remembered, SETTINGS).start_s == 8  # until it is known better
    jobs.attached(remembered, SETTINGS, 40)
    assert jobs.network(remembered, SETTINGS).start_s == 40
    remembered.signal = -70
    assert jobs.network(remembered, SETTINGS).start_s == 8


def test_a_low_battery_stretches_the_plan():
    made = jobs.scheduler(SETTINGS, state.State(sampled=1000, reported=1000))
    usual = made.plan(1000).module_s
    jobs.battery(made, SETTINGS, 3.2)
    assert made.stretch == 2
    assert made.plan(1000).module_s >= usual


# The rhythm, whatever is told at each report: to a node that is told the time by a server, and
# whose clock was right before, or was never set. A script gives what is told at the n-th report,
# from the true time, what the clock shows, and when the next window would open.

LIES = (
    ("the truth", lambda n, true, shown, soon: true),
    ("zero", lambda n, true, shown, soon: 0),
    ("less than zero", lambda n, true, shown, soon: -1),
    ("1970", lambda n, true, shown, soon: 22),
    ("1980", lambda n, true, shown, soon: 315964800 + n),
    ("2000", lambda n, true, shown, soon: 946684800 + n),
    ("milliseconds", lambda n, true, shown, soon: true * 1000),
    ("a number with a point", lambda n, true, shown, soon: true + 0.5),
    ("text", lambda n, true, shown, soon: str(true)),
    ("the year 2100", lambda n, true, shown, soon: 4102444800),
    ("the last second", lambda n, true, shown, soon: 4102444799),
    ("the firmware's day", lambda n, true, shown, soon: clock.BUILT),
    ("the same again", lambda n, true, shown, soon: 1750000000),
    ("an hour ahead", lambda n, true, shown, soon: true + 3600),
    ("summer and winter", lambda n, true, shown, soon: true + n % 2 * 3600),
    ("a day more each time", lambda n, true, shown, soon: true + n * 86400),
    ("a year less each time", lambda n, true, shown, soon: shown - 31536000),
    ("to and fro", lambda n, true, shown, soon: true + (n // 2 % 2) * 86400 * 400),
    ("drift ahead", lambda n, true, shown, soon: shown + 25),
    ("drift back", lambda n, true, shown, soon: shown - 25),
    ("3 s ahead", lambda n, true, shown, soon: shown + 3),
    ("3 s back", lambda n, true, shown, soon: shown - 3),
    ("the next window is at once", lambda n, true, shown, soon: shown + soon - 1),
    ("the same, insisted on", lambda n, true, shown, soon: shown + soon - 1 + n // 3 * 10**7),
    ("the last window is again", lambda n, true, shown, soon: shown - 10),
    ("noise", lambda n, true, shown, soon: true + (n * 7919) % 100000),
    ("the past, twice each", lambda n, true, shown, soon: clock.BUILT + n // 2 * 777),
)
RHYTHMS = ((300, 0), (900, 60), (3600, 300), (3600, 0), (86400, 3600))  # period, flex


def lived(lie, period, flex, unset):
    """Seconds between the reports of a node that is told such times."""
    settings = dict(SETTINGS)
    settings["report.period_s"], settings["report.flex_s"] = period, flex
    settings["sample.period_s"] = max(period // 4, 60)
    remembered = state.State() if unset else state.State(synced=SYNCED)
    true = SYNCED
    off = (100 if unset else SYNCED) - true  # what the clock shows, less what it is
    gaps = []
    before = None
    n = 0
    while n < 60:
        made = jobs.scheduler(settings, remembered)
        plan = made.plan(true + off)
        assert plan.wait_s > 0 or before is None or true - before >= period // 8, "it loops"
        true += max(plan.wait_s, 1)
        made = jobs.scheduler(settings, remembered)
        for job in made.plan(true + off).jobs:
            if job.name == "report":
                gaps.append(true - (true - period if before is None else before))
                before = true
                now = true + off
                told = clock.told(lie(n, true, now, made.plan(now + 1).module_s or 0))
                n += 1
                if told is not None and not clock.doubtful(remembered, told, now):
                    step = clock.correct(Board(), told, now)
                    off += step
                    jobs.step(made, remembered, step)
                    remembered.synced = true + off
            jobs.ran(made, remembered, job.name, true + off)
    return gaps[1:]


def test_the_rhythm_of_a_node_is_its_own():
    for unset in (False, True):
        for period, flex in RHYTHMS:
            for name, lie in LIES:
                gaps = lived(lie, period, flex, unset)
                why = (name, period, flex, unset, gaps)
                assert min(gaps) >= period // 2 - flex, why
                assert max(gaps) <= 3 * period // 2 + 2 * flex, why
                # As many in all as without lies, but for a fifth.
                assert 0.8 * period <= sum(gaps) / len(gaps) <= 1.2 * period, why
