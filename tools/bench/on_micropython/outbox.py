"""Run by MicroPython: what the outbox costs the flash, on a real LittleFS.

Records of 160 bytes, confirmed twelve at a time. Prints one JSON object: erases and block writes
per record, and block writes of one append and ack with few and with many records waiting.
"""

import json
import sys

sys.path[:0] = [".", "lib"]

import vfs  # noqa: E402

from firmware.outbox import Outbox  # noqa: E402
from host_tests.support.scratch import RamFlash  # noqa: E402

RECORD = b"x" * 160
BATCH = 12
RECORDS = 1200
FEW, MANY = 12, 300

flash = RamFlash(128)
vfs.VfsLfs2.mkfs(flash)
vfs.mount(vfs.VfsLfs2(flash), "/bench")


def cost(queued):
    """Block writes of an append and of an ack, means, with so many records waiting."""
    box = Outbox("/bench/q%d" % queued, 262144)
    for _ in range(queued):
        box.append(RECORD)
    appends = acks = 0
    for _ in range(100):
        before = flash.programs
        box.append(RECORD)
        appends += flash.programs - before
        before = flash.programs
        box.ack(box.peek(1)[0][0])
        acks += flash.programs - before
    return (appends + acks) / 100


box = Outbox("/bench/box", 65536)
erases, programs = flash.erases, flash.programs
for n in range(RECORDS):
    box.append(RECORD)
    if n % BATCH == BATCH - 1:
        box.ack(box.peek(BATCH * len(RECORD))[-1][0])
figures = {
    "erases": (flash.erases - erases) / RECORDS,
    "writes": (flash.programs - programs) / RECORDS,
    "few": cost(FEW),
    "many": cost(MANY),
}
print(json.dumps(figures))
