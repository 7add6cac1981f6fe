"""One UART, read by one task: lines and payloads out of what comes, whatever comes.

Nothing that comes ends the reader, starves the other tasks, or is waited for without an end.
"""

import asyncio
import time

from micropython import const

from . import at, dialect, payload
from .ring import LineRing

_BUSY_MS = const(5)  # how often the UART is looked at while a command waits
_IDLE_MS = const(20)  # and otherwise
_IRQ_MS = const(300)  # and when the port tells of an idle line by itself: 3.5 KB at 115200
_WRITE_MS = const(2000)  # patience with a UART that takes no more bytes
_WRITTEN_MS = const(4)  # and with one that takes a byte now and then: more than a byte needs
_PAYLOAD_MS = const(3000)  # patience with a payload that does not go on
_STALL_MS = const(1000)  # and when nobody waits for it any more
_BYTE_MS = const(4)  # and with each of its bytes: 2 digits at 5000 baud
_TRICKLE_MS = const(100)  # a line that needs so long for a byte, or longer, is slow
_TRICKLES_MS = const(30000)  # patience with a payload on such a line
_MOST = const(65536)  # of its bytes count for that
_UNTOLD = const(4096)  # where no length was told
_TURN = const(4096)  # bytes read in a row: a module that never stops talking is not alone
_FAULT = const(64)  # a fault counts as so many
_TORN_MS = const(3)  # more than two characters at 9600 baud: the line is silent
_TORN_READS = const(100)  # a module that never stops talking is not waited for


class Line:
    """The stream, its reader, and the payloads in it. Who inherits from it says what is to be done
    with a line (_classify), a prompt (_prompted) and the time (_look).

    stream -- machine.UART or anything with its readinto() and write(); reads must not block
    size   -- bytes of the longest line
    """

    def __init__(self, stream, size: int) -> None:
        self.stream = stream
        self._txdone = getattr(stream, "txdone", None)
        self.ring = LineRing(size)
        self.closed = False  # for good: nothing is read or written any more
        self.received = 0  # bytes
        # "lost <prefix>" is added for URCs that were dropped because their callbacks were slow
        self.stats = {
            "commands": 0,
            "timeouts": 0,
            "late": 0,  # lines of commands that had been given up
            "unknown": 0,  # lines that nothing was waiting for
            "reboots": 0,
            "short payloads": 0,
            "faults": 0,  # exceptions of callbacks, payload handlers and the stream itself
        }
        self.payloads = payload.unheard()  # prefix -> handler (payload.py)
        self.sinks = {}  # first character -> callable that gets each such line: NMEA's "$"
        self._life = 0  # when characters have last come that no sink gets
        self._payload: payload.Payload | None = None  # the one that is being received
        self._payload_ms = 0  # when bytes have last come
        self._payload_began = 0
        self._payload_from = 0  # bytes that came before it
        self._payload_end = 0  # when it must be over
        self._tasks = []
        self._flag: asyncio.ThreadSafeFlag | None = None

    def start(self) -> None:
        """Start reading. Called by the first command; needs a running event loop.

        Raises NotConnected after close(): by then another channel may have the UART.
        """
        self._check_open()
        if self._tasks:
            return
        trigger = getattr(self.stream, "IRQ_RXIDLE", None)
        if trigger is not None:
            self._flag = asyncio.ThreadSafeFlag()
            self.stream.irq(handler=self._kick, trigger=trigger)
        self._tasks = [asyncio.create_task(job) for job in self._jobs()]

    def reopen(self) -> None:
        """The UART has slept with the board: drop what is under way, whose beginning is lost.

        The end of a torn line could be taken for a result code.
        """
        for _ in range(_TORN_READS):
            time.sleep_ms(_TORN_MS)
            self.ring.clear()
            if not self.ring.readfrom(self.stream):
                break
        self.ring.clear()

    def _kick(self, _=None) -> None:
        if self._flag is not None:
            self._flag.set()

    async def _write(self, data, form: dialect.Form) -> None:
        view = memoryview(data)
        begin = time.ticks_ms()
        patience = _WRITE_MS + _WRITTEN_MS * len(data)
        while view:
            self._check_open()
            n = self.stream.write(view)
            if n:
                view = view[n:]
            elif time.ticks_diff(time.ticks_ms(), begin) > patience:
                raise at.Timeout("the UART takes no more bytes: flow control?", form.send)
            else:
                await asyncio.sleep_ms(_BUSY_MS)

    def report(self, where: str, error: Exception) -> None:
        self.stats["faults"] += 1
        asyncio.get_event_loop().call_exception_handler(
            {"message": where, "exception": error, "future": None}
        )

    def leftover(self) -> bytes:
        """Take the beginning of a line that has not gone on."""
        view = self.ring.take(min(self.ring.unread, self.ring.size))
        data = bytes(view or b"")
        self.ring.clear()
        return data

    def _drain(self) -> bool:
        """Take in what has come. Returns whether there may be more. Whatever is wrong with it, the
        reader goes on.
        """
        left = _TURN
        while left > 0:
            try:
                self._drain_ring()
                n = self.ring.readfrom(self.stream)
                if not n:
                    return False
                left -= n
                self.received += n
                self._payload_ms = time.ticks_ms()
                if not self.sinks or chr(self.ring.next()) not in self.sinks:
                    self._life = self._payload_ms
            except OSError as error:  # the stream's
                self.report("reading", error)
                return False
            except Exception as error:
                self.report("reading", error)
                left -= _FAULT
        return True

    def _drain_ring(self) -> None:
        ring = self.ring
        while True:
            pending, self._payload = self._payload, None
            if pending is not None and not pending.feed(ring):
                self._payload = pending
                return
            if self._prompted():
                continue
            if self.payloads:
                found = payload.header(ring, self.payloads)
                if isinstance(found, payload.Payload):
                    self._await_payload(found)
                    continue
                if found is None:
                    continue
                if found:  # the rest of the header is still to come
                    return
            view = ring.line()
            if view is None:
                return
            line = at.text(view)
            if line:
                self._classify(line)

    def _expect_body(self, name: str, line: str) -> bool:
        """Whether the line is the header of a payload that begins behind it, to be taken next."""
        handler = payload.find(self.payloads, name)
        if handler is None or handler.fields:
            return False
        found = payload.start(handler, line)
        if found is not None:
            self._await_payload(found)
        return True

    def _await_payload(self, found: payload.Payload) -> None:
        self._payload = found
        self._payload_ms = self._payload_began = time.ticks_ms()
        self._payload_from = self.received
        most = _UNTOLD if found.want is payload.REST else min(found.want, _MOST)
        patience = _PAYLOAD_MS + _BYTE_MS * most
        self._payload_end = time.ticks_add(self._payload_ms, patience)

    def _check_payload(self, patience_ms: int = _PAYLOAD_MS) -> None:
        """Give up a payload that does not go on; whatever comes then is lines again."""
        pending = self._payload
        if pending is None:
            return
        now = time.ticks_ms()
        if time.ticks_diff(now, self._payload_ms) < patience_ms and (
            time.ticks_diff(self._payload_end, now) > 0 or self._trickles()
        ):
            return
        self.stats["short payloads"] += 1
        self._payload = None
        try:
            pending.give_up(self.ring)
        except Exception as error:
            self.report("payload", error)

    def _trickles(self) -> bool:
        """Whether a payload takes so long because each of its bytes does: for a while."""
        spent = time.ticks_diff(time.ticks_ms(), self._payload_began)
        return _TRICKLE_MS * (self.received - self._payload_from) < spent < _TRICKLES_MS

    def abandon(self, handler) -> None:
        """Nobody waits for a handler's payload any more: give what is left of it a moment."""
        if self._payload is None or self._payload.handler is not handler:
            return
        now = time.ticks_ms()
        self._payload_began = time.ticks_add(now, -_TRICKLES_MS)
        end = time.ticks_add(now, _STALL_MS)
        if time.ticks_diff(end, self._payload_end) < 0:
            self._payload_end = end

    def _check_open(self) -> None:
        if self.closed:
            raise at.NotConnected("this driver was closed: make another C1100")

    def close(self) -> None:
        """Let go of the stream for good; call it as often as you like."""
        self.closed = True
        self._stop()
        self.payloads = {}

    def _stop(self) -> None:
        try:
            running = asyncio.current_task()  # a callback that closes: its task ends by itself
        except RuntimeError:
            running = None  # outside the event loop
        for task in self._tasks:
            if task is not running:
                task.cancel()
        self._tasks = []
        if self._flag is not None:
            self.stream.irq(handler=None)
            self._flag = None

    def _jobs(self) -> list:
        """Coroutines that run from start() to close()."""
        return [self._read()]

    async def _read(self) -> None:
        while True:
            try:
                pause = self._look()
            except Exception as error:  # whatever it is, the reader goes on
                self.report("reading", error)
                pause = _IDLE_MS
            if self._flag is None:
                await asyncio.sleep_ms(pause)
                continue
            try:
                await asyncio.wait_for_ms(self._flag.wait(), pause)
            except asyncio.TimeoutError:
                pass  # nothing has come: look at the time again

    def _look(self) -> int:
        """See what has come. Returns ms until the next look."""
        pause = _IDLE_MS if self._flag is None else _IRQ_MS
        if self._drain():
            pause = _BUSY_MS
        self._check_payload()
        return pause

    def _prompted(self) -> bool:
        """Whether a prompt was awaited, and is what came next."""
        return False

    def _classify(self, line: str) -> None:
        """A line that is no payload."""
        raise NotImplementedError
