"""Time in lockstep: asyncio and time on the virtual clock, and runs that repeat byte for byte."""


def test_tasks_run_in_the_order_of_their_virtual_times(node) -> None:
    n = node("""
import asyncio, machine, time
async def tick(name, ms, count):
    for _ in range(count):
        await asyncio.sleep_ms(ms)
        print(name, time.ticks_ms())
async def main():
    await asyncio.gather(tick("a", 30, 3), tick("b", 45, 2), tick("c", 30, 1))
    try:
        await asyncio.wait_for_ms(asyncio.Event().wait(), 500)
    except asyncio.TimeoutError:
        print("time-out", time.ticks_ms())
    t = asyncio.create_task(tick("never", 1000, 1))
    await asyncio.sleep_ms(10)
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        print("cancelled", time.ticks_ms(), t.done())
asyncio.run(main())
machine.deepsleep(10000000)
""")
    n.bench.run(until=10)
    assert n.lines == [
        "a 30", "c 30", "b 45", "a 60", "b 90", "a 90",
        "time-out 590",
        "cancelled 600 True",
    ]  # fmt: skip


def test_tasks_results_exceptions_and_locks(node) -> None:
    n = node("""
import asyncio, machine
async def value():
    await asyncio.sleep_ms(5)
    return 42
async def fail():
    raise ValueError("boom")
async def locked(lock, name):
    async with lock:
        print(name, "in")
        await asyncio.sleep_ms(10)
    print(name, "out")
async def nested():
    await asyncio.create_task(value())
    await asyncio.sleep(100)
async def main():
    print(await asyncio.create_task(value()))
    print(await asyncio.gather(value(), fail(), return_exceptions=True))
    lock = asyncio.Lock()
    await asyncio.gather(locked(lock, "x"), locked(lock, "y"))
    t = asyncio.create_task(fail())
    try:
        await t
    except ValueError as e:
        print("got", e)
    outer = asyncio.create_task(nested())
    await asyncio.sleep_ms(1)
    outer.cancel()
    await asyncio.sleep_ms(1)
    print(outer.done())
    q = asyncio.create_task(fail())
    await asyncio.sleep_ms(1)
asyncio.run(main())
machine.deepsleep(10000000)
""")
    n.bench.run(until=10)
    assert n.lines[:8] == [
        "42",
        "[42, ValueError('boom',)]",
        "x in",
        "x out",
        "y in",
        "y out",
        "got boom",
        "True",
    ]
    assert n.lines[8] == "Task exception wasn't retrieved"
    assert n.lines[-1] == "ValueError: boom"


def test_counters_wrap_as_on_a_32_bit_board(node) -> None:
    n = node("""
import machine, time
start = time.ticks_us()
time.sleep(1100)
print(time.ticks_us() < 1 << 30, time.ticks_diff(time.ticks_us(), start))
print(time.ticks_diff(time.ticks_add(time.ticks_ms(), 5000), time.ticks_ms()))
machine.deepsleep(10000000)
""")
    n.bench.run(until=2000)
    assert n.lines == [f"True {1_100_000_000 - (1 << 30)}", "5000"]


def test_epoch_and_calendar_are_those_of_a_board(node) -> None:
    n = node("""
import machine, time
print(time.gmtime(0), time.time(), time.mktime((2026, 11, 23, 12, 0, 0, 0, 0)))
print(time.localtime(time.mktime((2024, 2, 29, 1, 2, 3, 0, 0)))[:6])
machine.deepsleep(10000000)
""")
    n.bench.run(until=10)
    assert n.lines == ["(2000, 1, 1, 0, 0, 0, 5, 1) 0 848750400", "(2024, 2, 29, 1, 2, 3)"]


def test_days_pass_in_seconds(node) -> None:
    n = node("""
import asyncio, machine
async def main():
    for _ in range(24):
        await asyncio.sleep(3600)
asyncio.run(main())
print("a day")
machine.deepsleep(3600000)
""")
    n.bench.run(until=10 * 86400)
    assert n.lines == ["a day"] * 9


BUSY = """
import asyncio, machine, random, time
uart = machine.UART(1, 115200)
rtc = machine.RTC()
n = int(rtc.memory() or b"0") + 1
rtc.memory(b"%d" % n)
async def talk():
    reader = asyncio.StreamReader(uart)
    for _ in range(3):
        uart.write(b"%d\\n" % random.getrandbits(30))
        print("answer", await reader.readline(), machine.ADC(35).read_uv())
        await asyncio.sleep_ms(random.getrandbits(8))
async def other():
    for _ in range(5):
        print("other", time.ticks_us())
        await asyncio.sleep_ms(20)
async def main():
    await asyncio.gather(talk(), other())
asyncio.run(main())
machine.deepsleep(60000)
"""


def test_same_seed_gives_the_same_log_and_another_seed_another(node) -> None:
    def log(seed: int) -> str:
        n = node(BUSY, seed=seed)
        n.bench.run(until=300)
        assert len(n.bench.wakes) == 5
        return "\n".join(map(str, n.log))

    first = log(1)
    assert first.count("answer") == 15
    assert log(1) == first
    assert log(2) != first
