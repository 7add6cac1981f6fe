"""Run by MicroPython, under callgrind: what it takes to receive lines, or to get an answer.

Prints JSON: for each section its name, the bytes received (or the commands), the lines in them,
the heap that they took, and what of it callbacks were handed. os.getenv() is called around a short
and a long run of each, for callgrind to write down what it has counted; their difference is told.

Every way of reading pays for the wakes that it needs, with asyncio's loop and its poll: a
StreamReader for each chunk, the driver until there is no more. In the sections called wakes each
chunk comes after a wake. Virtual time, so that every run is alike.

    receive.py [N]      N other names come in front of the driver's
"""

import asyncio
import gc
import json
import os
import sys
from asyncio import core
from binascii import unhexlify

sys.path[:0] = ["lib"]


class Names:
    """What has the other names."""


for i in range(int(sys.argv[1]) if len(sys.argv) > 1 else 0):
    setattr(Names, "name%d" % i, i)

from micropython import RingIO  # noqa: E402

from c1100 import dialect  # noqa: E402
from c1100.channel import COMMAND, Channel  # noqa: E402

PAYLOAD = b"+LSIPRTCP=1,24,303132333435363738396162636465666768696a6b6c6d6e\r\n"
MIX = (
    b'+CEREG: 5,"1A2B","01A2D101",9\r\n'
    b'+CGREG: 5,"1A2B","01A2D101",0\r\n'
    + PAYLOAD
    + b"\r\n+MQTTPUB:1\r\n"
    + b"+CSQ: 22,99\r\n"
    + b"\r\n^DATADISCONN\r\n"
)
NAMES = ("+CEREG", "+CGREG", "+MQTTPUB", "+CSQ", "^DATADISCONN")
ANSWER = b"+CSQ: 22,99\r\n0\r"
REPEATS = 64  # whole transcripts make whole chunks of each size
COMMANDS = 100
LIMIT_S = 600  # of virtual time


class Uart:
    """What the module sends, a chunk at a time, and its answers.

    slow -- a chunk comes only when asyncio waits; else the next one is there at once
    """

    def __init__(self):
        self.ring = RingIO(512)
        self.chunks = []
        self.slow = False
        self.empty = asyncio.Event()

    def send(self, data, chunk):
        self.chunks = [data[i : i + chunk] for i in range(0, len(data), chunk)]
        self.chunks.reverse()
        self.empty.clear()

    def refill(self):
        if self.chunks:
            self.ring.write(self.chunks.pop())
        else:
            self.empty.set()

    def readinto(self, buf):
        n = self.ring.readinto(buf)
        if n or self.slow:
            return n
        self.refill()
        return self.ring.readinto(buf)

    def write(self, data):
        self.ring.write(ANSWER)
        return len(data)


class Queue(core.IOQueue):
    """asyncio's own, without the waiting."""

    def wait_io_event(self, ms):
        global now
        if ms and not uart.ring.any():
            uart.refill()
        if ms > 0:
            now += ms  # asyncio asks again, without waiting
        else:
            poll(self, 0)


class Data:
    """Takes payloads as a socket does."""

    fields = 2
    hex = True
    shape = "ii"
    limit = 4096
    count = 0  # bytes

    def begin(self, values):
        return values[1]

    def data(self, view):
        self.count += len(view)

    def end(self, error):
        if error is not None:
            raise error


def heard(values):
    """The callback."""
    global count
    count += 1


def channel():
    made = Channel(uart)
    made.mode = COMMAND
    made.settings_lost = False
    made.numeric = made.quiet = True
    made.payloads["+LSIPRTCP"] = Data()
    for name in NAMES:
        made.on(name, heard)
    return made


async def wakes(data, chunk):
    """This driver, from a UART that has a chunk each time that it wakes."""
    uart.slow = True
    await driver(data, chunk)
    uart.slow = False


async def driver(data, chunk):
    """This driver, from a UART that has a chunk whenever it is asked."""
    made.start()
    uart.send(data, chunk)
    await uart.empty.wait()


async def usual(data, chunk):
    """A line at a time from asyncio's StreamReader, taken apart as text usually is."""
    callbacks = {name.encode(): heard for name in NAMES}
    callbacks[b"+LSIPRTCP"] = heard
    reader = asyncio.StreamReader(uart.ring)
    uart.send(data, chunk)
    left = len(data)
    while left:
        line = await reader.readline()
        left -= len(line)
        line = line.strip()
        if not line:
            continue
        name, sign, rest = line.partition(b":")
        if not sign:
            name, sign, rest = line.partition(b"=")
        callback = callbacks.get(name)
        if callback is not None:
            callback(rest.strip().split(b","))


async def floor(data, chunk):
    """asyncio reads the bytes and drops them."""
    reader = asyncio.StreamReader(uart.ring)
    uart.send(data, chunk)
    left = len(data)
    while left:
        left -= len(await reader.read(chunk))


async def commands(_data, n):
    for _ in range(n):
        await made.ask(dialect.SIGNAL)


async def answers(_data, n):
    """A command is written, and a reader that looks at the UART wakes who waits for the answer."""
    answered = asyncio.Event()
    buf = bytearray(64)

    async def read():
        while True:
            if uart.readinto(buf):
                answered.set()
            await asyncio.sleep_ms(20)

    task = asyncio.create_task(read())
    for _ in range(n):
        answered.clear()
        uart.write(b"AT+CSQ\r")
        await answered.wait()
    task.cancel()


RX = "rx.instructions_per_byte"
SECTIONS = (
    ("", driver, MIX, 64),  # what is looked up once by the loader of the host's libraries
    (RX, driver, MIX, 64),
    (RX + ".256", driver, MIX, 256),
    (RX + ".wakes", wakes, MIX, 64),
    (RX + ".256.wakes", wakes, MIX, 256),
    ("rx.payload_instructions_per_byte", driver, PAYLOAD, 64),
    (RX + ".usual", usual, MIX, 64),
    (RX + ".256.usual", usual, MIX, 256),
    (RX + ".floor", floor, MIX, 64),
    (RX + ".256.floor", floor, MIX, 256),
    ("command.instructions", commands, b"", COMMANDS),
    ("command.instructions.floor", answers, b"", COMMANDS),
)


def handed():
    """Heap of what the callbacks are handed of one MIX."""
    digits = memoryview(PAYLOAD)[15:63]
    first, second = memoryview(MIX)[11:15], memoryview(MIX)[18:26]
    gc.collect()
    before = gc.mem_alloc()
    _kept = (
        [5, str(first, "utf-8"), str(second, "utf-8"), 9],
        [5, str(first, "utf-8"), str(second, "utf-8"), 0],
        unhexlify(digits),
        [1],
        [22, 99],
        [],
    )
    return gc.mem_alloc() - before - 64  # but for the tuple around it


def check(made, data):
    """Nothing was lost. Of what tells a state, only the latest needs to be told."""
    assert made.payloads["+LSIPRTCP"].count == 24 * data.count(b"+LSIPRTCP")
    assert count >= data.count(b"+CSQ") + data.count(b"+MQTTPUB") + data.count(b"^DATA")
    assert not made.stats["faults"] and "lost +CSQ" not in made.stats


async def main():
    global made, count
    found = []
    each = handed()
    for name, section, data, size in SECTIONS:
        many = data * REPEATS
        made = channel()
        count = 0
        await section(many, size)  # so that nothing grows any more
        check(made, many if section in (driver, wakes) else b"")
        gc.collect()
        os.getenv("")
        before = gc.mem_alloc()
        await section(data, 1 if section in (commands, answers) else size)
        os.getenv("")
        middle = gc.mem_alloc()
        await section(many, size)
        os.getenv("")
        spent = gc.mem_alloc() - middle - (middle - before)
        made.close()
        await asyncio.sleep_ms(1)
        repeats = REPEATS - 1
        lines = repeats * len([line for line in data.split(b"\r\n") if line])
        found.append([name, repeats * len(data) or size - 1, lines, spent, repeats * each])
    print(json.dumps(found))


now = 0
poll = core.IOQueue.wait_io_event
count = 0
made = None
uart = Uart()
core.ticks = lambda: now
asyncio.get_event_loop()
core._io_queue = Queue()
asyncio.run(main())
