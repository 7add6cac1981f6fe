"""The two marks of an outbox: what is confirmed, and what is given next.

    confirmed    (confirmed, dropped); written by each ack
    next         (next, missing, confirmed, dropped); written by each append, and when it matters

They stand in two folders, so that no damage takes both.
"""

import struct
from binascii import crc32
from collections import namedtuple

from . import files, log
from .segment import LARGEST, read

_SIZES = (12, 20)  # bytes

# next, confirmed, dropped -- as Outbox has them
# missing -- how many numbers are known to have no record; None: not known
# is_known -- whether what is confirmed is; is_agreed -- the marks say the same of it
# is_whole -- both are where they should be
Marks = namedtuple(
    "Marks", ("next", "confirmed", "dropped", "missing", "is_known", "is_agreed", "is_whole")
)


def found(places: list, others: list) -> Marks:
    """What the marks say. others -- where one may be that is not in its place"""
    blocks = [numbers(path) for path in places]
    is_whole = len(blocks) > 1 and None not in blocks
    if not is_whole:
        blocks += [numbers(path) for path in others]
    following = _latest(blocks, 4)
    confirmed = _latest(blocks, 2)
    if following is None:
        done, dropped = confirmed or (0, 0)
        return Marks(1, done, dropped, None, False, False, False)
    next, missing, done, dropped = following
    if confirmed is None:
        return Marks(next, done, dropped, missing, False, False, False)
    is_known = confirmed[0] >= done
    return Marks(
        next,
        max(done, confirmed[0]),
        max(dropped, confirmed[1]),
        missing,
        is_known,
        done == confirmed[0],
        is_known and is_whole,
    )


def _latest(blocks: list, count: int) -> tuple | None:
    """The one with so many numbers; its numbers only grow."""
    fitting = [block for block in blocks if block is not None and len(block) == count]
    return max(fitting) if fitting else None


def write(path: str, *values: int) -> None:
    """A mark that cannot be written stops nothing: what is behind it comes again."""
    block = struct.pack("<%dI" % len(values), *values)
    try:
        files.overwrite(path, block + struct.pack("<I", crc32(block)))
    except OSError as error:
        log.tell("%s cannot be written: %s", path, error)


def numbers(path: str) -> tuple | None:
    """The numbers of a mark; None if it is damaged, or none."""
    try:
        block = read(path)
    except OSError:
        return None
    if len(block) not in _SIZES:
        return None
    values = struct.unpack("<%dI" % (len(block) // 4), block)
    if crc32(block[:-4]) != values[-1] or max(values[:-1]) > LARGEST:
        return None
    return values[:-1]
