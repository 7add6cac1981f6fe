"""The end of a connection that nobody uses any more: asked for, and its time taken. Methods of
power.Power, loaded when first called.
"""

import asyncio
import time

from . import at, dialect


async def can_release(power) -> bool:
    """Whether the module knows AT+CNMPSD (TS 27.007); it is asked once. Raises Timeout."""
    if power.knows_release is None:
        try:
            await power._channel.run(dialect.RELEASE_TEST)
            power.knows_release = True
        except at.CommandError:
            power.knows_release = False
    return power.knows_release


async def release(power, timeout_s: float = 5, ask: bool = True) -> float | None:
    """No more data is expected for now: ask for the release of the connection, which else costs as
    much as receiving until the network's inactivity timer ends it (AT+CNMPSD).

    timeout_s -- seconds to wait for the word of it; network or module may ignore what is asked
    ask       -- False only takes the time until the network releases it by itself

    Returns the seconds until ^DATADISCONN, 0 when the connection has ended since the last
    command; None when that did not come. The PDP context stays, and with new data there is a
    connection again. Raises NotSupported, Timeout.
    """
    modem = power._modem
    channel = power._channel
    if power._released is not None:
        since_ms = time.ticks_diff(time.ticks_ms(), power._released)
        if 0 <= since_ms < modem.patience.since(modem._last_use):
            return 0.0
    if ask and not await can_release(power):
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
        if not timeout_s:
            return None
        await asyncio.wait_for_ms(released.wait(), int(timeout_s * 1000))
        return time.ticks_diff(time.ticks_ms(), begin) / 1000
    except asyncio.TimeoutError:
        return None
    except at.CommandError as error:
        power.knows_release = False
        raise at.NotSupported("it refuses: %s" % error, dialect.RELEASE.send)
    finally:
        channel.off(dialect.RELEASED, on_release)
