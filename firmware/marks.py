"""The marks of an outbox: small files that say what its records do not.

outbox/confirmed    (confirmed, dropped), written by each ack
outbox/next         (next, missing, confirmed, dropped), written by each append; only while
                    something waits
outbox.next         (a number that no record has yet, 0, confirmed, dropped), written now and
                    then: for the day on which the others are lost
"""

import struct
from binascii import crc32

from . import files, log
from .segment import LARGEST, read

CONFIRMED = "/confirmed"
NEXT = "/next"
RESERVED = ".next"  # behind the folder's name
SIZES = (12, 16, 20)  # bytes


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
