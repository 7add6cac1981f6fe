"""A counted payload inside the line stream: +LSIPRTCP, +MQTTMSG, the body of an HTTP answer.

A payload may hold anything, terminators and result codes among it. No byte is ever invented: what
ends early is reported as PayloadError, with the bytes that really came already delivered.

A handler says where payloads go:

    fields             parameters of the header in front of the payload; 0 if it begins on the
                       line behind the header
    hex                whether it comes as hex digits
    begin(values)      with the header's parameters; returns the payload's length in bytes
    data(view)         a piece, valid until the call returns
    end(error)         None, or the PayloadError
"""

from binascii import unhexlify

from . import at

_LF = 10
_CR = 13
_QUOTE = 34
_COMMA = 44
_PIECE = 256  # bytes handed out at once
_LONGEST_HEADER = 256


class Payload:
    """What is still to come for a handler. Sans-IO: fed from a ring."""

    def __init__(self, handler, values: list) -> None:
        self._handler = handler
        self._want = handler.begin(values)
        self._got = 0
        self._ended = False
        self._same_line = handler.fields > 0
        self._skip_lf = not self._same_line

    def feed(self, ring) -> bool:
        """Take what is there. Returns True when the payload has ended, well or not."""
        if self._skip_lf:
            # The header's line ended with CR; its LF, if it has one, is not payload.
            if ring.next() < 0:
                return False
            if ring.next() == _LF:
                ring.take(1)
            self._skip_lf = False
        while self._got < self._want:
            if not (self._feed_hex(ring) if self._handler.hex else self._feed_raw(ring)):
                return False
            if self._ended:
                return True
        if self._same_line:
            c = ring.next()
            if c < 0:
                return False
            if c != _CR and c != _LF:
                ring.skip_line()
                self._end(self._got + 1)
                return True
        self._end(self._got)
        return True

    def give_up(self) -> None:
        """No more bytes have come in time."""
        self._end(self._got)

    def _feed_raw(self, ring) -> bool:
        n = min(self._want - self._got, ring.unread, _PIECE)
        if not n:
            return False
        self._got += n
        self._handler.data(ring.take(n))
        return True

    def _feed_hex(self, ring) -> bool:
        n = min(2 * (self._want - self._got), ring.unread & ~1, _PIECE)
        # A payload that ends early ends with a terminator, which may stand in an odd place.
        if not n and not (ring.unread and ring.next() in (_CR, _LF)):
            return False
        view = ring.take(n)
        good = 0
        while good < n and _is_hex(view[good]) and _is_hex(view[good + 1]):
            good += 2
        if good:
            self._got += good // 2
            self._handler.data(unhexlify(view[:good]))
        if good < n or not n:
            ring.untake(n - good)
            self._end(self._got)
        return True

    def _end(self, got: int) -> None:
        self._ended = True
        self._handler.end(None if got == self._want else at.PayloadError(got, self._want))


def _is_hex(c: int) -> bool:
    return 48 <= c <= 57 or 65 <= c <= 70 or 97 <= c <= 102


def header(ring, handlers: dict) -> Payload | bool:
    """Look for the header of a payload that starts on its own line.

    handlers -- prefix -> handler, of those with fields

    Returns the Payload, its header consumed; True if the header has not come completely; False if
    what comes next is no such header.
    """
    view = ring.head()
    if view is None or view[0] not in b"+^":
        return False
    handler = None
    left = 0  # commas to come
    quoted = False
    for i in range(min(len(view), _LONGEST_HEADER)):
        c = view[i]
        if c in (_CR, _LF):
            return False
        if handler is None:
            if c in b":=":
                handler = handlers.get(at.text(view[:i]).strip())
                if handler is None or not handler.fields:
                    return False
                left = handler.fields
        elif c == _QUOTE:
            quoted = not quoted
        elif c == _COMMA and not quoted:
            left -= 1
            if not left:
                values = at.params(at.text(view[:i]))
                ring.take(i + 1)
                return Payload(handler, values)
    return len(view) < _LONGEST_HEADER
