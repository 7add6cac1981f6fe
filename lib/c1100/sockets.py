"""TCP and UDP on the module's own stack (manual 3.3.1.1, 3.5.1.2).

A socket is a non-blocking MicroPython stream: asyncio's StreamReader and StreamWriter, ssl and
what is built on them work on it. Data travels as hex digits, so any byte may be sent and received.
"""

import asyncio
import io

from micropython import const

from . import at, dialect

TCP = const(0)
UDP = const(1)

_IDS = (1, 2, 3, 4)
_SEND = const(700)  # bytes in one AT+LSIPSEND: 1400 digits (F: about 750 bytes at the most)
_BUFFER = const(1500)  # what the module buffers for one socket (M)

_POLL = const(3)  # MP_STREAM_POLL
_CLOSE = const(4)  # MP_STREAM_CLOSE
_READABLE = const(1)
_WRITABLE = const(4)
_HANG_UP = const(16)


class Sockets:
    """The module's PDP context and its four sockets."""

    def __init__(self, channel) -> None:
        self._channel = channel
        self._open = {}  # id -> Socket
        self.unowned = 0  # bytes for sockets that are not open: counted and discarded
        channel.payloads["+LSIPRTCP"] = _Incoming(self)
        channel.payloads["+LSIPRUDP"] = _Incoming(self)
        channel.on("+LSIPCLOSE", self.closed)
        channel.on("+LSIPCALL", self._on_call)
        channel.on_restart.append(self._on_restart)

    # The PDP context ------------------------------------------------------------------------

    async def call(self, apn: str) -> str:
        """Open the PDP context. Returns the address that the network gave.

        Raises BadArgument, CommandError, NotConnected, Timeout.
        """
        run = self._channel.run
        await run(dialect.IP_PROFILE, apn)
        values = at.params((await run(dialect.IP_CALL))[0])
        if len(values) < 2 or values[0] != 1:
            raise at.NotConnected("the network opens no PDP context", dialect.IP_CALL.send)
        return str(values[1])

    async def address(self) -> str | None:
        """The node's address; None without a PDP context (manual 3.3.1.1 step 3)."""
        values = await self._channel.ask(dialect.IP_STATE)
        return str(values[1]) if values and values[0] == 1 and len(values) > 1 else None

    async def hang_up(self) -> None:
        """Close the PDP context (manual 3.5.1.2 step 3); sockets that are open end with it."""
        self._lose("the PDP context was closed")
        await self._channel.run(dialect.IP_HANG_UP)

    # Sockets --------------------------------------------------------------------------------

    async def open(self, host: str, port: int, kind: int, local_port: int, rxbuf: int):
        """Open a socket (manual 3.3.1.1 step 4).

        host, port -- the far end, by name or address
        kind       -- TCP or UDP
        local_port -- 0 lets the module choose
        rxbuf      -- bytes that may wait to be read

        Returns a Socket. Raises NotConnected without a PDP context, Overflow when all four are in
        use, CommandError when the far end refuses, BadArgument, Timeout.
        """
        if await self.address() is None:
            raise at.NotConnected("no PDP context: use modem.pdp() first", "+LSIPOPEN")
        free = await self._channel.ask(dialect.IP_FREE)
        number = None
        for found in free:
            if found in _IDS and found not in self._open:
                number = found
                break
        if number is None:
            raise at.Overflow("all four sockets are in use", "+LSIPOPEN")
        socket = self._open[number] = Socket(self._channel, self, number, kind, rxbuf)
        try:
            await self._channel.run(dialect.IP_OPEN, number, local_port, host, port, kind)
        except BaseException:
            self._open.pop(number, None)
            raise
        await self._channel.run(dialect.IP_HEX, 1)
        socket.begin()
        return socket

    def forget(self, number: int) -> None:
        """A socket is closed."""
        self._open.pop(number, None)

    def owner(self, number: int):
        """The Socket of an id, None when there is none."""
        return self._open.get(number)

    def closed(self, values: list) -> None:
        """The parameters of a +LSIPCLOSE line."""
        socket = self._open.get(values[0]) if values else None
        if socket is not None:
            received = values[2] if len(values) > 2 else None
            socket.lost("the far end has closed the connection", received)

    def _on_call(self, values: list) -> None:
        if values and values[0] == 0:
            self._lose("the network has closed the PDP context")

    def _on_restart(self) -> None:
        self._lose("the module restarted")

    def _lose(self, why: str) -> None:
        for socket in list(self._open.values()):
            socket.lost(why)


class Context:
    """``async with modem.pdp(apn):`` -- the PDP context is open inside."""

    def __init__(self, sockets: Sockets, apn: str) -> None:
        self._sockets = sockets
        self._apn = apn
        self.address = None

    async def __aenter__(self):
        self.address = await self._sockets.call(self._apn)
        return self

    async def __aexit__(self, kind, error, trace) -> None:
        await self._sockets.hang_up()


class _Incoming:
    """Takes +LSIPRTCP and +LSIPRUDP payloads (payload.py) to the socket that they are for."""

    fields = 2
    hex = True

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._socket = None

    def begin(self, values: list) -> int:
        self._socket = self._sockets.owner(values[0])
        return values[1]

    def data(self, view) -> None:
        if self._socket is None:
            self._sockets.unowned += len(view)
        else:
            self._socket.received(view)

    def end(self, error) -> None:
        if self._socket is not None:
            self._socket.message_ended(error)


class Socket(io.IOBase):
    """One connection, made by modem.tcp() or modem.udp().

    read(), readinto(), readline() and write() do not block: they give None when nothing is there,
    or nothing fits. recv() and drain() wait.
    """

    def __init__(self, channel, sockets: Sockets, number: int, kind: int, rxbuf: int) -> None:
        self.number = number
        self.kind = kind
        self.error = None  # why the connection is over, where it did not end well
        self._channel = channel
        self._sockets = sockets
        self._rx = bytearray(rxbuf)
        self._rx_at = 0  # first unread byte
        self._rx_end = 0
        self._messages = []  # UDP: lengths of the datagrams in _rx
        self._message = 0  # length of the one that is arriving
        self._total = 0  # bytes received
        self._tx = bytearray()
        self._eof = False
        self._closing = False
        self._closed = False
        self._arrived = asyncio.Event()
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._task = None

    # Reading --------------------------------------------------------------------------------

    def readinto(self, buf, nbytes: int | None = None) -> int | None:
        """Bytes that are there, of one datagram at the most; None if none, 0 at the end.

        Raises what ended the connection, once everything has been read.
        """
        n = len(buf) if nbytes is None else min(nbytes, len(buf))
        there = self._rx_end - self._rx_at
        if self.kind == UDP:
            if not self._messages:
                return self._nothing()
            there = self._messages.pop(0)
            n = min(n, there)
        elif not there:
            return self._nothing()
        else:
            n = there = min(n, there)
        at_ = self._rx_at
        buf[:n] = memoryview(self._rx)[at_ : at_ + n]
        self._rx_at += there
        return n

    def read(self, n: int = -1) -> bytes | None:
        """Like readinto(), as bytes; n = -1 for all that is there."""
        there = self._messages[0] if self._messages else self._rx_end - self._rx_at
        buf = bytearray(there if n < 0 else min(n, there))
        if not buf:
            return None if self._nothing() is None else b""
        self.readinto(buf)
        return bytes(buf)

    def readline(self, size: int = -1) -> bytes | None:
        """A line, or what is there of it."""
        end = self._rx.find(b"\n", self._rx_at, self._rx_end)
        return self.read(-1 if end < 0 else end + 1 - self._rx_at)

    async def recv(self, n: int) -> bytes:
        """Up to n bytes, waiting until there is at least one; b"" at the end."""
        while True:
            self._arrived.clear()
            data = self.read(n)
            if data is not None:
                return data
            await self._arrived.wait()

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
        self._total += n
        if self._rx_end + n > len(self._rx):
            waiting = self._rx_end - self._rx_at
            self._rx[:waiting] = self._rx[self._rx_at : self._rx_end]
            self._rx_at, self._rx_end = 0, waiting
        if self._rx_end + n > len(self._rx):
            self._fail(at.Overflow("data was not read in time: %d bytes lost" % n))
            return
        self._rx[self._rx_end : self._rx_end + n] = view
        self._rx_end += n
        self._message += n
        self._arrived.set()

    def message_ended(self, error) -> None:
        """A payload has ended, well or not."""
        if self.kind == UDP and self._message:
            self._messages.append(self._message)
        self._message = 0
        if error is not None:
            self._fail(error)
        self._arrived.set()

    # Writing --------------------------------------------------------------------------------

    def write(self, data) -> int | None:
        """Take as much as fits; it is sent in the background. UDP: each call is one datagram.

        Raises NotConnected after the end, BadArgument for a datagram that is too long.
        """
        if self._eof or self._closing:
            raise self.error or at.NotConnected("the connection is closed", "+LSIPSEND")
        if self.kind == UDP:
            if len(data) > _SEND:
                raise at.BadArgument("a datagram has at most %d bytes" % _SEND, "+LSIPSEND")
            if self._tx:
                return None
        room = _BUFFER - len(self._tx)
        if not room:
            return None
        piece = data if len(data) <= room else memoryview(data)[:room]
        self._tx.extend(piece)
        self._work.set()
        return len(piece)

    async def drain(self) -> None:
        """Wait until the module has sent everything. Raises what went wrong with that."""
        while self._tx and not self._eof:
            self._sent.clear()
            await self._sent.wait()
        if self._eof and self.error is not None:
            self._nothing()

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

    def begin(self) -> None:
        """The socket is open: start sending what is written."""
        self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        run = self._channel.run
        while not self._eof:
            await self._work.wait()
            self._work.clear()
            try:
                while self._tx and not self._eof:
                    piece = bytes(self._tx[:_SEND])
                    await run(dialect.IP_SEND, self.number, piece)
                    await run(dialect.IP_PUSH, self.number)
                    self._tx = self._tx[len(piece) :]
                    self._sent.set()
            except at.C1100Error as error:
                # It is not known how much of it has gone: a stream with a gap is no stream.
                self._fail(error)
            if self._closing:
                break
        self._tx = bytearray()
        self._sent.set()
        await self._end()

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

    async def _end(self) -> None:
        if self._closed:
            return
        self._closed = True
        if not self._eof:
            self._eof = True
            try:
                for line in await self._channel.run(dialect.IP_CLOSE, self.number):
                    # The far end of another socket may have closed at this very moment.
                    self._sockets.closed(at.params(line))
            except at.C1100Error as error:
                self.error = error
        self._sockets.forget(self.number)
        self._arrived.set()

    def lost(self, why: str, received: int | None = None) -> None:
        """The connection is over. received -- bytes that the module says it has handed over."""
        if received is None:
            self._fail(at.NotConnected(why, "+LSIPOPEN"))
        elif received != self._total:
            self._fail(at.PayloadError(self._total, received, "+LSIPRTCP"))
        else:
            self._fail(None)

    def _fail(self, error) -> None:
        if not self._eof:
            self.error = error
            self._eof = True
            self._closed = True
            self._sockets.forget(self.number)
        self._work.set()
        self._sent.set()
        self._arrived.set()

    def ioctl(self, request: int, argument: int) -> int:
        """The stream protocol's poll and close."""
        if request == _CLOSE:
            self.close()
            return 0
        if request != _POLL:
            return -1
        ready = 0
        if self._eof or self._messages or (self.kind == TCP and self._rx_end > self._rx_at):
            ready |= _READABLE
        if not self._eof and len(self._tx) < _BUFFER:
            ready |= _WRITABLE
        if self._eof:
            ready |= _HANG_UP
        return ready & (argument | _HANG_UP)
