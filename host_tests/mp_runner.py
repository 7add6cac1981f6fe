"""Runs unit test files on MicroPython, asyncio on virtual time:

    micropython host_tests/mp_runner.py host_tests/unit/test_ring.py ...

With a folder of what is compiled of them (compiled.py) in COMPILED, else the sources run.
Prints a line for each test and a count; the exit code is 1 when one has failed.
"""

import os
import sys

from micropython import const

# Whole paths: a test may go into another folder, and the firmware imports when it needs to.
ROOT = os.getenv("COMPILED", os.getcwd())
sys.path[:0] = [ROOT, ROOT + "/lib", ROOT + "/tools/virtual_board/stand_ins/lockstep"]

# The interpreter's own modules, which it would look for in all of these folders at each import.
for _name in ("binascii", "collections", "errno", "hashlib", "io", "json", "os", "struct"):
    sys.modules[_name] = __import__(_name)


_PERIOD = const(1 << 30)
_HALF = const(1 << 29)
_START = const((1 << 30) - 5000)  # the counter wraps early in every test


class _Time:
    """The module `time` with a clock that only asyncio moves; it is asked by the million."""

    def __init__(self, real):
        self.now = _START
        for name in dir(real):
            if not name.startswith("_"):
                setattr(self, name, getattr(real, name))
        self.ticks_ms = lambda: self.now % _PERIOD
        self.ticks_us = lambda: self.ticks_ms() * 1000 % _PERIOD
        self.ticks_add = lambda ticks, delta: (ticks + delta) % _PERIOD
        self.ticks_diff = lambda end, start: (end - start + _HALF) % _PERIOD - _HALF
        self.sleep_ms = self._sleep_ms
        self.sleep_us = lambda us: self._sleep_ms(us // 1000)
        self.sleep = lambda s: self._sleep_ms(int(s * 1000))

    def _sleep_ms(self, ms):
        self.now += max(0, ms)


import time as _real_time  # noqa: E402

clock = _Time(_real_time)
sys.modules["time"] = clock
# The interpreter's task queue looks at the host's clock; the lockstep bench's asks `time`. It can
# tell the bench how long it computes; here is none.
sys.modules["_link"] = None
import _tasks  # noqa: E402

sys.modules["_asyncio"] = _tasks

import asyncio  # noqa: E402
from asyncio import core  # noqa: E402

from host_tests.support import streams  # noqa: E402


class _Flag(asyncio.Event):
    """asyncio's ThreadSafeFlag, which takes a ms of real time whenever the loop looks at it."""

    async def wait(self):
        await super().wait()
        self.clear()


asyncio.ThreadSafeFlag = _Flag


class _Queue(core.IOQueue):
    """asyncio's I/O queue, but waiting moves the clock when nothing is ready."""

    JUMPS = 200000  # as host_tests/virtual_time.py

    def __init__(self):
        super().__init__()
        self.map[0] = [None, None, None]  # with an empty map, asyncio would end without a word
        self.jumps = 0

    def wait_io_event(self, ms):
        if len(self.map) > 1:
            core.IOQueue.wait_io_event(self, 0)
            task = core._task_queue.peek()
            if task and clock.ticks_diff(task.ph_key, clock.ticks_ms()) <= 0:
                return
        elif ms == 0:
            return
        if ms < 0:
            raise AssertionError("deadlock: nothing is scheduled, and tasks wait")
        clock.now += ms
        self.jumps += 1
        if self.jumps > self.JUMPS:
            raise AssertionError("deadlock: the clock jumped %d times" % self.JUMPS)


def _fresh_loop(faults):
    clock.now = _START
    core._task_queue = core.TaskQueue()
    core._io_queue = _Queue()
    core._exc_context["exception"] = core._exc_context["future"] = None
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: faults.append(context))


def run(function):
    """Run one test function, `async` or not. Raises the first thing that went wrong anywhere."""
    faults = []
    _fresh_loop(faults)
    streams.take_mistakes()
    error = None
    try:
        result = function()
        if hasattr(result, "send"):
            asyncio.run(result)
    except BaseException as raised:  # a CancelledError is no Exception
        error = raised
    mistakes = streams.take_mistakes()
    for mistake in mistakes:  # more often the cause than the effect
        print("the scripted module:", mistake)
    if error is not None:
        raise error
    assert not mistakes, mistakes[0]
    _end_tasks(faults)
    for fault in faults:
        raise fault["exception"]


def _end_tasks(faults):
    """Cancel what the test has left running; a task that crashed, or now does, is a fault."""
    left = []
    while core._task_queue.peek():
        left.append(core._task_queue.pop())
    for task in left:
        if task.done():
            faults.append({"exception": task.data})
            continue
        core._task_queue.push(task)
        task.cancel()
    asyncio.run(_moment())


async def _moment():
    await asyncio.sleep_ms(0)


def main(paths):
    passed = failed = 0
    for path in paths:
        name = path[: -len(".py")].replace("/", ".")
        module = __import__(name, None, None, ("*",))
        for test in sorted(dir(module)):
            if not test.startswith("test_"):
                continue
            try:
                run(getattr(module, test))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failed += 1
                print("FAILED", name, test)
                sys.print_exception(error)
            else:
                passed += 1
                print("passed", name, test)
    print("%d passed, %d failed on %s" % (passed, failed, sys.implementation[0]))
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
