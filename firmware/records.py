"""How the outbox writes records, and finds them again in what flash has made of them."""

import struct
from binascii import crc32

from micropython import const

_HEAD = "<HII"  # length, sequence number, CRC of number and payload
HEAD_SIZE = const(10)
LARGEST = const(0x7FFFFFFF)  # sequence number; a greater one is not believed


def record(seq: int, data: bytes) -> bytes:
    """A record as it is stored."""
    crc = crc32(data, crc32(struct.pack("<I", seq)))
    return struct.pack(_HEAD, len(data), seq, crc) + data


def sound(block: bytes):
    """The good records in a block as (sequence number, begin, end of the payload).

    Behind damage the next one is searched for byte by byte: a length that is damaged tells
    nothing about where it begins.
    """
    view = memoryview(block)
    size = len(block)
    at = 0
    while at + HEAD_SIZE <= size:
        length, seq, crc = struct.unpack_from(_HEAD, block, at)
        begin = at + HEAD_SIZE
        end = begin + length
        if (
            end <= size
            and 0 < seq <= LARGEST
            and crc32(view[begin:end], crc32(view[at + 2 : at + 6])) == crc
        ):
            yield seq, begin, end
            at = end
        else:
            at += 1
