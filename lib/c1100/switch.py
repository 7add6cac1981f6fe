"""Switching a module off, and starting it again. Loaded when that is wanted."""

import asyncio

from . import at, dialect
from .channel import OFF, UNKNOWN


async def off(supply, channel, key, force: bool) -> None:
    """Supply.power_off(). key -- power key, or None"""
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
        runs = supply.is_powered or isinstance(error, at.CommandError)
        if key is None or not runs:
            raise
    channel.mode = OFF
    channel.forgotten()
    if obeys:
        await _await_off(supply)
    if key is not None and (supply.is_powered or not obeys):
        await press_until_off(supply)
    if supply.is_powered:
        raise at.Timeout("the module stays on", dialect.POWER_OFF.send)


async def restart(supply, channel) -> None:
    """Supply.restart()"""
    try:
        await channel.run(dialect.RESTART)
    except at.Rebooted:
        pass  # that is what was asked for
    channel.mode = UNKNOWN
    channel.forgotten()
    await asyncio.sleep_ms(dialect.RESTART_MS)
    if not await supply.boots():
        raise at.Timeout("no answer after the restart", dialect.RESTART.send)


async def press_until_off(supply) -> None:
    """Switch a module off by its key."""
    for press in range(3):
        await supply.press(dialect.KEY_OFF_MS + 1000 * press)
        if await _await_off(supply) or not supply.has_status:
            return  # nobody could tell whether another press would switch it on


async def _await_off(supply) -> bool:
    """Wait until the module is off: by its status pin, or for as long as that takes."""
    for _ in range(dialect.OFF_MS // 100):
        if supply.looks_off:
            return True
        await supply.patience.wait(100)
    return False
