"""The virtual clock: order, cancellation, and events that schedule events."""

import pytest

from tools.timeline import Timeline


def test_events_run_in_time_order_and_equal_times_in_order_of_scheduling() -> None:
    clock, seen = Timeline(), []
    clock.call_at(20, lambda: seen.append(("b", clock.now_us)))
    clock.call_at(10, lambda: seen.append(("a", clock.now_us)))
    clock.call_at(20, lambda: seen.append(("c", clock.now_us)))
    clock.advance_to(30)
    assert seen == [("a", 10), ("b", 20), ("c", 20)]
    assert clock.now_us == 30


def test_event_beyond_the_target_waits() -> None:
    clock, seen = Timeline(), []
    clock.call_at(31, lambda: seen.append(1))
    clock.advance_to(30)
    assert (seen, clock.next_us()) == ([], 31)
    clock.advance_to(31)
    assert (seen, clock.next_us()) == ([1], None)


def test_events_scheduled_by_events_run_within_the_same_advance() -> None:
    clock, seen = Timeline(), []

    def tick() -> None:
        seen.append(clock.now_us)
        clock.call_later(5, tick)

    clock.call_later(5, tick)
    clock.advance_to(17)
    assert (seen, clock.next_us()) == ([5, 10, 15], 20)


def test_cancelled_event_neither_runs_nor_counts_as_next() -> None:
    clock, seen = Timeline(), []
    early = clock.call_at(5, lambda: seen.append("early"))
    clock.call_at(9, lambda: seen.append("late"))
    early.cancel()
    assert clock.next_us() == 9
    clock.advance_to(10)
    early.cancel()
    assert seen == ["late"]


def test_event_cancelled_by_one_at_the_same_time_does_not_run() -> None:
    clock, seen = Timeline(), []
    clock.call_at(5, lambda: second.cancel())
    second = clock.call_at(5, lambda: seen.append("second"))
    clock.advance_to(5)
    assert seen == []


def test_past_time_means_now_and_the_clock_never_goes_back() -> None:
    clock, seen = Timeline(), []
    clock.advance_to(100)
    clock.call_at(50, lambda: seen.append(clock.now_us))
    clock.advance_to(100)
    assert seen == [100]
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance_to(99)


def test_failing_event_leaves_the_clock_usable() -> None:
    clock, seen = Timeline(), []

    def fail() -> None:
        raise RuntimeError("event failed")

    clock.call_at(5, fail)
    clock.call_at(6, lambda: seen.append(clock.now_us))
    with pytest.raises(RuntimeError, match="event failed"):
        clock.advance_to(10)
    assert clock.now_us == 5
    clock.advance_to(10)
    assert seen == [6]
