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

from binascii import unhexlify

from . import at, dialect

_LF = 10
_CR = 13
_QUOTE = 34
_COMMA = 44
_AROUND = b' "'  # may stand around data
_PIECE = 256  # bytes handed out at once, but for hex digits: ring.py
_LONGEST_HEADER = 256
_CODES = (b"0", b"OK", b"3", b"4", b"ERROR")
_ENDS = (_CR, _LF)
_HELD = 12  # the longest of them with its line ends

# As a length: all that is left of the line; behind a header, all that comes until silence.
REST = None


class Payload:
    """What is still to come for a handler. Sans-IO: fed from a ring.

    want -- bytes announced, or REST
    """

    def __init__(self, handler, values: list) -> None:
        self.want = handler.begin(values)
        self.handler = handler
        self._got = 0
        self._fault: Exception | None = None  # of the handler, while data came
        self._same_line = handler.fields > 0
        self._ends_of_header = not self._same_line

    def feed(self, ring) -> bool:
        """Take what is there. Returns True when the payload has ended, well or not.

        Raises what the handler has raised, once the payload has ended.
        """
        if self._ends_of_header and not self._skip_ends(ring):
            return False
        want = self.want
        if want is REST and self._same_line:
            return self._feed_line(ring)
        if self.handler.hex:
            self._ring = ring
            if _hex.send(self):
                return False
            if self._got < want:  # it has ended early
                self._end(self._got)
                return True
        else:
            while self._got != want:
                if not self._feed_raw(ring):
                    return False
        if self._same_line:
            c = ring.skip(_AROUND)
            if c < 0:
                return False
            if c != _CR and c != _LF:
                ring.skip_line()
                self._end(want + 1)
                return True
        self._end(want)
        return True

    def give_up(self, ring=None) -> None:
        """No more bytes have come in time. A result code that a length too long has made part of
        a body stays in the ring, to be read as what it is.
        """
        if ring is not None and not self._same_line and not self._ends_of_header:
            view = ring.take(min(ring.unread, _HELD))
            n = _before_code(bytes(view))
            self._hand_out(view[:n])
            ring.untake(len(view) - n)
        self._end(self._got)

    def _skip_ends(self, ring) -> bool:
        """Pass over what ends the header besides its first CR: LF, or CR LF."""
        view = ring.take(min(ring.unread, 2))
        n = len(view)
        if not n or (n == 1 and view[0] == _CR):
            ring.untake(n)
            return False
        if view[0] == _LF:
            ring.untake(n - 1)
        elif view[0] != _CR or view[1] != _LF:
            ring.untake(n)
        self._ends_of_header = False
        return True

    def _feed_raw(self, ring) -> bool:
        n = min(ring.unread, _PIECE)
        if self.want is not REST and self.want - self._got <= n:
            n = self.want - self._got
        elif not self._same_line:
            n -= _HELD  # they may be the result code
        if n <= 0:
            return False
        self._hand_out(ring.take(n))
        return True

    def _feed_line(self, ring) -> bool:
        """The rest of the line is the payload."""
        view = ring.take(min(ring.unread, _PIECE))
        n = 0
        while n < len(view) and view[n] != _CR and view[n] != _LF:
            n += 1
        self._hand_out(view[:n])
        if n == len(view):
            return False
        ring.untake(len(view) - n)
        self.want = self._got
        self._end(self._got)
        return True

    def _hand_out(self, data) -> None:
        self._got += len(data)
        if self._fault is None:
            try:
                self.handler.data(data)
            except Exception as error:  # the rest is a payload all the same, and no lines
                self._fault = error

    def _end(self, got: int) -> None:
        error = None
        if self.want is REST:
            if self._same_line:
                error = at.BadAnswer("a payload that does not end")
        elif got != self.want or self._fault is not None:
            error = at.PayloadError(got, self.want)
        self.handler.end(error)
        if self._fault is not None:
            raise self._fault


def _feed_hex():
    """A generator, so that no piece costs an allocation for it: is sent payloads that come as hex
    digits, and feeds them. Yields whether more is to come.
    """
    more = False
    while True:
        pending = yield more
        ring = pending._ring
        want = pending.want
        got = pending._got
        more = False
        while got != want:
            view = ring.digits(2 * (want - got), not got)
            if view is None:
                # What ends early ends with a terminator, which may stand in an odd place.
                more = ring.next() not in _ENDS
                break
            n = len(view)
            try:
                data = unhexlify(view)
            except ValueError:  # what is no digit ends it
                good = 0
                while _is_hex(view[good]) and _is_hex(view[good + 1]):
                    good += 2
                data = unhexlify(view[:good])
                ring.untake(n - good)
                n = 0
            got += len(data)
            if data and pending._fault is None:
                try:
                    pending.handler.data(data)
                except Exception as error:  # the rest is a payload all the same, and no lines
                    pending._fault = error
            if not n:
                break
        pending._got = got


_hex = _feed_hex()
next(_hex)


def _before_code(data: bytes) -> int:
    """How many bytes stand in front of the result code that ends some, and of its line ends."""
    line = data.rstrip(b"\r\n")
    if len(line) < len(data):
        for code in _CODES:
            if line.endswith(code):
                line = line[: -len(code)]
                if line[-1:] == b"\n":
                    line = line[:-1]
                while line[-1:] == b"\r":
                    line = line[:-1]
                return len(line)
    return len(data)


def _is_hex(c: int) -> bool:
    return 48 <= c <= 57 or 65 <= c <= 70 or 97 <= c <= 102


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


def header(ring, handlers: dict) -> Payload | bool | None:
    """Look for the header of a payload that starts on its own line.

    handlers -- prefix -> handler, of those with fields

    Returns the Payload, its header consumed; True if the header has not come completely; False if
    what comes next is no such header; None for one that cannot be read: it is consumed with its
    line, and told to its handler. Raises what the handler raises.
    """
    view = ring.name()
    if view is None:
        return False
    begin = len(view)
    name = at.text(view).rstrip()
    handler = find(handlers, name)
    if handler is None or not handler.fields:
        return False
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
