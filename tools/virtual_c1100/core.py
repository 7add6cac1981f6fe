"""What every part of the module shares: clock, randomness, URCs, timers that die with power."""

import random
from collections.abc import Callable

from tools.timeline import Timeline, Timer
from tools.virtual_c1100.profile import Profile


class Core:
    """Shared by the families. `urc` is set by the module once the interpreter exists."""

    def __init__(self, timeline: Timeline, profile: Profile) -> None:
        self.timeline = timeline
        self.profile = profile
        self.rng = random.Random(profile.seed)
        self.urc: Callable[..., None] = lambda text: None
        self.damaged: Callable[[bytes], bytes] = bytes  # a payload on its way (faults.py)
        self.said: Callable[[str, bytes], bytes] = lambda who, data: (
            data
        )  # by a far side (faults.py)
        self.room_late_s: Callable[[], float] = lambda: 0.0  # likewise
        self.congested: Callable[[], bool] = lambda: False  # the UART has enough to send
        self._timers: list[Timer] = []

    def later(self, delay_s: float, fn: Callable[[], None]) -> Timer:
        """Call `fn()` after `delay_s` virtual seconds, unless the module reboots or goes off."""
        timer = self.timeline.call_later(round(delay_s * 1_000_000), fn)
        self._timers = [t for t in self._timers if t.fn is not None]
        self._timers.append(timer)
        return timer

    def forget(self) -> None:
        """Power is gone or the processor restarts: nothing that was planned happens."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
