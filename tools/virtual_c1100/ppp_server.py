"""The network's end of a PPP link: LCP (RFC 1661), PAP (RFC 1334), IPCP (RFC 1332, 1877)."""

import ipaddress
import random
from collections.abc import Callable
from dataclasses import dataclass

from tools.timeline import Timer
from tools.virtual_c1100.hdlc import Decoder, encode

IP, LCP, PAP, IPCP = 0x0021, 0xC021, 0xC023, 0x8021
REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATED, CODE_REJECT, PROTOCOL_REJECT = range(1, 9)
ECHO_REQUEST, ECHO_REPLY, DISCARD = 9, 10, 11
MRU, ACCM, AUTHENTICATION, MAGIC, PFC, ACFC = 1, 2, 3, 5, 7, 8
ADDRESS, FIRST_DNS, SECOND_DNS = 3, 129, 131
RESTART_S, MAX_CONFIGURE = 3.0, 10  # RFC 1661 clause 4.6

Options = list[tuple[int, bytes]]


@dataclass(frozen=True)
class Addresses:
    """What the client gets."""

    client: str
    gateway: str
    dns: str


@dataclass
class _Layer:
    """The state of LCP or IPCP: whether each side has agreed to the other's options."""

    ours: bool = False
    theirs: bool = False
    sent: int = 0
    identifier: int = 0

    @property
    def open(self) -> bool:
        return self.ours and self.theirs


class PppServer:
    """From the first Configure-Request to the end of the link. Knows bytes and timers, no I/O.

    send(frame), on_ip(packet), on_down(): the link is over
    later -- schedules retransmissions
    credentials -- (user, password) to ask for by PAP; None: nobody is asked
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        on_ip: Callable[[bytes], None],
        on_down: Callable[[], None],
        later: Callable[[float, Callable[[], None]], Timer],
        rng: random.Random,
        addresses: Addresses,
        credentials: tuple[str, str] | None,
    ) -> None:
        self._send = send
        self._on_ip = on_ip
        self._on_down = on_down
        self._later = later
        self._addresses = addresses
        self._credentials = credentials
        self._magic = rng.randbytes(4)
        self._decoder = Decoder()
        self._lcp, self._ipcp = _Layer(), _Layer()
        self._rejected: set[int] = set()
        self._authenticated = credentials is None
        self._timer: Timer | None = None
        self._over = False
        self._terminating = False

    @property
    def up(self) -> bool:
        """IP packets pass."""
        return self._ipcp.open and not self._over

    def start(self) -> None:
        """Begin the negotiation."""
        self._configure(self._lcp, LCP)

    def feed(self, data: bytes) -> None:
        """Octets from the client."""
        for protocol, payload in self._decoder.feed(data):
            if self._over:
                return
            if protocol == IP:
                if self.up:
                    self._on_ip(payload)
            elif protocol in (LCP, PAP, IPCP):
                self._packet(protocol, payload)
            elif self._lcp.open:
                rejected = protocol.to_bytes(2, "big") + payload
                self._control(LCP, PROTOCOL_REJECT, self._next(self._lcp), rejected)

    def send_ip(self, packet: bytes) -> None:
        """A packet for the client; dropped while the link is not up."""
        if self.up:
            self._frame(IP, packet)

    def terminate(self) -> None:
        """The network ends the link."""
        if not self._over and not self._terminating:
            self._terminating = True
            self._control(LCP, TERMINATE, self._next(self._lcp), b"")
            self._arm(self._end)

    def close(self) -> None:
        """Forget the link; `on_down` is not called."""
        self._over = True
        self._disarm()

    # Packets --------------------------------------------------------------------------------

    def _packet(self, protocol: int, payload: bytes) -> None:
        if len(payload) < 4:
            return
        code, identifier = payload[0], payload[1]
        length = int.from_bytes(payload[2:4], "big")
        if not 4 <= length <= len(payload):
            return
        body = payload[4:length]
        if protocol == PAP:
            self._authenticate(code, identifier, body)
        elif protocol == LCP:
            self._lcp_packet(code, identifier, body)
        elif self._lcp.open and self._authenticated:
            self._ipcp_packet(code, identifier, body)

    def _lcp_packet(self, code: int, identifier: int, body: bytes) -> None:
        if code == REQUEST:
            self._answer(self._lcp, LCP, identifier, body, self._judge_lcp)
            self._lcp_progress()
        elif code in (ACK, NAK, REJECT) and identifier == self._lcp.identifier:
            if code == ACK:
                self._lcp.ours = True
                self._lcp_progress()
            elif self._refused(code, body):
                self._configure(self._lcp, LCP)
            else:
                self.terminate()  # the client will not say who it is
        elif code == TERMINATE:
            self._control(LCP, TERMINATED, identifier, b"")
            self._end()
        elif code == TERMINATED:
            self._end()
        elif code == ECHO_REQUEST and self._lcp.open:
            self._control(LCP, ECHO_REPLY, identifier, self._magic + body[4:])
        elif code not in (CODE_REJECT, PROTOCOL_REJECT, ECHO_REPLY, DISCARD):
            rejected = bytes((code, identifier)) + (len(body) + 4).to_bytes(2, "big") + body
            self._control(LCP, CODE_REJECT, self._next(self._lcp), rejected)

    def _refused(self, code: int, body: bytes) -> bool:
        """Take back what the client rejects. False when that is the authentication."""
        kinds = {kind for kind, _ in _options(body) or []}
        if AUTHENTICATION in kinds and self._credentials:
            return False
        if code == REJECT:
            self._rejected |= kinds
        return True

    def _judge_lcp(self, options: Options) -> tuple[int, Options]:
        known = (MRU, ACCM, MAGIC, PFC, ACFC)
        rejected = [option for option in options if option[0] not in known]
        return (REJECT, rejected) if rejected else (ACK, options)

    def _lcp_progress(self) -> None:
        if self._lcp.open:
            self._disarm()
            if self._authenticated and not self._ipcp.sent:
                self._configure(self._ipcp, IPCP)

    def _authenticate(self, code: int, identifier: int, body: bytes) -> None:
        """PAP: code 1 asks, 2 accepts, 3 refuses, after which the link ends."""
        if code != REQUEST or not self._lcp.open or self._credentials is None or not body:
            return
        user = body[1 : 1 + body[0]]
        rest = body[1 + body[0] :]
        password = rest[1 : 1 + rest[0]] if rest else b""
        wanted = tuple(text.encode() for text in self._credentials)
        self._authenticated = (user, password) == wanted
        self._control(PAP, 2 if self._authenticated else 3, identifier, b"\0")
        if self._authenticated:
            self._lcp_progress()
        else:
            self.terminate()

    def _ipcp_packet(self, code: int, identifier: int, body: bytes) -> None:
        if code == REQUEST:
            self._answer(self._ipcp, IPCP, identifier, body, self._judge_ipcp)
            if not self._ipcp.sent:
                self._configure(self._ipcp, IPCP)
        elif code == ACK and identifier == self._ipcp.identifier:
            self._ipcp.ours = True
        elif code in (NAK, REJECT) and identifier == self._ipcp.identifier:
            self.terminate()  # the gateway's address is not up for negotiation
        elif code == TERMINATE:
            self._control(IPCP, TERMINATED, identifier, b"")
            self.terminate()
        if self._ipcp.open:
            self._disarm()

    def _judge_ipcp(self, options: Options) -> tuple[int, Options]:
        granted = {
            ADDRESS: _packed(self._addresses.client),
            FIRST_DNS: _packed(self._addresses.dns),
            SECOND_DNS: _packed(self._addresses.dns),
        }
        rejected = [option for option in options if option[0] not in granted]
        if rejected:
            return REJECT, rejected
        wrong = [(kind, granted[kind]) for kind, value in options if value != granted[kind]]
        return (NAK, wrong) if wrong else (ACK, options)

    # Sending --------------------------------------------------------------------------------

    def _configure(self, layer: _Layer, protocol: int) -> None:
        """Send our Configure-Request, again until it is answered."""
        if layer.sent >= MAX_CONFIGURE:
            self._end()
            return
        layer.sent += 1
        layer.ours = False
        self._control(
            protocol, REQUEST, self._next(layer), _packed_options(self._wishes(protocol))
        )
        self._arm(lambda: self._configure(layer, protocol))

    def _wishes(self, protocol: int) -> Options:
        if protocol == IPCP:
            return [(ADDRESS, _packed(self._addresses.gateway))]
        wishes = [(ACCM, b"\0\0\0\0"), (MAGIC, self._magic), (PFC, b""), (ACFC, b"")]
        if self._credentials:
            wishes.append((AUTHENTICATION, PAP.to_bytes(2, "big")))
        return [wish for wish in wishes if wish[0] not in self._rejected]

    def _answer(
        self,
        layer: _Layer,
        protocol: int,
        identifier: int,
        body: bytes,
        judge: Callable[[Options], tuple[int, Options]],
    ) -> None:
        options = _options(body)
        if options is None:
            return  # malformed: silently discarded (RFC 1661 clause 5.1)
        code, shown = judge(options)
        layer.theirs = code == ACK
        self._control(protocol, code, identifier, _packed_options(shown))

    def _next(self, layer: _Layer) -> int:
        layer.identifier = (layer.identifier + 1) & 0xFF
        return layer.identifier

    def _control(self, protocol: int, code: int, identifier: int, body: bytes) -> None:
        head = bytes((code, identifier)) + (len(body) + 4).to_bytes(2, "big")
        self._frame(protocol, head + body)

    def _frame(self, protocol: int, payload: bytes) -> None:
        # Until LCP is open, and for LCP itself, every control character is stuffed.
        self._send(encode(protocol, payload, protocol == LCP or not self._lcp.open))

    def _arm(self, fn: Callable[[], None]) -> None:
        self._disarm()
        self._timer = self._later(RESTART_S, fn)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._disarm()
            self._on_down()


def _options(body: bytes) -> Options | None:
    """The options of a Configure packet; None when it is malformed."""
    options = []
    while body:
        if len(body) < 2 or not 2 <= body[1] <= len(body):
            return None
        options.append((body[0], body[2 : body[1]]))
        body = body[body[1] :]
    return options


def _packed_options(options: Options) -> bytes:
    return b"".join(bytes((kind, len(value) + 2)) + value for kind, value in options)


def _packed(address: str) -> bytes:
    return ipaddress.IPv4Address(address).packed
