"""SenML in CBOR (RFC 8428 section 6), from and beside the JSON of telemetry.py.

Loaded only where ``payload.format`` wants it, or a record that waits is in it. A number is what
the JSON says, digit by digit: a whole one, or a decimal fraction (RFC 8949 3.4.4). Boards have
floats of 32 bits, which would say something else.
"""

import json
from binascii import a2b_base64

from micropython import const

FIRST = const(0x80)  # bytes from this one on begin a pack; JSON begins below it
_NAME = b"\x21"  # label of the base name, -2
_TIME = b"\x22"  # and of the base time, -3
_NOW = b"\x22\x00"
LABELS = {b"bn": -2, b"bt": -3, b"n": 0, b"u": 1, b"v": 2, b"vs": 3, b"vb": 4, b"vd": 8}
_ARRAY = const(4)
_MAP = const(5)
_FRACTION = b"\xc4\x82"  # of two: exponent, mantissa


def encoded(text: bytes) -> bytes:
    """A pack as telemetry.senml() writes it. Raises ValueError for what is none."""
    try:
        return _encoded(text)
    except (IndexError, KeyError):
        raise ValueError("it is no SenML pack")


def _encoded(text: bytes) -> bytes:
    made = []
    count = at = 0
    if text[:1] != b"[":
        raise ValueError("it is no SenML pack")
    while text[at] != 93:  # "]"
        if text[at + 1] != 123:  # "{"
            raise ValueError("it is no SenML pack")
        place = len(made)
        fields = 0
        at += 1
        while text[at] != 125:  # "}"
            end = _string_end(text, at + 1)
            key = text[at + 2 : end - 1]
            begin = end + 1
            if text[begin] == 34:
                at = _string_end(text, begin)
            else:
                at = begin
                while text[at] != 44 and text[at] != 125:  # "," "}"
                    at += 1
            made.append(_integer(LABELS[key]) + _value(key, text[begin:at]))
            fields += 1
        made.insert(place, _head(_MAP, fields))
        count += 1
        at += 1
    return _head(_ARRAY, count) + b"".join(made)


def _string_end(text: bytes, at: int) -> int:
    """Behind the closing quote of a string that begins there."""
    if text[at] != 34:
        raise ValueError("it is no SenML pack")
    at += 1
    while text[at] != 34:
        at += 2 if text[at] == 92 else 1
    return at + 1


def _value(key: bytes, token: bytes) -> bytes:
    if key == b"vd":
        data = token[1:-1].replace(b"-", b"+").replace(b"_", b"/")
        data = a2b_base64(data + b"=" * (-len(data) % 4))
        return _head(2, len(data)) + data
    if token[:1] == b'"':
        data = json.loads(token).encode()
        return _head(3, len(data)) + data
    if key == b"vb":
        return b"\xf5" if token == b"true" else b"\xf4"
    return _number(token)


def _number(token: bytes) -> bytes:
    digits, _, exponent = token.replace(b"E", b"e").partition(b"e")
    whole, _, part = digits.partition(b".")
    part = part.rstrip(b"0")
    mantissa = int(whole + part)
    power = int(exponent or b"0") - len(part)
    if not mantissa or not power:
        return _integer(mantissa)
    return _FRACTION + _integer(power) + _integer(mantissa)


def _integer(n: int) -> bytes:
    return _head(0, n) if n >= 0 else _head(1, -1 - n)


def _head(major: int, n: int) -> bytes:
    """The first bytes of an item: its kind, and its length or value."""
    kind = major << 5
    if n < 24:
        return bytes((kind | n,))
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if not n >> 8 * size:
            return bytes((kind | code,)) + n.to_bytes(size, "big")
    size = 9
    while n >> 8 * size:
        size += 1
    return bytes((0xC2 | major,)) + _head(2, size) + n.to_bytes(size, "big")  # 3.4.3


# Packs of this module, as records --------------------------------------------------------------


def _split(record: bytes) -> tuple:
    """(number of values, fields of the first one besides the next two, base name with its label,
    base time likewise, the rest); b"": there is none
    """
    count, at = _size(record, 0)
    fields = record[at] & 31
    at += 1
    name = time = b""
    if record[at : at + 1] == _NAME:
        size, end = _size(record, at + 1)
        name = record[at : end + size]
    if record[at + len(name) : at + len(name) + 1] == _TIME:
        _, end = _size(record, at + len(name) + 1)
        time = record[at + len(name) : end]
    at += len(name) + len(time)
    return count, fields - bool(name) - bool(time), name, time, record[at:]


def _size(record: bytes, at: int) -> tuple:
    """(length or value of an item, where what follows its head begins)"""
    code = record[at] & 31
    if code < 24:
        return code, at + 1
    end = at + 1 + (1 << code - 24)
    return int.from_bytes(record[at + 1 : end], "big"), end


def _pack(values: list) -> bytes:
    """A pack of such parts, in which base name and time stand where they change."""
    known = known_at = b""
    made = []
    total = 0
    for count, fields, name, time, rest in values:
        if known_at and not time:
            time = _NOW
        name = b"" if name == known else name
        time = b"" if time == known_at else time
        known, known_at = name or known, time or known_at
        made.append(_head(_MAP, fields + bool(name) + bool(time)) + name + time + rest)
        total += count
    return _head(_ARRAY, total) + b"".join(made)


def whole(record: bytes, node: str) -> bytes:
    """A record as it is stored, in CBOR or JSON, with its base name. Raises ValueError for what is
    no pack.
    """
    if record[0] < FIRST:
        record = encoded(record)
    elif not is_pack(record):
        raise ValueError("it is no SenML pack")
    count, fields, name, time, rest = _split(record)
    base = (node + ":").encode()
    name = name or _NAME + _head(3, len(base)) + base
    return _pack([(count, fields, name, time, rest)])


def is_pack(record: bytes) -> bool:
    """Whether it is an array of maps, and nothing else: others are joined with it."""
    try:
        return record[0] >> 5 == _ARRAY and _whole(record)
    except IndexError:
        return False


def _whole(record: bytes) -> bool:
    count, at = _size(record, 0)
    is_good = count > 0
    while count and is_good:
        is_good = record[at] >> 5 == _MAP
        at = _behind(record, at)
        count -= 1
    return is_good and at == len(record)


def _behind(record: bytes, at: int) -> int:
    """Where what follows an item begins. Raises IndexError where it is cut off."""
    major = record[at] >> 5
    n, at = _size(record, at)
    if major in (2, 3):
        return at + n
    for _ in range((0, 0, 0, 0, n, 2 * n, 1, 0)[major]):
        at = _behind(record, at)
    return at


def dated(record: bytes, at: int) -> bytes:
    """A record with this base time."""
    count, fields, name, _, rest = _split(record)
    return _pack([(count, fields, name, _TIME + _head(0, at), rest)])


def joined(records: list) -> bytes:
    """Whole records as one pack."""
    return _pack([_split(record) for record in records])
