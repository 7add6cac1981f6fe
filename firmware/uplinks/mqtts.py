"""Uplink by MQTT over TLS, whose certificate is checked (c1100.mqtts)."""

from micropython import const

import c1100.mqtts
import c1100.tls  # loaded now, while the heap is in one piece
from c1100 import BadArgument, CommandError, Refused

from . import joined, refusal

_BATCH_BYTES = const(1200)  # with all that is around it, one record of TLS and one push


class Uplink:
    """settings -- as config.load() returns them; modem -- a started C1100

    mqtt -- the session, open after the first send()
    """

    batch_bytes = _BATCH_BYTES
    time = None

    def __init__(self, settings: dict, modem) -> None:
        self._topic = "nodes/%s/telemetry" % settings["id"]
        self._qos = settings["mqtt.qos"]
        self._settings = settings
        self.mqtt = c1100.mqtts.MQTTS(
            modem,
            trusted(settings),
            settings["id"],
            settings["mqtt.host"],
            settings["mqtts.port"],
            user=settings["mqtt.user"] or None,
            password=settings["mqtt.password"] or None,
            keepalive=settings["mqtt.keepalive_s"],
        )

    async def connect(self) -> None:
        """Open the session, unless it is. Raises C1100Error; what to check is on the log."""
        if self.mqtt.connected:
            return
        try:
            await self.mqtt.connect()
        except Refused as error:
            from . import login

            login.told(self._settings, error, "mqtts.port")
            raise

    async def send(self, batch: list) -> int:
        """Publish a batch; returns once the broker has it. Raises C1100Error."""
        await self.connect()
        body = joined(batch)
        topic = self._topic if body[:1] == b"[" else self._topic + "/cbor"
        try:
            await self.mqtt.publish(topic, body, self._qos)
        except (BadArgument, CommandError) as error:
            raise refusal.Unfit(error)
        return batch[-1][0]

    async def close(self) -> None:
        """End the session, if there is one."""
        await self.mqtt.disconnect()


def trusted(settings: dict):
    """Whom the node trusts, and who it is, by the files that tls.* names. Raises BadArgument."""
    return c1100.tls.Context(
        settings["tls.ca"], settings["tls.cert"] or None, settings["tls.key"] or None
    )
