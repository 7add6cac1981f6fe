"""What an outbox does when it is full, or when a file of it cannot be read any more."""

from . import log
from .outbox import Full
from .segment import BYTES, Segment


def make_room(box) -> None:
    """Before a new segment is begun: keep within the capacity."""
    while box._segments and not box._has_room():
        if box._policy == "newest":
            raise Full("%d bytes wait to be sent" % box._size())
        if box._policy == "thin" and _thin(box):
            continue
        _drop_oldest(box)


def _drop_oldest(box) -> None:
    segment = box._segments[0]
    after = [other.first for other in box._segments[1:2]] + [seq for seq, _ in box._ram[:1]]
    box.dropped += segment.count
    box.confirmed = max(box.confirmed, min(after or [box.next]) - 1)
    box._write_mark()
    box._remove(segment)


def _thin(box) -> bool:
    """Rewrite the older half of the segments with every second record. False if too few."""
    half = box._segments[: len(box._segments) // 2]
    before = box._size()
    # First the count, then the records: what is in between was not lost after all.
    box._write_next(sum([segment.count // 2 for segment in half]))
    for segment in half:
        count = segment.count
        try:
            segment.thin_out(box.confirmed)
        except OSError as error:
            log.error("%s is not thinned out: %s", segment.path, error)
        box.dropped += count - segment.count
        box._count -= count - segment.count
    box._write_mark()
    return before - box._size() >= BYTES


def give_up(box, segment: Segment, error: OSError) -> None:
    """A segment that could be read when the queue was opened, and cannot be read now."""
    log.tell("%s cannot be read: %s", segment.path, error)
    box._segments.remove(segment)
    box._count -= segment.count
    box.dropped += segment.count
    box._refused.append(segment.path)
    box._write_mark()
    box._write_next()
