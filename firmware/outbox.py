"""Persistent queue of telemetry that has not been confirmed yet.

Append-only segment files on LittleFS, each named after its first record, of which only the content
counts; and some small marks (marks.py).

LittleFS makes a file's new content visible when the file is closed, as a whole or not at all; so
after a loss of power at any moment the queue opens again with every record that append() has
returned for. What flash itself may do is found by CRCs, and by counting: between what is confirmed
and what is given next each number has its record, or is known to be missing. So whatever is
damaged, every other record is delivered, what is lost is counted, and no number is given twice.

What one append or one ack costs does not depend on how much is queued.
"""

import os
from errno import ENOENT

from micropython import const

from . import log, marks, unload
from .files import is_removed
from .segment import BYTES, HEAD_SIZE, Segment

_ANOTHER = ".1"  # in place of a folder that cannot be used
SUFFIX = ".seg"
_IN_RAM = const(8)  # records
_AHEAD = const(64)  # so many numbers are reserved

POLICIES = ("oldest", "newest", "thin")


class Full(Exception):
    """The queue is full and its policy keeps what it has: the record was not stored."""


class Outbox:
    """folder -- its own, made when missing; on LittleFS
    capacity -- bytes of all segments; at least two segments of 4 KiB
    policy   -- when full: ``oldest`` drops the oldest segment, ``newest`` refuses the new record,
                ``thin`` drops every second record of the older half
    least    -- no number below it is given: what is known of them elsewhere
    """

    def __init__(self, folder: str, capacity: int, policy: str = "oldest", least: int = 1) -> None:
        if capacity < 2 * BYTES:
            raise ValueError("capacity must be at least %d bytes" % (2 * BYTES))
        if policy not in POLICIES:
            raise ValueError("policy must be one of %s" % ", ".join(POLICIES))
        self._folder = ""  # none: records wait in RAM
        self._reserve = folder + marks.RESERVED
        self._reserved = 0  # numbers below this one may be given; 0: not read yet
        self._has_next = False  # whether that mark is there
        self._capacity = capacity
        self._policy = policy
        self._segments = []  # oldest first
        self._count = 0  # of the records in them
        self._is_mixed = False
        self._ram = []  # (sequence number, bytes) of what flash has refused
        self._refused = []  # paths under which nothing can be stored
        self.next = least  # sequence number
        self.confirmed = 0  # sequence number
        self.dropped = 0  # records given up by policy, or lost to damage, in the queue's life
        self._counted = 0  # of them, in the mark
        self._open(folder)

    def append(self, data: bytes) -> int:
        """Store one record and return its sequence number, which never repeats.

        Returns only when the record would survive a loss of power. Raises Full, ValueError for a
        record that fits no segment, OSError when flash does not take it: then it waits in RAM.
        """
        size = HEAD_SIZE + len(data)
        if size > BYTES:
            raise ValueError("a record has at most %d bytes" % (BYTES - HEAD_SIZE))
        seq = self.next
        refusal = self._refusal(seq, data, size)
        self.next = seq + 1
        if refusal is None:
            self._count += 1
        else:
            self._ram.append((seq, data))
            if len(self._ram) > _IN_RAM:
                self._ram.pop(0)
                self.dropped += 1
                self._write_mark()
        self._write_next()
        self._keep_ahead(seq)
        if refusal is not None:
            raise refusal
        return seq

    def _refusal(self, seq: int, data: bytes, size: int) -> OSError | None:
        """Store a record. Returns the error if flash does not take it; raises Full."""
        error = OSError(ENOENT)
        for tries in range(2 if self._folder else 0):  # what refuses may be one file
            if tries and not self._has_room():
                break  # what waits is worth more
            segment = self._segment_for(size)
            try:
                segment.append(seq, data)
                return None
            except OSError as refused:
                error = refused
                if not segment.count:
                    self._segments.remove(segment)  # its file may not exist
                    self._refused.append(segment.path)
        return error

    def peek(self, max_bytes: int, after: int = 0) -> list:
        """The oldest records that are not confirmed, as [(sequence number, bytes)].

        As many as fit into max_bytes, but at least one if there is any. They stay queued.
        after -- only those with greater numbers
        """
        found = []
        for seq, data in self._waiting(max(after, self.confirmed)):
            max_bytes -= len(data)
            if found and max_bytes < 0:
                break
            found.append((seq, data))
        return found

    def ack(self, seq: int) -> None:
        """Everything up to this sequence number has been confirmed: forget it."""
        if seq <= self.confirmed:
            return
        if seq >= self.next:
            raise ValueError("record %d does not exist" % seq)
        missing = self._missing()
        self.confirmed = seq
        # First the mark, then the files: what is in between would be sent once more, not lost.
        self._write_mark()
        self._ram = [each for each in self._ram if each[0] > seq]
        while self._segments and self._segments[0].last <= seq:
            self._remove(self._segments[0])
        if self._segments and self._segments[0].first <= seq:
            self._confirm_part(self._segments[0])
        if self._is_mixed:
            self._find_doubles()
        if not len(self):
            self._refused = [path for path in self._refused if not is_removed(path)]
        if missing or not len(self):
            self._write_next()

    def _confirm_part(self, segment: Segment) -> None:
        count = segment.count
        try:
            segment.examine(self.confirmed)
            self._count += segment.count - count
        except OSError as error:
            self._give_up(segment, error)

    def __len__(self) -> int:
        """Records that are not confirmed."""
        return max(self._count, 0) + len(self._ram)  # less than 0: those that were there twice

    def _missing(self) -> int:
        """Numbers that are not confirmed and have no record: given up, and counted."""
        return max(self.next - 1 - self.confirmed - len(self), 0)

    def _waiting(self, after: int):
        """Records with greater numbers than this, as (sequence number, bytes), in order."""
        held = [(seq, data, 0, len(data)) for seq, data in self._ram]
        segments = list(self._segments)
        while segments or held:
            if segments:
                segment = segments.pop(0)
                if segment.last > after:
                    try:
                        held += segment.records()
                    except OSError as error:
                        self._give_up(segment, error)
            held.sort(key=_number)
            while held and not (segments and held[0][0] >= segments[0].first):
                seq, block, begin, end = held.pop(0)
                if seq > after:
                    after = seq
                    yield seq, block[begin:end]

    # Opening --------------------------------------------------------------------------------

    def _open(self, folder: str) -> None:
        paths = []
        all_seen = True
        for name in (folder, folder + _ANOTHER):
            try:
                if not self._folder:
                    _make(name)
                paths += [name + "/" + each for each in _listed(name)]
                self._folder = self._folder or name
            except (OSError, ValueError) as error:  # ValueError: names that are no text
                if not self._folder:
                    log.tell("%s cannot be used: %s", name, error)
                    all_seen = False
        if all_seen and paths == [self._folder + marks.CONFIRMED] and self._is_at_rest():
            return
        from . import outbox_opening  # something waits, or flash is damaged

        outbox_opening.settle(self, paths, all_seen)
        unload("outbox_opening", "marks_found")

    def _is_at_rest(self) -> bool:
        """Take over what the marks say, if they agree that nothing waits: in most wakes."""
        done = marks.numbers(self._folder + marks.CONFIRMED) or ()
        ahead = marks.numbers(self._reserve) or ()
        if len(done) != 2 or len(ahead) != 3:
            return False
        if ahead[0] != done[0] + 1 or self.next > ahead[0]:
            return False
        self.confirmed, self.dropped = done
        self._counted = self.dropped
        self.next = self._reserved = ahead[0]
        return True

    def _find_doubles(self) -> None:
        """Count what waits. Where flash has mixed up what stood where, some may be there twice."""
        self._count = sum([segment.count for segment in self._segments])
        self._is_mixed = False
        last = 0
        for segment in self._segments:
            self._is_mixed = self._is_mixed or segment.is_mixed or segment.first <= last
            last = segment.last
        if self._is_mixed:
            self._count = sum([1 for _ in self._waiting(self.confirmed)]) - len(self._ram)

    # Segments -------------------------------------------------------------------------------

    def _segment_for(self, size: int) -> Segment:
        """The one that takes so many bytes more."""
        if self._segments:
            last = self._segments[-1]
            if not last.is_closed and last.size + size <= BYTES:
                return last
        if self._segments and not self._has_room():
            from . import outbox_full

            outbox_full.make_room(self)
        self._segments.append(Segment(self._free_path([])))
        return self._segments[-1]

    def _free_path(self, taken: list) -> str:
        taken = taken + self._refused + [segment.path for segment in self._segments]
        number = self.next
        while True:
            path = "%s/%08x%s" % (self._folder, number, SUFFIX)
            if path not in taken:
                return path
            number += 1

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        self._count -= segment.count
        if not segment.is_removed():
            self._refused.append(segment.path)

    def _give_up(self, segment: Segment, error: OSError) -> None:
        from . import outbox_full

        outbox_full.give_up(self, segment, error)

    def _has_room(self) -> bool:
        return self._size() + BYTES <= self._capacity

    def _size(self) -> int:
        return sum([segment.size for segment in self._segments])

    # Marks ----------------------------------------------------------------------------------

    def _write_mark(self) -> None:
        path = self._folder + marks.CONFIRMED
        if self._folder and marks.is_written(path, self.confirmed, self.dropped):
            self._counted = self.dropped

    def _write_next(self, more: int = 0) -> None:
        if self._counted != self.dropped:
            self._write_mark()  # there was a reason why it was not
        path = self._folder + marks.NEXT
        if len(self) and self._folder:
            missing = self._missing() + more
            marks.is_written(path, self.next, missing, self.confirmed, self.dropped + more)
            self._has_next = True
            return
        self._reserve_to(self.next)
        if self._has_next:
            self._has_next = not is_removed(path)

    def _keep_ahead(self, seq: int) -> None:
        """Reserve numbers, so that this one and the next ones are below the reserve."""
        if not self._reserved:
            self._reserved = (marks.numbers(self._reserve) or (0,))[0]
        if not seq < self._reserved <= seq + _AHEAD:
            self._reserve_to(seq + _AHEAD)

    def _reserve_to(self, number: int) -> None:
        if self._reserved != number:
            self._reserved = number
            marks.is_written(self._reserve, number, self.confirmed, self.dropped)


def _listed(folder: str) -> list:
    try:
        return os.listdir(folder)
    except OSError as error:
        if error.errno == ENOENT:
            raise
        return os.listdir(folder)  # it may have been the moment


def _make(folder: str) -> None:
    try:
        os.mkdir(folder)
    except OSError:
        return  # it exists, or reading it says what is wrong


def _number(record: tuple) -> int:
    return record[0]
