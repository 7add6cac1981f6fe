"""The serial line between DTE and module, both directions at line speed on the virtual clock.

A frame is 10 bits (8N1). Bytes are handed over in runs of at most `RUN` frames, each at the time
at which its last frame has arrived: fine enough for every idle-line time-out in use (10
characters) and eight times cheaper than single bytes.
"""

import random
from collections.abc import Callable

from tools.timeline import Timeline, Timer

FRAME_BITS = 10
RUN = 8

Sink = Callable[[bytes], None]
Filter = Callable[[bytes], bytes]


class Wire:
    """One direction: takes bytes at once, hands them over when they have arrived."""

    def __init__(self, timeline: Timeline, deliver: Sink) -> None:
        self.baud = 115200
        self.gap_us = 0  # of silence behind each byte
        self._timeline = timeline
        self._deliver = deliver
        self._queue = bytearray()
        self._run = b""
        self._rest = 0  # what integer microseconds leave over, in 1 / baud
        self._timer: Timer | None = None
        self._when_idle: list[Callable[[], None]] = []

    def put(self, data: bytes) -> None:
        """Send `data` behind what is still under way."""
        self._queue += data
        if self._timer is None:
            self._start()

    def clear(self) -> None:
        """What has not arrived yet never will."""
        self._queue.clear()
        self._when_idle.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def when_idle(self, fn: Callable[[], None]) -> None:
        """Call `fn()` once everything put so far has left."""
        if self._timer is None:
            fn()
        else:
            self._when_idle.append(fn)

    @property
    def backlog(self) -> int:
        """Bytes that have not begun to leave."""
        return len(self._queue)

    def _start(self) -> None:
        run = bytes(self._queue[: 1 if self.gap_us else RUN])
        # A carriage return ends a run: what waits for a line gets it at the exact time.
        end = run.find(b"\r") + 1 or len(run)
        self._run = run[:end]
        del self._queue[:end]
        span, self._rest = divmod(end * FRAME_BITS * 1_000_000 + self._rest, self.baud)
        self._timer = self._timeline.call_later(span + self.gap_us, self._arrived)

    def _arrived(self) -> None:
        run, self._timer = self._run, None
        if self._queue:
            self._start()
        else:
            self._rest = 0  # what integer microseconds leave over, in 1 / baud
        self._deliver(run)
        if self._timer is None:
            waiting, self._when_idle = self._when_idle, []
            for fn in waiting:
                fn()


class Uart:
    """Both directions of the module's UART.

    `dte_baud` is what the other end uses when it is known (a PTY tells); a mismatch garbles bytes.
    The filters stand for what happens to bytes on the way (see faults.py).
    """

    def __init__(
        self, timeline: Timeline, rng: random.Random, to_dte: Sink, to_module: Sink
    ) -> None:
        self._rng = rng
        self._to_dte = to_dte
        self._to_module = to_module
        self._out = Wire(timeline, self._leaves)
        self._in = Wire(timeline, self._enters)
        self.dte_baud: int | None = None
        self.filter_in: Filter = bytes
        self.filter_out: Filter = bytes

    @property
    def baud(self) -> int:
        """Bits per second of the module's side, both directions."""
        return self._out.baud

    @baud.setter
    def baud(self, value: int) -> None:
        self._out.baud = self._in.baud = value

    def transmit(self, data: bytes, gap_s: float = 0.0) -> None:
        """The module sends, with so much silence behind each byte."""
        self._out.gap_us = round(gap_s * 1e6)
        self._out.put(data)

    def receive(self, data: bytes) -> None:
        """The DTE has sent."""
        self._in.put(data)

    @property
    def backlog(self) -> int:
        """Bytes that the module has still to send."""
        return self._out.backlog

    def after_transmit(self, fn: Callable[[], None]) -> None:
        """Call `fn()` when everything that the module has sent so far is out."""
        self._out.when_idle(fn)

    def power_off(self) -> None:
        """The transmitter dies in the middle of whatever it sends."""
        self._out.clear()

    def _leaves(self, data: bytes) -> None:
        data = self._garble(self.filter_out(data))
        if data:
            self._to_dte(data)

    def _enters(self, data: bytes) -> None:
        data = self._garble(self.filter_in(data))
        if data:
            self._to_module(data)

    def _garble(self, data: bytes) -> bytes:
        if self.dte_baud is None or self.dte_baud == self.baud:
            return data
        return bytes(self._rng.randrange(256) for _ in data)
