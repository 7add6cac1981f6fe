"""Waiting for the module, on a board that may doze meanwhile."""

import asyncio
import time


class Patience:
    """sleep -- callable(ms), such as machine.lightsleep; None where the board stays awake

    early_ms -- before it has taken so long, nobody expects a search to end: it is looked at less
    """

    early_ms = 0

    def __init__(self, channel, sleep=None) -> None:
        self._channel = channel
        self._sleep = sleep
        self._dozed = 0  # ms

    @property
    def dozes(self) -> bool:
        """Whether what the module says by itself may be lost while one waits."""
        return self._sleep is not None

    async def wait(self, ms: int) -> None:
        """Wait while nothing that the module says matters."""
        if self._sleep is None:
            await asyncio.sleep_ms(ms)
            return
        self._sleep(ms)
        self._dozed += ms
        self._channel.reopen()
        await asyncio.sleep_ms(0)  # the other tasks' turn

    def mark(self) -> tuple:
        """Now, for since()."""
        return time.ticks_ms(), self._dozed

    def since(self, mark: tuple) -> int:
        """ms since mark(); below 0 when that is longer ago than ticks can tell, some days.

        There are boards whose ticks stand still while they doze.
        """
        awake = time.ticks_diff(time.ticks_ms(), mark[0])
        return awake if awake < 0 else max(awake, self._dozed - mark[1])
