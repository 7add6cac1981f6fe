"""Run by MicroPython: how fast LineRing turns bytes into lines, by the size of the chunks.

Prints JSON: [bytes in a chunk, bytes per second] for each size. Every line must be there.
"""

import gc
import json
import sys
import time

sys.path[:0] = ["lib"]

from micropython import RingIO  # noqa: E402

from c1100.ring import LineRing  # noqa: E402

TRANSCRIPT = (
    b"\r\n+CSQ: 22,99\r\n0\r"
    b'+CEREG: 5,"1A2B","01A2D101",9\r\n'
    b"+LSIPCALL:1, 10.32.226.112\r+LSIP:OK\r0\r"
    b"+LSIPRTCP=1,24,303132333435363738396162636465666768696a6b6c6d6e\r"
    b"\r\r\n+MQTTPUB:1\r\n"
)
LINES = 8  # of the transcript
REPEATS = 64  # whole transcripts make whole chunks of each size but 7
ROUNDS = 20  # the best counts: other programs of the host only ever slow one down


def measure(chunk):
    """Bytes per second. The source is a ring buffer in C, as a board's UART has one."""
    source = RingIO(chunk + 1)
    ring = LineRing(1024)
    data = TRANSCRIPT * REPEATS
    pieces = [data[i : i + chunk] for i in range(0, len(data), chunk)]
    best = None
    for _ in range(ROUNDS):
        lines = 0
        gc.collect()
        begin = time.ticks_us()
        for piece in pieces:
            source.write(piece)
            while ring.readfrom(source):
                while ring.line() is not None:
                    lines += 1
        spent = time.ticks_diff(time.ticks_us(), begin)
        assert lines == REPEATS * LINES, lines
        best = spent if best is None else min(best, spent)
    return len(data) * 1000000 // best


print(json.dumps([[chunk, measure(chunk)] for chunk in (1, 7, 64, 256)]))
