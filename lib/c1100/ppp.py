"""PPP dial-up (manual 3.3.3): the module becomes a modem, and the port's own TCP/IP stack talks.

ppp = await modem.ppp("3GNET")          # on an ESP32; network.PPP needs MicroPython >= 1.24
...                                     # socket, ssl, requests, umqtt of the port
await ppp.hang_up()
"""

import asyncio

from micropython import const

from . import at, dialect
from .channel import UNKNOWN

_GUARD_MS = const(1100)  # silence around +++ (V.250: one second)


class Ppp:
    """A dialled connection. ``link`` is the network.PPP object, or what ``factory`` has made."""

    def __init__(self, channel) -> None:
        self._channel = channel
        self.link = None

    async def dial(self, apn: str, user: str, password: str, factory, timeout_s: float) -> None:
        """Dial and, unless factory is None, bring the link up.

        factory   -- callable(stream) -> an object with connect(), isconnected(), disconnect()
        timeout_s -- seconds for the link

        Raises CommandError (NO CARRIER), NotConnected when PPP does not come up, Timeout.
        """
        run = self._channel.run
        await run(dialect.NETWORK_MODE, 2)
        await run(dialect.PDP_CONTEXT, 1, apn)
        await run(dialect.DIAL)
        stream = self._channel.release()
        if factory is None:
            return
        try:
            link = self.link = factory(stream)
            await self._connect(link, user, password, timeout_s)
        except BaseException:
            await self.hang_up()
            raise

    async def _connect(self, link, user: str, password: str, timeout_s: float) -> None:
        if hasattr(link, "active"):  # the ESP32's class has it, the others' does not
            link.active(True)
        if user:
            link.connect(security=link.SEC_PAP, user=user, key=password)
        else:
            link.connect()
        for _ in range(int(timeout_s * 10)):
            if link.isconnected():
                return
            await asyncio.sleep_ms(100)
        raise at.NotConnected("PPP did not come up in %d s" % timeout_s, dialect.DIAL.send)

    async def hang_up(self) -> None:
        """End the link, leave data mode and hang up (manual 3.3.3 step 6).

        Afterwards the module takes commands again. Raises Timeout when it does not.
        """
        link, self.link = self.link, None
        if link is not None:
            link.disconnect()
            await asyncio.sleep_ms(_GUARD_MS)
            if hasattr(link, "active"):
                link.active(False)
        await escape(self._channel)
        if not await self._channel.probe():
            raise at.Timeout("the module does not leave data mode", dialect.HANG_UP.send)
        await self._channel.run(dialect.HANG_UP)


async def escape(channel) -> None:
    """Leave data mode: silence, +++, silence (V.250 6.2.9 and common practice).

    What the network still sends meanwhile is discarded.
    """
    await asyncio.sleep_ms(_GUARD_MS)
    channel.stream.write(b"+++")
    await asyncio.sleep_ms(_GUARD_MS)
    channel.ring.clear()
    while channel.ring.readfrom(channel.stream):
        channel.ring.clear()
    channel.mode = UNKNOWN
    channel.start()
