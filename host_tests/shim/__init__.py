"""What CPython lacks of MicroPython's dialect, so that lib/ and firmware/ run unmodified.

`import host_tests.shim` installs it: module `micropython`, `time.ticks_ms()` and its kin, which
wrap at 30 bits as on a board, `asyncio.sleep_ms()`, `wait_for_ms()` and `ThreadSafeFlag`.
Under the virtual-time loop of the tests, `time` follows the loop's clock. What CPython cannot
tell is absent, not invented: heap figures (`gc.mem_alloc`), `machine`. `gc.collect()` looks at
what is new; `gc.collect(2)` at everything.
"""

import asyncio
import gc
import sys
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path

from host_tests.shim import kept_code

_ROOT = Path(__file__).resolve().parents[2]
_TICKS_PERIOD = 1 << 30
_TICKS_HALF = 1 << 29


def _seconds() -> float:
    loop = asyncio._get_running_loop()
    return loop.time() if loop else time.monotonic()  # outside a loop there is only the real clock


def _ticks_ms() -> int:
    return int(_seconds() * 1_000) % _TICKS_PERIOD


def _ticks_us() -> int:
    return int(_seconds() * 1_000_000) % _TICKS_PERIOD


def _ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) % _TICKS_PERIOD


def _ticks_diff(end: int, start: int) -> int:
    return (end - start + _TICKS_HALF) % _TICKS_PERIOD - _TICKS_HALF


def _block(seconds: float) -> None:
    """A blocking sleep. On virtual time nothing else runs meanwhile, but the clock does."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    advance = getattr(loop, "advance", time.sleep)
    advance(max(0, seconds))


async def _sleep_ms(ms: int) -> None:
    if ms <= 0:
        await asyncio.sleep(0)
        return
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    # Rounded up by a microsecond: a float's last bit must not make a sleeper early.
    timer = loop.call_later(ms / 1_000 + 1e-6, _wake, future)
    try:
        await future
    finally:
        timer.cancel()


def _wake(future: asyncio.Future) -> None:
    if not future.done():
        future.set_result(None)


async def _wait_for_ms(awaitable, ms: int):
    # What asyncio.wait_for() is from Python 3.12 on; before, it starts a task each time.
    async with asyncio.timeout(ms / 1_000):
        return await awaitable


class _ThreadSafeFlag:
    """MicroPython's: set() from anywhere, one waiter, cleared by the wait that it ends."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    async def wait(self) -> None:
        await self._event.wait()
        self._event.clear()


def _schedule(function: Callable, argument) -> None:
    try:
        asyncio.get_running_loop().call_soon(function, argument)
    except RuntimeError:
        function(argument)


def _micropython() -> types.ModuleType:
    module = types.ModuleType("micropython")
    module.const = lambda value: value
    module.schedule = _schedule
    module.opt_level = lambda level=0: 0
    module.alloc_emergency_exception_buf = lambda size: None
    # CPython's heap cannot be locked; that nothing is allocated is proved on MicroPython.
    module.heap_lock = module.heap_unlock = lambda: 0
    module.mem_info = lambda verbose=0: print("mem: CPython")
    return module


def _print_exception(error: BaseException, file=None) -> None:
    traceback.print_exception(error, file=file or sys.stdout)


def install() -> None:
    """Add what is missing, and the folders of driver and firmware to the import path."""
    sys.modules.setdefault("micropython", _micropython())
    time.ticks_ms = _ticks_ms
    time.ticks_us = _ticks_us
    time.ticks_add = _ticks_add
    time.ticks_diff = _ticks_diff
    time.sleep_ms = lambda ms: _block(ms / 1_000)
    time.sleep_us = lambda us: _block(us / 1_000_000)
    sys.print_exception = _print_exception
    # The firmware collects wherever a board's heap wants it: a wake would take a second in a
    # process that holds thousands of tests.
    collect = gc.collect
    gc.collect = lambda generation=0: collect(generation)
    asyncio.sleep_ms = _sleep_ms
    asyncio.wait_for_ms = _wait_for_ms
    asyncio.ThreadSafeFlag = _ThreadSafeFlag
    for folder in (_ROOT / "lib", _ROOT):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    kept_code.install()


install()
