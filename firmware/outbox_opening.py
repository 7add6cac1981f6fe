"""Opening an outbox in which something waits, or whose files are not as an ack leaves them."""

from . import log, marks, marks_found
from .files import is_removed, put_aside
from .outbox import SUFFIX
from .segment import NEW, Segment, read, sound


def settle(box, paths: list, all_seen: bool) -> None:
    """Find out what waits, what is confirmed and what is lost.

    paths    -- of all files in the folder, or folders, of the queue
    all_seen -- whether there was nothing that could not be listed
    """
    known = _read_marks(box, paths)
    box._has_next = box._folder + marks.NEXT in paths
    for path in paths:
        if path.endswith(SUFFIX):
            _take(box, path, paths)
        elif path.endswith(NEW):
            is_removed(path)  # a write that was cut off
    box._segments.sort(key=lambda segment: segment.first)
    box._find_doubles()
    is_known, missing = known.is_known, known.missing
    if not known.next and box._segments:  # that mark is lost
        is_known = False
    elif known.reserved == box.confirmed + 1:  # nothing waits
        missing = 0
    after = [segment.last + 1 for segment in box._segments] + [box.confirmed + 1]
    box.next = max(after + [box.next, known.next])
    if box.next < known.reserved:  # it can only be said that those below were reserved
        log.tell("numbers %d to %d are left out, a mark is lost", box.next, known.reserved - 1)
        box.next = known.reserved
    if box._segments and not is_known:  # what is gone may have been confirmed
        box.confirmed = max(box.confirmed, box._segments[0].first - 1)
    lost = 0 if missing is None else box._missing() - missing
    if lost > 0:
        log.tell(
            "1 record is lost, flash is damaged"
            if lost == 1
            else "%d records are lost, flash is damaged" % lost
        )
    elif not known.is_agreed:
        lost = 0  # less than was known, because ack() was cut off
    box.dropped = max(box.dropped + lost, 0)  # some may have been found again
    if all_seen and not box._segments and not box._refused:
        box.confirmed = box.next - 1
    if lost or not (is_known and known.is_whole) or box.confirmed != known.confirmed:
        box._write_mark()
        box._write_next()
    elif box._has_next and not box._segments:  # ack() was cut off
        box._write_next()


def _read_marks(box, paths: list) -> marks_found.Marks:
    places = marks_found.places(paths)
    others = [path for path in paths if path.endswith(SUFFIX)]
    known = marks_found.found(places, others, box._reserve)
    box._reserved = known.reserved
    box.confirmed = known.confirmed
    box.dropped = box._counted = known.dropped
    if not known.is_whole:
        for path in places:
            _rescue(box, path, paths)
    return known


def _rescue(box, path: str, paths: list) -> None:
    """A segment that stands in the place of a mark gets a name of its own."""
    try:
        if any(True for _ in sound(read(path))):
            better = box._free_path(paths)
            if put_aside(path, better):
                paths.append(better)
    except OSError:
        return  # there is none, or it stays where it is


def _take(box, path: str, paths: list) -> None:
    """A segment that was found: keep it, or remove it when nothing in it waits."""
    segment = Segment(path)
    try:
        is_ours = segment.examine(box.confirmed) or not segment.size
    except OSError as error:
        log.tell("%s cannot be read: %s", path, error)
        box._refused.append(path)  # until it can, or nothing waits
        return
    if not is_ours and segment.size in marks.SIZES:
        _rescue(box, box._reserve, paths)  # the mark beside the folder: it has its place
    if segment.count:
        box._segments.append(segment)
    elif not (segment.is_removed() if is_ours else segment.is_aside()):
        box._refused.append(path)
