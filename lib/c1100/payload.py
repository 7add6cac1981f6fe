"""A counted payload inside the line stream: +LSIPRTCP, +MQTTMSG, the body of an HTTP answer.

A payload may hold anything, terminators and result codes among it. No byte is ever invented: what
ends early is reported as PayloadError, with the bytes that really came already delivered. Nor is
one lost unnoticed: a header that cannot be read is told to its handler, and the lines go on.

A handler says where payloads go:

    fields             parameters of the header in front of the payload; 0 if it begins on the
                       line behind the header, as a body does that a result code follows
    hex                whether it comes as hex digits
    shape              of the header's parameters (at.read); left out: as at.params gives them
    limit              bytes of the longest payload that can be; left out: any
    begin(values)      with the header's parameters; returns the payload's length in bytes, or
                       REST. May raise BadAnswer when they make no sense
    data(view)         a piece, valid until the call returns
    end(error)         None, the PayloadError, or BadAnswer for what no payload can have
    damaged(line)      instead of all that: a line that begins as the header does and is none.
                       May be left out
"""

from micropython import const

from . import at, dialect

TYPE_CHECKING = const(0)  # those who check types take it for true


# As a length: all that is left of the line; behind a header, all that comes until silence.
REST = None


class Unheard:
    """Takes payloads that nobody waits for: their bytes must not be read as lines.

    fields -- of the header; index -- of the length among its parameters, -1: it tells none
    """

    hex = False
    limit = 16384

    def __init__(self, fields: int, index: int) -> None:
        self.fields = fields
        self._index = index

    def begin(self, values: list) -> int | None:
        if self._index < 0:
            return REST
        return (values[self._index] if self._index < len(values) else 0) or 0

    def data(self, view) -> None:
        """Nobody wants it."""

    def end(self, error) -> None:
        """Nor to know how it went."""


def unheard() -> dict:
    """Prefix -> handler of the payloads that come without being asked for, or too late."""
    fields = dialect.MQTT_MESSAGE_FIELDS
    index = fields.index("length") if "length" in fields else -1
    return {
        dialect.MQTT_MESSAGE: Unheard(len(fields), index),
        dialect.prefix("HTTP_GET"): Unheard(0, 2),
        dialect.prefix("HTTP_POST"): Unheard(0, 2),
    }


def find(handlers: dict, name: str):
    """The handler of a prefix, with or without its LS; None if there is none."""
    return handlers.get(name) or handlers.get(at.other(name))


def header(ring, handlers: dict) -> "Payload | bool | None":
    """Look for the header of a payload that starts on its own line.

    handlers -- prefix -> handler, of those with fields

    Returns the Payload, its header consumed; True if the header has not come completely; False if
    what comes next is no such header; None for one that cannot be read: it is consumed with its
    line, and told to its handler. Raises what the handler raises.
    """
    view = ring.name()
    if view is None:
        return False
    name = at.text(view).rstrip()
    handler = find(handlers, name)
    if handler is None or not handler.fields:
        return False
    from .announced import read

    return read(ring, handler, name, len(view))


def hand(handler, values: list, data: bytes) -> None:
    """Hand out a payload that has come completely. Raises what the handler raises."""
    n = len(data)
    try:
        fits = handler.begin(values) == n
    except at.BadAnswer as error:
        handler.end(error)
        return
    whole = False
    try:
        if fits:
            handler.data(data)
            whole = True
    finally:
        handler.end(None if whole else at.PayloadError(n, n))


# The rest has a name here as well: loaded with the first payload.
if TYPE_CHECKING:
    from .announced import begin, refuse, spoil, start  # noqa: F401 -- payload.begin and the others
    from .counted import Payload
else:

    def __getattr__(name: str):
        if name[0] == "_":  # what an import looks for
            raise AttributeError(name)
        from . import announced

        return getattr(announced, name)
