"""What a node does about a refusal, for each row of the table; and that nothing locks it out for
longer than a day.
"""

from c1100 import CmeError, RegistrationDenied, Timeout, causes
from firmware import backoff, jobs, rungs, state
from firmware.state import MODULE, WAITS, State, unpack
from firmware.trouble import defaults
from host_tests.unit.test_causes import ROWS

HOUR = 3600
DAY_S = 86400
NOW = 1_000_000


class Modem:
    rested = 0

    def rest(self):
        self.rested += 1


class Node:
    """What backoff.settle() uses of a node."""

    hold_s = 0
    on_trial = False
    restart_ms = 0

    def __init__(self, **values):
        self.state = State(**values)
        self.settings = defaults()
        self.settings["id"] = "n1"

    def restart(self, ms):
        self.restart_ms = ms


def error_of(row):
    if row.domain == "EMM":
        error = RegistrationDenied("x")
        error.cause = row.number
        return error
    for code in range(100, 200):
        if causes.of(CmeError(code, "x")) == row:
            return CmeError(code, "x")
    raise AssertionError(row)


def settled(row, node=None):
    """(stays on, for how many seconds nothing is tried)"""
    node = node or Node()
    modem = Modem()
    stays = backoff.settle(node, modem, error_of(row))
    assert modem.rested == int(stays)
    assert not stays or MODULE[node.state.module] == WAITS
    return stays, node.hold_s


def test_each_cause():
    for row in ROWS:
        stays, hold_s = settled(row)
        assert stays == (row.help == causes.WAIT), row
        if stays:
            assert row.wait_s < hold_s < row.wait_s + 100, row
        else:
            assert hold_s == (DAY_S if row.help == causes.FINAL else 0), row
        assert rungs.is_final(error_of(row)), row


def test_what_is_no_refusal_or_has_no_cause_changes_nothing():
    unknown = RegistrationDenied("x")
    unknown.cause = 77
    others = (unknown, RegistrationDenied("x"), Timeout("x"), CmeError(None, "x"))
    for error in others + (CmeError(30, "x"), CmeError(148, "x")):
        node = Node(failures=3)
        assert not backoff.settle(node, Modem(), error)
        assert node.hold_s == 0 and node.state.failures == 3 and node.state.module == 0


def test_waits_in_a_row_are_longer_up_to_two_hours_and_a_day_of_them_is_enough():
    for row in ROWS:
        if row.help != causes.WAIT:
            continue
        node = Node(failures=9)  # of other kinds: they do not count
        before = total = count = 0
        while True:
            stays, hold_s = settled(row, node)
            node.state.failures += 1
            if not stays:
                break
            count += 1
            assert before - 60 <= hold_s < 7300
            before = hold_s
            total += hold_s
        assert count == 16 and hold_s == DAY_S
        assert 0.9 * DAY_S < total < 1.4 * DAY_S
        node.state.module = MODULE.index("off")
        assert settled(row, node)[0]  # a day later, from the beginning


def test_who_does_not_wait_though_a_timer_runs():
    row = causes.find("EMM", 22)
    for change in ({"restart_ms": 1000}, {"level": 4}):
        node = Node()
        node.settings["battery.kind"] = "liion"
        node.restart_ms = change.get("restart_ms", 0)
        node.state.level = change.get("level", 0)
        assert not settled(row, node)[0]
    node = Node(level=4)  # of a battery that is no longer watched
    assert settled(row, node)[0]


def test_a_setting_on_trial_has_its_next_try_when_the_timer_has_run_out():
    node = Node()
    node.on_trial = True
    _, hold_s = settled(causes.find("EMM", 22), node)
    assert node.restart_ms == hold_s * 1000
    node = Node()
    node.on_trial = True
    settled(causes.find("EMM", 3), node)
    assert node.restart_ms == 0  # as after any failure


def held(now, state):
    """For how long the module is left alone, as the scheduler sees it."""
    settings = defaults()
    settings["id"] = "n1"
    return (jobs.scheduler(settings, state, now).hold_s or now) - now


def test_nothing_locks_a_node_out_for_longer_than_a_day():
    for failures in (0, 1, 2, 5, 255):
        for hold in (
            0,
            1,
            NOW - 1,
            NOW + 60,
            NOW + DAY_S,
            NOW + DAY_S + 1,
            0x7FFFFFFF,
            0xFFFFFFFF,
        ):
            for module in range(len(MODULE)):
                state = State(failures=failures, hold=hold, module=module, sampled=NOW)
                left = held(NOW, unpack(state.pack()))
                assert left <= DAY_S
                if not failures:
                    assert left <= 0
                elif 0 < hold - NOW <= 800:
                    assert left == hold - NOW


class Board:
    """RTC memory."""

    def __init__(self, kept):
        self.kept = kept.pack()

    def load(self):
        return self.kept

    def store(self, data):
        self.kept = data


def test_only_who_is_there_ends_a_wait():
    for cause in ("deepsleep", "reset", "watchdog", "power", "soft", "unknown 7"):
        board = Board(State(failures=1, hold=NOW + HOUR, module=MODULE.index(WAITS), starts=1))
        begun = state.begin(board, cause)
        assert (begun.hold == 0) == (cause in ("power", "soft")), cause
        assert MODULE[begun.module] == WAITS
        assert unpack(board.kept).hold == begun.hold


def test_a_clock_that_is_wrong_makes_no_wait_longer():
    for step in (-10, -HOUR, -DAY_S, -NOW, 10, HOUR, DAY_S, 10 * DAY_S):
        state = State(failures=1, hold=NOW + DAY_S, module=1, sampled=NOW)
        left = held(NOW + step, unpack(state.pack()))
        assert left <= DAY_S - step if step > 0 else left <= DAY_S + 10
        if step < -HOUR:
            assert left <= 0  # it was set back: nothing is known of the wait
