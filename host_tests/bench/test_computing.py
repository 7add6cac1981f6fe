"""Computing takes time where the board has a speed: instructions are counted, exactly."""

import itertools
import platform

import pytest

from tools.virtual_board import counting
from tools.virtual_board.board import Computing

US = Computing(instruction_ns=1000, load_ns=500)  # a microsecond for each instruction
LOOP = """
import machine, time
def add(n):
    total = 0
    for i in range(n):
        total += i
"""
ROUND = 12  # instructions of add() for each n
SLEEP = "machine.deepsleep(10000000)\n"


def lived(node, main: str, files: dict[str, str] | None = None, until: float = 20, **options):
    n = node(main, files, computing=US, **options)
    n.bench.run(until=until)
    return n


def test_a_loop_takes_as_long_as_its_instructions(node):
    n = lived(node, LOOP + """
for n in (0, 1000, 2000, 100000):
    begin = time.ticks_us()
    add(n)
    print(n, time.ticks_us() - begin)
""" + SLEEP)  # fmt: skip
    took = dict(tuple(map(int, line.split())) for line in n.lines)
    assert took[0] < 50
    assert {n: us - took[0] for n, us in took.items()} == {n: n * ROUND for n in took}
    awake = n.bench.wakes[0]
    assert 0 <= awake.computing_us - 103_000 * ROUND < 500
    assert awake.end_us - awake.start_us == awake.computing_us


def test_without_a_speed_it_takes_no_time(node):
    n = node(LOOP + "add(100000)\nprint(time.ticks_us())\n" + SLEEP)
    n.bench.run(until=5)
    assert n.lines == ["0"]
    assert n.bench.wakes[0].computing_us == 0


def test_the_same_program_gives_the_same_log(node):
    main = LOOP + """
import asyncio, random
uart = machine.UART(1, 115200, timeout=0)
async def main():
    reader = asyncio.StreamReader(uart)
    for _ in range(20):
        uart.write(bytes(random.getrandbits(3) + 1))
        add(random.getrandbits(10))
        print(time.ticks_us(), len(await reader.read(64)))
asyncio.run(main())
""" + SLEEP  # fmt: skip
    first, second = (lived(node, main) for _ in range(2))
    assert len(first.lines) == 20
    assert first.log == second.log


def test_the_clock_goes_on_while_it_computes(node):
    n = lived(node, LOOP + """
end = time.ticks_add(time.ticks_ms(), 500)
rounds = 0
while time.ticks_diff(end, time.ticks_ms()) > 0:
    add(100)
    rounds += 1
print(rounds, time.ticks_ms())
begin = time.time_ns()
add(1000)
print((time.time_ns() - begin) // 1000)
time.sleep_ms(100)
print(time.ticks_ms())
""" + SLEEP)  # fmt: skip
    (rounds, ended), (took,), (slept,) = [list(map(int, line.split())) for line in n.lines]
    assert 380 < rounds < 500_000 // (100 * ROUND)
    assert 500 <= ended <= 502
    assert 0 <= took - 1000 * ROUND < 50
    assert ended + 12 + 100 <= slept <= ended + 12 + 103


@pytest.mark.parametrize(
    ("call", "instructions"),
    [
        ("time.ticks_ms()", 6),
        ("time.ticks_diff(5, 3)", 8),
        ("uart.any()", 6),
        ("uart.readinto(buf)", 7),
        ("pin.value()", 6),
        ("machine.idle()", 6),
    ],
)
def test_what_a_board_has_in_c_costs_its_call_alone(node, call, instructions):
    n = lived(node, LOOP + f"""
uart = machine.UART(1, 115200, timeout=0)
pin = machine.Pin(5, machine.Pin.IN)
buf = bytearray(8)
def work(n):
    for i in range(n):
        {call}
def idle(n):
    for i in range(n):
        pass
""" + "work(5)\n" + SLEEP)  # fmt: skip
    m = lived(node, n.flash.joinpath("main.py").read_text().replace("work(5)", "work(105)"))
    longer = m.bench.wakes[0].computing_us - n.bench.wakes[0].computing_us
    loop = 8  # instructions around the call
    assert longer == pytest.approx(100 * (instructions + loop), rel=0.6)


def test_loading_code_takes_time_by_its_size(node):
    text = "def unused():\n    return 1\n"
    files = {"small.py": text, "large.py": text + "#" * 4000}
    n = lived(node, LOOP + """
for name in ("small", "large", "large"):
    begin = time.ticks_us()
    __import__(name)
    print(time.ticks_us() - begin)
""" + SLEEP, files)  # fmt: skip
    small, large, again = map(int, n.lines)
    assert large - small == pytest.approx(4000 * 500 / 1000, abs=1)
    assert again < small < 200
    assert n.bench.wakes[0].loading_us == (2 * len(text) + 4000) * 500 // 1000


def test_what_happens_meanwhile_is_there_afterwards(node):
    n = lived(node, LOOP + """
uart = machine.UART(1, 115200, timeout=0)
uart.write("hello")
add(10000)
print(uart.any())
time.sleep_ms(1)
print(uart.any())
uart.write("late")
""" + SLEEP)  # fmt: skip
    assert n.lines == ["0", "5"]  # a board would know at once; here it hears when it waits
    (first, _), (second, _) = n.bench.module.received
    assert second - first == pytest.approx(10_000 * ROUND + 1000, abs=300)


def test_the_watchdog_ends_a_computation_that_takes_too_long(node):
    n = lived(node, LOOP + """
print(machine.reset_cause())
if machine.reset_cause() == machine.PWRON_RESET:
    machine.WDT(timeout=2000)
    add(1000000)
""" + SLEEP, until=5)  # fmt: skip
    assert n.lines == ["1", "3"]
    assert n.bench.wakes[0].end == "watchdog reset"
    assert n.bench.wakes[0].end_us - n.bench.wakes[0].start_us == pytest.approx(2e6, rel=0.01)


def test_the_board_says_when_it_computes(node):
    states = []
    n = lived(node, LOOP + "add(1000)\ntime.sleep_ms(50)\nadd(1000)\n" + SLEEP,
              on_board_state=states.append)  # fmt: skip
    assert n.bench.wakes[0].end
    assert [state for state, _ in itertools.groupby(states)] == [
        "active", "computing", "active", "computing", "deep-sleep",
    ]  # fmt: skip


def test_where_nothing_can_be_counted_it_is_said(monkeypatch, tmp_path):
    assert counting.install("/no/such/library") == 0
    assert counting.install("/lib/x86_64-linux-gnu/libc.so.6") == 0
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert counting.install("any") == 0
