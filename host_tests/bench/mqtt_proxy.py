"""A broken network between the module and its broker: loses or damages one PUBLISH."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from host_tests.patience import LIMIT_S
from tools.broker import HOST, Address

PUBLISH, PUBACK = 3, 4


def _packet(stream: socket.socket) -> bytes:
    """One MQTT packet (MQTT 3.1.1 clause 2.2); empty at the end of the connection."""
    head = stream.recv(1)
    if not head:
        return b""
    length = shift = 0
    while True:
        byte = stream.recv(1)
        head += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if not byte[0] & 0x80:
            break
    body = b""
    while len(body) < length:
        body += stream.recv(length - len(body))
    return head + body


def lose(packet: bytes) -> tuple[bytes, bytes]:
    """Nothing goes to the broker, yet the client is told that it was delivered."""
    start = 1 + next(n for n in range(1, 5) if not packet[n] & 0x80)
    topic = int.from_bytes(packet[start : start + 2], "big")
    number = packet[start + 2 + topic : start + 4 + topic]
    return b"", bytes((PUBACK << 4, 2)) + number


def damage(packet: bytes) -> tuple[bytes, bytes]:
    """One digit of the payload is another one."""
    last = max(packet.rfind(b"%d" % digit) for digit in range(10))
    return packet[:last] + b"%d" % ((packet[last] - 47) % 10) + packet[last + 1 :], b""


@contextlib.contextmanager
def proxy(
    broker: Address, number: int, fault: Callable[[bytes], tuple[bytes, bytes]]
) -> Iterator[Address]:
    """Passes everything on, but does `fault` to the PUBLISH `number` (from 1).

    `fault(packet)` returns what the broker gets and what the client gets.
    """
    seen = 0
    server = socket.create_server((HOST, 0))

    def to_broker(client: socket.socket, upstream: socket.socket) -> None:
        nonlocal seen
        with contextlib.suppress(OSError):
            while packet := _packet(client):
                answer = b""
                if packet[0] >> 4 == PUBLISH:
                    seen += 1
                    if seen == number:
                        packet, answer = fault(packet)
                upstream.sendall(packet)
                client.sendall(answer)
            upstream.shutdown(socket.SHUT_WR)

    def to_client(client: socket.socket, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(4096):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                upstream = socket.create_connection(broker)
                for way in (to_broker, to_client):
                    threading.Thread(target=way, args=(client, upstream), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield Address(*server.getsockname())
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(LIMIT_S)
    assert seen >= number, "the fault never came into play"
