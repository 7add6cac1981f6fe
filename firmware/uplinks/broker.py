"""What the uplinks by MQTT have alike, whoever has the session: mqtt.py, mqtts.py."""

from c1100 import BadArgument, CommandError, Refused

from . import joined, refusal


class Broker:
    """settings -- as config.load() returns them
    mqtt -- the session, open after the first send(): c1100.mqtt.MQTT, or what has its calls
    port -- the key of the broker's port
    """

    time = None

    def __init__(self, settings: dict, mqtt, port: str) -> None:
        self._topic = "nodes/%s/telemetry" % settings["id"]
        self._settings = settings
        self._port = port
        self.mqtt = mqtt

    async def connect(self) -> None:
        """Open the session, unless it is. Raises C1100Error; what to check is on the log."""
        if self.mqtt.connected:
            return
        try:
            await self.mqtt.connect()
        except Refused as error:
            from . import login

            login.told(self._settings, error, self._port)
            raise

    def leave(self) -> None:
        """Say no goodbye: the module loses what is open before it is used again."""

    async def send(self, batch: list) -> int:
        """Publish a batch; returns once the broker has it. Raises C1100Error."""
        await self.connect()
        body = joined(batch)
        topic = self._topic if body[:1] == b"[" else self._topic + "/cbor"
        try:
            await self.mqtt.publish(topic, body, self._settings["mqtt.qos"])
        except (BadArgument, CommandError) as error:
            raise refusal.Unfit(error)
        return batch[-1][0]


def session(settings: dict) -> dict:
    """What a session is told besides client, host and port."""
    return {
        "user": settings["mqtt.user"] or None,
        "password": settings["mqtt.password"] or None,
        "keepalive": settings["mqtt.keepalive_s"],
    }
