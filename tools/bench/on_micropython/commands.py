"""Run by MicroPython: what one command through the whole channel costs in processor time.

The module answers at once and asyncio's waiting takes no time, so only the work is counted.
Prints one JSON object: microseconds per command, heap bytes per command.
"""

import asyncio
import gc
import json
import sys
import time
from asyncio import core

sys.path[:0] = ["lib"]

from c1100 import dialect  # noqa: E402
from c1100.channel import COMMAND, Channel  # noqa: E402

COMMANDS = 100
ROUNDS = 20  # the best counts: other programs of the host only ever slow one down
ANSWER = b"+CSQ: 22,99\r\n0\r"


class Module:
    """Answers every command with the same signal strength."""

    def __init__(self):
        self._answer = b""

    def write(self, data):
        self._answer = ANSWER
        return len(data)

    def readinto(self, buf):
        n = len(self._answer)
        if not n:
            return None
        buf[:n] = self._answer
        self._answer = b""
        return n


class Waiting:
    """asyncio's I/O queue without the waiting."""

    map = {0: None}  # noqa: RUF012 (never empty: somebody waits always)

    def wait_io_event(self, ms):
        global now
        now += ms

    def remove(self, task):
        pass


async def main():
    channel = Channel(Module())
    channel.mode = COMMAND
    best = None
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        begin = time.ticks_us()
        for _ in range(COMMANDS):
            await channel.ask(dialect.SIGNAL)
        spent = time.ticks_diff(time.ticks_us(), begin)
        heap = gc.mem_alloc() - before
        gc.enable()
        best = spent if best is None else min(best, spent)
    channel.close()
    print(json.dumps({"us": best / COMMANDS, "heap": heap / COMMANDS}))


now = 0
core.ticks = lambda: now
asyncio.get_event_loop()
core._io_queue = Waiting()
asyncio.run(main())
