"""TCP and UDP servers that send back what they get, each connection in a thread of its own."""

import socketserver
import threading


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _EchoStream)


class _EchoStream(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _EchoDatagram)


class _EchoDatagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, server = self.request
        server.sendto(data, self.client_address)


class Serving:
    """`with Serving(Tcp()) as address:`"""

    def __init__(self, server: socketserver.BaseServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> list:
        self._thread.start()
        return list(self._server.server_address[:2])

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
