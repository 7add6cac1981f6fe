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

from . import log, marks
from .files import is_removed
from .segment import BYTES, HEAD_SIZE, NEW, Segment, read, sound

_ANOTHER = ".1"  # in place of a folder that cannot be used
_SUFFIX = ".seg"
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
        known = self._read_marks(paths)
        self._has_next = self._folder + marks.NEXT in paths
        for path in paths:
            if path.endswith(_SUFFIX):
                self._take(path, paths)
            elif path.endswith(NEW):
                is_removed(path)  # a write that was cut off
        self._segments.sort(key=lambda segment: segment.first)
        self._find_doubles()
        is_known, missing = known.is_known, known.missing
        if not known.next and self._segments:  # that mark is lost
            is_known = False
        elif known.reserved == self.confirmed + 1:  # nothing waits
            missing = 0
        after = [segment.last + 1 for segment in self._segments] + [self.confirmed + 1]
        self.next = max(after + [self.next, known.next])
        if self.next < known.reserved:  # it can only be said that those below were reserved
            log.tell(
                "numbers %d to %d are left out, a mark is lost", self.next, known.reserved - 1
            )
            self.next = known.reserved
        if self._segments and not is_known:  # what is gone may have been confirmed
            self.confirmed = max(self.confirmed, self._segments[0].first - 1)
        lost = 0 if missing is None else self._missing() - missing
        if lost > 0:
            log.tell(
                "1 record is lost, flash is damaged"
                if lost == 1
                else "%d records are lost, flash is damaged" % lost
            )
        elif not known.is_agreed:
            lost = 0  # less than was known, because ack() was cut off
        self.dropped = max(self.dropped + lost, 0)  # some may have been found again
        if all_seen and not self._segments and not self._refused:
            self.confirmed = self.next - 1
        if lost or not (is_known and known.is_whole) or self.confirmed != known.confirmed:
            self._write_mark()
            self._write_next()
        elif self._has_next and not self._segments:  # ack() was cut off
            self._write_next()

    def _read_marks(self, paths: list) -> marks.Marks:
        places = marks.places(paths)
        others = [path for path in paths if path.endswith(_SUFFIX)]
        known = marks.found(places, others, self._reserve)
        self._reserved = known.reserved
        self.confirmed = known.confirmed
        self.dropped = self._counted = known.dropped
        if not known.is_whole:
            for path in places:
                self._rescue(path, paths)
        return known

    def _rescue(self, path: str, paths: list) -> None:
        """A segment that stands in the place of a mark gets a name of its own."""
        try:
            if any(True for _ in sound(read(path))):
                better = self._free_path(paths)
                os.rename(path, better)
                paths.append(better)
        except OSError:
            return  # there is none, or it stays where it is

    def _take(self, path: str, paths: list) -> None:
        """A segment that was found: keep it, or remove it when nothing in it waits."""
        segment = Segment(path)
        try:
            is_ours = segment.examine(self.confirmed) or not segment.size
        except OSError as error:
            log.tell("%s cannot be read: %s", path, error)
            self._refused.append(path)  # until it can, or nothing waits
            return
        if not is_ours and segment.size in marks.SIZES:
            self._rescue(self._reserve, paths)  # the mark beside the folder: it has its place
        if segment.count:
            self._segments.append(segment)
        elif not (segment.is_removed() if is_ours else segment.is_aside()):
            self._refused.append(path)

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
        self._make_room()
        self._segments.append(Segment(self._free_path([])))
        return self._segments[-1]

    def _free_path(self, taken: list) -> str:
        taken = taken + self._refused + [segment.path for segment in self._segments]
        number = self.next
        while True:
            path = "%s/%08x%s" % (self._folder, number, _SUFFIX)
            if path not in taken:
                return path
            number += 1

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        self._count -= segment.count
        if not segment.is_removed():
            self._refused.append(segment.path)

    def _give_up(self, segment: Segment, error: OSError) -> None:
        """A segment that could be read when the queue was opened, and cannot be read now."""
        log.tell("%s cannot be read: %s", segment.path, error)
        self._segments.remove(segment)
        self._count -= segment.count
        self.dropped += segment.count
        self._refused.append(segment.path)
        self._write_mark()
        self._write_next()

    # What happens when it is full -----------------------------------------------------------

    def _make_room(self) -> None:
        """Before a new segment is begun: keep within the capacity."""
        while self._segments and not self._has_room():
            if self._policy == "newest":
                raise Full("%d bytes wait to be sent" % self._size())
            if self._policy == "thin" and self._thin():
                continue
            self._drop_oldest()

    def _has_room(self) -> bool:
        return self._size() + BYTES <= self._capacity

    def _size(self) -> int:
        return sum([segment.size for segment in self._segments])

    def _drop_oldest(self) -> None:
        segment = self._segments[0]
        after = [other.first for other in self._segments[1:2]] + [seq for seq, _ in self._ram[:1]]
        self.dropped += segment.count
        self.confirmed = max(self.confirmed, min(after or [self.next]) - 1)
        self._write_mark()
        self._remove(segment)

    def _thin(self) -> bool:
        """Rewrite the older half of the segments with every second record. False if too few."""
        half = self._segments[: len(self._segments) // 2]
        before = self._size()
        # First the count, then the records: what is in between was not lost after all.
        self._write_next(sum([segment.count // 2 for segment in half]))
        for segment in half:
            count = segment.count
            try:
                segment.thin_out(self.confirmed)
            except OSError as error:
                log.error("%s is not thinned out: %s", segment.path, error)
            self.dropped += count - segment.count
            self._count -= count - segment.count
        self._write_mark()
        return before - self._size() >= BYTES

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
