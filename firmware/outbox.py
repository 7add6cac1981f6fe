"""Persistent queue of telemetry that has not been confirmed yet.

Append-only segment files on LittleFS, each named after its first sequence number, and one small
file that says how far everything is confirmed. LittleFS makes a file's new content visible when
the file is closed, as a whole or not at all; the CRCs are for what flash itself may do. So after a
loss of power at any moment the queue opens again with every record that append() has returned for,
and with no damaged one.

What one append or one ack costs does not depend on how much is queued.
"""

import os
import struct
from binascii import crc32

from micropython import const

_HEAD = "<HII"  # length, sequence number, CRC of number and payload
_HEAD_SIZE = const(10)
_MARK = "<III"  # confirmed up to, dropped, CRC
_MARK_SIZE = const(12)
_MARK_FILE = "confirmed"
_SEGMENT = const(4096)
_SUFFIX = ".seg"

POLICIES = ("oldest", "newest", "thin")


class Full(Exception):
    """The queue is full and its policy keeps what it has: the record was not stored."""


class Outbox:
    """folder -- its own, made when missing; on LittleFS
    capacity -- bytes of all segments; at least two segments of 4 KiB
    policy   -- when full: ``oldest`` drops the oldest segment, ``newest`` refuses the new record,
                ``thin`` drops every second record of the older half
    """

    def __init__(self, folder: str, capacity: int, policy: str = "oldest") -> None:
        if capacity < 2 * _SEGMENT:
            raise ValueError("capacity must be at least %d bytes" % (2 * _SEGMENT))
        if policy not in POLICIES:
            raise ValueError("policy must be one of %s" % ", ".join(POLICIES))
        self._folder = folder
        self._capacity = capacity
        self._policy = policy
        self._segments = []  # [first sequence number, bytes], oldest first
        self._bytes = 0
        self._place = None  # (first of segment, offset) of the oldest record not confirmed
        self.confirmed = 0  # sequence number
        self.dropped = 0  # records given up by policy, or found damaged, in the queue's life
        self._open()

    def append(self, data: bytes) -> int:
        """Store one record and return its sequence number, which never repeats.

        Returns only when the record would survive a loss of power. Raises Full, ValueError for a
        record that fits no segment, OSError when the flash itself is full.
        """
        size = _HEAD_SIZE + len(data)
        if size > _SEGMENT:
            raise ValueError("a record has at most %d bytes" % (_SEGMENT - _HEAD_SIZE))
        if not self._segments or self._segments[-1][1] + size > _SEGMENT:
            self._make_room()
            self._segments.append([self.next, 0])
        segment = self._segments[-1]
        seq = self.next
        try:
            with open(self._path(segment[0]), "ab") as file:
                file.write(_record(seq, data))
        except OSError:
            if not segment[1]:
                self._segments.pop()  # its file may not exist
            raise
        if self._place is None:
            self._place = (segment[0], segment[1])
        segment[1] += size
        self._bytes += size
        self.next = seq + 1
        return seq

    def peek(self, max_bytes: int, after: int = 0) -> list:
        """The oldest records that are not confirmed, as [(sequence number, bytes)].

        As many as fit into max_bytes, but at least one if there is any. They stay queued.
        after -- only those with greater numbers
        """
        found = []
        if self._place is None:
            return found
        for first, _ in self._segments:
            if first < self._place[0]:
                continue
            offset = self._place[1] if first == self._place[0] else 0
            for seq, data, _ in self._records(first, offset):
                if seq <= self.confirmed or seq <= after:
                    continue
                max_bytes -= len(data)
                if found and max_bytes < 0:
                    return found
                found.append((seq, data))
        return found

    def ack(self, seq: int) -> None:
        """Everything up to this sequence number has been confirmed: forget it."""
        if seq <= self.confirmed:
            return
        if seq >= self.next:
            raise ValueError("record %d does not exist" % seq)
        self.confirmed = seq
        # First the mark, then the files: what is in between would be sent once more, not lost.
        self._mark()
        while len(self._segments) > 1 and self._segments[1][0] <= seq + 1:
            self._remove(0)
        if self._segments and seq + 1 == self.next:
            self._remove(0)
        self._find_place()

    def __len__(self) -> int:
        """Records that are not confirmed (as an upper bound where policy ``thin`` made gaps)."""
        if not self._segments:
            return 0
        return self.next - max(self.confirmed + 1, self._segments[0][0])

    # Files ----------------------------------------------------------------------------------

    def _path(self, first: int) -> str:
        return "%s/%08x%s" % (self._folder, first, _SUFFIX)

    def _open(self) -> None:
        try:
            os.mkdir(self._folder)
        except OSError:
            os.stat(self._folder)  # it exists, or this says why it cannot be made
        self._read_mark()
        names = [name for name in os.listdir(self._folder) if name.endswith(_SUFFIX)]
        firsts = [int(name[: -len(_SUFFIX)], 16) for name in names]
        self.next = self.confirmed + 1
        for first in sorted(firsts):
            size = last = 0
            for seq, _, end in self._records(first, 0):
                size = end
                last = seq
            if last <= self.confirmed:  # confirmed, but the power went before it was removed
                os.remove(self._path(first))
                continue
            self._segments.append([first, size])
            self._bytes += size
            self.next = last + 1
        if self._segments:
            first, size = self._segments[-1]
            bad = os.stat(self._path(first))[6] - size
            if bad:
                # Nothing is appended behind damage, and no number that was in it is used again.
                self._segments[-1][1] = _SEGMENT
                self.next += bad // _HEAD_SIZE
        self._find_place()

    def _records(self, first: int, offset: int):
        """Good records of a segment as (sequence number, bytes, offset behind it)."""
        with open(self._path(first), "rb") as file:
            file.seek(offset)
            block = memoryview(file.read())
        at = 0
        while len(block) - at >= _HEAD_SIZE:
            length, seq, crc = struct.unpack_from(_HEAD, block, at)
            data = bytes(block[at + _HEAD_SIZE : at + _HEAD_SIZE + length])
            if len(data) < length or crc32(data, crc32(block[at + 2 : at + 6])) != crc:
                return
            at += _HEAD_SIZE + length
            yield seq, data, offset + at

    def _find_place(self) -> None:
        """Where the oldest record that is not confirmed stands."""
        self._place = None
        for first, _ in self._segments:
            offset = 0
            for seq, _, end in self._records(first, 0):
                if seq > self.confirmed:
                    self._place = (first, offset)
                    return
                offset = end

    def _remove(self, index: int) -> None:
        first, size = self._segments.pop(index)
        os.remove(self._path(first))
        self._bytes -= size

    # What happens when it is full -----------------------------------------------------------

    def _make_room(self) -> None:
        """Before a new segment is begun: keep within the capacity."""
        while self._segments and self._bytes + _SEGMENT > self._capacity:
            if self._policy == "newest":
                raise Full("%d bytes wait to be sent" % self._bytes)
            if self._policy == "thin" and self._thin():
                continue
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        after = self._segments[1][0] if len(self._segments) > 1 else self.next
        lost = 0
        for seq, _, _ in self._records(self._segments[0][0], 0):
            lost += seq > self.confirmed
        self.dropped += lost
        self.confirmed = max(self.confirmed, after - 1)
        self._mark()
        self._remove(0)
        self._find_place()

    def _thin(self) -> bool:
        """Rewrite the older half of the segments with every second record. False if too few."""
        half = len(self._segments) // 2
        saved = 0
        for index in range(half):
            segment = self._segments[index]
            kept = []
            lost = 0
            for count, (seq, data, _) in enumerate(self._records(segment[0], 0)):
                if count % 2 and seq > self.confirmed:
                    lost += 1
                elif seq > self.confirmed:
                    kept.append((seq, data))
            if not lost:
                continue
            size = 0
            # The name stays that of the old first record, so that the order of names holds.
            with open(self._path(segment[0]), "wb") as file:
                for seq, data in kept:
                    size += file.write(_record(seq, data))
            saved += segment[1] - size
            self._bytes -= segment[1] - size
            segment[1] = size
            self.dropped += lost
        if saved:
            self._mark()
            self._find_place()
        return saved >= _SEGMENT

    # The mark -------------------------------------------------------------------------------

    def _mark(self) -> None:
        block = struct.pack("<II", self.confirmed, self.dropped)
        with open(self._folder + "/" + _MARK_FILE, "wb") as file:
            file.write(block + struct.pack("<I", crc32(block)))

    def _read_mark(self) -> None:
        try:
            with open(self._folder + "/" + _MARK_FILE, "rb") as file:
                block = file.read()
        except OSError:  # a new queue
            return
        if len(block) != _MARK_SIZE or struct.unpack("<I", block[8:])[0] != crc32(block[:8]):
            return  # damaged: records may be sent twice, none is lost
        self.confirmed, self.dropped = struct.unpack("<II", block[:8])


def _record(seq: int, data: bytes) -> bytes:
    crc = crc32(data, crc32(struct.pack("<I", seq)))
    return struct.pack(_HEAD, len(data), seq, crc) + data
