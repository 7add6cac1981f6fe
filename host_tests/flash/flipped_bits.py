"""Run by MicroPython: a node on a real LittleFS with blocks of 512 bytes, of which one bit flips.

    micropython -X heapsize=64M host_tests/flash/flipped_bits.py [STEP [OFFSET]]

A node lives until all its files are there. Then, for one bit of every STEP-th byte of each block
in use, it goes on with that bit the other way round. LittleFS finds what has become of its own
structures, the firmware what has become of its files. Prints one JSON object.
"""

import json
import os
import sys

HOME = os.getcwd()
CODE = os.getenv("COMPILED", HOME)  # compiled.py
sys.path[:0] = [CODE, CODE + "/lib"]  # found after chdir() too

import vfs  # noqa: E402

from firmware import log  # noqa: E402
from host_tests.support import node_life  # noqa: E402

BLOCK = 512
BLOCKS = 160
WAKES = 8
EIO = 5


class Chip:
    """A flash chip in RAM; a block that it does not have is an error."""

    def __init__(self, data):
        self.data = data

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        if block >= BLOCKS or at + len(buf) > len(self.data):
            raise OSError(EIO)
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        if block >= BLOCKS or at + len(buf) > len(self.data):
            raise OSError(EIO)
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return BLOCK
        if op == 6:
            if arg >= BLOCKS:
                raise OSError(EIO)
            self.data[arg * BLOCK : (arg + 1) * BLOCK] = b"\xff" * BLOCK
        return 0


class Mounted:
    """A LittleFS that is the whole file system."""

    def __init__(self, chip):
        self._chip = chip

    def __enter__(self):
        vfs.mount(vfs.VfsLfs2(self._chip), "/node")
        os.chdir("/node")

    def __exit__(self, *_):
        os.chdir(HOME)
        vfs.umount("/node")


def quiet(*_, **__):
    pass


def lived():
    """(the chip's content, the life so far, records that wait)"""
    chip = Chip(bytearray(b"\xff" * (BLOCK * BLOCKS)))
    vfs.VfsLfs2.mkfs(chip)
    life = node_life.Life()
    with Mounted(chip):

        def write(name, data):
            with open(name, "wb") as file:
                file.write(data)

        node_life.begin(write)
        node_life.lived(life)
        waiting = node_life.records()
    return chip.data, life, waiting


def check(data, life, waiting, memory):
    """What has become of a node on this flash: a word, and what is wrong."""
    again = node_life.Life()
    again.now = life.now
    again.memory = life.memory if memory else b""
    given = max(waiting)
    new = lambda: [seq for seq, _ in again.delivered if seq > given]  # noqa: E731
    try:
        with Mounted(Chip(data)):
            names = os.listdir()
            for _ in range(WAKES):
                if not again.wake():
                    if "config.json" in names or "config.good" in names:
                        return "prompt", "the node is at its prompt"
                    return "emptied", None  # LittleFS has gone back to before it was provisioned
                if len(new()) > 1:
                    break
                if again.slept_ms >= 3600000:
                    return "no configuration", None
            dropped = node_life.outbox.Outbox("outbox", 16384).dropped
    except OSError as error:
        if again.wakes:
            return "error", repr(error)
        return "not mounted", None
    except Exception as error:
        return "error", repr(error)
    if again.crashes:
        return "crash", repr(again.crashes[0])
    for seq, got in again.delivered:
        if waiting.get(seq, got) != got:
            return "twice", "number %d" % seq
        json.loads(got)
    if len(new()) < 2:
        return "mute", "no new samples"
    lost = len([seq for seq in waiting if seq not in dict(again.delivered)])
    if not lost and not dropped:
        return "all delivered", None
    return ("the rest counted" if dropped == lost else "counted otherwise"), None


def main(step, offset):
    for module in (node_life.app, log):
        module.print = quiet
    data, life, waiting = lived()
    used = [n for n in range(BLOCKS) if data[n * BLOCK : (n + 1) * BLOCK] != b"\xff" * BLOCK]
    result = {"used": len(used), "tried": 0, "outcomes": {}, "wrong": []}
    for block in used:
        for at in range((block * 7 + offset) % step, BLOCK, step):
            flipped = bytearray(data)
            flipped[block * BLOCK + at] ^= 1 << (at * 5 + block) % 8
            what, wrong = check(flipped, life, waiting, result["tried"] % 2 == 0)
            result["outcomes"][what] = result["outcomes"].get(what, 0) + 1
            result["tried"] += 1
            if wrong:
                result["wrong"].append("block %d, byte %d: %s: %s" % (block, at, what, wrong))
    print(json.dumps(result))


main(*([int(each) for each in sys.argv[1:]] + [64, 0][len(sys.argv) - 1 :]))
