"""MQTT on the module's own stack (manual 3.6), named as umqtt.simple names it."""

from . import at, dialect

_LINK_URCS = ("+MQTTCALL", "+MQTTOPEN", "+MQTTCLOSE")


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

    async def publish(self, topic: str, payload, qos: int = 1, retain: bool = False) -> None:
        """Publish; with QoS 1 and 2, returns when the broker has confirmed (manual 3.6.4).

        payload -- str or bytes; up to 1024 characters of printable ASCII without quotes, up to
                   512 bytes of anything else

        Raises BadArgument, NotConnected, CommandError, Timeout. After a Timeout it is not known
        whether the broker has the message, and the session counts as lost: connect() again.
        """
        if not self.connected:
            raise at.NotConnected("the MQTT session is not open: connect() first", "+LSMQTTPUB=1")
        await self._message(topic, payload, retain, qos)
        try:
            await self._channel.run(dialect.MQTT_PUBLISH)
        except at.CommandError:
            raise
        except BaseException:  # time-out, restart, cancellation
            # A confirmation that comes late must not confirm the next message.
            self._on_lost()
            raise

    async def disconnect(self) -> None:
        """End the session and the PDP context (manual 3.6.5). The will is not published."""
        self._on_lost()
        await self._channel.run(dialect.MQTT_CLOSE)
        await self._channel.run(dialect.MQTT_HANG_UP)

    async def _message(self, topic: str, payload, retain: bool, qos: int) -> None:
        run = self._channel.run
        await run(dialect.MQTT_TOPIC, topic)
        plain = _plain(payload)
        if plain is None:
            await run(dialect.MQTT_HEX, payload)
        else:
            await run(dialect.MQTT_TEXT, plain)
        await run(dialect.MQTT_QOS, qos)
        await run(dialect.MQTT_RETAINED, retain)

    def _on_lost(self, _values: list | None = None) -> None:
        """The network, the broker, a restart or we have ended the session."""
        self.connected = False
        if self._on_lost in self._channel.on_restart:
            self._channel.on_restart.remove(self._on_lost)
        for name in _LINK_URCS:
            self._channel.off(name, self._on_lost)


def _plain(payload) -> str | None:
    """A payload as text if it can stand between quotes, else None: it is sent as hex then."""
    for c in payload.encode() if isinstance(payload, str) else payload:
        if not 32 <= c < 127 or c == 34:
            return None
    return payload if isinstance(payload, str) else str(payload, "ascii")
