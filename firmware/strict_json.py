"""JSON as RFC 8259 writes it, and nothing else.

MicroPython's own reader lets much pass that is no JSON, and gives it another meaning: a value that
is missing takes its name with it, commas and colons are blanks, the first of two sections of a
name is lost. Here all that is an error which says where it is:

    >>> loads(b'{"report": {"period_s": }}')
    ValueError: line 1, column 25: a value is missing

Refused besides: a name twice in one object, half a surrogate pair, a byte order mark, and more
than 16 levels. No error quotes the text, except for a name that is there twice.
"""

from micropython import const

_DEPTH = const(16)
_NONE = const(-1)  # in place of a byte: the text has ended
_QUOTE = const(0x22)
_BACKSLASH = const(0x5C)
_COMMA = const(0x2C)
_COLON = const(0x3A)
_MINUS = const(0x2D)
_ZERO = const(0x30)
_NINE = const(0x39)
_WHITE = b" \t\n\r"
_OPENING = b"{["
_CLOSING = {0x7B: 0x7D, 0x5B: 0x5D}
_WORDS = {0x74: (b"true", True), 0x66: (b"false", False), 0x6E: (b"null", None)}
_ESCAPES = {
    0x22: b'"',
    0x5C: b"\\",
    0x2F: b"/",
    0x62: b"\b",
    0x66: b"\f",
    0x6E: b"\n",
    0x72: b"\r",
    0x74: b"\t",
}
_HEX = b"0123456789abcdefABCDEF"
_MARKS = (b"\xef\xbb", b"\xfe\xff", b"\xff\xfe")  # the first two bytes of byte order marks


def loads(text):
    """The value in a text, bytes of UTF-8 or str. Raises ValueError: where, and what is wrong."""
    return _Reader(text.encode() if isinstance(text, str) else text).all()


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    def all(self):
        """The one value that the text is."""
        if self._text[:2] in _MARKS:
            raise self._error("a byte order mark: save the text as UTF-8 without one")
        holders = []  # the lists and objects around, each with the byte that closes it and a name
        while True:
            first = self._next()
            if first in _CLOSING:
                if len(holders) == _DEPTH:
                    raise self._error("more than %d levels" % _DEPTH)
                self._at += 1
                value = {} if first == _OPENING[0] else []
                closing = _CLOSING[first]
                if self._next() != closing:
                    name = self._name(value) if isinstance(value, dict) else None
                    holders.append((value, closing, name))
                    continue
                self._at += 1
            else:
                value = self._scalar(first)
            while holders:  # a value has ended
                holder, closing, name = holders.pop()
                if isinstance(holder, dict):
                    holder[name] = value
                else:
                    holder.append(value)
                following = self._next()
                if following == _COMMA:
                    self._at += 1
                    name = self._name(holder) if isinstance(holder, dict) else None
                    holders.append((holder, closing, name))
                    break
                if following != closing:
                    raise self._error("a comma or %s is missing" % chr(closing))
                self._at += 1
                value = holder
            else:
                if self._next() != _NONE:
                    raise self._error("something follows behind the end")
                return value

    def _error(self, what: str) -> ValueError:
        before = self._text[: self._at].split(b"\n")
        column = 1 + len([byte for byte in before[-1] if byte & 0xC0 != 0x80])
        return ValueError("line %d, column %d: %s" % (len(before), column, what))

    def _byte(self) -> int:
        return self._text[self._at] if self._at < len(self._text) else _NONE

    def _next(self) -> int:
        """The byte behind white space."""
        text = self._text
        at = self._at
        while at < len(text) and text[at] in _WHITE:
            at += 1
        self._at = at
        return self._byte()

    def _name(self, holder: dict) -> str:
        """A name and its colon."""
        if self._next() != _QUOTE:
            raise self._error("a name in double quotes is missing")
        begin = self._at
        name = self._string()
        if name in holder:
            self._at = begin
            raise self._error('"%s" is there twice' % name[:32])
        if self._next() != _COLON:
            raise self._error("a colon is missing")
        self._at += 1
        return name

    def _scalar(self, first: int):
        if first == _QUOTE:
            return self._string()
        if first == _MINUS or _ZERO <= first <= _NINE:
            return self._number()
        if first in _WORDS:
            word, value = _WORDS[first]
            if self._text[self._at : self._at + len(word)] == word:
                self._at += len(word)
                return value
        raise self._error("a value is missing")

    def _number(self):
        begin = self._at
        if self._byte() == _MINUS:
            self._at += 1
        zero = self._byte() == _ZERO
        if self._digits() > 1 and zero:
            self._at = begin
            raise self._error("a number with zeros in front")
        whole = True
        if self._byte() == 0x2E:
            whole = False
            self._at += 1
            self._digits()
        if self._byte() in (0x45, 0x65):
            whole = False
            self._at += 1
            if self._byte() in (0x2B, _MINUS):
                self._at += 1
            self._digits()
        number = self._text[begin : self._at].decode()
        try:
            return int(number) if whole else float(number)
        except (ValueError, OverflowError):
            self._at = begin
            raise self._error("a number that is too long")

    def _digits(self) -> int:
        begin = self._at
        while _ZERO <= self._byte() <= _NINE:
            self._at += 1
        if self._at == begin:
            raise self._error("a digit is missing")
        return self._at - begin

    def _string(self) -> str:
        text = self._text
        opened = self._at
        parts = []
        begin = at = opened + 1
        while True:
            byte = text[at] if at < len(text) else _NONE
            if byte == _QUOTE:
                break
            if byte < 0x20:
                if byte in (_NONE, 0x0A, 0x0D):
                    self._at = opened
                    raise self._error("a text that does not end on its line")
                self._at = at
                raise self._error("a control character in a text")
            at += 1
            if byte == _BACKSLASH:
                parts.append(text[begin : at - 1])
                self._at = at
                parts.append(self._escaped())
                begin = at = self._at
        parts.append(text[begin:at])
        self._at = at + 1
        value = _decoded(b"".join(parts))
        if value is None:
            self._at = opened
            raise self._error("a text that is not UTF-8")
        return value

    def _escaped(self) -> bytes:
        """What an escape stands for. The backslash has been read."""
        byte = self._byte()
        if byte in _ESCAPES:
            self._at += 1
            return _ESCAPES[byte]
        begin = self._at - 1
        code = self._unit()
        if code >> 10 == 0x36 and self._text[self._at : self._at + 2] == b"\\u":
            self._at += 1
            low = self._unit()
            if low >> 10 == 0x37:
                return chr(0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF)).encode()
        if code >> 11 == 0x1B:
            self._at = begin
            raise self._error("half a surrogate pair")
        return chr(code).encode()

    def _unit(self) -> int:
        """Four hexadecimal digits behind a u."""
        digits = self._text[self._at + 1 : self._at + 5]
        if self._byte() != 0x75 or len(digits) != 4 or not all(digit in _HEX for digit in digits):
            self._at -= 1
            raise self._error("a backslash with nothing that belongs to it")
        self._at += 5
        return int(digits, 16)


def _decoded(data: bytes) -> str | None:
    """UTF-8 as text; None if it is none."""
    try:
        value = data.decode()
    except ValueError:
        return None
    size = len(data)
    if len(value) == size:
        return value
    # MicroPython looks at the lead bytes only: neither at surrogates nor for the shortest form.
    for character in value:
        code = ord(character)
        if code >> 11 == 0x1B or code > 0x10FFFF:
            return None
        size -= 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
    return None if size else value
