"""One UART, read by one task: lines and payloads out of what comes, whatever comes.

Nothing that comes ends the reader, starves the other tasks, or is waited for without an end.
"""

import asyncio
import time
from time import ticks_ms

from micropython import const

from . import at, dialect, payload
from .ring import EMPTY, FULL, HEADER, LineRing

TYPE_CHECKING = const(0)  # those who check types take it for true
if TYPE_CHECKING:
    from .counted import Payload

_BUSY_MS = const(5)  # how often a UART that takes no more bytes is looked at
_IDLE_MS = const(20)  # until the next look when one has failed
_WRITE_MS = const(2000)  # patience with a UART that takes no more bytes
_WRITTEN_MS = const(4)  # and with one that takes a byte now and then: more than a byte needs
_TURN = const(4096)  # bytes read in a row: a module that never stops talking is not alone
_FAULT = const(64)  # a fault counts as so many
_TORN_MS = const(3)  # more than two characters at 9600 baud: the line is silent
_TORN_READS = const(100)  # a module that never stops talking is not waited for


class Line:
    """The stream, its reader, and the payloads in it. Who inherits from it says what is to be done
    with a line (_classify), a prompt (_prompted) and the time (_look).

    stream -- machine.UART or anything with its readinto() and write(); reads must not block
    size   -- bytes of the longest line

    It is long because each class that one inherits from makes every method slower to find.
    """

    def __init__(self, stream, size: int) -> None:
        self.stream = stream
        self._txdone = getattr(stream, "txdone", None)
        self.ring = LineRing(size)
        self.said = ""  # the command that was said last
        self.closed = False  # for good: nothing is read or written any more
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
        self.watchers = {}  # prefix -> callable that gets each URC's line at once
        self._life = 0  # when characters have last come that no sink gets
        self._payload: Payload | None = None  # the one that is being received
        self._spare: Payload | None = None  # the last one, to be used again
        # The command that waits, and one that was given up while its answer may still come.
        self._exchange = self._stale = None
        self._payload_ms = time.ticks_add(ticks_ms(), -1)  # when bytes have last come
        self._payload_began = self._payload_ms
        self._payload_from = 0  # bytes that came before it
        self._payload_end = None  # when it must be over, once that was asked
        self._drains = self._draining()
        self._tasks = []
        self._flag: asyncio.ThreadSafeFlag | None = None

    if TYPE_CHECKING:
        from .overdue import hasten_payload

    def start(self) -> None:
        """Start reading. Called by the first command; needs a running event loop.

        Raises NotConnected after close(): by then another channel may have the UART.
        """
        self._check_open()
        if self._tasks:
            return
        self._tasks = [asyncio.create_task(self._read())]
        trigger = getattr(self.stream, "IRQ_RXIDLE", None)
        if trigger is not None:
            self._flag = asyncio.ThreadSafeFlag()
            self.stream.irq(handler=self._kick, trigger=trigger)
            self._tasks.append(asyncio.create_task(self._listen(self._flag)))

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
        begin = ticks_ms()
        patience = _WRITE_MS + _WRITTEN_MS * len(data)
        while view:
            self._check_open()
            n = self.stream.write(view)
            if n:
                view = view[n:]
            elif time.ticks_diff(ticks_ms(), begin) > patience:
                raise at.Timeout("the UART takes no more bytes: flow control?", form.send)
            else:
                await asyncio.sleep_ms(_BUSY_MS)

    def report(self, where: str, error: BaseException) -> None:
        self.stats["faults"] += 1
        asyncio.get_event_loop().call_exception_handler(
            {"message": where, "exception": error, "future": running()}
        )

    def leftover(self) -> bytes:
        """Take the beginning of a line that has not gone on."""
        view = self.ring.take(min(self.ring.unread, self.ring.size))
        data = bytes(view or b"")
        self.ring.clear()
        return data

    def _draining(self):
        """Take in what has come; yields whether there may be more. A generator, so that a look
        allocates nothing. Whatever is wrong with what comes, the reader goes on.
        """
        ring = self.ring
        readfrom = ring.readfrom  # to find a method takes as long as ten lines of it
        expected = self._expected
        stream = pour = None
        while True:
            if stream is not self.stream:
                stream = self.stream
                pour = None
            more = True
            begin = seen = ring.received
            while more and ring.received - begin < _TURN:
                try:
                    pending = self._payload
                    if pending is not None:
                        self._payload = None
                        if pending.feed(ring):
                            self._spare = pending
                            continue
                        self._payload = pending
                    elif ring._r == ring._w:
                        pass
                    elif self._exchange is None and self._stale is None and not self.sinks:
                        if pour is None:
                            pour = ring.pour(stream, self.payloads, self.watchers, payload.hand)
                        found = next(pour)
                        if ring.received != seen:
                            seen = ring.received
                            self._payload_ms = ticks_ms()
                        if found == EMPTY:
                            more = False
                            continue
                        if found == HEADER:
                            try:
                                pending = payload.begin(ring.handler, ring.values, self._spare)
                            except Exception as error:
                                ring.skip_line()
                                if not isinstance(error, at.BadAnswer):
                                    raise
                                payload.refuse(ring.handler, error)
                            else:
                                self._await_payload(pending)
                            continue
                        if found == FULL:
                            self._deliver()
                            continue
                        if self._step(ring):
                            continue
                    elif expected(ring):
                        if ring._r == ring._w and self._flag is None:
                            break  # what else comes is seen at the next look, which is soon
                        continue
                    elif self._step(ring):
                        continue
                    if readfrom(stream):
                        seen = ring.received
                        self._payload_ms = now = ticks_ms()
                        if not self.sinks or chr(ring.next()) not in self.sinks:
                            self._life = now
                    else:
                        more = False
                except OSError as error:  # the stream's
                    self.report("reading", error)
                    pour = None
                    more = False
                except Exception as error:
                    self.report("reading", error)
                    pour = None
                    begin -= _FAULT
            yield more

    def _step(self, ring: LineRing) -> bool:
        """Take one thing that has come, whatever it is. Returns False if it needs more bytes."""
        if self._prompted():
            return True
        payloads = self.payloads
        view = ring.name()
        known = None if view is None else ring.recall(view)
        if view is not None and (known is None or known[2] in payloads or known[6] in payloads):
            found = payload.header(ring, payloads)
            if found is True:
                return False  # the rest of the header is still to come
            if found is not False:
                if found is not None:
                    self._payload_ms = ticks_ms()
                    self._await_payload(found)
                return True
        view = ring.line()
        if view is None:
            return False
        line = at.text(view)
        if line:
            self._classify(line, at.prefix(line) if known is None else known[2])
        return True

    def _expect_body(self, name: str, line: str) -> bool:
        """Whether the line is the header of a payload that begins behind it, to be taken next."""
        handler = payload.find(self.payloads, name)
        if handler is None or handler.fields:
            return False
        found = payload.start(handler, line)
        if found is not None:
            self._payload_ms = ticks_ms()
            self._await_payload(found)
        return True

    def _await_payload(self, found: "Payload") -> None:
        self._payload = found
        self._payload_began = self._payload_ms
        self._payload_from = self.ring.received
        self._payload_end = None

    def abandon(self, handler) -> None:
        """Nobody waits for a handler's payload any more: give what is left of it a moment."""
        if self._payload is not None and self._payload.handler is handler:
            self.hasten_payload()

    def _check_open(self) -> None:
        if self.closed:
            raise at.NotConnected("this driver was closed: make another C1100")

    def close(self) -> None:
        """Let go of the stream for good; call it as often as you like."""
        self.closed = True
        self._stop()
        self.payloads = {}

    def _stop(self) -> None:
        for task in self._tasks:
            if task is not running():  # a callback that closes: its task ends by itself
                task.cancel()
        self._tasks = []
        if self._flag is not None:
            self.stream.irq(handler=None)
            self._flag = None

    async def _read(self) -> None:
        tasks = self._tasks
        look = self._look
        sleep_ms = asyncio.sleep_ms
        while self._tasks is tasks:  # until _stop(), which this task may have come to call
            try:
                pause = look()
            except Exception as error:  # whatever it is, the reader goes on
                self.report("reading", error)
                pause = _IDLE_MS
            try:
                await sleep_ms(pause)
            except asyncio.CancelledError:  # by _stop(), or by _listen()
                if self._tasks is not tasks:
                    raise

    async def _listen(self, flag) -> None:
        """Have the reader look when the port tells of an idle line. Were the reader to wait for
        that with a time limit, each time would take a task and four times as long.
        """
        tasks = self._tasks
        while self._tasks is tasks:
            await flag.wait()
            tasks[0].cancel()

    if TYPE_CHECKING:  # Turns has them

        def _expected(self, ring: LineRing) -> bool:
            """Take what comes next, if it is what a command usually waits for."""
            return False

        def _prompted(self) -> bool:
            """Whether a prompt was awaited, and is what came next."""
            return False

        def _classify(self, line: str, name: str) -> None:
            """A line that is no payload. name -- its prefix"""
            raise NotImplementedError

        def _deliver(self) -> None:
            """Take the ring's events away."""
            raise NotImplementedError

        def _look(self) -> int:
            """See what has come, and what time it is. Returns ms until the next look."""
            raise NotImplementedError


def running():
    """The task that runs; None outside the event loop."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
