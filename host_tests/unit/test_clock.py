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
    "sleep.module": "auto",
    "sleep.release_s": 15,
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
