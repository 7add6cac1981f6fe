"""A broker that answers when a test says so: what a busy machine does now and then, each time."""

import socketserver
import threading
from types import TracebackType
from typing import Any

from host_tests.patience import LIMIT_S
from tools.broker import HOST, Address

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 1, 3, 8, 12


class SlowBroker:
    """It takes anybody, and acknowledges a subscription once `acknowledge` is set.

    grants -- reason codes of the topics of a subscription; none: all are granted at QoS 1
    retained -- topic -> payload: one of them goes to who subscribes again, before that is
                acknowledged

    A context manager. `subscribed` is set when a subscription waits to be acknowledged.
    """

    def __init__(self, *grants: int, retained: dict[str, bytes] | None = None) -> None:
        self.subscribed, self.acknowledge = threading.Event(), threading.Event()
        grant, events = bytes(grants), (self.subscribed, self.acknowledge)

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                left = None  # retained messages, from the second subscription on
                while head := self.rfile.read(1):
                    kind, body = head[0] >> 4, self.rfile.read(self._length())
                    if kind == CONNECT:
                        self.wfile.write(b"\x20\x02\x00\x00")
                    elif kind == PINGREQ:
                        self.wfile.write(b"\xd0\x00")
                    elif kind == SUBSCRIBE:
                        events[0].set()
                        assert events[1].wait(LIMIT_S)
                        if left:
                            self.wfile.write(_published(*left.pop()))
                        left = list((retained or {}).items()) if left is None else left
                        codes = grant or bytes([1]) * _topics(body)
                        self.wfile.write(bytes([0x90, 2 + len(codes)]) + body[:2] + codes)

            def _length(self) -> int:
                length = shift = 0
                while True:
                    (byte,) = self.rfile.read(1)
                    length |= (byte & 0x7F) << shift
                    shift += 7
                    if byte < 0x80:
                        return length

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who goes in the middle of a message has gone."""

        self._server = Server((HOST, 0), Session)
        self.address = Address(HOST, int(self._server.server_address[1]))

    def __enter__(self) -> "SlowBroker":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.acknowledge.set()
        self._server.shutdown()
        self._server.server_close()


def _topics(subscription: bytes) -> int:
    at, count = 2, 0
    while at < len(subscription):
        at += 2 + int.from_bytes(subscription[at : at + 2], "big") + 1
        count += 1
    return count


def _published(topic: str, payload: bytes) -> bytes:
    """A retained message at QoS 0."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + payload
    assert len(body) < 0x80
    return bytes([PUBLISH << 4 | 1, len(body)]) + body
