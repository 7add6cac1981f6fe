"""The half of a connection that sends, and how connections end.

However one ends, whoever waits for it is woken: everything that ends it goes through fail(), and
the task that sends ends with it, by whatever it was told.
"""

import asyncio
import io
import time

from micropython import const

from . import at, dialect
from .room import Room

TCP = const(0)
UDP = const(1)

_SEND = const(700)  # bytes in one AT+LSIPSEND: 1400 digits (F: about 750 bytes at the most)
_BUFFER = const(1500)  # what waits here to be sent
_FILL = const(1400)  # bytes in one AT+LSIPPUSH: two commands full, and one segment or datagram
_WORTH = const(128)  # bytes for which a stream needs one command more before its AT+LSIPPUSH

_ROOM_MS = const(10000)  # patience with a module that still sends what it was pushed
_ROOM_LOOK_MS = const(250)
_BLIND_MS = const(1000)  # instead, with one that does not count without data


class Sender(io.IOBase):
    """What Socket is made of, but for reading: see there."""

    def __init__(self, sockets, number: int, kind: int) -> None:
        self.number = number
        self.kind = kind
        self.error = None
        self.opened = False  # the module has connected it
        self._sockets = sockets
        self._room = Room(sockets.sizes)
        self._tx = bytearray()
        self._unsure = False  # the last push was not confirmed: the module may still send it
        self._eof = False  # nothing more comes or goes
        self._gone = False  # the module has closed it
        self._closing = False  # close() was called
        self._told = False  # who writes knows of the error
        self._arrived = asyncio.Event()
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._ended = asyncio.Event()
        self._task = None

    # Writing --------------------------------------------------------------------------------

    def write(
        self,
        data: bytes | bytearray | memoryview,
        at_byte: int | None = None,
        n: int | None = None,
    ) -> int | None:
        """Take as much as fits; it is sent in the background. UDP: each call is one datagram.

        data -- all of it; with one number as many bytes of it, with two those from the first on,
                as MicroPython's streams have it

        Raises NotConnected after the end, BadArgument for a datagram that is too long.
        """
        self._check_open()
        data = part(data, at_byte, n)
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

    @property
    def room(self) -> int:
        """Bytes that write() would take now."""
        if self.kind == UDP and self._tx:
            return 0
        return max(0, _BUFFER - len(self._tx))

    def _check_open(self) -> None:
        if self._eof or self._closing:
            closed = at.NotConnected("the connection is closed", dialect.IP_SEND.send)
            raise closed if self.error is None or self._told else self.error

    async def drain(self) -> None:
        """Wait until the module has sent everything. Raises what went wrong with that."""
        while self._tx and not self._eof:
            self._sent.clear()
            await self._sent.wait()
        if self._tx:
            if self.error is not None and not self._told:
                self._told = True
                raise self.error
            raise at.NotConnected("the connection ended before all was sent", dialect.IP_PUSH.send)

    async def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Write everything and drain()."""
        view = memoryview(data)
        while view:
            n = self.write(view)
            if n:
                view = view[n:]
            else:
                await self.writable()
        await self.drain()

    async def writable(self, n: int = 1) -> None:
        """Until write() has room for n bytes, or the connection has ended."""
        while self.room < n and not self._eof:
            self._sent.clear()
            await self._sent.wait()

    async def exclusive(self, send, piece: bytes) -> None:
        """Let ``await send(piece)`` send in its own way, when all that was written has gone.

        If it fails the connection is over, because it is not known what of it has been sent.
        """
        await self.drain()
        self._check_open()
        self._sockets.recent = self
        try:
            await send(piece)
        except BaseException as error:
            self.fail(_typed(error))
            raise

    def begin(self) -> None:
        """The socket is open: start sending what is written."""
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """The socket's task: sends what is written, until the connection ends, and closes it.

        When a command fails it is not known how much has gone: a stream with a gap is no stream.
        """
        try:
            await self._try(self._send())
            if not self._gone:
                await self._try(self._sockets.end(self))
            self._eof = True
        finally:
            self._gone = True
            self._sockets.forget(self)
            self.fail(at.NotConnected("the task of the connection was ended"))
            self._ended.set()

    async def _try(self, step) -> None:
        try:
            await step
        except Exception as error:  # it ends the connection, but not before the module is told
            self.fail(_typed(error))
            if not isinstance(error, at.C1100Error):
                self._sockets.report(error)

    async def _send(self) -> None:
        while not self._eof:
            if not self._tx:
                if self._closing:
                    return
                self._work.clear()
                await self._work.wait()
                continue
            await self._push()
            self._sent.set()
            await asyncio.sleep_ms(0)  # let the writer fill the room

    async def _push(self) -> None:
        """Fill the module's buffer and have it sent (manual 3.3.1.1 steps 7 and 8)."""
        room = self._room
        want = min(len(self._tx), _FILL)
        while room.filled < want:
            rest = want - room.filled
            n = min(rest, _SEND, room.left)
            if n < rest and n < _WORTH and room.filled and self.kind == TCP:
                break  # the stream goes on with the next push
            if n <= 0:
                raise at.Overflow(
                    "the module has room for %d of %d bytes" % (room.filled, want),
                    dialect.IP_SEND.send,
                )
            await self._put(bytes(self._tx[room.filled : room.filled + n]))
        await self._await_room()
        said = await self._sockets.run(dialect.IP_PUSH, self.number, owner=self)
        self._unsure = not said
        self._tx = self._tx[room.filled :]
        room.push()

    async def _put(self, piece: bytes) -> None:
        begin = time.ticks_ms()
        while True:
            self._check_alive()
            try:
                values = await self._sockets.ask(dialect.IP_SEND, self.number, piece, owner=self)
            except at.CommandError as error:
                waited = time.ticks_diff(time.ticks_ms(), begin)
                full = self._unsure or not self._room.fits(len(piece))
                if not full or error.outcome is not None or waited > _ROOM_MS:
                    raise
                await asyncio.sleep_ms(_ROOM_LOOK_MS)  # what was pushed last fills the buffer
                continue
            self._room.put(len(piece), values[1])
            return

    async def _await_room(self) -> None:
        """Wait until what was pushed before has left the buffer, by the counts: a module may send
        it twice otherwise.
        """
        begin = time.ticks_ms()
        while self._room.late and time.ticks_diff(time.ticks_ms(), begin) < _ROOM_MS:
            await asyncio.sleep_ms(_ROOM_LOOK_MS)
            self._check_alive()
            try:  # nothing is sent, so that the module counts
                values = await self._sockets.ask(dialect.IP_SEND, self.number, b"", owner=self)
                self._room.put(0, values[1])
            except at.CommandError as error:
                if error.outcome is not None:
                    raise
                await asyncio.sleep_ms(_BLIND_MS)
                break
        self._check_alive()

    def _check_alive(self) -> None:
        if self._eof:
            raise at.NotConnected("the connection ended before all was sent", dialect.IP_SEND.send)

    # The end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Send what is written, then close. wait_closed() waits for it."""
        self._closing = True
        self._work.set()

    async def wait_closed(self) -> None:
        """Until close() has been done, or the connection has ended otherwise."""
        await self._ended.wait()

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(
        self, kind: type | None, error: BaseException | None, trace: object
    ) -> None:
        self.close()
        await self.wait_closed()

    def lost(self, error) -> None:
        """The module has closed it; error -- None when it is an end as it should be."""
        self._gone = True
        self._sockets.forget(self)
        self.fail(error)

    def fail(self, error) -> None:
        """It is over; error -- None when it is an end as it should be."""
        if not self._eof:
            self.error = error
            self._eof = True
        self._wake()

    def _wake(self) -> None:
        self._work.set()
        self._sent.set()
        self._arrived.set()

    @property
    def _writable(self) -> bool:
        return self._eof or len(self._tx) < _BUFFER


def part(data, at_byte: int | None, n: int | None):
    """What of it write(data, at_byte, n) is about."""
    if at_byte is None:
        return data
    begin, end = (0, at_byte) if n is None else (at_byte, at_byte + n)
    return memoryview(data)[begin:end]


def _typed(error) -> at.C1100Error:
    """What those who wait are told of what is no error of the driver."""
    if isinstance(error, at.C1100Error):
        return error
    return at.NotConnected("sending was given up in the middle: %r" % (error,))
