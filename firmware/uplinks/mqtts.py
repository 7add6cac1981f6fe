"""Uplink by MQTT over TLS, whose certificate is checked (c1100.mqtts)."""

from micropython import const

import c1100.mqtts  # loaded now, while the heap is in one piece

from .broker import Broker, session
from .trust import trusted

_BATCH_BYTES = const(1200)  # with all that is around it, one record of TLS and one push


class Uplink(Broker):
    """settings -- as config.load() returns them; modem -- a started C1100"""

    batch_bytes = _BATCH_BYTES

    def __init__(self, settings: dict, modem) -> None:
        given = (settings["id"], settings["mqtt.host"], settings["mqtts.port"])
        mqtt = c1100.mqtts.MQTTS(modem, trusted(settings), *given, **session(settings))
        super().__init__(settings, mqtt, "mqtts.port")

    async def close(self) -> None:
        """End the session, if there is one."""
        await self.mqtt.disconnect()
