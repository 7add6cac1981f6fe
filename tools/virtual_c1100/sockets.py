"""TCP and UDP sockets (manual 3.3.1.1, 3.5.1.2) and transparent sending (manual 3.3.2)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import LATER, Call, Command, Failure, Later
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.network import Network
from tools.virtual_c1100.pdp import Pdp
from tools.virtual_c1100.peers import resolve
from tools.virtual_c1100.socket_link import SocketLink

IDS = (1, 2, 3, 4)
TCP_KEEPALIVE_S = 7200  # RFC 1122 clause 4.2.3.6
BUFFER = 1500  # manual 3.3.1.1 step 7
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
CONFIRM, BUFFER_FULL = 1, 3  # modes of AT+LSIPTPS; 2 and 4 are not supported (manual table 7)
ESCAPE = b"+++"


@dataclass
class Socket:
    """One of the four."""

    number: int
    link: SocketLink
    buffer: bytearray = field(default_factory=bytearray)  # AT+LSIPSEND up to AT+LSIPPUSH
    report: Callable[[int, bytes], str | None] | None = None  # how CoAP tells what has come
    unread: bytearray = field(default_factory=bytearray)  # where URC delivery is off


class Sockets:
    """AT+LSIPOPEN ... AT+LSIPCLOSE and AT+LSIPTPS."""

    def __init__(self, core: Core, network: Network, pdp: Pdp) -> None:
        self._core = core
        self._network = network
        self._pdp = pdp
        self._open_sockets: dict[int, Socket] = {}
        self._orphans: list[SocketLink] = []
        pdp.on_down.append(self._close_all)
        network.on_change.append(self._coverage)
        self.boot()
        number = Int(1, 4)
        self.commands = (
            Command("+LSIPOPEN", "M 3.3.1.1", self._open,
                    (number, Int(0, 65535), Text(128, 1), Int(1, 65535), Int(0, 1, default=0)),
                    self._show_free),
            Command("+LSIPHEX", "M 3.3.1.1", self._set_hex, (Int(0, 1),), self._show_hex),
            Command("+LSIPSEND", "M 3.3.1.1", self._send, (number, Text(2 * BUFFER))),
            Command("+LSIPPUSH", "M 3.3.1.1", self._push, (number,)),
            Command("+LSIPRS", "F", self._set_direct, (Int(0, 1),)),
            Command("+LSIPREAD", "F I", self._read, (number,)),
            Command("+LSIPCLOSE", "M 3.5.1.2", self._close, (number,), self._show_active),
            Command("+LSIPTPS", "M 3.3.2", self._transparent,
                    (Int(1, 4), Int(1, 4, default=1), Int(0, 65535, default=5000),
                     Int(1, BUFFER, default=BUFFER))),
        )  # fmt: skip

    def boot(self) -> None:
        """Settings and connections are gone; the other ends find out in their own time."""
        for socket in self._open_sockets.values():
            if socket.link.udp or not socket.link.up:
                socket.link.close()
            else:
                self._abandon(socket.link)
        self._open_sockets.clear()
        self._hex = False
        self._direct = True

    def peers(self) -> list[SocketLink]:
        """The connections to serve."""
        return [*(s.link for s in self._open_sockets.values()), *self._orphans]

    def _abandon(self, link: SocketLink) -> None:
        """The other end has a connection still, until it sends something that the module answers
        with RST, or its TCP keepalive gives up.
        """
        self._orphans.append(link)
        link.abandon(lambda: self._orphans.remove(link))
        self._core.timeline.call_later(TCP_KEEPALIVE_S * 1_000_000, link.refuse)

    def _close_all(self) -> None:
        for socket in self._open_sockets.values():
            socket.link.close()
        self._open_sockets.clear()

    def _coverage(self, attached: bool) -> None:
        for socket in self._open_sockets.values():
            socket.link.silent = not attached

    # Open and close -------------------------------------------------------------------------

    def _open(self, call: Call) -> Later:
        number, _, host, port, udp = call.args
        if not self._pdp.up or number in self._open_sockets:
            raise Failure
        delay = self._core.profile.latency.connect

        def dial() -> None:
            self._dial(call, number, host, port, udp)

        if udp:
            self._core.later(delay, dial)  # nothing is sent
        else:
            self._network.uplink(0, "tcp", delay, dial, opens=True)
        return LATER

    def _dial(self, call: Call, number: int, host: str, port: int, udp: int) -> None:
        profile = self._core.profile
        address = resolve(profile.routes, host, port)
        limit = self._core.later(
            profile.latency.connect_timeout, lambda: self._opened(call, number, False)
        )

        def opened(good: bool) -> None:
            limit.cancel()
            self._opened(call, number, good)

        if address is None or not self._network.attached:
            return  # nothing answers: the time limit will
        try:
            link = SocketLink(
                address, bool(udp), opened, lambda data: self._arrived(number, data),
                lambda: self._remote_closed(number), lambda: not self._core.congested(),
                profile.peer_grace_s, profile.peer_answer_s,
            )  # fmt: skip
        except OSError:
            opened(False)
            return
        self._open_sockets[number] = Socket(number, link)

    def _opened(self, call: Call, number: int, good: bool) -> None:
        call.info(f"+LSIPOPEN={number},{int(good)}", end="\r")
        if good:
            call.info("+LSIP:OK", end="\r")
            call.finish()
            return
        if socket := self._open_sockets.pop(number, None):
            socket.link.close()
        self._pdp.fail(call)

    def _show_free(self, call: Call) -> None:
        """Those that are not active (manual 3.3.1.1 step 5)."""
        call.info("+LSIPOPEN:" + ",".join(str(n) for n in IDS if n not in self._open_sockets))

    def _show_active(self, call: Call) -> None:
        call.info("+LSIPCLOSE:" + ",".join(str(n) for n in IDS if n in self._open_sockets))

    def _close(self, call: Call) -> Later:
        socket = self._socket(call)

        def close() -> None:
            if self._open_sockets.pop(socket.number, None):
                socket.link.close()
            call.info(self._counts(socket, 0), end="\r")
            call.info("+LSIP:OK", end="\r")
            call.finish()

        delay = self._core.profile.latency.packet
        if socket.link.udp:
            self._core.later(delay, close)
        else:
            self._network.uplink(0, "tcp", delay, close)
        return LATER

    def _remote_closed(self, number: int) -> None:
        socket = self._open_sockets.pop(number)
        self._core.urc(self._counts(socket, self._core.profile.quirks.remote_close), end="\r")

    @staticmethod
    def _counts(socket: Socket, cause: int) -> str:
        return f"+LSIPCLOSE:{socket.number},{socket.link.sent},{socket.link.received},{cause}"

    def _socket(self, call: Call) -> Socket:
        socket = self._open_sockets.get(call.args[0])
        if socket is None or not socket.link.up:
            raise Failure
        return socket

    # Data -----------------------------------------------------------------------------------

    def _set_hex(self, call: Call) -> None:
        self._hex = bool(call.args[0])

    def _show_hex(self, call: Call) -> None:
        call.info(f"+LSIPHEX: {int(self._hex)}")

    def _set_direct(self, call: Call) -> None:
        """Field name MIPRS: 1 data by URC, 0 kept until it is asked for."""
        self._direct = bool(call.args[0])

    def _send(self, call: Call) -> None:
        socket, text = self._socket(call), call.args[1]
        if self._hex:
            if len(text) % 2 or not HEX_DIGITS.issuperset(text):
                raise Failure
            data = bytes.fromhex(text)
        else:
            data = text.encode("latin-1")
        if len(socket.buffer) + len(data) > BUFFER:
            raise Failure
        socket.buffer += data
        call.info(f"+LSIPSEND:{socket.number},{BUFFER - len(socket.buffer)}")

    def send_datagram(
        self, call: Call, data: bytes, report: Callable[[int, bytes], str | None]
    ) -> Later:
        """Send one datagram on UDP socket `call.args[0]`; `report` words what comes back.

        Raises Failure when there is no such socket.
        """
        socket = self._socket(call)
        if not socket.link.udp:
            raise Failure
        socket.report = report

        def done() -> None:
            call.info("+LSIP:OK", end="\r")
            call.finish()

        self._transmit(call, socket, data, done)
        return LATER

    def _push(self, call: Call) -> Later:
        socket = self._socket(call)
        data = bytes(socket.buffer)

        def make_room() -> None:
            del socket.buffer[: len(data)]

        if late_s := self._core.room_late_s():
            self._core.later(late_s, make_room)
        else:
            make_room()

        def done() -> None:
            # The blank behind OK is the manual's (3.3.1.1 step 8).
            call.info("+LSIP:OK ", end="\r")
            call.finish()

        self._transmit(call, socket, data, done)
        return LATER

    def _transmit(self, call: Call, socket: Socket, data: bytes, done: Callable[[], None]) -> None:
        """After the uplink's latency send `data`; an error when the connection dies meanwhile."""
        latency = self._core.profile.latency
        limit = self._core.later(latency.send_timeout, lambda: self._pdp.fail(call))

        def sent() -> None:
            limit.cancel()
            done()

        def go() -> None:
            if self._open_sockets.get(socket.number) is not socket:
                limit.cancel()
                self._pdp.fail(call)
            elif data:
                socket.link.send(data, sent)
            else:
                sent()

        self._network.uplink(len(data), socket.link.cause, latency.packet, go)

    def _arrived(self, number: int, data: bytes) -> None:
        socket = self._open_sockets[number]
        if not socket.link.udp:
            data = self._core.said("tcp", data)
        if socket.report and (told := socket.report(number, data)) is not None:
            self._core.urc(told)
            return
        name = "+LSIPRUDP" if socket.link.udp else "+LSIPRTCP"
        if not self._direct:
            if not socket.unread:
                self._core.urc(f"{name}={number}", end="\r")
            socket.unread += data
            return
        size = self._core.profile.quirks.receive_size
        for start in range(0, len(data), size):
            self._core.urc(self._packet(f"{name}=", number, data[start : start + size]), end="\r")

    def _packet(self, head: str, number: int, data: bytes) -> bytes:
        shown = data.hex().upper().encode() if self._hex else data
        return f"{head}{number},{len(data)},".encode() + self._core.damaged(shown)

    def _read(self, call: Call) -> None:
        socket = self._socket(call)
        size = self._core.profile.quirks.receive_size
        data = bytes(socket.unread[:size])
        del socket.unread[:size]
        call.info(self._packet("+LSIPREAD:", socket.number, data), end="\r")

    # Transparent ----------------------------------------------------------------------------

    def _transparent(self, call: Call) -> Later:
        """Mode 1 sends what comes before +++, mode 3 exactly <max len> bytes (field).

        <timeout> belongs to mode 2, which the module does not support; it is ignored (inferred).
        """
        mode, number, _, size = call.args
        if mode not in (CONFIRM, BUFFER_FULL):
            raise Failure
        socket = self._open_sockets.get(number)
        if socket is None:
            raise Failure
        collected = bytearray()

        def done() -> None:
            call.info("+LSIP:OK", end="\r", lead="\r")
            call.finish()

        def take(data: bytes) -> bytes | None:
            collected.extend(data)
            end = collected.find(ESCAPE)
            full = size if mode == BUFFER_FULL and len(collected) >= size else -1
            if full >= 0 and not 0 <= end < full:
                payload, rest = collected[:full], collected[full:]
            elif end >= 0:
                payload, rest = collected[:end], collected[end + len(ESCAPE) :]
            else:
                return None
            self._transmit(call, socket, bytes(payload), done)
            return bytes(rest)

        call.collect(b">", take)
        return LATER
