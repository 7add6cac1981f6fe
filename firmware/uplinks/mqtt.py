"""Uplink over the module's MQTT (manual 3.6)."""

from micropython import const

import c1100.mqtt  # noqa: F401 -- loaded now, while the heap is in one piece

from .broker import Broker, session

# SenML has quotes, so the module takes it in hexadecimal form, and not more of it.
_BATCH_BYTES = const(512)


class Uplink(Broker):
    """settings -- as config.load() returns them; modem -- a started C1100"""

    batch_bytes = _BATCH_BYTES

    def __init__(self, settings: dict, modem) -> None:
        given = (settings["id"], settings["mqtt.host"], settings["mqtt.port"])
        super().__init__(settings, modem.mqtt(*given, **session(settings)), "mqtt.port")

    def leave(self) -> None:
        """Let go of the session, open as it is."""
        self.mqtt.leave()

    async def close(self) -> None:
        """End the session, if there is one."""
        if self.mqtt.connected:
            await self.mqtt.disconnect()
