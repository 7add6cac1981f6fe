"""Callbacks that have begun something, which takes time: it is awaited, and what comes meanwhile
waits. Methods of Channel, loaded with the first one.
"""

import asyncio

from micropython import const

from . import at

_URCS = const(16)  # URCs that wait for their callbacks


def off(channel, name: str, callback) -> None:
    """Undo on(). Does nothing when the callback is not there."""
    callbacks = channel._callbacks.get(at.bare(name), [])
    if callback in callbacks:
        callbacks.remove(callback)


def queue_up(channel, name: list, values: list) -> None:
    """Let an event wait for its callbacks."""
    urcs = channel._urcs
    if name[4]:
        for i in range(0, len(urcs), 2):
            if urcs[i][3] is name[3]:
                urcs[i + 1] = values
                return
    if len(urcs) < 2 * _URCS:
        urcs.append(name)
        urcs.append(values)
    else:
        key = "lost " + name[2]
        channel.stats[key] = channel.stats.get(key, 0) + 1


def carry(channel, name: list, values: list, callbacks: list, pending) -> None:
    job = _carry(channel, name, values, list(callbacks), pending)
    channel._courier = asyncio.create_task(job)


async def _carry(channel, name: list, values: list, callbacks: list, pending) -> None:
    """Call one callback after the other, and wait for what each has begun; then go on with
    what waits.

    pending -- what the first one has begun, if it was called already
    """
    try:
        while True:
            for callback in callbacks:
                if pending is None:
                    pending = _call(channel, callback, name, list(values))
                if pending is not None:
                    try:
                        await pending
                    except Exception as error:  # it must not stop the others
                        channel.report("callback of " + name[2], error)
                    pending = None
            if not channel._urcs:
                return
            name = channel._urcs.pop(0)
            values = channel._urcs.pop(0)
            callbacks = list(name[3])
    finally:
        channel._courier = None
        if channel._urcs and not channel.closed:
            name = channel._urcs.pop(0)
            channel.carry(name, channel._urcs.pop(0), name[3], None)


def _call(channel, callback, name: list, values: list):
    """What a callback has begun, and is to be awaited; None if it is done."""
    try:
        pending = callback(values)
        return pending if hasattr(pending, "send") else None
    except (Exception, asyncio.CancelledError) as error:  # it must not stop the others
        channel.report("callback of " + name[2], error)
