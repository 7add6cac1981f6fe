"""Transparent sending over an open TCP or UDP socket (manual 3.3.2): bytes as they are, no digits.

What the far end sends is received by the socket as ever. Modes 2 and 4 of AT+LSIPTPS do not exist
on the module (manual table 7).
"""

from micropython import const

from . import at, dialect
from .connection import UDP, Socket

LONGEST = const(1460)  # one TCP segment; the module takes 1498 bytes (F)
ESCAPE = 1  # mode: everything up to +++ is sent
COUNTED = 3  # mode: as many bytes as announced are sent

_END = b"+++"


def passthrough(modem, sock: Socket, **options) -> "Passthrough":
    """modem.passthrough(): ``async with modem.passthrough(sock) as pipe:`` (manual 3.3.2)."""
    return Passthrough(modem._channel, sock, **options)


class Passthrough:
    """``async with modem.passthrough(sock) as pipe: await pipe.write(data)``

    mode       -- ESCAPE (1) or COUNTED (3)
    timeout_ms -- of the module for the input; the manual does not say what it does then
    longest    -- most bytes that are handed over at once
    """

    def __init__(
        self, channel, sock, mode: int = ESCAPE, timeout_ms: int = 5000, longest: int = LONGEST
    ) -> None:
        if mode != ESCAPE and mode != COUNTED:
            raise at.NotSupported("the module has modes 1 and 3, not %s" % mode)
        self._channel = channel
        self._sock = sock
        self._mode = mode
        self._timeout_ms = timeout_ms
        self._longest = min(longest, LONGEST)

    async def __aenter__(self) -> "Passthrough":
        await self._sock.drain()
        return self

    async def __aexit__(
        self, kind: type | None, error: BaseException | None, trace: object
    ) -> None:
        """Nothing stays open: each write ends its own transparent mode."""

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, any bytes, and wait until the module has sent them. UDP: as one datagram.

        What the module could take for the escape goes by AT+LSIPSEND instead. After a failure it
        is not known what has been sent, and the socket closes: as with any other write.

        Raises BadArgument for a datagram that is too long, CommandError, NotConnected, Timeout.
        """
        if self._sock.kind == UDP and len(data) > self._longest:
            raise at.BadArgument("a datagram has at most %d bytes" % self._longest)
        view = memoryview(data)
        while view:
            piece = bytes(view[: self._longest])
            view = view[self._longest :]
            # Whether +++ counts in mode 3 too, the manual does not say.
            if _END in piece or (self._mode == ESCAPE and piece[-1] == _END[0]):
                await self._sock.sendall(piece)
            else:
                await self._sock.exclusive(self._send, piece)

    async def _send(self, piece: bytes) -> None:
        counted = self._mode == COUNTED
        await self._channel.run(
            dialect.IP_TRANSPARENT,
            self._mode,
            self._sock.number,
            self._timeout_ms,
            len(piece) if counted else self._longest,
            data=piece if counted else piece + _END,
        )
