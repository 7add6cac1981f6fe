"""Run by MicroPython: what LineRing allocates while 100,000 lines pass through it.

Prints one JSON object. No collection happens while it measures, so every byte counts.
"""

import gc
import json
import sys

sys.path[:0] = ["lib"]

from c1100.ring import LineRing  # noqa: E402

LINES = 100_000
CHUNK = 64
MIX = (
    b"+CSQ: 22,99\r\n0\r",
    b'+CEREG: 5,"1A2B","01A2D101",9\r\n',
    b"+LSIPCALL:1, 10.32.226.112\r+LSIP:OK\r0\r",
    b"\r\r\n+MQTTPUB:1\r\n",
    b"+LSIPRTCP=1,3,313233\r",
)


class Chunks:
    """The mix again and again in chunks, handed over without allocating."""

    def __init__(self, data, size):
        self.views = [memoryview(data)[i : i + size] for i in range(0, len(data), size)]
        self.next = 0

    def readinto(self, buf):
        view = self.views[self.next]
        self.next = (self.next + 1) % len(self.views)
        n = len(view)
        i = 0
        while i < n:
            buf[i] = view[i]
            i += 1
        return n


def measure():
    """(bytes allocated, lines, lines dropped)"""
    ring = LineRing(256)
    # As many bytes as make whole lines and whole chunks.
    stream = Chunks(b"".join(MIX) * CHUNK, CHUNK)
    count = 0
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    while count < LINES:
        ring.readfrom(stream)
        while ring.line() is not None:
            count += 1
    after = gc.mem_alloc()
    gc.enable()
    return after - before, count, ring.overflows


def view_size():
    """Heap bytes of one memoryview on this port."""
    data = memoryview(bytearray(8))
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    view = data[1:5]
    after = gc.mem_alloc()
    gc.enable()
    return after - before, view


allocated, lines, overflows = measure()
print(
    json.dumps(
        {
            "lines": lines,
            "allocated": allocated,
            "per_line": allocated / lines,
            "memoryview": view_size()[0],
            "overflows": overflows,
        }
    )
)
