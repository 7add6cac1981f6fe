"""The module's LwM2M client towards one server: registration interface and device management.

CoAP messages are aiocoap's; sending, retransmission (RFC 7252 clause 4.2) and lifetime go by the
virtual clock. OMA LwM2M 1.0, UDP binding, no security.
"""

import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiocoap
from aiocoap import error
from aiocoap.numbers import types

from tools.timeline import Timeline, Timer
from tools.virtual_c1100.lwm2m_objects import Forbidden, Missing, Objects
from tools.virtual_c1100.peers import unread
from tools.virtual_c1100.profile import Address

ACK_TIMEOUT_S, MAX_RETRANSMIT = 2.0, 4  # RFC 7252 clause 4.8
RETRY_S = 60.0  # after a failed registration (inferred)
UPDATE_AT = 0.9  # of the lifetime
LINK_FORMAT = 40
Answer = Callable[[aiocoap.Message | None], None]


@dataclass
class _Outstanding:
    """A confirmable request that the server has not answered."""

    raw: bytes
    mid: int
    done: Answer
    sends: int = 1
    timer: Timer | None = None


class Lwm2mLink:
    """A peer in the sense of `VirtualC1100.peers()`.

    on_air(size, then) -- takes the radio's time for a datagram, `then` sends it
    """

    cause = "lwm2m"
    want_write = False

    def __init__(
        self,
        timeline: Timeline,
        rng: random.Random,
        address: Address,
        endpoint: str,
        lifetime_s: int,
        objects: Objects,
        patience_s: float,
        on_air: Callable[[int, Callable[[], None]], None],
    ) -> None:
        self._on_air = on_air
        self._under_way = 0
        self._closed = False
        self._timeline = timeline
        self._rng = rng
        self._endpoint = endpoint
        self._lifetime_s = lifetime_s
        self._objects = objects
        self._patience_s = patience_s
        self._patient_until = 0.0
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.connect(address)
        self._mid = rng.randrange(0x10000)
        self._outstanding: dict[bytes, _Outstanding] = {}
        self._observers: dict[tuple[str, ...], bytes] = {}  # path -> token
        self._notified: dict[tuple[str, ...], bytes] = {}
        self._last_notification: tuple[int, tuple[str, ...]] = (-1, ())
        self._sequence = 0
        self._timer: Timer | None = None
        self.location: tuple[str, ...] = ()
        self.silent = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def arrived(self) -> int:
        return unread(self._sock)

    @property
    def want_read(self) -> bool:
        return not self.silent

    @property
    def pending(self) -> bool:
        """Virtual time waits for the server's answer, but not for ever."""
        if self._under_way:
            return False  # it is the radio that takes time
        return bool(self._outstanding) and time.monotonic() < self._patient_until

    @property
    def registered(self) -> bool:
        return bool(self.location)

    def on_ready(self) -> None:
        """A datagram has come, or the news that nobody listens."""
        try:
            raw = self._sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            self._patient_until = 0.0
            return
        try:
            message = aiocoap.Message.decode(raw)
        except error.UnparsableMessage:
            return
        self._take(message)

    # Registration interface -----------------------------------------------------------------

    def register(self) -> None:
        """LwM2M 1.0 clause 5.3.1; again later when the server does not answer."""
        query = (f"ep={self._endpoint}", f"lt={self._lifetime_s}", "lwm2m=1.0", "b=U")
        message = aiocoap.Message(
            code=aiocoap.POST, uri_path=("rd",), uri_query=query,
            content_format=LINK_FORMAT, payload=self._objects.links().encode(),
        )  # fmt: skip
        self._request(message, self._registered)

    def update(self) -> None:
        """LwM2M 1.0 clause 5.3.2, or a registration when there is none."""
        if not self.location:
            self.register()
            return
        message = aiocoap.Message(
            code=aiocoap.POST, uri_path=self.location, uri_query=(f"lt={self._lifetime_s}",)
        )
        self._request(message, self._updated)

    def deregister(self, done: Callable[[], None]) -> None:
        """LwM2M 1.0 clause 5.3.3; `done()` when the server knows, or will not answer."""
        if not self.location:
            done()
            return
        message = aiocoap.Message(code=aiocoap.DELETE, uri_path=self.location)
        self.location = ()
        self._request(message, lambda answer: done())

    def close(self) -> None:
        """The client stops; the server finds out when the lifetime is over."""
        self._closed = True
        for waiting in self._outstanding.values():
            if waiting.timer:
                waiting.timer.cancel()
        self._outstanding.clear()
        if self._timer:
            self._timer.cancel()
        self._sock.close()

    def _registered(self, answer: aiocoap.Message | None) -> None:
        if answer is None or answer.code != aiocoap.CREATED:
            self.location = ()
            self._plan(RETRY_S, self.register)
            return
        self.location = tuple(answer.opt.location_path)
        self._plan(self._lifetime_s * UPDATE_AT, self.update)

    def _updated(self, answer: aiocoap.Message | None) -> None:
        if answer is None or answer.code != aiocoap.CHANGED:
            self.location = ()
            self.register()
            return
        self._plan(self._lifetime_s * UPDATE_AT, self.update)

    def _plan(self, delay_s: float, fn: Callable[[], None]) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._timeline.call_later(round(delay_s * 1e6), fn)

    # Requests of the module -----------------------------------------------------------------

    def _request(self, message: aiocoap.Message, done: Answer) -> None:
        message.mtype, message.mid = types.CON, self._next_mid()
        message.token = self._rng.randbytes(4)
        waiting = _Outstanding(message.encode(), message.mid, done)
        self._outstanding[message.token] = waiting
        self._transmit(message.token, waiting)

    def _next_mid(self) -> int:
        self._mid = (self._mid + 1) & 0xFFFF
        return self._mid

    def _transmit(self, token: bytes, waiting: _Outstanding) -> None:
        self._send(waiting.raw)
        delay = ACK_TIMEOUT_S * 2 ** (waiting.sends - 1)
        waiting.timer = self._timeline.call_later(
            round(delay * 1e6), lambda: self._retransmit(token, waiting)
        )

    def _retransmit(self, token: bytes, waiting: _Outstanding) -> None:
        if waiting.sends > MAX_RETRANSMIT:
            del self._outstanding[token]
            waiting.done(None)
            return
        waiting.sends += 1
        self._transmit(token, waiting)

    def _send(self, raw: bytes) -> None:
        self._under_way += 1
        self._on_air(len(raw), lambda: self._sent(raw))

    def _sent(self, raw: bytes) -> None:
        self._under_way -= 1
        if self.silent or self._closed:
            return
        self._patient_until = time.monotonic() + self._patience_s
        try:
            self._sock.send(raw)
        except OSError:
            self._patient_until = 0.0  # nobody listens: like a lost datagram

    def _take(self, message: aiocoap.Message) -> None:
        code, mid = message.code, message.mid
        if code is None or mid is None:
            return
        if code.is_request():
            self._serve(message)
            return
        if message.mtype is types.RST:
            self._reset(mid)
            return
        if message.mtype is types.CON:
            self._acknowledge(message)
        waiting = self._outstanding.pop(message.token, None) if message.code else None
        if waiting:
            if waiting.timer:
                waiting.timer.cancel()
            waiting.done(message)

    def _acknowledge(self, message: aiocoap.Message) -> None:
        self._send(aiocoap.Message(code=aiocoap.EMPTY, mtype=types.ACK, mid=message.mid).encode())

    # Device management ----------------------------------------------------------------------

    def _serve(self, request: aiocoap.Message) -> None:
        """LwM2M 1.0 clause 5.4: read, write, execute, observe."""
        path = tuple(request.opt.uri_path)
        after: Callable[[], None] | None = None
        try:
            if request.code == aiocoap.GET:
                answer = self._content(path)
                self._observe(request, path, answer)
            elif request.code == aiocoap.PUT:
                self._objects.write(path, request.payload)
                answer = aiocoap.Message(code=aiocoap.CHANGED)
            elif request.code == aiocoap.POST:
                after = self._objects.execute(path)
                answer = aiocoap.Message(code=aiocoap.CHANGED)
            else:
                raise Forbidden
        except Missing:
            answer = aiocoap.Message(code=aiocoap.NOT_FOUND)
        except Forbidden:
            answer = aiocoap.Message(code=aiocoap.METHOD_NOT_ALLOWED)
        except ValueError:
            answer = aiocoap.Message(code=aiocoap.BAD_REQUEST)
        answer.token = request.token
        confirmed = request.mtype is types.CON
        answer.mtype = types.ACK if confirmed else types.NON
        answer.mid = request.mid if confirmed else self._next_mid()
        self._send(answer.encode())
        if after:
            after()

    def _content(self, path: tuple[str, ...]) -> aiocoap.Message:
        form, payload = self._objects.read(path)
        return aiocoap.Message(code=aiocoap.CONTENT, content_format=form, payload=payload)

    def _observe(
        self, request: aiocoap.Message, path: tuple[str, ...], answer: aiocoap.Message
    ) -> None:
        if request.opt.observe == 0:
            self._observers[path] = request.token
            self._notified[path] = answer.payload
            answer.opt.observe = self._sequence
        elif request.opt.observe == 1:
            self._observers.pop(path, None)

    def notify(self) -> None:
        """Tell the server of observed values that have changed (RFC 7641)."""
        for path, token in list(self._observers.items()):
            answer = self._content(path)
            if answer.payload == self._notified[path]:
                continue
            self._notified[path] = answer.payload
            self._sequence = (self._sequence + 1) & 0xFFFFFF
            answer.opt.observe = self._sequence
            answer.mtype, answer.mid, answer.token = types.NON, self._next_mid(), token
            self._last_notification = (answer.mid, path)
            self._send(answer.encode())

    def _reset(self, mid: int) -> None:
        """The server does not know this observation any more."""
        if mid == self._last_notification[0]:
            self._observers.pop(self._last_notification[1], None)
