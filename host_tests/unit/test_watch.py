"""The watchdog is fed while something moves, and only then."""

import asyncio

from firmware.watch import Watch


class Board:
    def __init__(self):
        self.fed = 0
        self.ms = None

    def watchdog(self, ms):
        self.ms = ms
        return self

    def feed(self):
        self.fed += 1


async def watched(steps, seconds):
    """How often a program was fed that makes progress once a minute, so many times."""
    board = Board()
    done = [0]
    watch = Watch(board, 60, lambda: done[0], 100)
    task = asyncio.create_task(watch.run())
    for second in range(seconds):
        if second % 60 == 0 and done[0] < steps:
            done[0] += 1
        await asyncio.sleep_ms(1000)
    task.cancel()
    assert board.ms == 60000
    return board.fed


async def test_fed_as_long_as_something_moves():
    assert await watched(20, 1200) >= 240


async def test_not_fed_when_nothing_moves_beyond_patience():
    fed = await watched(1, 1200)
    assert 19 <= fed <= 22  # 100 s, every 5 s
