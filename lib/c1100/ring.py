"""Ring-buffer line parser: bytes in as the UART gives them, lines and counted payloads out.

Sans-IO: owns no clock, no task and no hardware, and allocates nothing but the memoryview
that it hands out.
"""

from binascii import unhexlify
from struct import pack_into

from micropython import const

from . import apart, at

TYPE_CHECKING = const(0)  # those who check types take it for true

# What only payloads, and lines in trouble, need.
_APART = " take digits untake head skip =pieces "

_CHUNK = const(64)  # bytes taken from the stream at once while part of a line is waiting
_COPY = "64s"  # the same number as a struct format: copies without allocating
_LONGEST_NAME = const(64)
_BEYOND = const(4)  # bytes behind it that may be looked at
_LOOP = const(64)  # up to so many bytes are moved one by one, which allocates nothing

_SHORTEST_NAME = const(4)
_NO_LIMIT = const(0x3FFFFFFF)
_SHORT_LINE = const(160)
_EVENTS = const(32)  # places for 16 lines
_TURN = const(1024)  # bytes read in a row

# What stops pour()
EMPTY = const(0)
FULL = const(1)
HEADER = const(2)
OTHER = const(3)

_NUL = const(0)
_LF = const(10)
_CR = const(13)
_SPACE = const(32)
_COMMA = const(44)
_ZERO = const(48)
_NINE = const(57)
_PROMPT = const(62)
_COLON = const(58)
_ENDS = (_CR, _LF)

# Places in what was learnt of a name
_RAW = const(0)  # bytes
_LENGTH = const(1)  # of them
NAME = const(2)
_CALLBACKS = const(3)  # None: its lines take text
_STATE = const(4)  # whether only its latest event counts; of a payload: who took the last one
_NEXT = const(5)  # the next one that looks alike at a glance
OTHER_NAME = const(6)  # at.other() of it
_LIMIT = const(7)  # _limit() of who took its last payload
_EQUALS = const(61)


class LineRing:
    """A preallocated buffer that is filled from a stream and emptied by lines.

    Unread bytes are kept in one piece: the buffer's seam is moved, not crossed, so a line or a
    payload is always a plain memoryview. An empty buffer is read into directly; only while part
    of a line is waiting do new bytes go through a small chunk, because a view of the free span
    would have to be allocated for each read.

    size -- bytes of the longest line, and the most that take() can give

    It is long because pour() is one function: a call costs MicroPython as much as ten lines of it.
    """

    if TYPE_CHECKING:
        from .pieces import digits, head, skip, take, untake

        unread: int

    def __init__(self, size: int) -> None:
        self.size = size
        self.overflows = 0  # lines dropped because they did not fit
        self.high_water = 0  # most bytes that were ever waiting
        self.received = 0  # bytes
        self._room = size + _CHUNK
        self._buf = bytearray(self._room + _BEYOND)
        self._all = memoryview(self._buf)[: self._room]
        self._chunk = bytearray(_CHUNK)
        self._r = 0  # next unread byte
        self._w = 0  # end of the unread bytes
        self._scan = 0  # no terminator before this
        self._dropping = False  # inside a line that was too long
        self._names = {}  # learn()
        # What pour() has found
        self.events: list = [None] * _EVENTS
        self.count = 0  # of events' places that are in use
        self.values: list = []  # of a header, and who takes the payload
        self.handler = None

    if not TYPE_CHECKING:

        def __getattr__(self, name: str):
            """``unread``: bytes waiting. No property: with one in a class MicroPython looks
            through the class whenever an attribute is set.
            """
            if name == "unread":
                return self._w - self._r
            return apart.find(self, LineRing, _APART, name)

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
            if self._w > self.size:
                self._slide()
                if self._w > self.size:
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
        """Remember a name that lines begin with, for recall() and pour().

        callbacks -- for its events; None: its lines take text
        state     -- of its events that wait only the latest counts
        """
        raw = name.encode()
        n = len(raw)
        if n < _SHORTEST_NAME:
            return
        key = raw[2] << 8 | raw[3]
        first = known = self._names.get(key)
        while known is not None and known[_RAW] != raw:
            known = known[_NEXT]
        if known is not None:
            if callbacks is not None:
                known[_CALLBACKS] = callbacks
                known[_STATE] = state
            return
        known = [raw, n, name, callbacks, state, first, at.other(name), 0]
        if first is None or first[_LENGTH] <= n:  # a name may begin another, which comes first
            self._names[key] = known
            return
        while first[_NEXT] is not None and first[_NEXT][_LENGTH] > n:
            first = first[_NEXT]
        known[_NEXT] = first[_NEXT]
        first[_NEXT] = known

    def recall(self, view) -> list | None:
        """What was learnt under name(), which view is; None if nothing was."""
        n = len(view)
        if n < _SHORTEST_NAME:
            return None
        known = self._names.get(view[2] << 8 | view[3])
        while known is not None and (
            known[_LENGTH] != n or not self._buf.startswith(known[_RAW], self._r)
        ):
            known = known[_NEXT]
        return known

    def pour(self, stream, payloads: dict, watchers: dict, hand):
        """A generator, so that no look at the stream costs an allocation for itself. Each step
        takes what is there and what the stream has, as long as it is lines that begin with a
        learnt name. Their parameters go into events: at the even places what was learnt of their
        names, behind each the parameters as at.params() gives them.

        payloads -- names whose lines have payloads. One that is there completely is handed out,
                    by hand(handler, numbers of its header, data); else the header is taken
        watchers -- names whose lines are not taken

        Yields EMPTY when there is nothing more, FULL when events are, HEADER, or OTHER when what
        comes next takes text. Raises what the stream raises: then it takes a new one.
        """
        buf = self._buf
        begins = buf.startswith
        view = self._all
        names = self._names
        known_as = names.get
        events = self.events
        size = self.size
        handlers = 0
        size_of = len
        read = at.values
        ends = _ENDS
        calm = -1  # bytes received when it was last empty
        while True:
            if size_of(payloads) + size_of(watchers) != handlers:
                names.clear()
                handlers = size_of(payloads) + size_of(watchers)
            r = self._r
            w = self._w
            count = self.count
            came = 0
            found = OTHER if self._dropping else None
            if count == _EVENTS:
                found = FULL
            while found is None:
                buf[w] = 0  # no line feed there that has not come
                last = buf.rfind(b"\r", r, w)
                if last < 0:
                    last = buf.rfind(b"\n", r, w)
                while r <= last:
                    if buf[r] <= _SPACE:
                        r += 1
                        continue
                    known = known_as(buf[r + 2] << 8 | buf[r + 3])
                    while known is not None and not begins(known[_RAW], r):
                        known = known[_NEXT]
                    if known is None:
                        found = OTHER
                        break
                    values = []
                    end = r + known[_LENGTH]
                    i = buf[end]
                    if i == _COLON or i == _EQUALS:  # noqa: SIM109 -- takes half as long
                        if known[_CALLBACKS] is None:
                            handler = payloads.get(known[NAME]) or payloads.get(known[OTHER_NAME])
                            if handler is not known[_STATE]:
                                known[_STATE] = handler
                                known[_LIMIT] = _limit(handler)
                            i = read(buf, end, values, 2) if known[_LIMIT] else 0
                            try:
                                if i and values[0] >= 0 and 0 <= values[1] <= known[_LIMIT]:
                                    i = i + 1 if buf[i] == _COMMA else 0
                                else:
                                    i = 0
                            except (TypeError, IndexError):  # text, or fewer
                                i = 0
                            if i:
                                end = i + 2 * values[1]
                                if i < end <= last and buf[end] in ends:
                                    try:
                                        data = unhexlify(view[i:end])  # pyright: ignore[reportArgumentType] -- stub
                                    except ValueError:  # piece by piece, up to what is no digit
                                        data = None
                                    if data is not None:
                                        r = end + 1
                                        if buf[r] == _LF:
                                            r += 1
                                        self._r = r
                                        self._w = w
                                        hand(handler, values, data)
                                        continue
                                self.values = values
                                self.handler = handler
                                r = i
                                found = HEADER
                                break
                            found = OTHER
                            break
                        end = read(buf, end, values)
                    elif known[_CALLBACKS] is None or (i != _CR and i != _LF):
                        end = 0
                    if not end or end - r > size:
                        found = OTHER
                        break
                    events[count] = known
                    events[count + 1] = values
                    count += 2
                    r = end + 1
                    if buf[r] == _LF:
                        r += 1
                    if count == _EVENTS:
                        found = FULL
                        break
                else:
                    while r < w and buf[r] <= _SPACE:
                        r += 1
                    if r == w:
                        self._scan = r = w = 0
                        i = stream.readinto(view)
                    elif w - r > _SHORT_LINE:
                        found = OTHER
                        break
                    else:
                        if w > size:
                            self._r = r
                            self._w = w
                            self._slide()
                            r = 0
                            w = self._w
                        i = stream.readinto(view[w:])
                    if i:
                        came += i
                        w += i
                        if w - r > self.high_water:
                            self.high_water = w - r
                        if came > _TURN:
                            found = FULL
                    else:
                        found = EMPTY
                        if r < w and (calm == self.received + came or buf.find(b"\n", r, w) >= 0):
                            found = OTHER
                        calm = self.received + came
            self._r = r
            self._w = w
            self.count = count
            self.received += came
            yield found

    def told(self, usual: tuple, values: list, bare) -> int:
        """Take what answers most commands: a line of whole numbers behind a name, as clean as
        usual, which go into values, and the result code 0.

        usual -- the name with its colon, empty where there is no such line, and its length; how
                 many numbers there are at least, and up to how many None stands for those missing
        bare  -- the code may come without a line in front

        Returns 1 for the line, 2 for the code, 3 for both; 0 where something else comes next, or
        they have not come completely: then nothing is taken.
        """
        buf = self._buf
        r = self._r
        last = self._w - 1
        if self._dropping:
            return 0
        while r < last and buf[r] <= _SPACE:
            r += 1
        found = 0
        name, n, least, most = usual
        if n and buf.startswith(name, r):
            i = r + n
            n = 0
            c = _COMMA
            while c == _COMMA:
                c = buf[i]
                while c == _SPACE:
                    i += 1
                    c = buf[i]
                begin = i
                value = 0
                while c >= _ZERO and c <= _NINE:
                    value = 10 * value + c - _ZERO
                    i += 1
                    c = buf[i]
                if i == begin:
                    return 0
                values.append(value)
                n += 1
                i += 1
            if c != _CR or i > last + 1 or n < least or i - r > self.size:
                return 0
            while n < most:
                values.append(None)
                n += 1
            self._r = r = i
            found = 1
            while r < last and buf[r] <= _SPACE:
                r += 1
        elif not bare:
            return 0
        if r < last and buf[r] == _ZERO and buf[r + 1] == _CR:
            self._r = r + 2
            found += 2
        return found

    def put(self, name: list, values: list) -> None:
        """Add to the events, where there is room."""
        i = self.count
        self.events[i] = name
        self.events[i + 1] = values
        self.count = i + 2

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


def _limit(handler) -> int:
    """Bytes of the longest payload that a handler takes as digits behind two numbers; 0: none."""
    if handler is None or handler.fields != 2 or not handler.hex:
        return 0
    if getattr(handler, "shape", "") != "ii":
        return 0
    return getattr(handler, "limit", _NO_LIMIT)
