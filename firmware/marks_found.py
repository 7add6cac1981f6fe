"""What the marks of an outbox say, where one may be damaged, missing, or in another's place."""

from collections import namedtuple

from . import marks

_COUNTS = {marks.CONFIRMED[-4:]: 2, marks.NEXT[-4:]: 4}  # of numbers

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
    return [path for path in paths if path[path.rfind("/") :] in (marks.CONFIRMED, marks.NEXT)]


def found(paths: list, others: list, reserved: str) -> Marks:
    """What the marks say that places() has given.

    others -- where one may be that is not in its place
    reserved -- path of the one beside the folder
    """
    blocks = [marks.numbers(path) for path in paths]
    is_whole = bool(blocks)
    for path, block in zip(paths, blocks):
        is_whole = is_whole and block is not None and len(block) == _COUNTS[path[-4:]]
    if not is_whole:
        blocks += [marks.numbers(path) for path in others + [reserved]]
    confirmed = _latest(blocks, 2)
    following = _latest(blocks, 4)
    if following is None:
        ahead, done, dropped = _latest(blocks + [marks.numbers(reserved)], 3) or (0, 0, 0)
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
