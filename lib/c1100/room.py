"""What the module's free counts tell of its buffer for one socket: how large it is, whether it
counts bytes or their digits, and whether all that was sent has arrived there.

Sans-IO. The manual's buffer has 1500 bytes (3.3.1.1 step 7). Others are learned from the counts,
and what has been lost on the way shows in their differences.
"""

from micropython import const

from . import at, dialect

_LARGEST = const(65535)  # bytes or digits; more is no count
_BLOCK = const(512)  # a buffer larger than the manual's is often a multiple of it


class Sizes:
    """What the sockets of one module have learned together: the pairs (size of a buffer, units a
    byte) that all counts so far allow.
    """

    def __init__(self) -> None:
        self.pairs = []
        self._proved = False  # more than one count has said the same

    def narrow(self, pairs: list, n: int) -> list:
        """Those of the pairs of a new count that may be; none if it does not fit what is known.

        n -- bytes in the buffer
        """
        usual = (dialect.IP_ROOM, 1)
        good = [pair for pair in pairs if pair in self.pairs]
        if good:
            self._proved = True
        elif usual in pairs and not self._proved:
            good = [usual]
        elif not self.pairs:
            good = pairs
            if dialect.IP_ROOM < pairs[0][0] <= dialect.IP_ROOM + n:
                # Up to n bytes more than the usual size: rather a loss.
                good = [pair for pair in pairs if not pair[0] % _BLOCK]
        if good or not self._proved:
            self.pairs = good
        return good


class Room:
    """sizes  -- of the module
    filled -- bytes put in since the last push
    late   -- those of that push are still there, by the last count
    """

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self.filled = 0
        self.late = False
        self._pushed = 0  # bytes of that push: they may still be there
        self._left: int | None = None  # bytes that still fit, where the module has told

    @property
    def left(self) -> int:
        """Bytes that still fit, as far as is known."""
        if self._left is not None:
            return self._left
        pairs = self._sizes.pairs or ((dialect.IP_ROOM, 1),)
        return min([size // unit for size, unit in pairs]) - self.filled

    def put(self, n: int, free: int | None) -> None:
        """n bytes were put in, and the module says how much is free now; None if it does not.

        Raises PayloadError when that does not fit, because digits were lost; BadAnswer when it is
        no count.
        """
        self.filled += n
        self._left = None
        if free is None:
            return
        if not 0 <= free <= _LARGEST:
            raise at.BadAnswer("%d bytes free" % free, dialect.IP_SEND.send)
        there = self.filled + self._pushed
        pairs = [(free + self.filled, 1), (free + 2 * self.filled, 2)]
        if self._pushed:
            pairs += [(free + there, 1), (free + 2 * there, 2)]
        good = self._sizes.narrow(pairs, self.filled)
        if not good:
            size, unit = (self._sizes.pairs or ((dialect.IP_ROOM, 1),))[0]
            raise at.PayloadError((size - free) // unit, self.filled, dialect.IP_SEND.send)
        self._left = min([free // unit for _, unit in good])
        self.late = good[0] not in pairs[:2]

    def fits(self, n: int) -> bool:
        """Whether n bytes fit for certain, even if those of the last push are still there."""
        return self.left - self._pushed >= n

    def push(self) -> None:
        """The module was told to send all of it."""
        self._pushed, self.filled = self.filled, 0
        self._left = None
        self.late = False
