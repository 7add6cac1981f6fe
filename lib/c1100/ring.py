"""Ring-buffer line parser: bytes in as the UART gives them, lines and counted payloads out.

Sans-IO: owns no clock, no task and no hardware, and allocates nothing but the memoryview
that it hands out.
"""

from struct import pack_into

from micropython import const

_CHUNK = const(64)  # bytes taken from the stream at once while part of a line is waiting
_COPY = "64s"  # the same number as a struct format: copies without allocating
_LONGEST_NAME = const(64)  # with noise in front
_LOOP = const(64)  # up to so many bytes are moved one by one, which allocates nothing

_NUL = const(0)
_LF = const(10)
_CR = const(13)
_SPACE = const(32)
_PROMPT = const(62)


class LineRing:
    """A preallocated buffer that is filled from a stream and emptied by lines.

    Unread bytes are kept in one piece: the buffer's seam is moved, not crossed, so a line or a
    payload is always a plain memoryview. An empty buffer is read into directly; only while part
    of a line is waiting do new bytes go through a small chunk, because a view of the free span
    would have to be allocated for each read.

    size -- bytes of the longest line, and the most that take() can give
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.overflows = 0  # lines dropped because they did not fit
        self.high_water = 0  # most bytes that were ever waiting
        self._buf = bytearray(size + _CHUNK)
        self._all = memoryview(self._buf)
        self._chunk = bytearray(_CHUNK)
        self._r = 0  # next unread byte
        self._w = 0  # end of the unread bytes
        self._scan = 0  # no terminator before this
        self._dropping = False  # inside a line that was too long

    @property
    def unread(self) -> int:
        """Bytes waiting."""
        return self._w - self._r

    def readfrom(self, stream) -> int | None:
        """Take what the stream has, by one readinto.

        Returns the number of bytes taken; 0 or None when there are none, and 0 also when there is
        no room until line() or take() has been called.
        """
        if self._r == self._w:
            self._r = self._w = self._scan = 0
            n = stream.readinto(self._all)
            if n:
                self._w = n
        else:
            if self._w + _CHUNK > len(self._buf):
                self._slide()
                if self._w + _CHUNK > len(self._buf):
                    return 0
            n = stream.readinto(self._chunk)
            if n:
                # The whole chunk is copied; what lies behind its n bytes is overwritten later.
                pack_into(_COPY, self._buf, self._w, self._chunk)
                self._w += n
        if self._w - self._r > self.high_water:
            self.high_water = self._w - self._r
        return n

    def line(self) -> memoryview | None:
        """The next complete line that is not empty, without its terminator; None if there is none.

        Any run of CR and LF ends a line; NULs around it are noise. The view is valid until the
        next call on the ring.
        """
        buf = self._buf
        w = self._w
        r = self._r
        while r < w:
            c = buf[r]
            if c in (_CR, _LF, _NUL) and not self._dropping:
                r += 1
                continue
            if self._scan < r:
                self._scan = r
            end = buf.find(b"\r", self._scan, w)
            lf = buf.find(b"\n", self._scan, w if end < 0 else end)
            if lf >= 0:
                end = lf
            if end < 0:
                if w - r > self.size or self._dropping:
                    self._drop()
                    r = w
                self._scan = w
                break
            if self._dropping:
                self._dropping = False
            elif end - r > self.size:
                self.overflows += 1
            else:
                self._r = end + 1
                while buf[end - 1] == _NUL:
                    end -= 1
                return self._all[r:end]
            r = end + 1
        self._r = r
        return None

    def take(self, n: int) -> memoryview | None:
        """The next n raw bytes once all of them are there, else None.

        Raises ValueError when n is more than the ring's size: take a payload in pieces then.
        """
        if n > self.size:
            raise ValueError("take at most %d bytes at once" % self.size)
        r = self._r
        if self._w - r < n:
            return None
        self._r = r + n
        return self._all[r : r + n]

    def untake(self, n: int) -> None:
        """Give back the last n bytes of what take() has just given."""
        self._r -= n

    def head(self) -> memoryview | None:
        """What is unread from the next line's first byte on, which stays unread; None if nothing,
        or while a line is being dropped.

        For a header that is followed by a payload, where a terminator would come too late.
        """
        if not self._skip() or self._r == self._w:
            return None
        return self._all[self._r : self._w]

    def name(self) -> memoryview | None:
        """What stands in front of the first ``:`` or ``=`` of head(), as far as one has come; None
        where there is none.
        """
        if not self._skip():
            return None
        buf = self._buf
        r = self._r
        w = min(self._w, r + _LONGEST_NAME)
        end = buf.find(b":", r, w)
        equals = buf.find(b"=", r, w if end < 0 else end)
        if equals >= 0:
            end = equals
        if end <= r or buf.find(b"\r", r, end) >= 0 or buf.find(b"\n", r, end) >= 0:
            return None
        return self._all[r:end]

    def next(self) -> int:
        """The next unread byte, which stays unread; -1 if there is none."""
        return self._buf[self._r] if self._r < self._w else -1

    def skip_line(self) -> None:
        """Drop everything up to the next terminator."""
        self._dropping = True

    def prompt(self) -> bool:
        """Consume a prompt, ``>`` and a space behind it, if it is what comes next."""
        if not self._skip() or self.next() != _PROMPT:
            return False
        self._r += 1
        if self.next() == _SPACE:
            self._r += 1
        return True

    def clear(self) -> None:
        """Forget all unread bytes, and that a line was being dropped."""
        self._r = self._w = self._scan = 0
        self._dropping = False

    def _skip(self) -> bool:
        """Pass over terminators and NULs. Returns False while a line is being dropped that has not
        ended yet.
        """
        buf = self._buf
        w = self._w
        r = self._r
        if self._dropping:
            while r < w and buf[r] != _CR and buf[r] != _LF:
                r += 1
            if r == w:
                return False
            self._dropping = False
        while r < w and buf[r] in (_CR, _LF, _NUL):
            r += 1
        self._r = r
        return True

    def _drop(self) -> None:
        """Forget the unread bytes: they are part of a line that is too long."""
        if not self._dropping:
            self._dropping = True
            self.overflows += 1

    def _slide(self) -> None:
        """Move the unread bytes to the front, to make room behind them."""
        r = self._r
        k = self._w - r
        if not r:
            return
        if k <= _LOOP:
            buf = self._buf
            for i in range(k):
                buf[i] = buf[r + i]
        else:
            self._all[0:k] = self._all[r : r + k]
        self._r = 0
        self._w = k
        self._scan = max(0, self._scan - r)
