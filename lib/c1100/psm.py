"""What the network grants of PSM (manual 3.8.1), and sleeping itself: methods of power.Power,
loaded when first called.
"""

import asyncio
import time

from micropython import const

from . import at, dialect
from .channel import ASLEEP
from .power import Granted, read

_ASK_S = const(3)  # between questions for what the network has granted


async def psm(
    power, tau_s: float | None, active_s: float, timeout_s: float = 30
) -> Granted | None:
    """Ask for power saving mode (manual 3.8.1).

    tau_s     -- seconds from one periodic tracking-area update to the next; None for none
    active_s  -- seconds that the module stays reachable after its last activity
    timeout_s -- seconds to wait for the network's answer

    Returns what was granted, which may differ; None when the network grants no PSM. Raises
    BadArgument when the times cannot be expressed, NotSupported when nothing could wake the
    module again.
    """
    await power.ask_psm(tau_s, active_s)
    begin = time.ticks_ms()
    while True:
        try:
            found = await power.granted()
        except at.BadAnswer:
            found = None  # it may tell better the next time
        if found is not None:
            return found
        if time.ticks_diff(time.ticks_ms(), begin) > timeout_s * 1000:
            return None
        await asyncio.sleep_ms(_ASK_S * 1000)


async def granted(power) -> Granted | None:
    """What the network has granted by now (manual 3.8.1 step 5); None without PSM, and where
    the module does not tell. Raises BadAnswer.
    """
    power._active_s = None
    try:
        values = await power._channel.ask(dialect.EPS_STATE)
    except at.CommandError:
        return None
    active, tau = values[7:9]  # the other way round
    granted = read(dialect.EPS_STATE, active, tau)
    power._active_s = granted.active_s
    return None if granted.active_s is None else granted


async def settings(power) -> Granted | None:
    """What the module is set to ask for (manual 3.8.1 step 3); None when PSM is off."""
    mode, _, _, tau, active = (await power._channel.ask(dialect.PSM_STATE))[:5]
    return read(dialect.PSM_STATE, active, tau) if mode == 1 else None


async def psm_off(power) -> None:
    """No power saving mode any more."""
    await power._channel.run(dialect.PSM_OFF)
    power._modem.asks_psm = False
    power.requested = power._active_s = None


async def wait_psm(power, timeout_s: float = 120) -> bool:
    """Wait until the module sleeps (manual 3.8.1 step 7).

    Returns True when the module or its status pin has told, False when it is assumed, because
    the active time since the last RRC release is over and no word came. Raises Timeout.
    """
    begin = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), begin) < timeout_s * 1000:
        if power._channel.mode == ASLEEP:
            return True
        if power._modem.looks_off:
            power._modem.fell_asleep()
            return True
        if _active_is_over(power):
            power._modem.fell_asleep()
            return False
        await asyncio.sleep_ms(100)
    raise at.Timeout("the module does not enter PSM: is there still traffic?")


def _active_is_over(power) -> bool:
    if power._released is None or power._active_s is None or power._modem.has_status:
        return False
    since = time.ticks_diff(time.ticks_ms(), power._released)
    return since > power._active_s * 1000 + dialect.PSM_SLACK_MS
