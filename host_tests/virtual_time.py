"""An asyncio loop for CPython whose clock jumps to the next timer when nothing else is ready."""

import asyncio


class Deadlock(AssertionError):
    """Nothing is ready and nothing is scheduled: the test would wait for ever."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at a ticks value close to the 30-bit wrap, so that wrap-around is tested always."""

    def __init__(self, start_s: float = (1 << 30) / 1_000 - 5) -> None:
        self._now = start_s
        self.faults = []
        super().__init__()
        self._selector = _JumpingSelector(self, self._selector)
        self.set_exception_handler(lambda loop, context: self.faults.append(context))

    def time(self) -> float:
        return self._now


class _JumpingSelector:
    def __init__(self, loop: VirtualTimeLoop, real) -> None:
        self._loop = loop
        self._real = real

    def select(self, timeout=None):
        events = self._real.select(0)
        if not events:
            if timeout is None:
                raise Deadlock("nothing is ready, nothing is scheduled")
            self._loop._now += max(0, timeout)
        return events

    def __getattr__(self, name):
        return getattr(self._real, name)


def run(coroutine):
    """Run to the end under virtual time. A task that died of an exception fails the run."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(coroutine)
        faults = runner.get_loop().faults
    if faults:
        raise faults[0].get("exception") or AssertionError(faults[0]["message"])
    return result
