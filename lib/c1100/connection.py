"""One TCP connection or UDP socket on the module, as a non-blocking MicroPython stream.

asyncio's StreamReader and StreamWriter, ssl and what is built on them work on it. Data travels as
hex digits, so any byte may be sent and received.
"""

import asyncio
import time
from errno import EINVAL

from micropython import const

from . import at, dialect
from .received import Received
from .sending import TCP, UDP, Sender

_LOOK_MS = const(300000)  # how often who waits asks whether the connection still exists
_VAIN = const(2000)  # reads without the event loop, until it is clear that it does not run
_ANSWER_MS = const(6000)  # patience with the answer to that: the question's own, and a little

_FLUSH = const(1)  # MP_STREAM_FLUSH
_POLL = const(3)  # MP_STREAM_POLL
_CLOSE = const(4)  # MP_STREAM_CLOSE
_READABLE = const(1)
_WRITABLE = const(4)
_HANG_UP = const(16)


class Socket(Sender):
    """One connection, made by modem.tcp() or modem.udp().

    read(), readinto(), readline() and write() do not block: they give None when nothing is there,
    or nothing fits. recv(), drain() and sendall() wait.

    number  -- of the module's four
    error   -- what ended the connection, if it did not end well; who reads is told it once, and
               so is who waits for what was written
    dropped -- datagrams that came damaged, or while the buffer was full
    """

    def __init__(self, sockets, number: int, kind: int, rxbuf: int) -> None:
        super().__init__(sockets, number, kind)
        self.dropped = 0
        self._received = Received(rxbuf, kind == UDP)
        self._reader_told = False  # who reads knows of the error
        self._vain = 0  # reads that gave nothing, since the event loop has run
        self._turning = None  # the task that tells that it has

    # Reading --------------------------------------------------------------------------------

    def readinto(self, buf: bytearray | memoryview, nbytes: int | None = None) -> int | None:
        """Bytes that are there, of one datagram at the most; None if none, 0 at the end.

        Raises what ended the connection, once everything has been read.
        """
        there = self._received.ready
        if not there:
            return self._nothing()
        n = min(there, len(buf) if nbytes is None else nbytes, len(buf))
        self._received.take(buf, n)
        return n

    def read(self, n: int = -1) -> bytes | None:
        """Like readinto(), as bytes; n = -1 for all that is there."""
        there = self._received.ready
        if not there:
            return None if self._nothing() is None else b""
        buf = bytearray(there if n < 0 else min(n, there))
        if buf:
            self._received.take(buf, len(buf))
        return bytes(buf)

    def readline(self, size: int = -1) -> bytes | None:
        """A line, or what is there of it, of ``size`` bytes at the most."""
        line = self._received.line()
        return self.read(line if size < 0 else min(line, size))

    async def recv(self, n: int, timeout_s: float | None = None) -> bytes:
        """Up to n bytes, waiting until there is at least one; b"" at the end.

        timeout_s -- seconds until Timeout; None waits for ever. Before it is raised, and every
                     five minutes, the module is asked whether the connection still exists (at
                     most 6 s more): NotConnected if not. The Timeout of a module that does not
                     answer that names the command.
        """
        await self.readable(timeout_s)
        return self.read(n) or b""

    async def readable(self, timeout_s: float | None = None) -> None:
        """Wait until read() gives something, be it the end; recv() says how long, and what it
        raises.
        """
        left = None if timeout_s is None else int(timeout_s * 1000)
        while not self._eof and not self._received.ready:
            self._arrived.clear()
            begin = time.ticks_ms()
            pause = _LOOK_MS if left is None else max(0, min(left, _LOOK_MS))
            try:
                await asyncio.wait_for_ms(self._arrived.wait(), pause)
            except asyncio.TimeoutError:
                await self._look(pause == left)
            if left is not None:
                left -= time.ticks_diff(time.ticks_ms(), begin)
                if left <= 0 and not self._eof and not self._received.ready:
                    raise at.Timeout("nothing has come for %s s" % timeout_s)

    async def _look(self, last: bool) -> None:
        try:
            await asyncio.wait_for_ms(self._sockets.check(), _ANSWER_MS)
        except asyncio.TimeoutError:
            pass  # the module is busy with something else
        except at.Timeout:
            if last and not self._eof and not self._received.ready:
                raise

    def _nothing(self) -> int | None:
        if not self._eof:
            # ssl's handshake, left to itself, would ask for ever for what nobody can bring.
            self._vain += 1
            if self._vain == _VAIN:
                self._turning = asyncio.create_task(self._turn())
            elif self._vain > 2 * _VAIN:
                self._vain = 0
                raise at.NotSupported(
                    "who waits for data has to await: c1100.socket blocks; for ssl there is "
                    "modem.tls(), or do_handshake_on_connect=False"
                )
            return None
        if self.error is not None and not self._reader_told:
            self._reader_told = True
            raise self.error
        return 0

    async def _turn(self) -> None:
        self._vain = 0

    # What the module tells ------------------------------------------------------------------

    def received(self, view) -> None:
        """A piece of payload has come."""
        if self._eof:
            return
        if self._received.put(view):
            self._arrived.set()
        elif self.kind == TCP:
            self.fail(at.Overflow("data was not read in time: %d bytes lost" % len(view)))

    def message_ended(self, error) -> None:
        """A payload has ended, well or not."""
        if self._received.finish(error is None):
            self._arrived.set()
        elif self.kind == UDP:
            self.dropped += 1
        elif error is not None:
            self.fail(error)

    def ended(self, received: int | None) -> None:
        """The far end has closed it. received -- bytes that the module says it has handed over,
        None where it does not say; what is missing of them is lost.
        """
        total = self._received.total
        if received is None:
            self.lost(at.NotConnected("the far end has closed the connection"))
        elif self.kind == TCP and received > total:
            self.lost(at.PayloadError(total, received, dialect.IP_DATA[TCP]))
        else:
            self.lost(None)

    # Stream protocol ------------------------------------------------------------------------

    def setblocking(self, flag: bool) -> None:
        """For ssl, which asks for it. There is no blocking mode."""
        if flag:
            raise at.NotSupported("this socket does not block: use asyncio")

    def ioctl(self, request: int, argument: int) -> int:
        """The stream protocol's poll, flush and close. What it does not know is no request."""
        if request == _CLOSE:
            self.close()
            return 0
        if request == _FLUSH:
            return 0  # what was written is being sent
        if request != _POLL:
            return -EINVAL
        ready = 0
        if self._eof or self._received.ready:
            ready |= _READABLE
        if self._writable:
            ready |= _WRITABLE
        if self._eof:
            ready |= _HANG_UP
        return ready & (argument | _HANG_UP)
