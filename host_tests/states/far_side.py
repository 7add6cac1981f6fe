"""What is behind the network: echo by TCP and UDP, HTTP, an MQTT broker; one thread, no waiting.

`serve()` does all that can be done at the descriptors that are ready. On loopback what one side
has sent the other can read at once, so a world that serves whenever it stands still never has to
wait for anybody.
"""

import contextlib
import socket
import struct
from collections.abc import Callable, Iterable

PAGE = b"hello from far away"


class FarSide:
    """Addresses: `tcp`, `udp`, `http`, `mqtt`, each (host, port)."""

    def __init__(self) -> None:
        self._listeners: dict[socket.socket, Callable[[], Handler]] = {}
        self._connections: dict[socket.socket, Handler] = {}
        self._by_fd: dict[int, socket.socket] = {}
        self.sessions: list[Session] = []  # of MQTT that are open
        self.tcp = self._listen(Echo)
        self.http = self._listen(Page)
        self.mqtt = self._listen(lambda: Session(self.sessions))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._udp.setblocking(False)
        self.udp = self._udp.getsockname()
        self._by_fd[self._udp.fileno()] = self._udp

    def _listen(self, kind: "Callable[[], Handler]") -> tuple[str, int]:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listener.setblocking(False)
        self._listeners[listener] = kind
        self._by_fd[listener.fileno()] = listener
        return listener.getsockname()

    def filenos(self) -> list[int]:
        """What to select for reading."""
        return [*self._by_fd]

    def serve(self, ready: Iterable[int]) -> None:
        """Accept, answer and close at these descriptors as far as that goes without waiting."""
        for fd in ready:
            sock = self._by_fd.get(fd)
            if sock is self._udp:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    data, sender = self._udp.recvfrom(65536)
                    self._udp.sendto(data, sender)
            elif sock in self._listeners:
                with contextlib.suppress(BlockingIOError):
                    self._accept(sock)
            elif sock is not None:
                self._talk(sock, self._connections[sock])

    def _accept(self, listener: socket.socket) -> None:
        connection = listener.accept()[0]
        connection.setblocking(False)
        # Nagle's algorithm would wait 40 ms of real time, in which the world stands still.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection] = self._listeners[listener]()
        self._by_fd[connection.fileno()] = connection

    def _talk(self, connection: socket.socket, handler: "Handler") -> None:
        try:
            data = connection.recv(65536)
            if data:
                handler.send = connection.sendall
                if handler.received(data):
                    return
        except BlockingIOError:
            return
        except OSError:
            pass  # reset by the module
        handler.ended()
        del self._connections[connection]
        del self._by_fd[connection.fileno()]
        connection.close()

    def close(self) -> None:
        """Close everything."""
        for sock in self._by_fd.values():
            sock.close()


class Handler:
    """One connection. `send` is set before the first call."""

    send: Callable[[bytes], None]

    def received(self, data: bytes) -> bool:
        """Take data; False closes the connection."""
        raise NotImplementedError

    def ended(self) -> None:
        """It is closed."""


class Echo(Handler):
    """Sends back what comes."""

    def received(self, data: bytes) -> bool:
        self.send(data)
        return True


class Page(Handler):
    """HTTP/1.1: GET is answered with a page, POST with what was posted. One request each."""

    def __init__(self) -> None:
        self._data = b""

    def received(self, data: bytes) -> bool:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return True
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if len(body) < length:
            return True
        reply = body if head.startswith(b"POST") else PAGE
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(reply) + reply)
        return False


class Session(Handler):
    """One MQTT 3.1.1 session, as far as the features need it: each message goes to all open
    sessions that subscribed its topic, with the QoS 0.
    """

    def __init__(self, sessions: "list[Session]") -> None:
        self._sessions = sessions
        self._data = b""
        self._topics: set[str] = set()

    def received(self, data: bytes) -> bool:
        self._data += data
        while (packet := self._packet()) is not None:
            if not self._take(packet[0], packet[1]):
                return False
        return True

    def ended(self) -> None:
        if self in self._sessions:
            self._sessions.remove(self)

    def _packet(self) -> tuple[int, bytes] | None:
        length, at = 0, 1
        while at < len(self._data):
            byte = self._data[at]
            length |= (byte & 127) << 7 * (at - 1)
            at += 1
            if byte < 128:
                break
        else:
            return None
        if len(self._data) < at + length:
            return None
        first, body = self._data[0], self._data[at : at + length]
        self._data = self._data[at + length :]
        return first, body

    def _take(self, first: int, body: bytes) -> bool:
        kind = first >> 4
        if kind == 1:
            self._sessions.append(self)
            self.send(b"\x20\x02\0\0")
        elif kind == 3:
            self._publish(first, body)
        elif kind == 6:
            self.send(b"\x70\x02" + body)
        elif kind == 8:
            size = struct.unpack(">H", body[2:4])[0]
            self._topics.add(body[4 : 4 + size].decode())
            self.send(b"\x90\x03" + body[:2] + b"\0")
        elif kind == 10:
            self._topics.discard(body[4:].decode())
            self.send(b"\xb0\x02" + body[:2])
        elif kind == 12:
            self.send(b"\xd0\0")
        return kind != 14

    def _publish(self, first: int, body: bytes) -> None:
        qos = first >> 1 & 3
        size = struct.unpack(">H", body[:2])[0]
        topic, rest = body[2 : 2 + size], body[2 + size :]
        if qos:
            self.send((b"\x40\x02" if qos == 1 else b"\x50\x02") + rest[:2])
            rest = rest[2:]
        message = struct.pack(">H", size) + topic + rest
        assert len(message) < 128
        for session in self._sessions:
            if topic.decode() in session._topics:
                session.send(bytes((0x30, len(message))) + message)
