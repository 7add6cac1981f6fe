"""Runs unit test files on MicroPython, asyncio on virtual time:

    micropython host_tests/mp_runner.py host_tests/unit/test_ring.py ...

Prints a line for each test and a count; the exit code is 1 when one has failed.
"""

import sys

sys.path[:0] = [".", "lib", "host_tests/.."]


class _Time:
    """The module `time` with a clock that only asyncio's waiting moves."""

    PERIOD = 1 << 30

    def __init__(self, real):
        self.now = self.PERIOD - 5000  # the counter wraps early in every test
        for name in dir(real):
            if not name.startswith("_"):
                setattr(self, name, getattr(real, name))
        self.ticks_ms = self._ticks_ms
        self.ticks_us = lambda: self._ticks_ms() * 1000 % self.PERIOD
        self.ticks_add = lambda ticks, delta: (ticks + delta) % self.PERIOD
        self.ticks_diff = self._ticks_diff

    def _ticks_ms(self):
        return self.now % self.PERIOD

    def _ticks_diff(self, end, start):
        half = self.PERIOD // 2
        return (end - start + half) % self.PERIOD - half


import time as _real_time  # noqa: E402

clock = _Time(_real_time)
sys.modules["time"] = clock

import asyncio  # noqa: E402
from asyncio import core  # noqa: E402


class _Waiting:
    """Stands for asyncio's I/O queue: waiting moves the clock."""

    def __init__(self):
        self.map = {0: None}

    def wait_io_event(self, ms):
        if ms < 0:
            raise RuntimeError("deadlock: nothing is scheduled")
        clock.now += ms

    def remove(self, task):
        pass


def _fresh_loop(faults):
    core._task_queue = core.TaskQueue()
    core._io_queue = _Waiting()
    core._exc_context["exception"] = core._exc_context["future"] = None
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: faults.append(context))


def run(function):
    """Run one test function, `async` or not."""
    faults = []
    _fresh_loop(faults)
    result = function()
    if hasattr(result, "send"):
        asyncio.run(result)
    if faults:
        raise faults[0].get("exception") or AssertionError(faults[0]["message"])


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
            except Exception as error:
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
