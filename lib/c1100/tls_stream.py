"""mbedtls over a socket of the module: the handshake, reading and writing, how it ends."""

import io
import time
from errno import EINVAL

from micropython import const

from . import at
from .sending import part

END = const(-0x7280)  # MBEDTLS_ERR_SSL_CONN_EOF: the connection was closed without a farewell

_PIECE = const(512)
_RECORD = const(128)  # bytes at the most that a record has around what was written
_HEAD = const(5)  # bytes of a record's head (RFC 5246 6.2.1): type, version, length
_CHANGE = const(20)
_HANDSHAKE = const(22)
_HELLO = const(122)  # bytes of a ServerHello of TLS 1.3 at the least, a Finished has fewer
_DATA = const(23)

_FLUSH = const(1)  # MP_STREAM_FLUSH
_POLL = const(3)  # MP_STREAM_POLL
_CLOSE = const(4)  # MP_STREAM_CLOSE
_READABLE = const(1)
_WRITABLE = const(4)


class _Wire(io.IOBase):
    """What mbedtls has for a socket. It does not tell when the handshake is over; the records do
    (RFC 5246 7.1): the far end's last one comes behind its ChangeCipherSpec, and in TLS 1.3 ours
    is the first that is encrypted.
    """

    def __init__(self, sock) -> None:
        self.done = False
        self._sock = sock
        self._head = b""  # of the record that comes
        self._left = 0  # bytes of it
        self._switched = False
        self._last = False  # the record is the far end's last one
        self.dry = False  # there was nothing to read, when it was last asked
        self.ended = False  # nor will there be
        self.error = None  # because of this

    def readinto(self, buf) -> int | None:
        """Never from two records: mbedtls asks for the head of one, then for what is in it. It is
        not told of an end: what it has read before it would be lost with that.
        """
        try:
            n = self._sock.readinto(buf)
        except at.C1100Error as error:
            self.error = error
            n = 0
        self.dry = not n
        if n:
            if not self.done:
                self._follow(buf, n)
            return n
        self.ended = n == 0
        return None

    def _follow(self, buf, n: int) -> None:
        if not self._left:
            self._head += bytes(buf[:n])
            if len(self._head) < _HEAD:
                return
            head, self._head = self._head, b""
            self._left = head[3] << 8 | head[4]
            if head[0] == _CHANGE:
                self._switched = True
            else:
                # In TLS 1.3 no last record is behind it (RFC 8446 D.4), but a ServerHello may be.
                self._last = self._switched and head[0] == _HANDSHAKE and self._left < _HELLO
        else:
            self._left -= n
            self.done = self._last and not self._left

    def write(self, buf) -> int | None:
        """To the socket."""
        if not self.done and len(buf) > _HEAD and buf[0] == _DATA and buf[1] == 3:
            self.done = True
        return self._sock.write(buf)

    def ioctl(self, request: int, argument: int) -> int:
        """Of the socket; but Tls closes that. mbedtls closes this when it is collected, too, where
        nothing may be allocated.
        """
        return 0 if request == _CLOSE else self._sock.ioctl(request, argument)


class Tls(io.IOBase):
    """One TLS connection, made by modem.tls(): as connection.Socket, and encrypted.

    An end without a goodbye is an end all the same: the content has to tell whether something is
    missing.
    """

    def __init__(self, sock, context, hostname: str) -> None:
        self._sock = sock
        self._wire = _Wire(sock)
        self._inner = context.wrap_socket(
            self._wire, server_hostname=hostname, do_handshake_on_connect=False
        )
        self._ahead = b""  # what has been read before it was wanted
        self._more = False  # mbedtls may have more of the record that was read last
        self._over = False  # the far end has said goodbye: nothing more comes
        self._ended = False  # nothing more goes
        self._closed = False

    @property
    def error(self) -> "at.C1100Error | None":
        """What ended the connection, if it did not end well."""
        return self._sock.error

    async def handshake(self, timeout_s: float) -> None:
        """Until both sides know the keys."""
        begin = time.ticks_ms()
        sock = self._sock
        buf = bytearray(1)
        while True:
            # mbedtls gets on with the handshake whenever somebody wants to read.
            n = self._inner.readinto(buf)
            if n:
                self._ahead = bytes(buf)
                self._more = True
            if self._wire.done:
                return
            if n == 0 or self._wire.ended:
                self._raise()
                raise OSError(END)
            await sock.drain()
            left = timeout_s - time.ticks_diff(time.ticks_ms(), begin) / 1000
            try:
                await sock.readable(max(left, 0))
            except at.Timeout as error:
                if error.command is not None:
                    raise
                raise at.Refused("no TLS: the far end says nothing for %d s" % timeout_s)

    # Reading --------------------------------------------------------------------------------

    def readinto(self, buf: bytearray | memoryview, nbytes: int | None = None) -> int | None:
        """Bytes that are there; None if none, 0 at the end."""
        n = len(buf) if nbytes is None else min(nbytes, len(buf))
        if not n or self._closed or self._over:
            return 0
        if self._ahead:
            buf[0] = self._ahead[0]
            self._ahead = b""
            return 1
        try:
            got = self._inner.readinto(buf, n)
        except OSError as error:
            self._failed(error)
            return 0
        wire = self._wire
        self._more = got == n
        if got is None and wire.ended:
            self._over = True
            self._raise()
            return 0
        if got is not None and got < n and not wire.dry:
            # They have said goodbye, which mbedtls tells once at the most (RFC 5246 7.2.1).
            self._over = self._ended = True
        return got

    def _raise(self) -> None:
        error, self._wire.error = self._wire.error, None
        if error is not None:
            raise error

    def read(self, n: int = -1) -> bytes | None:
        """Like readinto(), as bytes; n = -1 for all that is there."""
        if n == 0:
            return b""
        found = b""
        while n < 0 or not found:
            buf = bytearray(_PIECE if n < 0 else min(n, _PIECE))
            got = self.readinto(buf)
            if not got:
                return found or (None if got is None else b"")
            found += buf[:got]
        return bytes(found)

    def readline(self, size: int = -1) -> bytes | None:
        """A line, or what is there of it, of ``size`` bytes at the most."""
        line = b""
        buf = bytearray(1)
        while len(line) != size and line[-1:] != b"\n":
            got = self.readinto(buf)
            if not got:
                return line or (None if got is None else b"")
            line += buf
        return line

    async def recv(self, n: int, timeout_s: float | None = None) -> bytes:
        """Up to n bytes, waiting until there is at least one; b"" at the end. See Socket.recv()"""
        begin = time.ticks_ms()
        left = timeout_s
        while True:
            data = self.read(n)
            if data is not None:
                return data
            if timeout_s is not None:
                left = max(0, timeout_s - time.ticks_diff(time.ticks_ms(), begin) / 1000)
            await self.readable(left)

    async def readable(self, timeout_s: float | None = None) -> None:
        """Wait for what read() may be able to use; see Socket.readable()."""
        if not self._ahead and not self._more and not self._over and not self._closed:
            await self._sock.readable(timeout_s)

    def _failed(self, error) -> None:
        """What mbedtls says while the connection is in use."""
        self._more = False
        self._over = self._ended = True
        failure = at.BadAnswer("TLS: %s" % error)
        self._sock.fail(failure)
        raise failure

    # Writing --------------------------------------------------------------------------------

    def write(
        self,
        data: bytes | bytearray | memoryview,
        at_byte: int | None = None,
        n: int | None = None,
    ) -> int | None:
        """Take as much as fits; see Socket.write(). Raises NotConnected after the end."""
        sock = self._sock
        data = part(data, at_byte, n)
        # A record goes as a whole: mbedtls counts one that it has kept as part of the next write.
        room = sock.room - _RECORD
        sock.write(b"")  # raises if it is over
        if self._ended:
            raise at.NotConnected("the connection is closed")
        if room <= 0:
            return None
        try:
            return self._inner.write(memoryview(data)[:room])
        except OSError as error:
            self._failed(error)
            return None

    async def drain(self) -> None:
        """Wait until the module has sent everything. Raises what went wrong with that."""
        await self._sock.drain()

    async def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Write everything and drain()."""
        view = memoryview(data)
        while view:
            n = self.write(view)
            if n:
                view = view[n:]
            else:
                await self.writable()
        await self._sock.drain()

    async def writable(self) -> None:
        """Until write() has room, or the connection has ended."""
        await self._sock.writable(_RECORD + 1)

    # The end, and the stream protocol -------------------------------------------------------

    def close(self) -> None:
        """Send what is written, then close. wait_closed() waits for it."""
        self._ended = self._closed = True
        self._inner.close()  # gives back what mbedtls has of the heap
        self._sock.close()

    async def wait_closed(self) -> None:
        """Until close() has been done, or the connection has ended otherwise."""
        await self._sock.wait_closed()

    async def __aenter__(self) -> "Tls":
        return self

    async def __aexit__(
        self, kind: type | None, error: BaseException | None, trace: object
    ) -> None:
        self.close()
        await self.wait_closed()

    def setblocking(self, flag: bool) -> None:
        """There is no blocking mode."""
        self._sock.setblocking(flag)

    def ioctl(self, request: int, argument: int) -> int:
        """The stream protocol's poll, flush and close."""
        if request == _CLOSE:
            self.close()
            return 0
        if request == _FLUSH:
            return 0
        if request != _POLL:
            return -EINVAL
        ready = self._sock.ioctl(_POLL, argument)
        if (self._ahead or self._more or self._over) and argument & _READABLE:
            ready |= _READABLE
        if self._sock.room <= _RECORD and not self._ended:
            ready &= ~_WRITABLE
        return ready
