"""The end of a connection that nobody uses any more: asked for, and its time taken.

power.Power has the calls; this is loaded with the first of them.
"""

import asyncio
import time

from . import at, dialect


async def can_release(power, channel) -> bool:
    """Power.can_release()"""
    if power.knows_release is None:
        try:
            await channel.run(dialect.RELEASE_TEST)
            power.knows_release = True
        except at.CommandError:
            power.knows_release = False
    return power.knows_release


async def release(power, modem, channel, timeout_s: float, ask: bool) -> float | None:
    """Power.release()"""
    if ask and not await can_release(power, channel):
        raise at.NotSupported("this module cannot ask for the release of its connection")
    if not power.tells:
        power.tells = await modem.keeps(dialect.EPS_REPORT, 4)
    released = asyncio.Event()

    def on_release(_values: list) -> None:
        released.set()

    channel.on(dialect.RELEASED, on_release)
    begin = time.ticks_ms()
    try:
        if ask:
            await channel.run(dialect.RELEASE)
        await asyncio.wait_for_ms(released.wait(), int(timeout_s * 1000))
        return time.ticks_diff(time.ticks_ms(), begin) / 1000
    except asyncio.TimeoutError:
        return None
    except at.CommandError as error:
        power.knows_release = False
        raise at.NotSupported("it refuses: %s" % error, dialect.RELEASE.send)
    finally:
        channel.off(dialect.RELEASED, on_release)
