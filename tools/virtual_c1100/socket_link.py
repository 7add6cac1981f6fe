"""One TCP or UDP connection of the module to a real peer, non-blocking."""

import errno
import socket
import time
from collections.abc import Callable

from tools.virtual_c1100.peers import connect, reset, unread
from tools.virtual_c1100.profile import Address

READ_SIZE = 4096


class SocketLink:
    """A peer in the sense of `VirtualC1100.peers()`.

    on_open(good), on_data(bytes), on_closed() -- the other end is gone
    ready -- whether the module can take data now: its UART is slower than the network
    grace_s -- real seconds for which virtual time waits for more of what the other end says
    answer_s -- and for its answer to what was sent; nobody can know whether there will be one, and
        a busy machine is slow to give it
    """

    def __init__(
        self,
        address: Address,
        udp: bool,
        on_open: Callable[[bool], None],
        on_data: Callable[[bytes], None],
        on_closed: Callable[[], None],
        ready: Callable[[], bool],
        grace_s: float,
        answer_s: float,
    ) -> None:
        self.udp = udp
        self.cause = "udp" if udp else "tcp"
        self.up = False
        self.sent = self.received = 0
        self._on_open = on_open
        self._on_data = on_data
        self._on_closed = on_closed
        self._ready = ready
        self._grace_s = grace_s
        self._answer_s = answer_s
        self._out = bytearray()
        self._datagrams: list[bytes] = []
        self._drained: list[tuple[int, Callable[[], None]]] = []
        self._patient_until = 0.0
        self._ended = False
        self.silent = False
        self._orphan = False
        self._on_end: Callable[[], None] = lambda: None
        self._sock = _datagram_socket(address) if udp else connect(address)

    def fileno(self) -> int:
        return self._sock.fileno()

    def arrived(self) -> int:
        return unread(self._sock)

    @property
    def want_read(self) -> bool:
        if self._orphan:
            return True
        return self.up and not self.silent and self._ready()

    @property
    def want_write(self) -> bool:
        if self._orphan or self.silent:
            return False
        return not self.up or bool(self._out) or bool(self._datagrams)

    @property
    def pending(self) -> bool:
        """Virtual time must wait: for the connection, for room, or for a likely answer."""
        if self._ended or self.silent or self._orphan:
            return False
        if self.want_write:
            return True
        return self.want_read and time.monotonic() < self._patient_until

    def on_ready(self) -> None:
        """The socket is readable or writable."""
        if self._ended:
            return
        if self._orphan:
            self.refuse()
            return
        if not self.up:
            self._connected()
            return
        if self._out or self._datagrams:
            self._write()
        if not self._ended and self.want_read:
            self._read()

    def send(self, data: bytes, done: Callable[[], None]) -> None:
        """Send `data` (UDP: as one datagram); `done()` when the host's network has taken it."""
        if self.udp:
            self._datagrams.append(data)
        else:
            self._out += data
        self.sent += len(data)
        self._drained.append((self.sent, done))

    def abandon(self, on_end: Callable[[], None]) -> None:
        """The module has forgotten the connection, the other end has not. TCP only."""
        self._orphan = True
        self._on_end = on_end

    def refuse(self) -> None:
        """End an abandoned connection with RST."""
        if not self._ended:
            self._ended = True
            reset(self._sock)
            self._on_end()

    def close(self) -> None:
        """Close it; none of the callbacks is called any more."""
        if not self._ended:
            self._ended = True
            self._sock.close()

    def _connected(self) -> None:
        if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
            self._on_open(False)
            return
        self.up = True
        self._wait_for_answer(self._grace_s)
        self._on_open(True)

    def _wait_for_answer(self, real_s: float) -> None:
        self._patient_until = time.monotonic() + real_s

    def _write(self) -> None:
        try:
            if self.udp:
                while self._datagrams:
                    self._sock.send(self._datagrams[0])
                    del self._datagrams[0]
            else:
                while self._out:
                    del self._out[: self._sock.send(self._out)]
        except BlockingIOError:
            pass  # the rest goes when there is room
        except OSError as error:
            self._failed(error)
            return
        self._wait_for_answer(self._answer_s)
        unsent = len(self._out) + sum(map(len, self._datagrams))
        while self._drained and self._drained[0][0] <= self.sent - unsent:
            self._drained.pop(0)[1]()

    def _read(self) -> None:
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
            return
        if not data and not self.udp:
            self._gone()
            return
        self._wait_for_answer(self._grace_s)
        self.received += len(data)
        self._on_data(data)

    def _failed(self, error: OSError) -> None:
        """UDP: an unreachable port is no end. TCP: it is."""
        if self.udp and error.errno == errno.ECONNREFUSED:
            self._datagrams.clear()
        else:
            self._gone()

    def _gone(self) -> None:
        self.close()
        self._on_closed()


def _datagram_socket(address: Address) -> socket.socket:
    family, kind, proto, _, where = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, proto)
    sock.setblocking(False)
    sock.connect(where)
    return sock
