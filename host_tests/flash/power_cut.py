"""Run by MicroPython: the outbox on a real LittleFS whose supply is cut at every block write.

One run of appends and acks is recorded write by write (erases count as writes). Then, for each
write, the flash as it was when the supply failed during it -- not begun, half done, done -- is
mounted afresh, and what the queue gives is compared with what it had promised by then.
Prints one JSON object.
"""

import json
import os
import random
import sys

HOME = os.getenv("COMPILED", ".")  # compiled.py
sys.path[:0] = [HOME, HOME + "/lib"]

from firmware.outbox import Outbox  # noqa: E402
from host_tests.flash import journal as chip  # noqa: E402

BLOCKS = 64
CAPACITY = 16384
APPENDS = 200


def mounted(flash):
    chip.mount(flash)
    return Outbox("/cut/box", CAPACITY)


def payload(seq):
    return b"%06d" % seq + bytes([seq % 251]) * (20 + seq * 37 % 160)


def record(seed):
    """One run. Returns (flash before, journal, promises): at which write what was promised."""
    flash = chip.empty(BLOCKS)
    box = mounted(flash)
    before = bytes(flash.data)
    flash.journal = journal = []
    promises = []  # (writes when it held, "stored" or "may be gone", sequence number)
    random.seed(seed)
    for _ in range(APPENDS):
        promises.append((len(journal), "begun", box.next))
        seq = box.append(payload(box.next))
        promises.append((len(journal), "stored", seq))
        if random.random() < 0.4:
            waiting = box.peek(random.randint(1, 1500))
            promises.append((len(journal), "gone", waiting[-1][0]))
            box.ack(waiting[-1][0])
    assert box.dropped == 0
    return before, journal, promises


def check(data, promises, writes):
    """Compare the queue on this flash with what had been promised after so many writes."""
    stored = gone = begun = 0
    for at, what, seq in promises:
        if what == "stored" and at <= writes:
            stored = max(stored, seq)
        elif what == "gone" and at <= writes:
            gone = max(gone, seq)
        elif what == "begun" and at <= writes:
            begun = max(begun, seq)
    box = mounted(chip.Flash(data))
    found = box.peek(1 << 20)
    seqs = [seq for seq, _ in found]
    lost = [seq for seq in range(gone + 1, stored + 1) if seq not in seqs]
    if box.dropped or box.next <= stored or box.next > begun + 1:
        lost.append("counted, or a number twice")
    corrupt = [seq for seq, got in found if got != payload(seq) or seq > begun]
    disordered = seqs != sorted(seqs)
    # And it goes on: what is stored now comes out last.
    last = box.append(payload(box.next))
    stuck = box.peek(1 << 20)[-1] != (last, payload(last))
    box.ack(last)
    stuck = stuck or box.peek(1) != []
    return len(lost), len(corrupt) + disordered, stuck


def main(seed):
    before, journal, promises = record(seed)
    result = {"appends": APPENDS, "writes": len(journal), "cuts": 0}
    lost = corrupt = stuck = 0
    for writes, data in chip.cuts(before, journal, seed):
        outcome = check(data, promises, writes)
        lost += outcome[0]
        corrupt += outcome[1]
        stuck += outcome[2]
        result["cuts"] += 1
    result.update({"lost": lost, "corrupt": corrupt, "stuck": stuck})
    print(json.dumps(result))


main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
