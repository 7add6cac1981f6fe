"""The meter: charge is current times time, in every sum alike."""

import pytest

from tools.power.account import NAUS_PER_MAH
from tools.power.currents import Link
from tools.power.meter import Meter
from tools.power.profiles import load

HOUR_US = 3_600_000_000
MODULE, BOARD = load("mdm9206", "module"), load("esp32", "board")


def test_an_hour_in_psm_and_deep_sleep_is_the_sum_of_their_currents():
    meter = Meter(MODULE, BOARD)
    meter.module_state(0, "psm", "t3324")
    meter.board_state(0, "deep-sleep")
    meter.close(HOUR_US)
    expected = 1000 * (
        MODULE.amperes("psm") + BOARD.amperes("deep-sleep") + BOARD.amperes("regulator")
    )
    assert meter.account.total.charge / NAUS_PER_MAH == pytest.approx(expected, rel=1e-6)
    assert meter.account.mah_per_day(HOUR_US) == pytest.approx(24 * expected, rel=1e-6)


def test_every_way_to_sum_up_gives_the_whole():
    meter = Meter(MODULE, BOARD)
    link = Link("lte-m", 1.28, None)
    for n, state in enumerate(("boot", "search", "connected-tx", "connected-tail", "idle", "psm")):
        meter.board_state(n * 10_000_000, "active" if n % 2 else "light-sleep")
        meter.module_state(n * 10_000_000, state, f"cause {n}", link)
    meter.close(60_000_000)
    account = meter.account
    whole = account.total.charge
    assert whole > 0
    for sums in (account.by_load, account.by_state, account.by_cause):
        assert sum(part.charge for part in sums.values()) == whole
    assert sum(s.charge for wake in account.by_wake.values() for s in wake.values()) == whole
    assert sum(interval.charge for interval in meter.intervals) == whole


def test_time_does_not_go_back():
    meter = Meter(MODULE, BOARD)
    meter.board_state(100, "active")
    with pytest.raises(ValueError, match="lies before"):
        meter.board_state(50, "deep-sleep")


@pytest.mark.parametrize("name", ["mdm9206", "nrf9160"])
def test_every_figure_names_its_source(name):
    for figure, value in load(name, "module").all_figures():
        assert value.source, figure
