"""Servers with and without TLS (Python's ssl), each connection in a thread of its own."""

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator


class Server(socketserver.ThreadingTCPServer):
    """`answer(connection)` talks to a client once TLS is there, `context` None: without it.

    heard -- what clients have sent as application data, one after the other
    failed -- handshakes that came to nothing, in the server's words
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, context: ssl.SSLContext | None, answer: Callable) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.context = context
        self.answer = answer
        self.connections = 0
        self.heard: list[bytes] = []
        self.failed: list[str] = []

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Connection(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        server = self.server
        server.connections += 1
        connection = self.request
        try:
            if server.context is not None:
                connection = server.context.wrap_socket(connection, server_side=True)
        except OSError as error:
            server.failed.append(str(error))
            return
        with contextlib.suppress(OSError):
            server.answer(server, connection)
            if server.context is not None:
                connection.unwrap().close()  # with its farewell


def echo(server: Server, connection) -> None:
    """Send back what comes, until the far end has enough."""
    while data := connection.recv(65536):
        server.heard.append(data)
        connection.sendall(data)


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None, answer: Callable = echo) -> Iterator[Server]:
    server = Server(context, answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def piecewise(
    context: ssl.SSLContext, size: int, upto: int | None = None, then: Callable | None = None
) -> Callable:
    """An answer for `serving(None, ...)`: TLS whose bytes go one piece after the other.

    upto, then -- after so many bytes no more come, but then(connection) does
    """

    def answer(server: Server, connection) -> None:
        come, going = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = context.wrap_bio(come, going, server_side=True)
        left = float("inf") if upto is None else upto

        def flush() -> None:
            nonlocal left
            while data := going.read(int(min(size, left))):
                connection.sendall(data)
                left -= len(data)
            if not left and then is not None:
                then(connection)
                raise OSError("no more")

        def done(step: Callable):
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    flush()
                    come.write(connection.recv(65536) or _over())
                else:
                    flush()
                    return result

        done(inner.do_handshake)
        done(lambda: inner.write(done(lambda: inner.read(100))))

    return answer


def says(data: bytes, then: Callable) -> Callable:
    """An answer: this, whatever was asked, and then(connection)."""

    def answer(_server: Server, connection) -> None:
        connection.recv(4096)
        connection.sendall(data)
        then(connection)

    return answer


def resets(connection) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def closes(connection) -> None:
    connection.close()


def waits(connection) -> None:
    """Until the far end has gone."""
    while connection.recv(4096):
        pass


def _over() -> bytes:
    raise OSError("the far end has gone")
