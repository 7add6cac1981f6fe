"""The answer to an HTTP request as the module tells it (manual 3.7.3): three numbers, then a body.

The manual's figures are lost. So the result code may come first or last, the numbers may stand
behind the body, and the length may be wrong or missing: what can be told apart is accepted.
"""

import asyncio

from micropython import const

from . import at, payload

_CODE_MS = const(7000)  # behind the body, until no result code comes any more
# A result code that stands between the numbers and the body
_CODES = (b"0\r\n", b"0\r", b"OK\r\n", b"\r\nOK\r\n")
_WORDS = (b"0", b"OK")
_EDGE = const(8)  # bytes: longer than any of them


class Response:
    """status_code, content, text, json(); ``with`` and close() as users of requests expect."""

    def __init__(self, status_code: int, content: bytes) -> None:
        self.status_code = status_code
        self.content = content

    @property
    def text(self) -> str:
        """The content as UTF-8; if it is none, each byte beyond ASCII is U+FFFD."""
        try:
            return str(self.content, "utf-8")
        except UnicodeError:
            return "".join([chr(c) if c < 128 else "\ufffd" for c in self.content])

    def json(self) -> object:
        """The object that the content is. Raises ValueError, whatever the server has sent."""
        import json

        try:
            return json.loads(self.content)
        except (RuntimeError, MemoryError, TypeError):
            raise ValueError("nested too deeply, or too large")

    def close(self) -> None:
        self.content = b""

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        self.close()


class Answer:
    """Takes the numbers and the body (payload.py).

    limit -- bytes of the longest body that is kept; sink -- gets each piece instead
    """

    fields = 0
    hex = False
    shape = "SSS"

    def __init__(self, channel, form, limit: int, sink) -> None:
        self._channel = channel
        self._form = form
        self._limit = limit
        self._sink = sink
        self._numbers = []
        self._length: int | None = None
        self._content = bytearray()
        self._head = b""  # the first bytes of the body
        self._tail = b""  # and the last
        self._error: Exception | None = None
        self._before = ""  # the last line in front of the numbers that nobody has claimed
        self._overflows = channel.ring.overflows
        self.ended = asyncio.Event()

    def begin(self, values: list) -> int | None:
        if self.ended.is_set() or values[:2] == [None, None]:
            return 0  # nothing, or the same once more
        self._before = self._channel.last_unknown
        self._numbers = [_number(text) for text in values[:3]]
        length = self._numbers[2]
        if values[2] is None:
            length = 0 if self._numbers[0] else payload.REST
        elif length is None or length < 0:
            self._error = at.BadAnswer("the body's length is %s" % values[2], self._form.send)
            length = payload.REST
        elif self._sink is None and length > self._limit:
            self._too_long(length)
        self._length = length
        return length

    def data(self, view) -> None:
        if len(self._head) < _EDGE:
            self._head += bytes(view[:_EDGE])
        self._tail = (self._tail + bytes(view[-_EDGE:]))[-_EDGE:]
        if self._error is not None:
            return
        if self._sink is None and len(self._content) + len(view) > self._limit:
            self._too_long(len(self._content) + len(view))
        elif self._sink is None:
            self._content.extend(view)
        else:
            try:
                self._sink(view)
            except Exception as error:  # the caller's own: it gets it back
                self._error = error

    def _too_long(self, length: int) -> None:
        self._error = at.Overflow("the body has %d bytes, %d allowed" % (length, self._limit))

    def end(self, error) -> None:
        if self.ended.is_set() or not self._numbers:
            return
        self._error = self._error or error
        self._channel.last_unknown = ""
        self._channel.hurry(self._form, _CODE_MS)
        self.ended.set()

    def look_back(self) -> None:
        """The numbers may have come right behind the body, on its last line.

        Raises BadAnswer when that line was too long to be kept.
        """
        if self._channel.ring.overflows != self._overflows:
            raise at.BadAnswer("a body, and no numbers in front of it", self._form.send)
        line = self._channel.last_unknown
        for name in (self._form.answer, at.bare(self._form.answer)):
            i = line.rfind(name)
            values = at.read(line[i:], self.shape) if i > 0 else None
            if values is not None:
                length = self.begin(values)
                self._before = line[:i]
                self.end(at.PayloadError(0, length) if length else None)
                return

    @property
    def strange(self) -> bool:
        """Whether the body begins with what may not be its own: then more of it may come."""
        head = self._head
        return head[:1] in (b"\r", b"\n") or any(head.startswith(code) for code in _CODES)

    def response(self, coded: bool, sent) -> Response:
        """What has come.

        coded -- whether a result code has come besides; sent -- the request's body

        Raises BadAnswer, Refused when no answer came from the server, and with the attribute
        ``status`` what is wrong with the body of an answer: Overflow, PayloadError, BadAnswer.
        """
        failed, status, _ = self._numbers or (None, None, None)
        if failed:
            raise at.Refused("no answer from the server: error %d" % failed, self._form.send)
        if failed is None or status is None or not 100 <= status <= 599:
            raise at.BadAnswer("no status", self._form.send)
        try:
            content = self._body(coded, sent)
        except at.C1100Error as error:
            error.status = status
            raise
        return Response(status, content)

    def _body(self, coded: bool, sent) -> bytes:
        error = self._error
        nothing = isinstance(error, at.PayloadError) and not error.got
        if nothing or (error is None and not coded and self._head.strip() in _WORDS):
            # Nothing behind the numbers: the body may have stood in front of them.
            line = self._before.encode()
            if len(line) == self._length and "?" not in self._before and line != sent:
                if self._sink is not None:
                    self._sink(line)
                return line if self._sink is None else b""
        if error is not None:
            raise error
        if self._length is payload.REST:
            if not coded:
                raise at.BadAnswer("neither a length nor a result code", self._form.send)
            return bytes(self._content)
        return self._whole(bytes(self._content), self._length or 0, coded)

    def _whole(self, content: bytes, length: int, coded: bool) -> bytes:
        """The body, if what came behind it does not tell that it is another."""
        more = self._channel.last_unknown
        if _is_nobodys(more):
            more = ""
        rest = self._channel.leftover() if not coded or self.strange else b""
        for code in ("0", "OK"):
            if not coded and more.endswith(code):
                more = more[: -len(code)]
                break
        if not coded and rest in _WORDS:
            rest = b""  # whose line end was lost
        rest = more.encode() + rest
        known = self._sink is None and "?" not in more  # else it is not what has come
        if rest and known and len(rest) in _in_front(content):
            return content[len(rest) :] + rest
        if rest or (not coded and self._has_code()):
            raise at.PayloadError(length + len(rest), length, self._form.send)
        return content

    def _has_code(self) -> bool:
        """Whether a result code may be part of the body: then it is not known what is."""
        end = self._tail.rstrip(b"\r\n")
        if end[-1:] == b"0" or end[-2:] == b"OK":
            return True
        return any(self._head.startswith(code) for code in _CODES)


def _in_front(content: bytes) -> list:
    """How many bytes at its beginning may be none of the body: line ends, or a line of nobody."""
    n = len(content) - len(content.lstrip(b"\r\n"))
    end = n
    while end < len(content) and content[end] not in b"\r\n":
        end += 1
    if end > n and _is_nobodys(at.text(content[n:end])):
        return [n, end + 1, end + 2]
    return [n]


def _is_nobodys(line: str) -> bool:
    return bool(line) and (line[0] in at.MARKS or at.result(line) is not None)


def _number(text: str | None) -> int | None:
    values = at.read(text or "", "i")
    return values[0] if values else None
