"""What cbor.py has written, as the JSON that it was. Loaded where a record waits in CBOR, and JSON
is wanted: the setting was another one when it was made, or it is set aside.
"""

import json
from binascii import b2a_base64

from .cbor import LABELS, is_pack

_NAMES = {label: name.decode() for name, label in LABELS.items()}


def decoded(record: bytes) -> bytes:
    """Raises ValueError for what cbor.py does not write."""
    if not is_pack(record):
        raise ValueError("it is no SenML pack")
    try:
        reader = _Reader(record)
        pack = []
        for _ in range(reader.head(4)):
            fields = []
            for _ in range(reader.head(5)):
                label = reader.item()
                fields.append('"%s":%s' % (_NAMES[int(label)], reader.item()))
            pack.append("{%s}" % ",".join(fields))
    except (IndexError, KeyError):
        raise ValueError("it is no SenML pack")
    return ("[%s]" % ",".join(pack)).encode()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._major = 0

    def head(self, major: int | None = None) -> int:
        """Length or value of the next item. Raises ValueError if it is of another kind."""
        first = self._data[self._at]
        self._at += 1
        self._major = first >> 5
        if major is not None and self._major != major:
            raise ValueError("it is no SenML pack")
        code = first & 31
        if code < 24:
            return code
        if code > 27:
            raise ValueError("it is no SenML pack")
        return int.from_bytes(self._taken(1 << code - 24), "big")

    def _taken(self, size: int) -> bytes:
        begin, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise ValueError("it is cut off")
        return self._data[begin : self._at]

    def item(self) -> str:
        """The next item as JSON text."""
        n = self.head()
        major = self._major
        if major < 2:
            return str(n if major == 0 else -1 - n)
        if major == 2:
            text = b2a_base64(self._taken(n)).decode()
            return '"%s"' % text.replace("+", "-").replace("/", "_").rstrip("=\n")
        if major == 3:
            return json.dumps(self._taken(n).decode())
        if major == 7 and n in (20, 21):
            return "true" if n == 21 else "false"
        if major == 6 and n in (2, 3):  # a large number (RFC 8949 3.4.3)
            big = int.from_bytes(self._taken(self.head(2)), "big")
            return str(big if n == 2 else -1 - big)
        if major == 6 and n == 4 and self.head(4) == 2:
            return _decimal(int(self.item()), self.item())
        raise ValueError("it is no SenML pack")


def _decimal(power: int, mantissa: str) -> str:
    """A decimal fraction as JSON writes it."""
    digits = mantissa.lstrip("-")
    if power > 0 or power < -20:
        return "%se%d" % (mantissa, power)
    digits = "0" * (1 - power - len(digits)) + digits
    return ("-" if mantissa[0] == "-" else "") + digits[:power] + "." + digits[power:]
