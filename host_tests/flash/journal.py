"""A flash chip in RAM that keeps a journal of its writes, and what losses of power leave of it."""

import random

import vfs

BLOCK = 4096


class Flash:
    """data -- its content, a bytearray; journal -- a list for (address, bytes), None: not kept"""

    def __init__(self, data, journal=None):
        self.data = data
        self.journal = journal

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self._write(block * BLOCK + offset, bytes(buf))

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // BLOCK
        if op == 5:
            return BLOCK
        if op == 6:
            self._write(arg * BLOCK, b"\xff" * BLOCK)
        return 0

    def _write(self, at, data):
        self.data[at : at + len(data)] = data
        if self.journal is not None:
            self.journal.append((at, data))


def empty(blocks):
    """A flash with an empty LittleFS."""
    flash = Flash(bytearray(b"\xff" * (BLOCK * blocks)))
    vfs.VfsLfs2.mkfs(flash)
    return flash


def mount(flash):
    """Mount it, alone, at /cut."""
    try:
        vfs.umount("/cut")
    except OSError:
        pass  # the first time
    vfs.mount(vfs.VfsLfs2(flash), "/cut")


def cuts(before, journal, seed):
    """(writes done, flash content) for the supply failing during each write: not begun, half."""
    random.seed(seed)
    data = bytearray(before)
    for writes, (at, new) in enumerate(journal):
        old = bytes(data[at : at + len(new)])
        half = random.randint(0, len(new))
        for state in (old, new[:half] + old[half:]):
            data[at : at + len(new)] = state
            yield writes, bytearray(data)
        data[at : at + len(new)] = new
