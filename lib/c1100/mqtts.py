"""MQTT 3.1.1 over TLS, with the calls of mqtt.MQTT: the module's own stack has no TLS.

Ours, because umqtt.simple blocks, and mqtt_as wants a network interface of its own. QoS 0 to 2;
one message is under way at a time.
"""

import asyncio
import struct

from micropython import const

from . import apart, at, topics
from .messages import ROOM, Message, Queue

TYPE_CHECKING = const(0)  # those who check types take it for true

_APART = " subscribe unsubscribe set_last_will =mqtts_filters  lost() =messages "
_ANSWER_MS = const(60000)  # of the broker: twice over a network with poor coverage

_CONNECT = const(0x10)
_CONNACK = const(0x20)
_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_PUBREC = const(0x50)
_PUBREL = const(0x62)
_PUBCOMP = const(0x70)
_PING = const(0xC0)
_DISCONNECT = const(0xE0)

_WHY = (  # of CONNACK (3.2.2.3)
    "",
    "it speaks another version of MQTT",
    "it does not want this client id",
    "it is not available",
    "check mqtt user and password",
    "this client is not allowed: check mqtt user and password, and the certificate",
)


def mqtts(
    modem,
    client_id: str,
    host: str,
    port: int = 8883,
    *,
    ca: bytes | str,
    cert: bytes | str | None = None,
    key: bytes | str | None = None,
    **options,
) -> "MQTTS":
    """modem.mqtts(): a client over TLS; ca, cert and key as tls.Context has them."""
    from .tls import Context

    return MQTTS(modem, Context(ca, cert, key), client_id, host, port, **options)


class MQTTS:
    """One session; see mqtt.MQTT. ``tls`` -- a tls.Context"""

    def __init__(
        self,
        modem,
        tls,
        client_id: str,
        host: str,
        port: int = 8883,
        user: str | None = None,
        password: str | None = None,
        keepalive: int = 60,
        last_will: tuple[str, str | bytes, bool, int] | None = None,
        clean: bool = True,
        server_hostname: str | None = None,
    ) -> None:
        self._modem = modem
        self._tls = tls
        self._far = (host, port, server_hostname)
        self._who = (client_id, user, password)
        self._keepalive = keepalive
        self._will = last_will
        self._clean = clean
        self._sock = None
        self._context = None
        self._reader = None
        self._busy = asyncio.Lock()
        self._number = 0  # of the last packet that wants an answer
        self._answer = None  # what the broker has said to it
        self._answered = asyncio.Event()
        self._halves = set()  # messages of QoS 2 that have come, and may come again
        self.inbox = Queue()
        self._error = None  # what has ended the session
        self.connected = False

    from .messages import check_msg, set_callback, wait_msg

    if TYPE_CHECKING:
        from .mqtts_filters import set_last_will, subscribe, unsubscribe

        lost: int
    else:

        def __getattr__(self, name: str):
            return apart.find(self, MQTTS, _APART, name)

    # The session ----------------------------------------------------------------------------

    async def connect(self) -> None:
        """Open PDP context, connection and session.

        Raises what modem.tls() does, Refused when the broker does not want this session.
        """
        from .tls import LIMIT_S, connect

        packet = self._hello()
        async with self._busy:
            await self._end()
            try:
                self._context = self._modem.pdp(self._modem.apn or "")
                await self._context.__aenter__()
                host, port, name = self._far
                self._sock = await connect(self._modem, self._tls, host, port, name, LIMIT_S, ROOM)
                self._error = None
                self._halves.clear()
                self._reader = asyncio.create_task(self._read(self._sock))
                said = await self._ask(_CONNECT, packet, _CONNACK)
                if len(said) != 2 or said[1]:
                    why = _WHY[said[1]] if len(said) == 2 and said[1] < len(_WHY) else "strange"
                    raise at.Refused(
                        "the broker %s:%d refused the session of client %s: %s"
                        % (host, port, self._who[0], why)
                    )
            except BaseException:
                await self._end()
                raise
            self.connected = True

    def _hello(self) -> bytes:
        client_id, user, password = self._who
        flags = 2 if self._clean else 0
        rest = text(client_id)
        if self._will is not None:
            topic, payload, retain, qos = self._will
            topics.check(topic, "mqtts")
            flags |= 4 | qos << 3 | (0x20 if retain else 0)
            rest += text(topic) + text(payload)
        if user is not None:
            flags |= 0x80
            rest += text(user)
        if password is not None:
            flags |= 0x40
            rest += text(password)
        return text("MQTT") + struct.pack("!BBH", 4, flags, self._keepalive) + rest

    async def disconnect(self) -> None:
        """End session, connection and PDP context. What is not open any more is no error."""
        async with self._busy:
            if self.connected:
                try:
                    await self._send(_DISCONNECT, b"")
                except at.C1100Error as error:
                    self._error = error  # it is over, as it should be
            await self._end()

    async def _end(self) -> None:
        """Let go of all that is open."""
        self.connected = False
        sock, self._sock = self._sock, None
        context, self._context = self._context, None
        reader, self._reader = self._reader, None
        self.inbox.arrived.set()
        if reader is not None:
            reader.cancel()
        try:
            if sock is not None:
                sock.close()
                await sock.wait_closed()
        finally:
            if context is not None:
                await context.__aexit__(None, None, None)

    # Sending --------------------------------------------------------------------------------

    async def publish(
        self,
        topic: str,
        payload: str | bytes | bytearray | memoryview,
        qos: int = 1,
        retain: bool = False,
    ) -> None:
        """Publish; with QoS 1 and 2, returns when the broker has confirmed.

        Raises BadArgument before anything is sent, NotConnected, Refused when there is no
        confirmation: the session counts as lost then.
        """
        topics.check(topic, "mqtts")
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        async with self._busy:
            head = _PUBLISH | qos << 1 | (1 if retain else 0)
            if not qos:
                await self._send(head, text(topic) + data)
                return
            number = self._next()
            body = text(topic) + number + data
            await self._ask(head, body, _PUBREC if qos == 2 else _PUBACK, number)
            if qos == 2:
                await self._ask(_PUBREL, number, _PUBCOMP, number)

    def _next(self) -> bytes:
        self._number = self._number % 0xFFFF + 1
        return struct.pack("!H", self._number)

    async def _ask(self, head: int, body: bytes, kind: int, number: bytes = b"") -> bytes:
        """Send a packet, and wait for the answer of a kind, to a number if it has one."""
        self._answer = (kind, number, None)
        self._answered.clear()
        await self._send(head, body)
        try:
            await asyncio.wait_for_ms(self._answered.wait(), _ANSWER_MS)
        except asyncio.TimeoutError:
            self._error = at.Refused("the broker confirms nothing for %d s" % (_ANSWER_MS // 1000))
        answer, self._answer = self._answer[2], None
        if answer is None:
            self.connected = False
            raise self._error or at.NotConnected("the MQTT session has ended")
        return answer

    async def _send(self, head: int, body: bytes) -> None:
        sock = self._sock
        if sock is None or self._error is not None:
            raise self._error or at.NotConnected("the MQTT session is not open: connect() first")
        n = len(body)
        packet = bytearray((head,))
        while n > 0x7F:
            packet.append(n & 0x7F | 0x80)
            n >>= 7
        packet.append(n)
        packet.extend(body)
        try:
            await sock.sendall(packet)
        except at.C1100Error:
            self.connected = False
            raise

    # Receiving ------------------------------------------------------------------------------

    async def _read(self, sock) -> None:
        """The session's task: takes what the broker says, and shows it that we are there."""
        try:
            while True:
                try:
                    head = await sock.recv(1, self._keepalive / 2 or None)
                except at.Timeout as error:
                    if error.command is not None:
                        raise
                    await self._send(_PING, b"")
                    continue
                if not head:
                    raise at.Refused("the broker has ended the session")
                await self._take(head[0], await self._body(sock))
        except at.C1100Error as error:
            self._error = error
        finally:
            self.connected = False
            self._answered.set()
            self.inbox.arrived.set()

    async def _body(self, sock) -> bytes | None:
        """What a packet holds; None of one that is too long, which is read and forgotten."""
        n = shift = 0
        while True:
            byte = (await _exactly(sock, 1))[0]
            n |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
            if shift > 21:
                raise at.BadAnswer("the broker says what is no MQTT")
        if n <= ROOM:
            return await _exactly(sock, n)
        while n:
            n -= len(await _exactly(sock, min(n, 512)))
        return None

    async def _take(self, head: int, body: bytes | None) -> None:
        if head & 0xF0 == _PUBLISH:
            await self._heard(head, body)
        elif head == _PUBREL and body:
            self._halves.discard(body)
            await self._send(_PUBCOMP, body)
        elif body is not None and self._answer is not None:
            kind, number, _ = self._answer
            if head == kind and body[: len(number)] == number:
                self._answer = (kind, number, body)
                self._answered.set()

    async def _heard(self, head: int, body: bytes | None) -> None:
        if body is None:
            self.inbox.put(None)
            return
        qos = head >> 1 & 3
        end = 2 + (body[0] << 8 | body[1])
        topic = str(body[2:end], "utf-8")
        number = b""
        if qos:
            number = body[end : end + 2]
            end += 2
        if qos < 2 or number not in self._halves:
            self.inbox.put(Message(topic, body[end:], bool(head & 1), qos))
        if qos == 2:
            self._halves.add(number)
        if qos:
            await self._send(_PUBREC if qos == 2 else _PUBACK, number)


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else bytes(value)
    if len(data) > 0xFFFF:
        raise at.BadArgument("%d bytes are more than MQTT has room for" % len(data))
    return struct.pack("!H", len(data)) + data


async def _exactly(sock, n: int) -> bytes:
    found = b""
    while len(found) < n:
        piece = await sock.recv(n - len(found), _ANSWER_MS / 1000)
        if not piece:
            raise at.Refused("the broker has ended the session")
        found += piece
    return found
