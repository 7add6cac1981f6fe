"""Real TCP and UDP servers on loopback for the sockets of the module; no threads."""

import contextlib
import socket
import time

from host_tests.patience import LIMIT_S


class TcpServer:
    """One listener and the one connection that it accepts at a time."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT_S)
        self._connection: socket.socket | None = None
        self.address = ("127.0.0.1", self._listener.getsockname()[1])
        self.received = b""

    @property
    def connection(self) -> socket.socket:
        if self._connection is None:
            self._connection = self._listener.accept()[0]
            self._connection.settimeout(LIMIT_S)
        return self._connection

    def send(self, data: bytes) -> None:
        """Send it all."""
        self.connection.sendall(data)

    def poll(self) -> bytes:
        """Everything received so far."""
        self.connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while data := self.connection.recv(65536):
                self.received += data
        self.connection.settimeout(LIMIT_S)
        return self.received

    def expect(self, data: bytes) -> None:
        """Exactly this has come since the last `expect`, or comes within the time limit."""
        end = time.monotonic() + LIMIT_S
        while len(self.poll()) < len(data):
            assert time.monotonic() < end, f"{data!r} did not come, only {self.received!r}"
            time.sleep(0.005)
        assert self.received == data
        self.received = b""

    def hang_up(self) -> None:
        """Close the connection."""
        self.connection.close()
        self._connection = None

    def __enter__(self) -> "TcpServer":
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection:
            self._connection.close()
        self._listener.close()


class UdpServer:
    """Receives datagrams and answers the last sender."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(LIMIT_S)
        self.address = ("127.0.0.1", self._socket.getsockname()[1])
        self._sender = ("", 0)

    def receive(self) -> bytes:
        """The next datagram."""
        data, self._sender = self._socket.recvfrom(65536)
        return data

    def send(self, data: bytes) -> None:
        """A datagram to whom the last one came from."""
        self._socket.sendto(data, self._sender)

    def __enter__(self) -> "UdpServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
