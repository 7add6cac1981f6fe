"""MQTT on the module's own stack (manual 3.6), named as umqtt.simple names it."""

import asyncio
from collections import namedtuple

from micropython import const

from . import at, dialect

_LINK_URCS = [
    form.then.rstrip("?") for form in (dialect.MQTT_CALL, dialect.MQTT_OPEN, dialect.MQTT_CLOSE)
]
_ROOM = const(4096)  # bytes of the messages that wait to be fetched
_EACH = const(64)  # bytes that a waiting message costs besides its topic and payload

Message = namedtuple("Message", ("topic", "payload", "retained", "qos"))


class MQTT:
    """One MQTT session. The module has one, so there is one of these at a time.

    client_id  -- required by the module, up to 64 characters
    host, port -- the broker
    keepalive  -- seconds
    last_will  -- (topic, payload, retain, qos), published by the broker when the node vanishes
    clean      -- start without the subscriptions of an earlier session
    apn        -- of the PDP context, None for the one that the SIM has by default
    """

    def __init__(
        self,
        channel,
        client_id: str,
        host: str,
        port: int = 1883,
        user: str | None = None,
        password: str | None = None,
        keepalive: int = 60,
        last_will: tuple[str, str | bytes, bool, int] | None = None,
        clean: bool = True,
        apn: str | None = None,
    ) -> None:
        self._channel = channel
        self._client_id = client_id
        self._broker = (host, port, keepalive)
        self._login = (user, password)
        self._clean = clean
        self._apn = apn
        self._will = last_will
        self._inbox = _Inbox()
        self._told = {}  # form -> arguments that the module has for it in this session
        self.connected = False

    def set_last_will(
        self, topic: str, payload: str | bytes, retain: bool = False, qos: int = 0
    ) -> None:
        """What the broker publishes when the node vanishes; takes effect with connect()."""
        self._will = (topic, payload, retain, qos)

    async def connect(self) -> None:
        """Open the PDP context and the session (manual 3.6.1).

        Raises BadArgument, CommandError when the network or the broker refuses, Timeout.
        """
        run = self._channel.run
        self._told.clear()
        await run(dialect.MQTT_CLIENT_ID, self._client_id)
        user, password = self._login
        if user is not None:
            await run(dialect.MQTT_USER, user)
        if password is not None:
            await run(dialect.MQTT_PASSWORD, password)
        await run(dialect.MQTT_SESSION, self._clean)
        # The module takes as will what is configured when it opens. So an empty message, which is
        # no will, has to replace what an earlier publish has left there.
        if self._will is None:
            await run(dialect.MQTT_TEXT, "")
        else:
            await self._message(*self._will)
        if self._apn is None:
            await run(dialect.MQTT_CALL)
        else:
            await run(dialect.MQTT_CALL_APN, self._apn)
        host, port, keepalive = self._broker
        await run(dialect.MQTT_OPEN, host, port, keepalive)
        self.connected = True
        for name in _LINK_URCS:
            self._channel.on(name, self._on_lost)
        self._channel.on_restart.append(self._on_lost)
        self._channel.payloads[dialect.MQTT_MESSAGE] = self._inbox

    async def publish(self, topic: str, payload, qos: int = 1, retain: bool = False) -> None:
        """Publish; with QoS 1 and 2, returns when the broker has confirmed (manual 3.6.4).

        payload -- str or bytes; up to 1024 characters of printable ASCII without quotes, up to
                   512 bytes of anything else

        Raises BadArgument, NotConnected, CommandError, Timeout. After a Timeout it is not known
        whether the broker has the message, and the session counts as lost: connect() again.
        """
        if not self.connected:
            raise at.NotConnected(
                "the MQTT session is not open: connect() first", dialect.MQTT_PUBLISH.send
            )
        await self._message(topic, payload, retain, qos)
        await self._confirmed(dialect.MQTT_PUBLISH)

    async def _confirmed(self, form: dialect.Form, *args) -> None:
        try:
            await self._channel.run(form, *args)
        except at.CommandError:
            raise
        except BaseException:  # time-out, restart, cancellation
            # A confirmation that comes late must not confirm the next message.
            self._on_lost()
            raise

    def set_callback(self, callback) -> None:
        """Call ``callback(topic, payload)`` for each message instead of queueing it."""
        self._inbox.callback = callback

    async def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe; returns when the broker has confirmed (manual 3.6.2).

        Raises what publish() raises.
        """
        await self._switch(topic, qos, True)

    async def unsubscribe(self, topic: str) -> None:
        """Undo a subscription (manual 3.6.3)."""
        await self._switch(topic, 0, False)

    async def _switch(self, topic: str, qos: int, on: bool) -> None:
        if not self.connected:
            raise at.NotConnected(
                "the MQTT session is not open: connect() first", dialect.MQTT_SUBSCRIBE.send
            )
        self._told.clear()  # rare enough to be said as the manual does
        await self._tell(dialect.MQTT_TOPIC, topic)
        await self._tell(dialect.MQTT_QOS, qos)
        await self._confirmed(dialect.MQTT_SUBSCRIBE, on)

    def check_msg(self):
        """The next queued Message, None if there is none."""
        return self._inbox.take()

    async def wait_msg(self):
        """Wait for the next Message. Raises NotConnected when the session ends before one."""
        while True:
            self._inbox.arrived.clear()
            message = self.check_msg()
            if message is not None:
                return message
            if not self.connected:
                raise at.NotConnected("the MQTT session has ended", dialect.MQTT_MESSAGE)
            await self._inbox.arrived.wait()

    @property
    def lost(self) -> int:
        """Messages that came damaged, or while the queue was full."""
        return self._inbox.lost

    async def disconnect(self) -> None:
        """End the session and the PDP context (manual 3.6.5). The will is not published."""
        self._on_lost()
        await self._channel.run(dialect.MQTT_CLOSE)
        await self._channel.run(dialect.MQTT_HANG_UP)

    async def _message(self, topic: str, payload, retain: bool, qos: int) -> None:
        run = self._channel.run
        await self._tell(dialect.MQTT_TOPIC, topic)
        plain = _plain(payload)
        if plain is None:
            await run(dialect.MQTT_HEX, payload)
        else:
            await run(dialect.MQTT_TEXT, plain)
        await self._tell(dialect.MQTT_QOS, qos)
        await self._tell(dialect.MQTT_RETAINED, retain)

    async def _tell(self, form: dialect.Form, value) -> None:
        """A setting that the module keeps: said again only when it changes."""
        if self._told.get(form) == value:
            return
        self._told.pop(form, None)
        await self._channel.run(form, value)
        self._told[form] = value

    def _on_lost(self, _values: list | None = None) -> None:
        """The network, the broker, a restart or we have ended the session."""
        self.connected = False
        self._told.clear()
        self._inbox.arrived.set()
        if self._on_lost in self._channel.on_restart:
            self._channel.on_restart.remove(self._on_lost)
        for name in _LINK_URCS:
            self._channel.off(name, self._on_lost)


class _Inbox:
    """Takes incoming messages (payload.py) into a bounded queue."""

    fields = len(dialect.MQTT_MESSAGE_FIELDS)
    hex = False

    def __init__(self) -> None:
        self.messages = []
        self.arrived = asyncio.Event()
        self.callback = None
        self.lost = 0
        self._used = 0  # bytes of the messages
        self._head = {}
        self._data = bytearray()

    def begin(self, values: list) -> int:
        self._head = dict(zip(dialect.MQTT_MESSAGE_FIELDS, values))
        self._data = bytearray()
        return self._head["length"]

    def data(self, view) -> None:
        if len(self._data) + len(view) <= _ROOM:
            self._data.extend(view)

    def end(self, error) -> None:
        head = self._head
        if error is not None or len(self._data) != head["length"]:
            self.lost += 1
            return
        message = Message(
            str(head["topic"]), bytes(self._data), bool(head["retained"]), head["qos"]
        )
        if self.callback is not None:
            self.callback(message.topic, message.payload)
        elif self._used + _size(message) > _ROOM:
            self.lost += 1
        else:
            self._used += _size(message)
            self.messages.append(message)
            self.arrived.set()

    def take(self) -> Message | None:
        if not self.messages:
            return None
        message = self.messages.pop(0)
        self._used -= _size(message)
        return message


def _size(message: Message) -> int:
    return _EACH + len(message.topic) + len(message.payload)


def _plain(payload) -> str | None:
    """A payload as text if it can stand between quotes, else None: it is sent as hex then."""
    for c in payload.encode() if isinstance(payload, str) else payload:
        if not 32 <= c < 127 or c == 34:
            return None
    return payload if isinstance(payload, str) else str(payload, "ascii")
