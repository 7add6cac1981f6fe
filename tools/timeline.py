"""The virtual clock: a discrete-event queue in integer microseconds.

Everything that has a latency (the virtual module, the energy meter, the bench) schedules its
events here and knows no other clock. Who owns the time decides how it passes: a real-time loop
calls `advance_to` with the real time, the lockstep bench jumps to the next event.
"""

import heapq
from collections.abc import Callable


class Timer:
    """One scheduled call; made by `Timeline.call_at`."""

    __slots__ = ("at_us", "fn")

    def __init__(self, at_us: int, fn: Callable[[], None]) -> None:
        self.at_us = at_us
        self.fn: Callable[[], None] | None = fn

    def cancel(self) -> None:
        """The call will not happen. Harmless when it already has."""
        self.fn = None


class Timeline:
    """A clock that starts at 0 and moves only when `advance_to` is called."""

    def __init__(self) -> None:
        self._now_us = 0
        self._order = 0
        self._queue: list[tuple[int, int, Timer]] = []

    @property
    def now_us(self) -> int:
        """The virtual time, in microseconds since the start."""
        return self._now_us

    def call_at(self, at_us: int, fn: Callable[[], None]) -> Timer:
        """Call `fn()` at `at_us` (microseconds). A time that has passed means now.

        Calls for the same time run in the order in which they were scheduled.
        """
        timer = Timer(max(at_us, self._now_us), fn)
        heapq.heappush(self._queue, (timer.at_us, self._order, timer))
        self._order += 1
        return timer

    def call_later(self, delay_us: int, fn: Callable[[], None]) -> Timer:
        """Call `fn()` after `delay_us` microseconds."""
        return self.call_at(self._now_us + delay_us, fn)

    def next_us(self) -> int | None:
        """The time of the next event, in microseconds; None when nothing is scheduled."""
        while self._queue and self._queue[0][2].fn is None:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def advance_to(self, at_us: int) -> None:
        """Run every event due up to `at_us` (microseconds) in order, then stand at `at_us`.

        Events that these events schedule within the span run too. Raises ValueError when `at_us`
        lies in the past; what an event raises passes through with the clock at that event's time.
        """
        if at_us < self._now_us:
            raise ValueError(f"the clock cannot go back from {self._now_us} us to {at_us} us")
        while (due := self.next_us()) is not None and due <= at_us:
            timer = heapq.heappop(self._queue)[2]
            fn, timer.fn = timer.fn, None
            self._now_us = due
            assert fn is not None  # next_us() has dropped the cancelled ones
            fn()
        self._now_us = max(at_us, self._now_us)
