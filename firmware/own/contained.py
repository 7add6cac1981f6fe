"""Somebody's code, called so that whatever it does ends with it.

On MicroPython it has an event loop of its own: it may run one, leave tasks behind, never end, or
throw its cancellation away, and no task of the node's knows. CPython has one loop in a thread.
"""

import asyncio
import gc
import os
import sys
import time

from micropython import const

from .. import ConfigError

_GRACE_MS = const(1000)  # for what has to be switched off when its time is over
_FEED_MS = const(5000)
_KEEPS = const(49152)  # bytes of heap that one sensor may hold: a session needs the others
_TEXT = const(200)  # characters of an error
_CORE = "asyncio.core"  # MicroPython's
_OF_A_LOOP = ("cur_task", "_task_queue", "_io_queue")


class View:
    """The node, for a sensor: its settings (a copy), its board, now(). What is set or deleted here
    the node does not miss.
    """

    def __init__(self, node) -> None:
        self._settings = node.settings
        self.board = node.board
        self.now = node.now

    @property
    def settings(self) -> dict:
        return self._settings.copy()


def call(function, *args):
    """What a function returns. Raises what it raises, as ConfigError where that would end more
    than its caller, or cannot be printed.
    """
    core = sys.modules.get(_CORE)
    kept = [getattr(core, name) for name in _OF_A_LOOP] if core else ()
    here = os.getcwd()
    try:
        if core:
            asyncio.new_event_loop()
        return function(*args)
    except KeyboardInterrupt:  # somebody wants the prompt
        raise
    except BaseException as error:
        if isinstance(error, Exception) and _may_pass(error):
            raise
        raise ConfigError(type(error).__name__)
    finally:
        for name, value in zip(_OF_A_LOOP, kept):
            setattr(core, name, value)
        os.chdir(here)
        gc.enable()


def _may_pass(error: Exception) -> bool:
    try:
        return len("%s" % error) <= _TEXT and not isinstance(error, StopIteration)
    except Exception:  # of whoever has written it
        return False


async def ended(found, limit_ms: int, feed):
    """What a coroutine returns. Raises TimeoutError after so long.

    feed -- callable: the watchdog is told that all is well
    """
    if _CORE not in sys.modules:
        return await asyncio.wait_for_ms(found, limit_ms)
    return call(asyncio.run, _within(found, limit_ms, feed))


async def _within(found, limit_ms: int, feed):
    done = asyncio.Event()
    result = []

    async def run() -> None:
        try:
            result.append((None, await _Steps(found)))  # pyright: ignore[reportGeneralTypeIssues] -- MicroPython's __iter__
        except BaseException as error:  # it is its caller's
            result.append((error, None))
        done.set()

    task = asyncio.create_task(run())
    begin = time.ticks_ms()
    left = limit_ms
    while left > 0 and not result:
        feed()
        await _wait(done, min(left, _FEED_MS))
        left = limit_ms - time.ticks_diff(time.ticks_ms(), begin)
    if not result:
        task.cancel()
        await _wait(done, _GRACE_MS)
        raise asyncio.TimeoutError
    error, values = result[0]
    if error is not None:
        raise error
    return values


async def _wait(event, ms: int) -> None:
    try:
        await asyncio.wait_for_ms(event.wait(), ms)
    except asyncio.TimeoutError:
        pass


class _Steps:
    """A coroutine, step by step. MicroPython's are generators, and a generator of values never
    ends when it is awaited: no step of a coroutine's has a value.
    """

    def __init__(self, found) -> None:
        self._found = found

    def __iter__(self):
        return self

    def __next__(self) -> None:
        if self._found.send(None) is not None:
            raise ConfigError("read() is a generator: it must return a list")

    def throw(self, *error) -> None:
        self._found.throw(*error)


def heap() -> int:
    """Bytes in use, what is no more in use and not yet collected included; 0 on CPython."""
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def limit(since: int, path: str) -> None:
    """Raises ConfigError when the heap has grown by more than one sensor may hold: its module
    gives that back.
    """
    if heap() - since <= _KEEPS:
        return
    gc.collect()
    grown = heap() - since
    if grown > _KEEPS:
        if sys.modules.pop(path, None) is not None:
            dot = path.rfind(".")
            delattr(sys.modules[path[:dot]], path[dot + 1 :])
        gc.collect()
        raise ConfigError("keeps %d bytes of heap, allowed are %d" % (grown, _KEEPS))
