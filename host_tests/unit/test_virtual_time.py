"""Time is the same on both interpreters: virtual, exact, and about to wrap at 30 bits."""

import asyncio
import time

from host_tests.support import raises
from host_tests.support.streams import Module, at_every_split

HALF = 1 << 29


async def test_time_passes_only_by_waiting_and_exactly():
    begin = time.ticks_ms()
    for i in range(1000):
        assert time.ticks_diff(time.ticks_ms(), begin) == 7 * i
        await asyncio.sleep_ms(7)


async def test_a_day_takes_no_time():
    begin = time.ticks_ms()
    await asyncio.sleep(86400)
    assert time.ticks_diff(time.ticks_ms(), begin) == 86400000


async def test_ticks_wrap_five_seconds_after_the_start_of_a_test():
    begin = time.ticks_ms()
    assert 0 <= time.ticks_us() < 1 << 30
    await asyncio.sleep_ms(6000)
    end = time.ticks_ms()
    assert end < begin < 1 << 30, (begin, end)
    assert time.ticks_diff(end, begin) == 6000
    assert time.ticks_diff(begin, end) == -6000
    assert time.ticks_add(begin, 6000) == end


def test_ticks_differences_are_signed():
    assert time.ticks_diff(time.ticks_add(5, -10), 5) == -10
    assert time.ticks_diff(time.ticks_add(5, HALF - 1), 5) == HALF - 1
    assert time.ticks_diff(time.ticks_add(5, HALF), 5) == -HALF


async def test_blocking_sleep_moves_the_clock_and_runs_nobody():
    ran = []

    async def other():
        ran.append(time.ticks_ms())

    task = asyncio.create_task(other())
    begin = time.ticks_ms()
    time.sleep_ms(250)
    assert time.ticks_diff(time.ticks_ms(), begin) == 250
    assert not ran
    await task
    assert len(ran) == 1


async def test_sleepers_wake_in_the_order_of_their_times():
    woken = []

    async def sleeper(ms):
        await asyncio.sleep_ms(ms)
        woken.append(ms)

    await asyncio.gather(*[sleeper(ms) for ms in (30, 10, 20, 0)])
    assert woken == [0, 10, 20, 30]


async def test_wait_for_ms_ends_what_takes_too_long():
    async def work():
        await asyncio.sleep_ms(1000)

    begin = time.ticks_ms()
    with raises(asyncio.TimeoutError):
        await asyncio.wait_for_ms(work(), 300)
    assert time.ticks_diff(time.ticks_ms(), begin) == 300


async def test_flag_is_cleared_by_the_wait_that_it_ends():
    flag = asyncio.ThreadSafeFlag()
    flag.set()
    await asyncio.wait_for_ms(flag.wait(), 10)
    with raises(asyncio.TimeoutError):
        await asyncio.wait_for_ms(flag.wait(), 10)


async def test_flag_wakes_its_waiter_without_delay():
    flag = asyncio.ThreadSafeFlag()
    woken = []

    async def waiter():
        await flag.wait()
        woken.append(time.ticks_ms())

    task = asyncio.create_task(waiter())
    await asyncio.sleep_ms(70)
    assert not woken
    flag.set()
    set_at = time.ticks_ms()
    await task
    assert woken == [set_at]


async def read(module, until):
    """[ms since the start, bytes] of each read until so many ms have passed."""
    begin = time.ticks_ms()
    buf = bytearray(256)
    got = []
    for _ in range(until):
        n = module.readinto(buf)
        while n:
            got.append([time.ticks_diff(time.ticks_ms(), begin), bytes(buf[:n])])
            n = module.readinto(buf)
        await asyncio.sleep_ms(1)
    return got


async def test_module_answers_at_its_times():
    module = Module(("AT", b"a", (20, b"b"), (5, b"c")), (lambda line: line[0] == "X", b"d"))
    assert module.readinto(bytearray(9)) is None
    assert module.write(b"AT\rX1\r") == 6
    assert await read(module, 100) == [[0, b"a"], [20, b"b"], [25, b"c"], [25, b"d"]]
    module.check()
    assert module.heard == ["AT", "X1"]


async def test_module_speaks_by_itself():
    module = Module()
    module.say(b"\r\nRDY\r\n", 50)
    assert await read(module, 60) == [[50, b"\r\nRDY\r\n"]]


async def test_module_takes_raw_bytes_in_any_pieces():
    for size in range(1, 12):
        module = Module(("AT+X=4", b">"), (b"\r0\r\x1a", b"0\r"), ("AT", b"1\r"))
        data = b"AT+X=4\r\r0\r\x1aAT\r"
        for i in range(0, len(data), size):
            module.write(data[i : i + size])
        module.check()
        assert [text for _, text in await read(module, 1)] == [b">", b"0\r", b"1\r"]


async def test_every_split_really_splits():
    seen = []

    async def scenario():
        module = Module(("AT", b"abc", (100, b"d")))
        module.write(b"AT\r")
        chunks = await read(module, 200)
        seen.append([text for _, text in chunks])
        return module, b"".join(seen[-1])

    await at_every_split(scenario)
    assert seen == [
        [b"abc", b"d"],
        [b"a", b"b", b"c", b"d"],
        [b"abc", b"d"],
        [b"abc", b"d"],
        [b"a", b"bc", b"d"],
        [b"ab", b"c", b"d"],
        [b"abc", b"d"],
    ]
