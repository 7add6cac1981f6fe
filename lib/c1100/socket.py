"""The module `socket` over a C1100, for code that blocks; from the main thread.

    asyncio.run(modem.start(apn="CMNET"))
    c1100.socket.use(modem, "CMNET")     # from now on `import socket` is this one
    import requests

While a call waits, the driver's event loop runs, and the program's tasks with it. Between calls
nobody reads the UART: its rxbuf has to hold what comes meanwhile. Errors are OSError with an errno
and the driver's text. Not to be called from a task: what blocks there, blocks the driver.
"""

import asyncio
import io
import sys
import time
from errno import EAGAIN, EBADF, EINVAL, ENOTCONN, EOPNOTSUPP, ETIMEDOUT

from micropython import const

from . import at
from .errnos import os_error
from .sending import part

AF_INET = const(2)
AF_INET6 = const(10)
SOCK_STREAM = const(1)
SOCK_DGRAM = const(2)
IPPROTO_IP = const(0)
IPPROTO_TCP = const(6)
IPPROTO_UDP = const(17)
SOL_SOCKET = const(1)
SO_REUSEADDR = const(2)
SHUT_RD = const(0)
SHUT_WR = const(1)
SHUT_RDWR = const(2)

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from .modem import C1100

_PIECE = const(512)
_RX_BYTES = const(4096)
_GLANCE_MS = const(10)  # for what has come already, where nobody wants to wait
_POLL = const(3)  # MP_STREAM_POLL
_CLOSE = const(4)  # MP_STREAM_CLOSE

_modem = None
_context = None


def use(modem: "C1100", apn: str | None = None) -> None:
    """Connect by this modem, which has been started, and be what `import socket` gives.

    apn -- opens the PDP context; None if it is open
    """
    global _modem, _context
    _modem = modem
    if apn is not None:
        context = modem.pdp(apn)
        run(context.__aenter__())
        _context = context
    sys.modules["socket"] = sys.modules["usocket"] = sys.modules[__name__]


def release() -> None:
    """Close the PDP context that use() has opened; `import socket` is the port's own again."""
    global _modem, _context
    context, _context, _modem = _context, None, None
    for name in ("socket", "usocket"):
        sys.modules.pop(name, None)
    if context is not None:
        run(context.__aexit__(None, None, None))


def run(step, lost: bool = True):
    """Await something from code that blocks; errors of the driver are OSError.

    lost -- it is about a connection that was open
    """
    if _in_a_task():
        step.close()
        raise RuntimeError("c1100.socket blocks: call it from no task")
    try:
        return asyncio.get_event_loop().run_until_complete(step)
    except at.C1100Error as error:
        raise os_error(error, lost)


async def _connected(call, host: str, port: int):
    """Where the context has gone, by a restart of the module or by the network, it is opened
    again: code that blocks knows of none.
    """
    try:
        return await call(host, port, rxbuf=_RX_BYTES)
    except at.NotConnected:
        if _context is None:
            raise
    await _context.__aenter__()
    return await call(host, port, rxbuf=_RX_BYTES)


async def _glance() -> None:
    await asyncio.sleep_ms(_GLANCE_MS)


def _in_a_task() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def getaddrinfo(
    host: str, port: int, af: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list:
    """One entry; the module itself resolves the name, when it connects."""
    if isinstance(host, bytes):
        host = host.decode()
    return [(AF_INET, type or SOCK_STREAM, proto, "", (host, int(port)))]


class socket(io.IOBase):
    """A client's socket: TCP, or UDP with one far end."""

    def __init__(
        self, af: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0, fileno=None
    ) -> None:
        if af != AF_INET or type not in (SOCK_STREAM, SOCK_DGRAM):
            raise OSError(EOPNOTSUPP, "the module has TCP and UDP over IPv4")
        self._udp = type == SOCK_DGRAM
        self._sock = None
        self._far = None
        self._timeout = None  # seconds; None: for ever; 0: not at all
        self._closed = False

    # Connecting -----------------------------------------------------------------------------

    def connect(self, address: tuple) -> None:
        """To (host, port)."""
        if _modem is None:
            raise OSError(ENOTCONN, "call c1100.socket.use(modem) first")
        if self._closed or self._sock is not None:
            raise OSError(EBADF if self._closed else EINVAL)
        host, port = address[:2]
        call = _modem.udp if self._udp else _modem.tcp
        try:
            self._sock = run(self._limited(_connected(call, host, port)), False)
        except asyncio.TimeoutError:
            raise OSError(ETIMEDOUT, "no connection in %s s" % self._timeout)
        self._far = (host, port)

    async def _limited(self, step):
        if not self._timeout:  # connecting is nothing that can be begun and left
            return await step
        return await asyncio.wait_for_ms(step, int(self._timeout * 1000))

    def _open(self):
        if self._sock is None:
            raise OSError(EBADF if self._closed else ENOTCONN)
        return self._sock

    def close(self) -> None:
        """Send what is left, and close."""
        self._closed = True
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()
            try:
                run(sock.wait_closed())
            except MemoryError:
                pass  # a finaliser, with the heap locked: it is closed when the loop runs again

    def shutdown(self, how: int) -> None:
        """Both ways or none: the module closes a connection as a whole."""
        if how != SHUT_RDWR:
            raise OSError(EOPNOTSUPP, "the module closes a connection as a whole: close()")
        self.close()

    def __enter__(self) -> "socket":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        self.close()

    # Writing --------------------------------------------------------------------------------

    def write(
        self,
        data: bytes | bytearray | memoryview,
        at_byte: int | None = None,
        n: int | None = None,
    ) -> int | None:
        """All of it, once the module has sent it; without blocking what has room, or None."""
        sock = self._open()
        data = part(data, at_byte, n)
        if self._timeout != 0:
            try:
                run(self._limited(sock.sendall(data)))
            except asyncio.TimeoutError:
                raise OSError(ETIMEDOUT)
            return len(data)
        try:
            taken = sock.write(data)
        except at.C1100Error as error:
            raise os_error(error, True)
        run(_glance())
        return taken

    def send(self, data: bytes | bytearray | memoryview, flags: int = 0) -> int:
        """As write(); EAGAIN for nothing."""
        n = self.write(data)
        if n is None:
            raise OSError(EAGAIN)
        return n

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """All of it."""
        self.write(data)

    def sendto(self, data: bytes | bytearray | memoryview, address: tuple) -> int:
        """A datagram; the first says who the far end is."""
        if self._sock is None:
            self.connect(address)
        elif tuple(address[:2]) != self._far:
            raise OSError(EOPNOTSUPP, "another far end needs another socket")
        return self.send(data)

    # Reading --------------------------------------------------------------------------------

    def _some(self, read, *args):
        """Wait for what read() gives; None if nobody waits, and there is nothing."""
        sock = self._open()
        try:
            got = read(*args)
            if got is not None:
                return got
            if self._timeout == 0:
                run(_glance())
                return read(*args)
            begin = time.ticks_ms()
            while True:
                left = self._timeout
                if left is not None:
                    left = max(0, left - time.ticks_diff(time.ticks_ms(), begin) / 1000)
                run(sock.readable(left))
                got = read(*args)
                if got is not None:
                    return got
        except at.C1100Error as error:
            raise os_error(error, True)

    def recv(self, n: int, flags: int = 0) -> bytes:
        """What is there, up to n bytes; b"" at the end."""
        if not n:
            return b""
        got = self._some(self._open().read, n)
        if got is None:
            raise OSError(EAGAIN)
        return got

    def recv_into(self, buf: bytearray | memoryview, n: int = 0, flags: int = 0) -> int:
        """As recv()."""
        got = self._some(self._open().readinto, buf, n or len(buf))
        if got is None:
            raise OSError(EAGAIN)
        return got

    def recvfrom(self, n: int, flags: int = 0) -> tuple:
        """As recv(), and the far end."""
        return self.recv(n), self._far

    def readinto(self, buf: bytearray | memoryview, nbytes: int | None = None) -> int | None:
        """Until it is full, or the end."""
        view = memoryview(buf)[: len(buf) if nbytes is None else nbytes]
        want = len(view)
        while view:
            got = self._some(self._open().readinto, view)
            if not got:
                if got is None and len(view) == want:
                    return None
                break
            view = view[got:]
            if self._udp:
                break
        return want - len(view)

    def read(self, n: int = -1) -> bytes | None:
        """n bytes, or what there is until the end; -1: all until the end."""
        if n >= 0:
            buf = bytearray(n)
            got = self.readinto(buf)
            return None if got is None else bytes(memoryview(buf)[:got])
        found = bytearray()
        while True:
            piece = self._some(self._open().read, _PIECE)
            if not piece:
                return None if piece is None and not found else bytes(found)
            found.extend(piece)

    def readline(self, size: int = -1) -> bytes | None:
        """A line with its end."""
        line = b""
        while line[-1:] != b"\n" and len(line) != size:
            piece = self._some(self._open().readline, size - len(line) if size > 0 else -1)
            if not piece:
                return None if piece is None and not line else line
            line += piece
        return line

    # What code expects besides --------------------------------------------------------------

    def settimeout(self, seconds: float | None) -> None:
        """None: wait for ever; 0: do not wait."""
        if seconds is not None and seconds < 0:
            raise ValueError("a timeout is no less than 0")
        self._timeout = seconds

    def setblocking(self, flag: bool) -> None:
        """False: do not wait."""
        self._timeout = None if flag else 0

    def setsockopt(self, *_args) -> None:
        """The module has none that code for clients sets."""

    def makefile(self, *_args) -> "socket":
        """It is its own file."""
        return self

    def bind(self, _address: tuple) -> None:
        """The module chooses its port."""

    def listen(self, _backlog: int = 0) -> None:
        """Nobody can call: the network gives no address that is reached from outside."""
        raise OSError(EOPNOTSUPP, "the module takes no calls")

    def ioctl(self, request: int, argument: int) -> int:
        """The stream protocol, for ssl and select."""
        if request == _CLOSE:
            self.close()
            return 0
        if request == _POLL and self._sock is not None:
            if not self._sock.ioctl(request, argument) and not _in_a_task():
                run(_glance())
            return self._sock.ioctl(request, argument)
        return 0 if request == 1 else -EINVAL  # 1: MP_STREAM_FLUSH
