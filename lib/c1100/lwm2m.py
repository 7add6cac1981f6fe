"""LwM2M: the module's own client, which registers by itself after a restart (manual 3.5)."""

from . import at, dialect

# Slots of AT+LWMTM and the short server IDs that the manual gives them.
_SLOTS = (3, 4, 5)
SERVER_IDS = (102, 101, 1000)


def lwm2m(modem) -> "Lwm2m":
    """modem.lwm2m, made once."""
    modem.lwm2m = made = Lwm2m(modem._channel, modem.restart)
    return made


class Lwm2m:
    """modem.lwm2m. Whether the client has registered is known at the server; the module does not
    tell.
    """

    def __init__(self, channel, restart) -> None:
        self._channel = channel
        self._restart = restart

    async def configure(self, servers: list) -> None:
        """Set one to three servers, ``"host:port"`` each: IDs 102, 101, 1000 (manual 3.5).

        Raises BadArgument before the first one is set, CommandError, Timeout.
        """
        if not 1 <= len(servers) <= len(_SLOTS):
            raise at.BadArgument("one to three servers", dialect.LWM2M_SERVER.send)
        for server in servers:
            host, _, port = server.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise at.BadArgument("a server is host:port", dialect.LWM2M_SERVER.send)
            at.render(dialect.LWM2M_SERVER.send, (_SLOTS[0], server))
        for slot, server in zip(_SLOTS, servers):
            await self._channel.run(dialect.LWM2M_SERVER, slot, server)

    async def enable(self) -> None:
        """Start the client now and after every restart. The module restarts for it (3.5.1)."""
        await self._channel.run(dialect.LWM2M_AUTO, 1)
        await self._restart()

    async def disable(self) -> None:
        """No client after the next restart (inferred: the manual has no command for it)."""
        await self._channel.run(dialect.LWM2M_AUTO, 0)
