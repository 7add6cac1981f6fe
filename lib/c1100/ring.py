"""Ring-buffer line parser: bytes in as the UART gives them, lines and counted payloads out.

Sans-IO: owns no clock, no task and no hardware, and allocates nothing but the memoryview
that it hands out.
"""

from struct import pack_into

from micropython import const

from . import at

_CHUNK = const(64)  # bytes taken from the stream at once while part of a line is waiting
_COPY = "64s"  # the same number as a struct format: copies without allocating
_LONGEST_NAME = const(64)  # with noise in front
_LOOP = const(64)  # up to so many bytes are moved one by one, which allocates nothing

_SHORTEST_NAME = const(4)
_SHORT_LINE = const(160)
_EVENTS = const(32)  # places for 16 lines
_TURN = const(1024)  # bytes read in a row
_PIECE = const(256)  # digits given at once; even

# What stops pour()
EMPTY = const(0)
FULL = const(1)
HEADER = const(2)
OTHER = const(3)

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

    It is long because pour() is one function: a call costs MicroPython as much as ten lines of it.
    """

    unread: int

    def __init__(self, size: int) -> None:
        self.size = size
        self.overflows = 0  # lines dropped because they did not fit
        self.high_water = 0  # most bytes that were ever waiting
        self.received = 0  # bytes
        self._buf = bytearray(size + _CHUNK)
        self._all = memoryview(self._buf)
        self._chunk = bytearray(_CHUNK)
        self._r = 0  # next unread byte
        self._w = 0  # end of the unread bytes
        self._scan = 0  # no terminator before this
        self._dropping = False  # inside a line that was too long
        self._names = {}  # learn()
        # What pour() has found
        self.events: list = [None] * _EVENTS
        self.count = 0  # of events' places that are in use
        self.values: list = []  # numbers of a header; beside it handler, who takes the payload
        self.end = 0  # of the line in which a payload begins; -1 while it has not come

    def __getattr__(self, name: str) -> int:
        """``unread``: bytes waiting. No property: with one in a class MicroPython looks through
        the class whenever an attribute is set.
        """
        if name == "unread":
            return self._w - self._r
        raise AttributeError(name)

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
        if n:
            self.received += n
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

    def learn(self, name: str, callbacks: list | None = None, state: bool = False) -> None:
        """Remember a name that lines begin with, for recall() and pour(): the latest of those
        that look alike at a glance.

        callbacks -- for its events; None: its lines take text
        state     -- of its events that wait only the latest counts
        """
        raw = name.encode()
        n = len(raw)
        if n < _SHORTEST_NAME:
            return
        key = n << 16 | raw[2] << 8 | raw[n - 3]
        known = self._names.get(key)
        if known is None or known[0] != raw or (callbacks is not None and known[3] is None):
            self._names[key] = (raw, name, at.other(name), callbacks, state)

    def recall(self, view) -> tuple | None:
        """What was learnt under name(), which view is; None if nothing was."""
        n = len(view)
        if n < _SHORTEST_NAME:
            return None
        buf = self._buf
        r = self._r
        known = self._names.get(n << 16 | buf[r + 2] << 8 | buf[r + n - 3])
        if known is None or buf.find(known[0], r, r + n) != r:
            return None
        return known

    def pour(self, stream, payloads: dict, watchers: dict):
        """A generator, so that no look at the stream costs an allocation for itself. Each step
        takes what is there and what the stream has, as long as it is lines that begin with a
        learnt name. Their parameters go into events: at the even places (name as bytes, name,
        at.other of it, callbacks, state), behind each the parameters as at.params() gives them.

        payloads -- names whose lines are not taken, but the parameters of a header in front of a
                    payload, where they are two numbers: they are put into values, and who takes
                    the payload into handler
        watchers -- names whose lines are not taken

        Yields EMPTY when there is nothing more, FULL when events are, HEADER, or OTHER when what
        comes next takes text. Raises what the stream raises: then it takes a new one.
        """
        buf = self._buf
        view = self._all
        names = self._names
        events = self.events
        while True:
            r = self._r
            w = self._w
            scan = self._scan
            count = self.count
            left = _TURN
            found = OTHER if self._dropping else None
            held = dry = False  # the rest of a header's line may come at once
            while found is None:
                while r < w:
                    i = buf[r]
                    if i != _LF and i != _CR and i:
                        break
                    r += 1
                if r < w:
                    if scan < r:
                        scan = r
                    end = buf.find(b"\r", scan, w)
                    i = buf.find(b"\n", scan, w if end < 0 else end)
                    if i >= 0:
                        end = i
                    scan = w if end < 0 else end
                    i = buf.find(b":", r, scan)
                    if i < 0:
                        i = buf.find(b"=", r, scan)
                        if i < 0:
                            i = end
                    if i >= 0:
                        name = None
                        if i - r >= _SHORTEST_NAME and scan - r <= self.size:
                            name = names.get(i - r << 16 | buf[r + 2] << 8 | buf[i - 3])
                        if name is None or buf.find(name[0], r, i) != r:
                            found = OTHER
                        elif name[1] in payloads or name[2] in payloads:
                            held = not dry and end < 0 and w - r < _SHORT_LINE
                            if not held:
                                self.handler = payloads.get(name[1]) or payloads.get(name[2])
                                i = self._header(i, scan)
                                if i > 0:
                                    r = i
                                    self.end = end
                                    found = HEADER
                                elif i < 0 or end >= 0 or scan - r > _LONGEST_NAME:
                                    found = OTHER
                        elif end >= 0:
                            if count == _EVENTS:
                                found = FULL
                            elif name[3] is None or name[1] in watchers or name[2] in watchers:
                                found = OTHER
                            else:
                                values = at.values(buf, i, end)
                                if values is None:
                                    found = OTHER
                                else:
                                    i = 0 if name[4] else count
                                    while i < count and events[i][3] is not name[3]:
                                        i += 2
                                    events[i] = name
                                    events[i + 1] = values
                                    if i == count:
                                        count += 2
                                    r = end + 1
                                    continue
                    elif w - r > _LONGEST_NAME:
                        found = OTHER
                    if found is not None:
                        break
                    self._r = r
                    self._w = w
                    i = self.readfrom(stream)
                    scan -= r - self._r
                    r = self._r
                    w = self._w
                    if not i:
                        if held:
                            held = False
                            dry = True  # it does not go on: take what is there of it
                            continue
                        found = EMPTY if w - r <= self.size else OTHER
                        break
                else:
                    self._r = self._w = self._scan = r = w = scan = 0
                    self.count = count
                    i = stream.readinto(view)
                    if not i:
                        found = EMPTY
                        break
                    w = i
                    self.received += i
                    if i > self.high_water:
                        self.high_water = i
                left -= i
                if left < 0:
                    found = FULL
            self._r = r
            self._w = w
            self._scan = scan
            self.count = count
            yield found

    def _header(self, i: int, stop: int) -> int:
        """Read the two numbers that follow a name. Returns where the payload begins; 0 if they
        have not come completely, -1 if they are something else.
        """
        if getattr(self.handler, "fields", 0) != 2 or getattr(self.handler, "shape", "") != "ii":
            return -1
        buf = self._buf
        n = buf.find(b",", i + 1, stop)
        if n >= 0:
            n = buf.find(b",", n + 1, stop)
        if n < 0:
            return 0
        values = at.values(buf, i, n)
        if values is None or len(values) != 2:
            return -1
        if not isinstance(values[0], int) or not isinstance(values[1], int):
            return -1
        self.values = values
        return n + 1

    def put(self, name: tuple, values: list) -> None:
        """Add to the events, where there is room."""
        i = 0 if name[4] else self.count
        while i < self.count and self.events[i][3] is not name[3]:
            i += 2
        self.events[i] = name
        self.events[i + 1] = values
        if i == self.count:
            self.count += 2

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

    def digits(self, n: int, first: bool) -> memoryview | None:
        """As many pairs of bytes as are there, up to n bytes; None when there are none.

        first -- what may stand around data is passed over
        """
        if first:
            self.skip(b' "')
        r = self._r
        there = self._w - r
        if n > there:
            n = there & ~1
            if not n:
                return None
        if n > _PIECE:
            n = _PIECE
        self._r = n = r + n
        return self._all[r:n]

    def whole(self) -> memoryview | None:
        """What stands between a header and the end of its line, as long as two hex digits for each
        byte; None if it is something else.
        """
        r = self._r
        if self.end - r != 2 * self.values[1] or self.end == r:
            return None
        return self._all[r : self.end]

    def consume(self) -> None:
        """Be done with the line of a header."""
        self._r = self.end + 1

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

    def skip(self, these: bytes) -> int:
        """Pass over bytes of these values. Returns the next other one; -1 if there is none."""
        buf = self._buf
        w = self._w
        r = self._r
        while r < w:
            c = buf[r]
            if c not in these:
                self._r = r
                return c
            r += 1
        self._r = r
        return -1

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
