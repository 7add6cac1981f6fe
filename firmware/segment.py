"""One file of the outbox: records, one behind the other, which are found again in what flash has
made of them.
"""

import os
import struct
from binascii import crc32

from micropython import const

from . import files

_HEAD = "<HII"  # length, sequence number, CRC of number and payload
HEAD_SIZE = const(10)
LARGEST = const(0x7FFFFFFF)  # sequence number; a greater one is not believed
BYTES = const(4096)  # no segment is longer
NEW = ".new"
_BAD = "/bad"  # the last one that could not be read, or had no record
_TRIES = const(3)  # to read


class Segment:
    """size -- of the file
    first, last, count -- numbers, and how many, of the records in it that are not confirmed
    is_mixed -- whether they are not in order
    is_closed -- nothing more goes into it
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = self.first = self.last = self.count = 0
        self.is_mixed = self.is_closed = False
        self._offset = 0  # of the first that is not confirmed

    def append(self, seq: int, data: bytes) -> None:
        """Store a record. Raises OSError; nobody knows then how the file ends."""
        try:
            files.writes += 1
            with open(self.path, "ab") as file:
                file.write(record(seq, data))
        except OSError:
            self.is_closed = True
            raise
        if not self.count:
            self.first = seq
            self._offset = self.size
        self.last = seq
        self.count += 1
        self.size += HEAD_SIZE + len(data)

    def examine(self, confirmed: int) -> bool:
        """See what it holds behind this number. Returns whether it holds any record at all.
        Raises OSError.
        """
        block = read(self.path)
        self.size = self._offset = len(block)
        self.count = self.last = 0
        self.is_mixed = found = False
        for seq, begin, _ in sound(block):
            found = True
            if seq > confirmed:
                self.is_mixed = self.is_mixed or seq <= self.last
                self.first = min(seq, self.first) if self.count else seq
                self.last = max(seq, self.last)
                self.count += 1
                self._offset = min(begin - HEAD_SIZE, self._offset)
        return found

    def records(self) -> list:
        """What is not confirmed, as (sequence number, block, begin, end of the payload there).
        Raises OSError.
        """
        block = read(self.path, self._offset)
        return [(seq, block, begin, end) for seq, begin, end in sound(block)]

    def thin_out(self, confirmed: int) -> None:
        """Keep every second record behind this number. Raises OSError; as it was, then."""
        block = read(self.path)
        keep = False
        with open(self.path + NEW, "wb") as file:
            for seq, begin, end in sound(block):
                if seq > confirmed:
                    keep = not keep
                    if keep:
                        file.write(block[begin - HEAD_SIZE : end])
        os.rename(self.path + NEW, self.path)
        self.examine(confirmed)

    def is_removed(self) -> bool:
        """Remove the file."""
        return files.is_removed(self.path)

    def is_aside(self) -> bool:
        """Rename the file, which is of no use."""
        return files.put_aside(self.path, self.path[: self.path.rfind("/")] + _BAD)


def read(path: str, offset: int = 0) -> bytes:
    """What a segment holds, from an offset on. Raises OSError when it cannot be read."""
    for tries in range(_TRIES):
        try:
            return files.part(path, offset, BYTES)
        except OSError:
            if tries + 1 == _TRIES:
                raise
    return b""


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
