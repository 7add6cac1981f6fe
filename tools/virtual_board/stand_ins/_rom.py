# The module `vfs` of a board with a partition for ROMFS: memory that the host shares with a file.
# rom_ioctl as in MicroPython's extmod/vfs_rom_ioctl.h, like that of STM32: memory, not an object.
from errno import EINVAL, EIO

import uctypes
from vfs import *  # noqa: F403 -- it stands in for that module

_BLOCK = 4096
_memory = None


def _start(about):
    global _memory
    _memory = uctypes.bytearray_at(about[0], about[1])


def rom_ioctl(op, *args):
    if op == 1:  # number of partitions
        return 1
    if not args or args[0] != 0:
        return -EINVAL
    if op == 2:  # the partition
        return memoryview(_memory)
    if op == 3 and len(args) == 3:  # erase whole blocks
        begin = args[1]
        end = min(-(-(begin + args[2]) // _BLOCK) * _BLOCK, len(_memory))
        if begin % _BLOCK or end < begin + args[2]:
            return -EINVAL
        _memory[begin:end] = b"\xff" * (end - begin)
        return 4  # bytes that a write takes at least
    if op == 4 and len(args) == 3:  # write
        begin, data = args[1:]
        end = begin + len(data)
        if begin % 4 or len(data) % 4 or end > len(_memory):
            return -EINVAL
        if _memory[begin:end] != b"\xff" * len(data):
            return -EIO  # flash takes nothing where it is not erased
        _memory[begin:end] = data
        return 0
    if op == 5:  # all is written
        return 0
    if op == 6:  # size of a block
        return _BLOCK
    return -EINVAL
