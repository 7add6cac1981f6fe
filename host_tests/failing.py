"""Tests that must fail, on both interpreters, with the text that stands behind each.

test_runners.py sees to it: a runner that lets one of these pass lets real faults pass.
"""
# ruff: noqa: RUF006 (nobody keeps these tasks: that is the point)

import asyncio

from host_tests.support import raises
from host_tests.support.streams import Module, at_every_split


def test_assertion():
    assert [1] == [2], "one is not two"


def test_nothing_was_raised():
    with raises(ValueError):
        pass


def test_something_else_was_raised():
    with raises(ValueError):
        raise KeyError("another kind")


async def test_deadlock():
    await asyncio.Event().wait()


async def test_deadlock_behind_a_task_that_polls():
    async def poll():
        while True:
            await asyncio.sleep_ms(20)

    asyncio.create_task(poll())
    await asyncio.Event().wait()


async def _crash():
    raise ValueError("crashed in a task")


async def test_task_that_crashed():
    asyncio.create_task(_crash())
    await asyncio.sleep_ms(100)


async def test_task_that_crashed_at_the_very_end():
    asyncio.create_task(_crash())
    await asyncio.sleep_ms(0)


async def test_task_that_crashes_when_it_is_cancelled():
    async def work():
        try:
            await asyncio.sleep_ms(1000)
        finally:
            raise ValueError("crashed in its clean-up")

    asyncio.create_task(work())
    await asyncio.sleep_ms(0)


async def test_task_that_was_cancelled():
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep_ms(0)
    task.cancel()
    await task


async def test_module_hears_another_command():
    module = Module(("AT+CSQ", b"0\r"))
    module.write(b"AT+")
    module.write(b"COPS?\r")


async def test_module_hears_one_command_too_many():
    module = Module(("AT", b"0\r"))
    module.write(b"AT\rAT\r")


async def test_module_hears_other_raw_bytes():
    module = Module(("AT+X=3", b">"), (b"a\rb", b"0\r"))
    module.write(b"AT+X=3\ra\rc")


async def test_module_hears_too_little():
    module = Module(("AT", b"0\r"), ("AT+CSQ", b"0\r"))
    module.write(b"AT\r")
    module.check()


async def test_split_that_changes_the_result():
    async def scenario():
        module = Module(("AT", b"+CSQ: 1\r0\r"))
        module.write(b"AT\r")
        buf = bytearray(100)
        return module, bytes(buf[: module.readinto(buf)])

    await at_every_split(scenario)


WANTED = {
    "test_assertion": "one is not two",
    "test_nothing_was_raised": "nothing was raised, not ValueError",
    "test_something_else_was_raised": "another kind",
    "test_deadlock": "nothing is scheduled",
    "test_deadlock_behind_a_task_that_polls": "the clock jumped",
    "test_task_that_crashed": "crashed in a task",
    "test_task_that_crashed_at_the_very_end": "crashed in a task",
    "test_task_that_crashes_when_it_is_cancelled": "crashed in its clean-up",
    "test_task_that_was_cancelled": "CancelledError",
    "test_module_hears_another_command": "expected 'AT+CSQ', heard 'AT+COPS?'",
    "test_module_hears_one_command_too_many": "expected 'nothing more', heard 'AT'",
    "test_module_hears_other_raw_bytes": "expected b'a\\rb', heard b'a\\rc'",
    "test_module_hears_too_little": "never heard: [('AT+CSQ', b'0\\r')]",
    "test_split_that_changes_the_result": "1 bytes a read: b'+', whole: b'+CSQ: 1\\r0\\r'",
}
