"""Bytes as decisions: what the fuzzer gives, and 0 for ever when it is used up."""


class Feed:
    """`take(n)` and its kin; once everything is used, all decisions are the first choice."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that have not been used."""
        return len(self._data) - self._at

    def byte(self) -> int:
        """0 to 255."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, limit: int) -> int:
        """0 to limit - 1."""
        return self.byte() % limit

    def take(self, most: int) -> bytes:
        """Up to so many bytes; the first says how many."""
        count = min(self.byte() % (most + 1), self.left)
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        """All that has not been used."""
        rest, self._at = self._data[self._at :], len(self._data)
        return rest
