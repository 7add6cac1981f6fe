"""One MQTT connection of the module to a real broker: paho-mqtt, driven from outside.

The clock of this connection is the virtual one: keepalive pings are sent when it says so, and a
module that has gone silent for 1.5 keepalives of virtual time loses its TCP connection without
DISCONNECT, which is when a real broker would give up and publish the will.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tools.timeline import Timeline, Timer
from tools.virtual_c1100.peers import reset, unread

PING_SIZE, ACK_SIZE = 2, 4  # bytes, MQTT 3.1.1 clauses 3.12, 3.4
GRACE = 1.5  # MQTT 3.1.1 clause 3.1.2.10


# Told of each message that a module publishes, whatever its broker: topic and payload.
watchers: list[Callable[[str, bytes], None]] = []


@dataclass(frozen=True)
class Settings:
    """What CONNECT carries."""

    client_id: str
    keepalive_s: int
    clean: bool = True
    username: str | None = None
    password: str | None = None
    will: tuple[str, bytes, int, bool] | None = None  # topic, payload, QoS, retained

    @property
    def size(self) -> int:
        """Bytes of CONNECT (MQTT 3.1.1 clause 3.1)."""
        texts = [self.client_id, *filter(None, (self.username, self.password))]
        if self.will:
            texts += [self.will[0], self.will[1].decode("latin-1")]
        return 12 + sum(2 + len(text) for text in texts)


class _Client(paho.Client):
    """paho with a socket that is already connected, and with pings when we say so.

    paho's own `loop_misc` goes by the machine's clock, so it is never called.
    """

    ready_socket: socket.socket | None = None

    def _create_socket_connection(self) -> socket.socket:
        assert self.ready_socket is not None
        return self.ready_socket

    def ping(self) -> None:
        self._send_pingreq()

    @property
    def owed(self) -> bool:
        """The broker owes a PINGRESP or the rest of a QoS 2 delivery."""
        return self._ping_t > 0 or bool(self._in_messages)


class MqttLink:
    """From the TCP connection to its end. A peer in the sense of `VirtualC1100.peers()`.

    on_air(size, then) -- takes the radio's time for what the link sends by itself
    on_open(accepted) -- CONNACK has come, or the connection failed before it
    on_message(topic, qos, retained, payload)
    on_lost() -- the connection was up and is gone, not by `close`
    on_end(link) -- the socket is closed, for whatever reason
    """

    cause = "mqtt"

    def __init__(
        self,
        timeline: Timeline,
        sock: socket.socket,
        settings: Settings,
        on_air: Callable[[int, Callable[[], None]], None],
        on_open: Callable[[bool], None],
        on_message: Callable[[str, int, bool, bytes], None],
        on_lost: Callable[[], None],
        on_end: Callable[["MqttLink"], None],
    ) -> None:
        self._timeline = timeline
        self._sock = sock
        self._settings = settings
        self._on_air = on_air
        self._on_open = on_open
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_end = on_end
        self._tcp_up = False
        self.up = False
        self._silent = False  # the module cannot be heard: no coverage, or no power
        self._refused = False
        self._orphan = False  # nobody in the module owns this connection any more
        self._closing = False
        self._ended = False
        self._waiting: dict[int, Callable[[bool], None]] = {}
        self._last_out_us = timeline.now_us
        self._keepalive_timer: Timer | None = None
        self._client = _Client(
            CallbackAPIVersion.VERSION2, settings.client_id, clean_session=settings.clean
        )
        self._client.ready_socket = sock
        # With this hook set paho leaves all writing to us.
        self._client.on_socket_register_write = lambda *_: None
        self._client.on_connect = self._connack
        self._client.on_publish = lambda c, u, mid, *_: self._confirmed(mid, True)
        self._client.on_subscribe = self._suback
        self._client.on_unsubscribe = lambda c, u, mid, *_: self._confirmed(mid, True)
        self._client.on_message = self._message
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password)
        if settings.will:
            topic, payload, qos, retained = settings.will
            self._client.will_set(topic, payload, qos, retained)

    # As a peer ------------------------------------------------------------------------------

    def fileno(self) -> int:
        return self._sock.fileno()

    def arrived(self) -> int:
        return unread(self._sock)

    @property
    def want_read(self) -> bool:
        return self._tcp_up and (self._orphan or not self._silent)

    @property
    def want_write(self) -> bool:
        if self._silent:
            return False
        return not self._tcp_up or self._client.want_write()

    @property
    def pending(self) -> bool:
        """Virtual time must wait for the broker."""
        if self._silent or self._ended:
            return False
        return not self.up or bool(self._waiting) or self._client.owed or self.want_write

    def on_ready(self) -> None:
        """The socket is readable or writable."""
        if self._ended:
            return
        if self._orphan:
            self._discard()
        elif not self._tcp_up:
            self._connected()
        else:
            self._pump()

    # What the module does -------------------------------------------------------------------

    def publish(
        self, topic: str, payload: bytes, qos: int, retained: bool, done: Callable[[bool], None]
    ) -> None:
        """Publish; `done(True)` once confirmed (QoS 0: sent). Raises ValueError for the topic."""
        for watch in watchers:
            watch(topic, payload)
        info = self._client.publish(topic, payload, qos, retained)
        self._waiting[info.mid] = done
        self._flush()

    def subscribe(self, topic: str, qos: int, done: Callable[[bool], None]) -> None:
        """Subscribe; `done(granted)`. Raises ValueError for the topic filter."""
        _, mid = self._client.subscribe(topic, qos)
        if mid is not None:
            self._waiting[mid] = done
        self._flush()

    def unsubscribe(self, topic: str, done: Callable[[bool], None]) -> None:
        """Unsubscribe; `done(True)` once confirmed."""
        _, mid = self._client.unsubscribe(topic)
        if mid is not None:
            self._waiting[mid] = done
        self._flush()

    def close(self) -> None:
        """DISCONNECT and close."""
        self._closing = True
        if self.up:
            self._client.disconnect()
            self._flush()
        self._end()

    def drop(self) -> None:
        """Close the TCP connection without DISCONNECT."""
        self._end()

    def silence(self) -> None:
        """The module cannot be heard any more: nothing passes in either direction."""
        self._silent = True
        self._arm_keepalive()

    def hear(self) -> None:
        """The module is back on the network in time."""
        self._silent = False
        self._arm_keepalive()
        self._flush()

    def abandon(self) -> None:
        """The module has lost power or rebooted: the broker knows nothing of it yet."""
        self._orphan = self._silent = True
        self._waiting.clear()
        self._arm_keepalive()

    # Inside ---------------------------------------------------------------------------------

    def _connected(self) -> None:
        if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end()
            return
        self._tcp_up = True
        host, port = self._sock.getpeername()[:2]
        self._client.connect(host, port, self._settings.keepalive_s)
        self._flush()

    def _connack(self, client, userdata, flags, reason, properties) -> None:
        if reason.is_failure:
            self._refused = True
            return
        self.up = True
        self._arm_keepalive()
        self._on_open(True)

    def _suback(self, client, userdata, mid, reasons, properties) -> None:
        self._confirmed(mid, not reasons[0].is_failure)
        if not self._closing:
            # The broker sends what it has retained before it answers this: virtual time waits.
            self._client.ping()
            self._flush()

    def _message(self, client, userdata, message: paho.MQTTMessage) -> None:
        self._on_message(message.topic, message.qos, message.retain, bytes(message.payload))

    def _confirmed(self, mid: int, good: bool) -> None:
        done = self._waiting.pop(mid, None)
        if done:
            done(good)

    def _flush(self) -> None:
        if not self._silent and self._tcp_up and not self._ended:
            self._last_out_us = self._timeline.now_us
            self._client.loop_write()
            self._check()

    def _pump(self) -> None:
        self._client.loop_read()
        if self._client.want_write():
            self._flush()
            self._on_air(ACK_SIZE, lambda: None)
        self._check()

    def _check(self) -> None:
        if self._refused or self._client.socket() is None:
            self._end()

    def _discard(self) -> None:
        """The module runs again and knows nothing of this connection: it answers with RST."""
        reset(self._sock)
        self._end()

    def _arm_keepalive(self) -> None:
        if self._keepalive_timer:
            self._keepalive_timer.cancel()
            self._keepalive_timer = None
        if self._settings.keepalive_s and not self._ended:
            factor = GRACE if self._silent else 1.0
            due = self._last_out_us + round(self._settings.keepalive_s * factor * 1e6)
            self._keepalive_timer = self._timeline.call_at(due, self._keepalive)

    def _keepalive(self) -> None:
        self._keepalive_timer = None
        idle_us = self._timeline.now_us - self._last_out_us
        if self._silent:
            self._end()
            return
        if idle_us >= self._settings.keepalive_s * 1_000_000:
            self._on_air(PING_SIZE, self._ping)
        else:
            self._arm_keepalive()

    def _ping(self) -> None:
        if not self._ended and not self._silent:
            self._client.ping()
            self._flush()
        self._arm_keepalive()

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._keepalive_timer:
            self._keepalive_timer.cancel()
        self._sock.close()
        was_up, self.up = self.up, False
        self._on_end(self)
        if self._orphan:
            return
        waiting, self._waiting = self._waiting, {}
        for done in waiting.values():
            done(False)
        if self._closing:
            return
        if was_up:
            self._on_lost()
        else:
            self._on_open(False)
