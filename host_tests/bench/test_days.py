"""A heap does not fall to pieces in a node that never restarts."""

import pytest

from host_tests.bench.test_recorded import measured
from tools.bench import heap

WAKES = 24  # a day; every fourth reports, and what happens once has happened in the first
DAYS = 2


@pytest.mark.parametrize("in_romfs", [False, True], ids=["mpy", "romfs"])
def test_the_largest_free_block_is_the_same_after_days(in_romfs) -> None:
    days = measured(lambda: heap.days(WAKES, DAYS, in_romfs))
    print(days)
    first, last = days[0], days[-1]
    assert {day["total"] for day in days} == {first["total"]}  # it was large enough
    assert last["free"] >= first["free"] - 64
    # Where the last block of a wake lies differs from wake to wake, by less than a KiB.
    assert last["largest"] >= first["largest"] - 1024
