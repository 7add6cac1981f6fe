"""A payload on its way, byte for byte: loaded with the first one."""

from binascii import unhexlify

from micropython import const

from . import at
from .payload import REST

_LF = const(10)
_CR = const(13)
_AROUND = b' "'  # may stand around data
_PIECE = const(256)  # bytes handed out at once, but for hex digits: ring.py
_CODES = (b"0", b"OK", b"3", b"4", b"ERROR")
_ENDS = (_CR, _LF)
_HELD = const(12)  # the longest of them with its line ends


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
        if self._ends_of_header and not _skip_ends(self, ring):
            return False
        want = self.want
        if want is REST and self._same_line:
            return _feed_line(self, ring)
        if self.handler.hex:
            self.ring = ring
            if _hex.send(self):
                return False
            if self._got < want:  # it has ended early
                _end(self, self._got)
                return True
        else:
            while self._got != want:
                if not _feed_raw(self, ring):
                    return False
        if self._same_line:
            c = ring.skip(_AROUND)
            if c < 0:
                return False
            if c != _CR and c != _LF:
                ring.skip_line()
                _end(self, want + 1)
                return True
        _end(self, want)
        return True

    def give_up(self, ring=None) -> None:
        """No more bytes have come in time. A result code that a length too long has made part of
        a body stays in the ring, to be read as what it is.
        """
        if ring is not None and not self._same_line and not self._ends_of_header:
            view = ring.take(min(ring.unread, _HELD))
            n = _before_code(bytes(view))
            _hand_out(self, view[:n])
            ring.untake(len(view) - n)
        _end(self, self._got)


def _skip_ends(pending, ring) -> bool:
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
    pending._ends_of_header = False
    return True


def _feed_raw(pending, ring) -> bool:
    n = min(ring.unread, _PIECE)
    if pending.want is not REST and pending.want - pending._got <= n:
        n = pending.want - pending._got
    elif not pending._same_line:
        n -= _HELD  # they may be the result code
    if n <= 0:
        return False
    _hand_out(pending, ring.take(n))
    return True


def _feed_line(pending, ring) -> bool:
    """The rest of the line is the payload."""
    view = ring.take(min(ring.unread, _PIECE))
    n = 0
    while n < len(view) and view[n] != _CR and view[n] != _LF:
        n += 1
    _hand_out(pending, view[:n])
    if n == len(view):
        return False
    ring.untake(len(view) - n)
    pending.want = pending._got
    _end(pending, pending._got)
    return True


def _hand_out(pending, data) -> None:
    pending._got += len(data)
    if pending._fault is None:
        try:
            pending.handler.data(data)
        except Exception as error:  # the rest is a payload all the same, and no lines
            pending._fault = error


def _end(pending, got: int) -> None:
    error = None
    if pending.want is REST:
        if pending._same_line:
            error = at.BadAnswer("a payload that does not end")
    elif got != pending.want or pending._fault is not None:
        error = at.PayloadError(got, pending.want)
    pending.handler.end(error)
    if pending._fault is not None:
        raise pending._fault


def _feed_hex():
    """A generator, so that no piece costs an allocation for it: is sent payloads that come as hex
    digits, and feeds them. Yields whether more is to come.
    """
    more = False
    while True:
        pending = yield more
        ring = pending.ring
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
