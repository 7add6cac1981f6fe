"""asyncio's reader and writer over a connection of the module, for modem.open_connection()."""

from . import at
from .errnos import os_error


async def open_connection(
    modem,
    host: str,
    port: int,
    ssl=None,
    server_hostname: str | None = None,
    rxbuf: int = 4096,
) -> "tuple[Stream, Stream]":
    """modem.open_connection(): asyncio.open_connection() over the module: (reader, writer).

    ssl   -- tls.Context, or an SSLContext of the interpreter; None for a plain connection. True is
             refused: whom to trust has to be said
    rxbuf -- bytes that may wait to be read: the module cannot be told to wait, and what comes
             while nobody reads and it is full ends the connection

    Raises what tcp() and tls() do. Reader and writer raise OSError as asyncio's do, with its
    errno; see Stream.
    """
    if not ssl:
        stream = Stream(await modem.tcp(host, port, rxbuf=rxbuf))
    else:
        from . import tls

        made = await tls.connect(modem, ssl, host, port, server_hostname, tls.LIMIT_S, rxbuf)
        stream = Stream(made)
    return stream, stream


class Stream:
    """Reader and writer in one, as MicroPython's, over ``s``: a Socket or a Tls.

    Other than asyncio's, who waits asks now and then whether the connection still exists, and
    wait_closed() does wait. What ends the connection is an OSError with an errno and the driver's
    text.
    """

    def __init__(self, s) -> None:
        self.s = s
        self._out = b""  # what was written and has had no room yet
        self._at = 0  # of it, what has had room meanwhile

    def get_extra_info(self, name: str) -> object:
        """``socket``: the Socket or Tls; nothing else."""
        return self.s if name == "socket" else None

    async def read(self, n: int = -1) -> bytes:
        """Up to n bytes, b"" at the end; -1: all until then."""
        pieces = []
        while n:
            piece = await self._some(self.s.read, n)
            if n > 0:
                return piece
            if not piece:
                break
            pieces.append(piece)
        return b"".join(pieces)

    async def readinto(self, buf: bytearray | memoryview) -> int:
        """Up to a buffer full; 0 at the end."""
        return await self._some(self.s.readinto, buf)

    async def readexactly(self, n: int) -> bytes:
        """n bytes. Raises EOFError when there are less."""
        found = bytearray(n)  # once: a heap in pieces has no room for many
        view = memoryview(found)
        while view:
            got = await self._some(self.s.readinto, view)
            if not got:
                raise EOFError
            view = view[got:]
        return bytes(found)

    async def readline(self) -> bytes:
        """A line with its end; without one at the end of all."""
        line = b""
        while line[-1:] != b"\n":
            piece = await self._some(self.s.readline)
            if not piece:
                break
            line += piece
        return line

    async def _some(self, read, *args):
        s = self.s
        try:
            while True:
                got = read(*args)
                if got is not None:
                    return got
                await s.readable()
        except at.C1100Error as error:
            raise os_error(error, True)

    def write(self, buf: bytes | bytearray | memoryview) -> None:
        """Any number of bytes; what has no room waits in RAM for drain()."""
        if self._out:
            self._out = self._out[self._at :] + buf
            self._at = 0
            return
        try:
            n = self.s.write(buf) or 0
        except at.C1100Error as error:
            raise os_error(error, True)
        self._out = bytes(memoryview(buf)[n:])

    async def drain(self) -> None:
        """Until all that was written has room, at the least; also what others write meanwhile."""
        s = self.s
        try:
            while self._out:
                n = s.write(memoryview(self._out)[self._at :])
                if not n:
                    await s.writable()
                    continue
                self._at += n
                if self._at == len(self._out):
                    self._out = b""
                    self._at = 0
        except at.C1100Error as error:
            raise os_error(error, True)

    async def awrite(
        self, buf: bytes | bytearray | memoryview, off: int = 0, sz: int = -1
    ) -> None:
        """write() and drain(), as MicroPython's has it for older code."""
        self.write(memoryview(buf)[off : len(buf) if sz < 0 else off + sz])
        await self.drain()

    awritestr = awrite

    def can_write_eof(self) -> bool:
        """The module closes a connection as a whole."""
        return False

    def write_eof(self) -> None:
        """Raises OSError: there is no half of a close."""
        raise os_error(at.NotSupported("the module closes a connection as a whole: close()"))

    def close(self) -> None:
        """Send what is written, then close; what waits for drain() is not sent."""
        self.s.close()

    async def wait_closed(self) -> None:
        """Until that has been done."""
        self.s.close()
        await self.s.wait_closed()

    aclose = wait_closed
