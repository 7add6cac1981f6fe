"""The header of a payload, and what it announces: loaded with the first one (payload.py)."""

from micropython import const

from . import at
from .counted import Payload
from .payload import REST

_LF = const(10)
_CR = const(13)
_QUOTE = const(34)
_COMMA = const(44)
_LONGEST_HEADER = const(256)


def read(ring, handler, name: str, begin: int) -> Payload | bool | None:
    """What payload.header() returns of a line that may be a header of this handler.

    name -- its prefix, of which begin bytes are there
    """
    ring.learn(name)
    view = ring.head()
    n = min(len(view), _LONGEST_HEADER)
    left = handler.fields  # commas to come
    quoted = False
    for i in range(begin, n):
        c = view[i]
        if c in (_CR, _LF):
            return False
        if c == _QUOTE:
            quoted = not quoted
        elif c == _COMMA and not quoted:
            left -= 1
            if not left:
                line = at.text(view[:i])
                ring.take(i + 1)
                found = None
                try:
                    found = start(handler, line)
                finally:
                    if found is None:
                        ring.skip_line()
                return found
    if n < _LONGEST_HEADER:
        return True
    line = at.text(view[:n])  # commas are missing: it would be dropped as a line that is too long
    ring.skip_line()
    spoil(handler, line)
    return None


def start(handler, line: str) -> Payload | None:
    """The payload that a header announces; None if the header is damaged, which is told to the
    handler. Raises what the handler raises.
    """
    values = at.read(line, getattr(handler, "shape", ""))
    if values is None:
        spoil(handler, line)
        return None
    try:
        return begin(handler, values)
    except at.BadAnswer as error:
        handler.end(error)
    return None


def refuse(handler, error: at.BadAnswer) -> None:
    """What was announced can be no payload."""
    handler.end(error)


def begin(handler, values: list, spare: Payload | None = None) -> Payload:
    """The payload whose header has these values. Raises BadAnswer if it can be none, and what the
    handler raises.

    spare -- one that has ended, to be used again
    """
    if spare is None:
        spare = Payload(handler, values)
    else:
        spare.__init__(handler, values)
    want = spare.want
    if want is not REST:
        limit = getattr(handler, "limit", None)
        if not isinstance(want, int) or want < 0 or (limit is not None and want > limit):
            raise at.BadAnswer("a payload of %s bytes" % want)
    return spare


def spoil(handler, line: str) -> None:
    """Tell a handler of a line that should have been the header of a payload."""
    damaged = getattr(handler, "damaged", None)
    if damaged is not None:
        damaged(line)
