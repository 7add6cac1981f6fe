"""An empty folder for a test: LittleFS in RAM on MicroPython, a temporary folder on CPython."""

import os
import sys

_BLOCK = 4096
_BLOCKS = 128


class RamFlash:
    """A block device as the firmware's LittleFS sees a flash chip: erase, then program."""

    def __init__(self, blocks=_BLOCKS):
        self.data = bytearray(b"\xff" * (blocks * _BLOCK))
        self.erases = 0
        self.programs = 0

    def readblocks(self, block, buf, offset=0):
        at = block * _BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * _BLOCK + offset
        self.data[at : at + len(buf)] = buf
        self.programs += 1

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // _BLOCK
        if op == 5:
            return _BLOCK
        if op == 6:
            at = arg * _BLOCK
            self.data[at : at + _BLOCK] = b"\xff" * _BLOCK
            self.erases += 1
        return 0


def folder():
    """The path of an empty folder, which does not exist yet."""
    if sys.implementation.name != "micropython":
        import tempfile

        return tempfile.mkdtemp() + "/box"
    import vfs

    flash = RamFlash()
    vfs.VfsLfs2.mkfs(flash)
    try:
        vfs.umount("/scratch")
    except OSError:
        pass  # the first of this run
    vfs.mount(vfs.VfsLfs2(flash), "/scratch")
    return "/scratch/box"


def made():
    """The path of an empty folder."""
    where = folder()
    os.mkdir(where)
    return where


class Inside:
    """While this lasts, the current folder is an empty one: a node's flash."""

    def __enter__(self):
        self._home = os.getcwd()
        os.chdir(made())
        return self

    def __exit__(self, *_):
        os.chdir(self._home)
