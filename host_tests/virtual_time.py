"""An asyncio loop for CPython whose clock jumps to the next timer when nothing else is ready.

`run` fails a test that passes but leaves something wrong behind: a task that crashed, an error
that nobody has asked for, a scripted module that heard what it did not expect.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from typing import Any, TypeVar

from host_tests.support import streams

T = TypeVar("T")

# How often a loop that is busy looks whether somebody has pressed Ctrl-C.
LOOK = 1_000

# More jumps of the clock than any test makes: a task that polls for ever hides a deadlock.
JUMPS = 200_000


class Deadlock(AssertionError):
    """Nothing will ever wake the tasks that the text names."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at a ticks value close to the 30-bit wrap, so that wrap-around is tested always."""

    def __init__(self, start_s: float = (1 << 30) / 1_000 - 5) -> None:
        self._now = start_s
        self._rounds = 0
        self.tasks: list[asyncio.Task] = []
        self.faults: list[dict] = []
        super().__init__()
        self._selector = _JumpingSelector(self, self._selector)
        self.set_exception_handler(lambda loop, context: self.faults.append(context))
        self.set_task_factory(self._new_task)

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass while no task runs: what a blocking sleep does on a board."""
        self._now += seconds

    def waiting(self) -> str:
        """Where each unfinished task waits, for people."""
        places = [_place(task.get_coro()) for task in self.tasks if not task.done()]
        return "; ".join(places) or "no task at all"

    # A poll of the driver's is two rounds of the loop, and tests make them by the million. So what
    # asyncio does for debugging, threads and sockets is left out; the order is the same.

    def call_soon(
        self, callback: Callable, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def _run_once(self) -> None:
        ready, timers = self._ready, self._scheduled
        while timers and timers[0]._cancelled:
            self._forget_timer()
        self._rounds += 1
        if not ready or self._rounds % LOOK == 0:
            timeout: float | None = None
            if ready or self._stopping:
                timeout = 0
            elif timers:
                timeout = max(0, timers[0]._when - self.time())
            self._process_events(self._selector.select(timeout))
        end = self.time() + self._clock_resolution
        while timers and timers[0]._when < end:
            ready.append(self._forget_timer())
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _forget_timer(self) -> asyncio.TimerHandle:
        timer = heapq.heappop(self._scheduled)
        timer._scheduled = False
        return timer

    def _new_task(self, loop: asyncio.AbstractEventLoop, coro, **options) -> asyncio.Task:
        task = asyncio.Task(coro, loop=loop, **options)
        self.tasks.append(task)
        return task


class _JumpingSelector:
    def __init__(self, loop: VirtualTimeLoop, real) -> None:
        self._loop = loop
        self._real = real
        self._jumps = 0

    def select(self, timeout=None):
        events = self._real.select(0)
        if not events:
            if timeout is None:
                raise Deadlock(f"nothing is scheduled, and these wait: {self._loop.waiting()}")
            if timeout > 0:
                self._jumps += 1
                self._loop.advance(timeout)
            if self._jumps > JUMPS:
                self._jumps = 0  # the tasks get time to be cancelled
                raise Deadlock(f"the clock jumped {JUMPS} times: {self._loop.waiting()}")
        return events

    def __getattr__(self, name):
        return getattr(self._real, name)


def _place(coro) -> str:
    """The innermost coroutine that a task waits in, and its line."""
    while hasattr(getattr(coro, "cr_await", None), "cr_frame"):
        coro = coro.cr_await
    frame = getattr(coro, "cr_frame", None)
    return f"{coro.__qualname__}, line {frame.f_lineno}" if frame else repr(coro)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end under virtual time. Raises the first thing that went wrong anywhere."""
    streams.take_mistakes()
    try:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, VirtualTimeLoop)
            result = runner.run(coroutine)
    except Exception as error:
        for mistake in streams.take_mistakes():  # more often the cause than the effect
            error.add_note(f"the scripted module: {mistake}")
        raise
    mistakes = streams.take_mistakes()
    assert not mistakes, mistakes[0]
    for fault in (*loop.faults, *_crashes(loop)):
        raise fault.get("exception") or AssertionError(fault["message"])
    return result


def _crashes(loop: VirtualTimeLoop) -> Iterator[dict]:
    """Tasks whose error nobody has asked for: asyncio itself tells only when they are freed."""
    for task in loop.tasks:
        if task.done() and not task.cancelled() and task._log_traceback:
            yield {"message": f"{task!r} crashed", "exception": task.exception()}
