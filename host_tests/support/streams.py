"""Streams for driver tests: a scripted module at the other end of a UART, and bytes in chunks.

    module = Module(
        ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),                  # heard, said at once
        ("AT+COPS?", (2000, b'+COPS: 0\r\n'), b"0\r"),       # said 2 s later, then the rest
        ("AT+LSHTTPPOST=2", b">"), (b"{}", b"0\r"),          # raw bytes behind a prompt
    )

Works under virtual time on CPython and MicroPython; looks like machine.UART(timeout=0). A test in
which a module hears what it does not expect fails, whatever the driver makes of it.
"""

import time

_WHOLE = 256
# Set by at_every_split(): where the module's bytes are cut, and how many one read gives.
_cut = None
_chunk = _WHOLE

_CUT_MS = 40  # longer than the reader's pause, so that both halves are really read apart

_mistakes = []  # of all modules, for the runner of the test


def take_mistakes():
    """What modules have heard and not expected since the last call, as a list of texts."""
    taken = _mistakes[:]
    _mistakes.clear()
    return taken


class Module:
    """steps -- (heard, *said): ``heard`` is a command line without its CR, as str; raw bytes that
    no CR ends; or a callable that is given the line and returns whether it is right. Each
    ``said`` is bytes, or (ms after the one before, bytes).
    """

    def __init__(self, *steps):
        self.steps = list(steps)
        self.heard = []
        self.mistake = None
        self.said = 0  # bytes scheduled so far
        self.reads = 0
        self._queue = []  # [ticks_ms, bytes]
        self._line = b""
        self._last = time.ticks_ms()

    def say(self, data, after_ms=0):
        """Say something, ``after_ms`` after now or after what is still to be said."""
        now = time.ticks_ms()
        if not self._queue or time.ticks_diff(self._last, now) < 0:
            self._last = now
        if _cut is not None and self.said < _cut < self.said + len(data):
            split = _cut - self.said
            self._put(data[:split], after_ms)
            self._put(data[split:], _CUT_MS)
        else:
            self._put(data, after_ms)

    def _put(self, data, after_ms):
        self._last = time.ticks_add(self._last, after_ms)
        self._queue.append([self._last, data])
        self.said += len(data)

    def write(self, data):
        self._line += bytes(data)
        while True:
            raw = self._raw_expected()
            n = self._line.find(b"\r") if raw is None else raw
            if not 0 <= n <= len(self._line):
                return len(data)
            heard = self._line[:n]
            if raw is None:
                self._line = self._line[n + 1 :]
                self._hear(heard.decode())
            else:
                self._line = self._line[n:]
                self._hear(heard)

    def _raw_expected(self):
        """How many raw bytes are expected next; None when it is a command line."""
        if self.steps and isinstance(self.steps[0][0], bytes):
            return len(self.steps[0][0])
        return None

    def _hear(self, line):
        self.heard.append(line)
        if not self.steps:
            self._fail("nothing more", line)
            return
        heard, *said = self.steps.pop(0)
        if not (heard(line) if callable(heard) else heard == line):
            self._fail(heard, line)
            return
        for item in said:
            after_ms, text = item if isinstance(item, tuple) else (0, item)
            self.say(text, after_ms)

    def _fail(self, want, line):
        if self.mistake is None:
            self.mistake = "expected %r, heard %r after %r" % (want, line, self.heard[:-1])
            _mistakes.append(self.mistake)

    def lose(self):
        """What has been said by now was not received."""
        now = time.ticks_ms()
        self._queue = [entry for entry in self._queue if time.ticks_diff(entry[0], now) > 0]

    def check(self):
        """Everything that was expected has been heard, and nothing else."""
        assert self.mistake is None, self.mistake
        assert not self.steps, "never heard: %r" % (self.steps,)

    def readinto(self, buf):
        self.reads += 1
        if not self._queue or time.ticks_diff(self._queue[0][0], time.ticks_ms()) > 0:
            return None
        entry = self._queue[0]
        n = min(len(buf), len(entry[1]), _chunk)
        buf[:n] = entry[1][:n]
        entry[1] = entry[1][n:]
        if not entry[1]:
            self._queue.pop(0)
        return n


async def at_every_split(scenario, cuts=None, chunks=(1, 7, 64)):
    """Run ``await scenario()`` -> (module, result) whole, byte by byte, in small chunks, and cut
    at every byte boundary of what the module says, or at those of ``cuts``; the results must be
    the same. Returns the result.
    """
    global _cut, _chunk
    module, want = await scenario()
    module.check()
    try:
        for _chunk in chunks:
            module, got = await scenario()
            module.check()
            assert got == want, "%d bytes a read: %r, whole: %r" % (_chunk, got, want)
        _chunk = _WHOLE
        for cut in range(1, module.said) if cuts is None else cuts:
            _cut = cut
            module, got = await scenario()
            module.check()
            assert got == want, "cut at %d: %r, whole: %r" % (cut, got, want)
    finally:
        _cut = None
        _chunk = _WHOLE
    return want


class Chunks:
    """A stream that gives at most so many bytes at each readinto, and None at its end."""

    def __init__(self, data, chunk):
        self.data = data
        self.chunk = chunk
        self.at = 0
        self.reads = 0

    def readinto(self, buf):
        self.reads += 1
        n = min(self.chunk, len(buf), len(self.data) - self.at)
        if not n:
            return None
        buf[:n] = self.data[self.at : self.at + n]
        self.at += n
        return n
