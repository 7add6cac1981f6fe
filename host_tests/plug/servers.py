"""Servers with and without TLS (Python's ssl), each connection in a thread of its own."""

import contextlib
import socketserver
import ssl
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
