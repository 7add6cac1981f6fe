"""Bytes out of the ring that are no lines: methods of LineRing, loaded with the first payload."""

from micropython import const

_PIECE = const(256)  # digits given at once; even


def take(ring, n: int) -> memoryview | None:
    """The next n raw bytes once all of them are there, else None.

    Raises ValueError when n is more than the ring's size: take a payload in pieces then.
    """
    if n > ring.size:
        raise ValueError("take at most %d bytes at once" % ring.size)
    r = ring._r
    if ring._w - r < n:
        return None
    ring._r = r + n
    return ring._all[r : r + n]


def untake(ring, n: int) -> None:
    """Give back the last n bytes of what take() has just given."""
    ring._r -= n


def digits(ring, n: int, first: bool) -> memoryview | None:
    """As many pairs of bytes as are there, up to n bytes; None when there are none.

    first -- what may stand around data is passed over
    """
    if first:
        ring.skip(b' "')
    r = ring._r
    there = ring._w - r
    if n > there:
        n = there & ~1
        if not n:
            return None
    if n > _PIECE:
        n = _PIECE
    ring._r = n = r + n
    return ring._all[r:n]


def head(ring) -> memoryview | None:
    """What is unread from the next line's first byte on, which stays unread; None if nothing,
    or while a line is being dropped.

    For a header that is followed by a payload, where a terminator would come too late.
    """
    if not ring._skip() or ring._r == ring._w:
        return None
    return ring._all[ring._r : ring._w]


def skip(ring, these: bytes) -> int:
    """Pass over bytes of these values. Returns the next other one; -1 if there is none."""
    buf = ring._buf
    w = ring._w
    r = ring._r
    while r < w:
        c = buf[r]
        if c not in these:
            ring._r = r
            return c
        r += 1
    ring._r = r
    return -1
