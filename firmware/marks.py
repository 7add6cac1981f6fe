"""The marks of an outbox: small files that say what its records do not.

outbox/confirmed    (confirmed, dropped), written by each ack
outbox/next         (next, missing, confirmed, dropped), written by each append; only while
                    something waits
outbox.next         (a number that no record has yet, 0, confirmed, dropped), written now and
                    then: for the day on which the others are lost
"""

import struct
from binascii import crc32
from collections import namedtuple

from . import files, log
from .segment import LARGEST, read

CONFIRMED = "/confirmed"
NEXT = "/next"
RESERVED = ".next"  # behind the folder's name
SIZES = (12, 16, 20)  # bytes
_COUNTS = {CONFIRMED[-4:]: 2, NEXT[-4:]: 4}  # of numbers

# next, confirmed, dropped -- as Outbox has them; next of 0: not known, and nothing waits
# reserved -- where next is not known; else 0
# missing -- how many numbers are known to have no record; None: not known
# is_known -- whether what is confirmed is; is_agreed -- the marks say the same of it
# is_whole -- what is there is good, and where it should be
Marks = namedtuple(
    "Marks",
    ("next", "reserved", "confirmed", "dropped", "missing", "is_known", "is_agreed", "is_whole"),
)


def places(paths: list) -> list:
    """Those of a folder's files that should be marks."""
    return [path for path in paths if path[path.rfind("/") :] in (CONFIRMED, NEXT)]


def found(paths: list, others: list, reserved: str) -> Marks:
    """What the marks say that places() has given.

    others -- where one may be that is not in its place
    reserved -- path of the one beside the folder
    """
    blocks = [numbers(path) for path in paths]
    is_whole = bool(blocks)
    for path, block in zip(paths, blocks):
        is_whole = is_whole and block is not None and len(block) == _COUNTS[path[-4:]]
    if not is_whole:
        blocks += [numbers(path) for path in others + [reserved]]
    confirmed = _latest(blocks, 2)
    following = _latest(blocks, 4)
    if following is None:
        ahead, done, dropped = _latest(blocks + [numbers(reserved)], 3) or (0, 0, 0)
        if confirmed is None:
            return Marks(0, ahead, done, dropped, None, False, False, False)
        return Marks(0, ahead, confirmed[0], confirmed[1], None, True, True, is_whole)
    next, missing, done, dropped = following
    if confirmed is None:
        return Marks(next, 0, done, dropped, missing, False, False, False)
    is_known = confirmed[0] >= done
    is_agreed = confirmed[0] == done
    done = max(done, confirmed[0])
    dropped = max(dropped, confirmed[1])
    return Marks(next, 0, done, dropped, missing, is_known, is_agreed, is_known and is_whole)


def _latest(blocks: list, count: int) -> tuple | None:
    """The one with so many numbers; its numbers only grow."""
    fitting = [block for block in blocks if block is not None and len(block) == count]
    return max(fitting) if fitting else None


def is_written(path: str, *values: int) -> bool:
    """Write a mark. One that cannot be written stops nothing: what is behind it comes again."""
    block = struct.pack("<%dI" % len(values), *values)
    try:
        files.overwrite(path, block + struct.pack("<I", crc32(block)))
    except OSError as error:
        log.tell("%s cannot be written: %s", path, error)
        return False
    return True


def numbers(path: str) -> tuple | None:
    """The numbers of a mark; None if it is damaged, or none."""
    try:
        block = read(path)
    except OSError:
        return None
    if len(block) not in SIZES:
        return None
    values = struct.unpack("<%dI" % (len(block) // 4), block)
    if crc32(block[:-4]) != values[-1] or max(values[:-1]) > LARGEST:
        return None
    return values[:-1]
