"""The real network behind the module: what may be reached, and what a connection looks like."""

import array
import errno
import fcntl
import ipaddress
import socket
import struct
import termios
from typing import Protocol

from tools.virtual_c1100.profile import Address


class Peer(Protocol):
    """A real connection, served by whoever owns the clock.

    pending -- an answer is due for which virtual time must wait
    """

    cause: str  # what the module connects for, in the words of its states

    @property
    def want_read(self) -> bool: ...
    @property
    def want_write(self) -> bool: ...
    @property
    def pending(self) -> bool: ...
    def fileno(self) -> int: ...
    def arrived(self) -> int: ...  # bytes that the radio has to receive before on_ready()
    def on_ready(self) -> None: ...


def unread(sock: socket.socket) -> int:
    """Bytes that have arrived at a socket and have not been read."""
    count = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, count)
    return count[0]


def reset(sock: socket.socket) -> None:
    """Close with RST: nobody here knows the connection."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def resolve(routes: dict[Address, Address], host: str, port: int) -> Address | None:
    """The real address for what the DTE asked for; None when nothing may be reached there.

    A route wins. Without one only loopback is allowed, so that a test never calls a stranger.
    """
    routed = routes.get((host, port))
    if routed is not None:
        return routed
    if host.lower() == "localhost":
        return "127.0.0.1", port
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        return None
    return (host, port) if loopback else None


def connect(address: Address) -> socket.socket:
    """A TCP socket that has begun to connect, without waiting. Raises OSError."""
    family, kind, proto, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, proto)
    sock.setblocking(False)
    error = sock.connect_ex(where)
    if error not in (0, errno.EINPROGRESS):
        sock.close()
        raise OSError(error, f"cannot connect to {address[0]}:{address[1]}")
    return sock
