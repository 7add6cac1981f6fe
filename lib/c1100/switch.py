"""Switching a module off, starting it again, waking it: methods of C1100, loaded when wanted."""

import asyncio

from . import at, dialect
from .channel import ASLEEP, OFF, UNKNOWN


async def power_off(modem, force: bool = False) -> None:
    """modem.power_off(): switch the module off cleanly (AT$QCPWRDN), or by its key where that does
    not help; returns when it is off, or after 10 s where nothing tells.

    force -- also without a power key: something else will switch the module on again

    Raises NotSupported without a power key unless told force; Timeout, CommandError.
    """
    channel = modem._channel
    key = modem._pwrkey
    if key is None and not force:
        raise at.NotSupported("nothing could switch the module on again: wire its power key")
    obeys = True
    try:
        await channel.run(dialect.POWER_OFF)
    except at.Rebooted:
        pass  # its status pin was faster than its answer
    except (at.CommandError, at.Timeout) as error:
        # One that says nothing may be off already, and the key would start it.
        obeys = False
        runs = modem.is_powered or isinstance(error, at.CommandError)
        if key is None or not runs:
            raise
    channel.mode = OFF
    channel.forgotten()
    if obeys:
        await _await_off(modem)
    if key is not None and (modem.is_powered or not obeys):
        await press_until_off(modem)
    if modem.is_powered:
        raise at.Timeout("the module stays on", dialect.POWER_OFF.send)


async def power_cycle(modem) -> None:
    """modem.power_cycle(): switch a module that does not answer off by its key, and on again.
    Raises NoModule.
    """
    modem._channel.start()
    modem._channel.mode = UNKNOWN
    if modem._pwrkey is not None:
        await press_until_off(modem)
    await modem.power_on()


async def restart(modem) -> None:
    """modem.restart(): let the module restart by itself (manual 3.5.1 step 3), and wait until it
    answers.
    """
    channel = modem._channel
    try:
        await channel.run(dialect.RESTART)
    except at.Rebooted:
        pass  # that is what was asked for
    channel.mode = UNKNOWN
    channel.forgotten()
    await asyncio.sleep_ms(dialect.RESTART_MS)
    if not await modem.boots():
        raise at.Timeout("no answer after the restart", dialect.RESTART.send)


async def wake(modem) -> None:
    """Wake the module out of PSM, by wake pin or power key, and wait until it answers.

    Settings that it has forgotten are restored with the next command. Raises NoModule.
    """
    if modem._channel.mode == ASLEEP:
        # It tells a moment before it sleeps: it would answer still, and then no more.
        left = dialect.PSM_ENTRY_MS - modem.patience.since(modem._slept)
        if 0 < left <= dialect.PSM_ENTRY_MS:
            await modem.patience.wait(left)
        modem._channel.mode = UNKNOWN
    await modem.power_on()


async def press_until_off(modem) -> None:
    """Switch a module off by its key."""
    for press in range(3):
        await modem.press(dialect.KEY_OFF_MS + 1000 * press)
        if await _await_off(modem) or not modem.has_status:
            return  # nobody could tell whether another press would switch it on


async def _await_off(modem) -> bool:
    """Wait until the module is off: by its status pin, or for as long as that takes."""
    for _ in range(dialect.OFF_MS // 100):
        if modem.looks_off:
            return True
        await modem.patience.wait(100)
    return False


def looks_off(modem) -> bool:
    """modem.looks_off: whether the status pin says that the module is off, or in PSM."""
    return modem.has_status and not modem._status.value()


def has_status(modem) -> bool:
    """modem.has_status: whether the status pin is wired."""
    return modem._status is not None
