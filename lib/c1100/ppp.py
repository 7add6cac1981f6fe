"""PPP dial-up (manual 3.3.3): the module becomes a modem, and the port's own TCP/IP stack talks.

ppp = await modem.ppp("3GNET")          # on an ESP32 or STM32 whose firmware has network.PPP
...                                     # socket, ssl, requests, umqtt of the port
await ppp.hang_up()
"""

import asyncio

from micropython import const

from . import at, dialect
from .channel import COMMAND, UNKNOWN
from .escape import escape

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

_CLOSE_MS = const(13000)  # lwIP asks twice for the end of a link, 6 s apart
_NETWORK_S = const(60)  # for the network, before dialling is tried again
_CR = const(13)

# Error codes of lwIP's PPP that tell a cause; network.PPP's status() gives them negative.
_CAUSES = {
    6: "the module has no carrier",
    7: "the network refuses user or password",
    8: "the peers agree on no protocol",
    9: "the network does not answer any more",
    12: "the line is looped back",
}


async def ppp(
    modem,
    apn: str,
    user: str = "",
    password: str = "",
    factory: "Callable | None" = None,
    timeout_s: float = 60,
) -> "Ppp":
    """modem.ppp(): dial up (manual 3.3.3) and hand the stream to network.PPP.

    factory -- instead of network.PPP: callable(stream) -> an object of the same kind

    Until hang_up() commands raise NotConnected.
    """
    made = Ppp(modem._channel, modem.register)
    await made.dial(apn, user, password, factory, timeout_s)
    return made


class Ppp:
    """A dialled connection. ``link`` is the network.PPP object, or what ``factory`` has made."""

    def __init__(self, channel, register) -> None:
        self._channel = channel
        self._register = register  # modem.C1100.register
        self.link = None

    async def dial(self, apn: str, user: str, password: str, factory, timeout_s: float) -> None:
        """Dial and bring the link up.

        user      -- "" for none; else it and the password are told by PAP
        factory   -- None for network.PPP; else callable(stream) -> an object of the same kind
        timeout_s -- seconds for the link

        Sockets and sessions on the module's own stack count as lost: while the UART carries PPP,
        the module can tell nothing of them. Raises NotSupported without network.PPP,
        CommandError (NO CARRIER), NotConnected when PPP does not come up, Timeout.
        """
        if factory is None:
            factory = _port_factory()
        channel = self._channel
        try:
            await channel.run(dialect.NETWORK_MODE, 2)
        except at.CommandError:
            pass  # a module of one radio has no choice
        await channel.run(dialect.PDP_CONTEXT, 1, apn)
        for callback in list(channel.on_restart):
            callback()
        try:
            try:
                await self._dial()
            except at.CommandError:
                # A call that an earlier life has left stands in the way, or the search for another
                # network that setting up has begun.
                await hang_up(channel)
                await self._register(_NETWORK_S)
                await self._dial()
            link = self.link = factory(channel.release())
            await _connect(link, user, password, timeout_s)
        except at.CommandError:
            raise  # it has not connected
        except BaseException:
            # After a time-out too: a module that connects late would take commands for data.
            channel.mode = UNKNOWN
            await self.hang_up()
            raise

    async def _dial(self) -> None:
        channel = self._channel
        stream = channel.stream
        channel.stream = _UpToConnect(stream)
        try:
            await channel.run(dialect.DIAL)
        finally:
            channel.stream = stream

    async def hang_up(self) -> None:
        """End the link, leave data mode and hang up (manual 3.3.3 step 6).

        Afterwards the module takes commands again; right also when the network has ended the
        connection before. Raises Timeout when the module does not answer; it may be called again.
        """
        link, self.link = self.link, None
        channel = self._channel
        try:
            if link is not None:
                await _close(link)
        finally:
            if channel.mode != COMMAND:
                await escape(channel)
                await channel.probe()
        if channel.mode != COMMAND:
            raise at.Timeout("the module does not leave data mode", dialect.HANG_UP.send)
        await hang_up(channel)


async def hang_up(channel) -> None:
    """End a call, if there is one (manual 3.3.3 step 6)."""
    try:
        await channel.run(dialect.HANG_UP)
    except at.CommandError:
        pass  # there is none


async def _connect(link, user: str, password: str, timeout_s: float) -> None:
    if hasattr(link, "active"):  # the ESP32's class has it, the others' does not
        link.active(True)
    if not user:
        link.connect()
    elif hasattr(link, "SEC_PAP"):
        link.connect(security=link.SEC_PAP, user=user, key=password)
    else:  # the ESP32 up to MicroPython 1.24
        link.connect(authmode=link.AUTH_PAP, username=user, password=password)
    for _ in range(int(timeout_s * 10)):
        if link.isconnected():
            return
        status = link.status() if hasattr(link, "status") else None
        if isinstance(status, int) and status < 0:
            cause = _CAUSES.get(-status, "error %d of lwIP" % -status)
            raise at.NotConnected("PPP failed: " + cause, dialect.DIAL.send)
        await asyncio.sleep_ms(100)
    raise at.NotConnected("PPP did not come up in %d s" % timeout_s, dialect.DIAL.send)


async def _close(link) -> None:
    """End the link itself, and wait until it is silent: +++ must not meet what it still sends."""
    if hasattr(link, "disconnect"):  # the ESP32 up to MicroPython 1.24 has active() only
        link.disconnect()
        waited = 0
        while link.isconnected() and waited < _CLOSE_MS:
            await asyncio.sleep_ms(100)
            waited += 100
    if hasattr(link, "active"):
        link.active(False)


def _port_factory():
    try:
        import network
    except ImportError:
        network = None
    factory = getattr(network, "PPP", None)
    if factory is None:
        raise at.NotSupported("this MicroPython is built without network.PPP")
    return factory


class _UpToConnect:
    """Reads no further than the end of the line that says CONNECT.

    What follows is PPP: the network's first request, which would be repeated only after 3 s.
    """

    def __init__(self, stream) -> None:
        self._stream = stream
        self._one = bytearray(1)
        self._line = b""
        self._over = False
        self.write = stream.write

    def readinto(self, buf) -> int | None:
        if self._over or not self._stream.readinto(self._one):
            return None
        buf[0] = self._one[0]
        if self._one[0] == _CR:
            self._over = bool(self._line) and at.result(at.text(self._line)) == at.CONNECT
            self._line = b""
        elif self._one[0] != 10:
            self._line += self._one
        return 1
