"""Ways out of what a module may be in when it answers no AT: data mode, a payload, silence."""

import asyncio

from micropython import const

from . import at, dialect
from .channel import UNKNOWN

_GUARD_MS = const(1100)  # silence around +++ (one second by common practice, S12 = 50)


async def escape(channel) -> None:
    """Leave data mode: silence, +++, silence (V.250 6.2.9 and common practice).

    What the network still sends meanwhile is discarded.
    """
    await asyncio.sleep_ms(_GUARD_MS)
    channel.stream.write(b"+++")
    await asyncio.sleep_ms(_GUARD_MS)
    channel.ring.clear()
    channel.mode = UNKNOWN
    channel.start()


async def gets_through(channel) -> bool:
    """Whether the module answers after all. The board may have restarted while it was in PPP or
    waited for a payload, or another firmware has told it to give no result codes.
    """
    await escape(channel)
    if not await channel.probe():
        channel.stream.write(b"ATQ0\r")
        if not await channel.probe():
            return False
    try:
        await channel.transact(dialect.HANG_UP, dialect.HANG_UP.send)
    except at.CommandError:
        pass  # it was no call
    return True
