"""One TCP connection or UDP socket on the module, as a non-blocking MicroPython stream.

asyncio's StreamReader and StreamWriter, ssl and what is built on them work on it. Data travels as
hex digits, so any byte may be sent and received.
"""

import asyncio
import io
import time

from micropython import const

from . import at, dialect

TCP = const(0)
UDP = const(1)

_SEND = const(700)  # bytes in one AT+LSIPSEND: 1400 digits (F: about 750 bytes at the most)
_BUFFER = const(1500)  # what the module buffers for one socket (M)
_FILL = const(1400)  # bytes in one AT+LSIPPUSH: two commands full, and one segment or datagram

_POLL = const(3)  # MP_STREAM_POLL
_CLOSE = const(4)  # MP_STREAM_CLOSE
_READABLE = const(1)
_WRITABLE = const(4)
_HANG_UP = const(16)


class Socket(io.IOBase):
    """One connection, made by modem.tcp() or modem.udp().

    read(), readinto(), readline() and write() do not block: they give None when nothing is there,
    or nothing fits. recv(), drain() and sendall() wait.

    number  -- of the module's four
    error   -- what ended the connection, if it did not end well; read() and drain() raise it once
    dropped -- datagrams that came damaged, or while the buffer was full
    """

    def __init__(self, channel, sockets, number: int, kind: int, rxbuf: int) -> None:
        self.number = number
        self.kind = kind
        self.error = None
        self.dropped = 0
        self._channel = channel
        self._sockets = sockets
        self._rx = bytearray(rxbuf)
        self._rx_at = 0  # first unread byte
        self._rx_end = 0
        self._messages = []  # UDP: lengths of the datagrams in _rx
        self._message = 0  # bytes in _rx of the payload that is arriving
        self._skip = False  # the rest of it has no room
        self._total = 0  # bytes received
        self._tx = bytearray()
        self._eof = False  # nothing more comes or goes
        self._gone = False  # the module has closed it
        self._closing = False  # close() was called
        self._arrived = asyncio.Event()
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._task = None

    # Reading --------------------------------------------------------------------------------

    def readinto(self, buf, nbytes: int | None = None) -> int | None:
        """Bytes that are there, of one datagram at the most; None if none, 0 at the end.

        Raises what ended the connection, once everything has been read.
        """
        there = self._ready()
        if not there:
            return self._nothing()
        n = min(there, len(buf) if nbytes is None else nbytes, len(buf))
        at_ = self._rx_at
        buf[:n] = memoryview(self._rx)[at_ : at_ + n]
        if self.kind == UDP:
            self._messages.pop(0)
            self._rx_at += there  # the rest of a datagram is gone, as with any UDP socket
        else:
            self._rx_at += n
        return n

    def read(self, n: int = -1) -> bytes | None:
        """Like readinto(), as bytes; n = -1 for all that is there."""
        there = self._ready()
        if not there:
            return None if self._nothing() is None else b""
        buf = bytearray(there if n < 0 else min(n, there))
        if buf:
            self.readinto(buf)
        return bytes(buf)

    def readline(self, size: int = -1) -> bytes | None:
        """A line, or what is there of it, of ``size`` bytes at the most."""
        end = self._rx.find(b"\n", self._rx_at, self._rx_at + self._ready())
        line = self._ready() if end < 0 else end + 1 - self._rx_at
        return self.read(line if size < 0 else min(line, size))

    async def recv(self, n: int, timeout_s: float | None = None) -> bytes:
        """Up to n bytes, waiting until there is at least one; b"" at the end.

        timeout_s -- seconds until Timeout; None waits for ever. Before it is raised the module is
                     asked whether the connection still exists: NotConnected if not.
        """
        begin = time.ticks_ms()
        while True:
            self._arrived.clear()
            data = self.read(n)
            if data is not None:
                return data
            if timeout_s is None:
                await self._arrived.wait()
                continue
            left = int(timeout_s * 1000) - time.ticks_diff(time.ticks_ms(), begin)
            try:
                await asyncio.wait_for_ms(self._arrived.wait(), max(left, 0))
            except asyncio.TimeoutError:
                await self._sockets.check(self)
                if not self._eof and not self._ready():
                    raise at.Timeout("nothing has come for %d s" % timeout_s)

    def _ready(self) -> int:
        """Bytes that one read can give."""
        if self.kind == UDP:
            return self._messages[0] if self._messages else 0
        return self._rx_end - self._rx_at

    def _nothing(self) -> int | None:
        if not self._eof:
            return None
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return 0

    def received(self, view) -> None:
        """A piece of payload has come."""
        n = len(view)
        if self._eof:
            return
        self._total += n
        if self._rx_end + n > len(self._rx):
            waiting = self._rx_end - self._rx_at
            self._rx[:waiting] = self._rx[self._rx_at : self._rx_end]
            self._rx_at, self._rx_end = 0, waiting
        if self._rx_end + n > len(self._rx):
            self._skip = True
        if self._skip:
            if self.kind == TCP:
                self._fail(at.Overflow("data was not read in time: %d bytes lost" % n))
            return
        self._rx[self._rx_end : self._rx_end + n] = view
        self._rx_end += n
        self._message += n
        self._arrived.set()

    def message_ended(self, error) -> None:
        """A payload has ended, well or not."""
        if self.kind == UDP:
            if error is not None or self._skip:
                self._rx_end -= self._message
                self.dropped += 1
            elif self._message:
                self._messages.append(self._message)
            self._skip = False
        elif error is not None:
            self._fail(error)
        self._message = 0
        self._arrived.set()

    # Writing --------------------------------------------------------------------------------

    def write(self, data) -> int | None:
        """Take as much as fits; it is sent in the background. UDP: each call is one datagram.

        Raises NotConnected after the end, BadArgument for a datagram that is too long.
        """
        self._check_open()
        if self.kind == UDP:
            if len(data) > _FILL:
                raise at.BadArgument(
                    "a datagram has at most %d bytes" % _FILL, dialect.IP_SEND.send
                )
            if self._tx:
                return None
        room = _BUFFER - len(self._tx)
        if not room:
            return None
        piece = data if len(data) <= room else memoryview(data)[:room]
        self._tx.extend(piece)
        self._work.set()
        return len(piece)

    def _check_open(self) -> None:
        if self._eof or self._closing:
            raise self.error or at.NotConnected("the connection is closed", dialect.IP_SEND.send)

    async def drain(self) -> None:
        """Wait until the module has sent everything. Raises what went wrong with that."""
        while self._tx and not self._eof:
            self._sent.clear()
            await self._sent.wait()
        if self._tx:
            self._tx = bytearray()
            self._nothing()
            raise at.NotConnected("the connection ended before all was sent", dialect.IP_PUSH.send)

    async def sendall(self, data) -> None:
        """Write everything and drain()."""
        view = memoryview(data)
        while view:
            n = self.write(view)
            if n:
                view = view[n:]
            else:
                self._sent.clear()
                await self._sent.wait()
        await self.drain()

    async def exclusive(self, send, piece: bytes) -> None:
        """Let ``await send(piece)`` send in its own way, when all that was written has gone.

        If it fails the connection is over, because it is not known what of it has been sent.
        """
        await self.drain()
        self._check_open()
        try:
            await send(piece)
        except BaseException as error:
            self._fail(
                error
                if isinstance(error, at.C1100Error)
                else at.NotConnected("sending was given up in the middle", dialect.IP_SEND.send)
            )
            raise

    def begin(self) -> None:
        """The socket is open: start sending what is written."""
        self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while not self._eof:
            if not self._tx:
                if self._closing:
                    break
                self._work.clear()
                await self._work.wait()
                continue
            try:
                await self._push()
            except at.C1100Error as error:
                # It is not known how much of it has gone: a stream with a gap is no stream.
                self._fail(error)
            self._sent.set()
            await asyncio.sleep_ms(0)  # let the writer fill the room
        await self._end()

    async def _push(self) -> None:
        """Fill the module's buffer and have it sent (manual 3.3.1.1 steps 7 and 8)."""
        filled = 0
        while filled < min(len(self._tx), _FILL):
            piece = bytes(self._tx[filled : min(filled + _SEND, _FILL)])
            values = await self._channel.ask(dialect.IP_SEND, self.number, piece)
            filled += len(piece)
            # The module says what is still free. Digits that the line has lost show here.
            if len(values) > 1 and values[1] != _BUFFER - filled:
                raise at.PayloadError(_BUFFER - values[1], filled, dialect.IP_SEND.send)
        await self._channel.run(dialect.IP_PUSH, self.number)
        self._tx = self._tx[filled:]

    # The end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Send what is written, then close. wait_closed() waits for it."""
        self._closing = True
        self._work.set()

    async def wait_closed(self) -> None:
        """Until close() has been done."""
        if self._task is not None:
            task, self._task = self._task, None
            await task

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace) -> None:
        self.close()
        await self.wait_closed()

    async def _end(self) -> None:
        self._eof = True
        if not self._gone:
            try:
                for line in await self._channel.run(dialect.IP_CLOSE, self.number):
                    # The far end of another socket may have closed at this very moment.
                    self._sockets.closed(at.params(line))
            except at.C1100Error as error:
                self.error = self.error or error
        self._gone = True
        self._sockets.forget(self.number)
        self._wake()

    def lost(self, why: str, received: int | None = None) -> None:
        """The module has closed it. received -- bytes that it says it has handed over."""
        self._gone = True
        self._sockets.forget(self.number)
        if received is None:
            self._fail(at.NotConnected(why, dialect.IP_OPEN.send))
        elif self.kind == TCP and received > self._total:
            self._fail(at.PayloadError(self._total, received, dialect.IP_DATA[0]))
        else:
            self._fail(None)

    def _fail(self, error) -> None:
        if not self._eof:
            self.error = error
            self._eof = True
        self._wake()

    def _wake(self) -> None:
        self._work.set()
        self._sent.set()
        self._arrived.set()

    # Stream protocol ------------------------------------------------------------------------

    def setblocking(self, flag: bool) -> None:
        """For ssl, which asks for it. There is no blocking mode."""
        if flag:
            raise at.NotSupported("this socket does not block: use asyncio")

    def ioctl(self, request: int, argument: int) -> int:
        """The stream protocol's poll and close."""
        if request == _CLOSE:
            self.close()
            return 0
        if request != _POLL:
            return -1
        ready = 0
        if self._eof or self._ready():
            ready |= _READABLE
        if self._eof or len(self._tx) < _BUFFER:
            ready |= _WRITABLE
        if self._eof:
            ready |= _HANG_UP
        return ready & (argument | _HANG_UP)
