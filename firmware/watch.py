"""The watchdog, fed by progress and not by a timer.

A task looks whether anything has moved since it last looked. A program that hangs does not run the
task, one that waits for nothing moves nothing: both end in a reset.
"""

import asyncio
import time

from micropython import const

_LOOK_MS = const(5000)


class Watch:
    """board -- as boards.board() returns it
    timeout_s -- of the hardware; what it cannot do becomes the most that it can
    progress -- callable: anything that compares unequal once something has moved
    patience_s -- the longest that a wake may legitimately wait for something outside
    """

    def __init__(self, board, timeout_s: int, progress, patience_s: int) -> None:
        self._dog = board.watchdog(timeout_s * 1000)
        self._progress = progress
        self._patience_ms = patience_s * 1000

    async def run(self) -> None:
        """Until it is cancelled."""
        seen = None
        moved = time.ticks_ms()
        while True:
            now = self._progress()
            if now != seen:
                seen = now
                moved = time.ticks_ms()
            if time.ticks_diff(time.ticks_ms(), moved) < self._patience_ms:
                self._dog.feed()
            await asyncio.sleep_ms(_LOOK_MS)
