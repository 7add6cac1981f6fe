"""Transparent sending over an open TCP or UDP socket (manual 3.3.2): bytes as they are, no digits.

Mode 1 of AT+LSIPTPS is used: everything up to +++ is sent. Modes 2 and 4 do not exist on the
module, and mode 3 has no way to end a message that is shorter than announced. What the far end
sends is received as ever.
"""

from micropython import const

from . import at, dialect

LONGEST = const(1460)  # the module takes 1498 bytes (F)
_END = b"+++"


class Passthrough:
    """``async with modem.passthrough(sock) as pipe: await pipe.write(data)``

    timeout_ms, longest -- as the manual's table 7 has them: time-out and most bytes at once
    """

    def __init__(self, channel, sock, timeout_ms: int = 5000, longest: int = LONGEST) -> None:
        self._channel = channel
        self._sock = sock
        self._timeout_ms = timeout_ms
        self._longest = min(longest, LONGEST)

    async def __aenter__(self):
        await self._sock.drain()
        return self

    async def __aexit__(self, kind, error, trace) -> None:
        """Nothing stays open: each write ends its own transparent mode."""

    async def write(self, data) -> None:
        """Send bytes, any bytes, and wait until the module has sent them.

        What holds the escape, or ends with a part of it, would be cut: such a piece goes by
        AT+LSIPSEND. Raises CommandError, NotConnected, Timeout.
        """
        view = memoryview(data)
        while view:
            if self._sock.error is not None:
                raise self._sock.error
            piece = bytes(view[: self._longest])
            view = view[self._longest :]
            if _END in piece or piece[-1:] == b"+":
                await self._sock.sendall(piece)
                continue
            await self._channel.run(
                dialect.IP_TRANSPARENT,
                self._sock.number,
                self._timeout_ms,
                self._longest,
                data=piece + _END,
            )
            if self._sock.error is not None:
                raise at.NotConnected("the connection ended while sending", "+LSIPTPS")
