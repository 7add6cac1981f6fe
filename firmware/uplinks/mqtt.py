"""Uplink over the module's MQTT (manual 3.6)."""

# Compiled while the heap is still in one piece, not in the middle of a wake.
import c1100.mqtt  # noqa: F401


class Uplink:
    """settings -- as config.load() returns them; modem -- a started C1100"""

    def __init__(self, settings: dict, modem) -> None:
        self._topic = "nodes/%s/telemetry" % settings["id"]
        self._qos = settings["mqtt.qos"]
        self._mqtt = modem.mqtt(
            settings["id"],
            settings["mqtt.host"],
            settings["mqtt.port"],
            user=settings["mqtt.user"] or None,
            password=settings["mqtt.password"] or None,
            keepalive=settings["mqtt.keepalive_s"],
        )

    async def send(self, payload: str) -> None:
        """Deliver one payload; returns once the broker has it. Raises C1100Error."""
        if not self._mqtt.connected:
            await self._mqtt.connect()
        await self._mqtt.publish(self._topic, payload, self._qos)

    async def close(self) -> None:
        """End the session, if there is one."""
        if self._mqtt.connected:
            await self._mqtt.disconnect()
