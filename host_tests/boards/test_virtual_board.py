"""firmware/boards/unix.py on the virtual board: sleeps, ring pin, watchdog, receive buffer."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.bench.conftest import EchoModule
from tools.lockstep import Bench
from tools.timeline import Timeline
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_board.chip import Wiring

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
from firmware import boards, config
board = boards.board(config.check({
    "id": "n", "mqtt": {"host": "h"}, "pins": {"ring": 19}, "uart": {"baud": 921600}
}, config.SCHEMA, ""))
"""
BYTES_PER_MS = 92


class RingingModule(EchoModule):
    """Pulls its ring pin for 100 ms whenever it is told to."""

    def __init__(self, timeline: Timeline, send: Callable[[bytes], None]) -> None:
        super().__init__(timeline, send)
        self.levels["ring"] = False

    def ring_at(self, at_us: int) -> None:
        self.timeline.call_at(at_us, lambda: self.change("ring", True))
        self.timeline.call_at(at_us + 100_000, lambda: self.change("ring", False))

    def stream_at(self, at_us: int, ms: int) -> None:
        """`ms` milliseconds of bytes without a gap at 921600 baud."""
        for n in range(ms):
            self.timeline.call_at(at_us + 1000 * n, lambda: self.send(bytes(BYTES_PER_MS)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    made: list[Bench] = []

    def make(main: str) -> Bench:
        flash = tmp_path / "flash"
        shutil.copytree(ROOT / "lib", flash / "lib")
        shutil.copytree(ROOT / "firmware", flash / "firmware")
        (flash / "main.py").write_text(BEGIN + main)
        wiring = Wiring(inputs={18: ("status", 1), 19: ("ring", 0)})
        made.append(Bench(Board(flash_folder(flash)), RingingModule, wiring=wiring))
        return made[0]

    yield make
    made[0].close()


def lines(bench: Bench) -> list[str]:
    return [text for _, text in bench.console]


def test_deep_sleep_ends_by_timer_and_by_ring(bench) -> None:
    b = bench("""
print(board.reset_cause(), board.woken_by_ring(), board.load())
board.store(b"kept")
board.sleep(60000, ring=board.reset_cause() == "deepsleep")
""")
    b.module.ring_at(30_000_000)  # in the first sleep, which only the timer ends
    b.module.ring_at(90_000_000)
    b.run(until=130)
    assert lines(b) == [
        "power False b''",
        "deepsleep False b'kept'",
        "deepsleep True b'kept'",
    ]
    assert [round(wake.start_us / 1e6) for wake in b.wakes] == [0, 61, 90]


def test_light_sleep_ends_by_timer_and_by_ring(bench) -> None:
    b = bench("""
import time
begin = time.ticks_ms()
for ring in (False, True, True):
    rang = board.light_sleep(1000, ring)
    print(rang, time.ticks_ms() - begin)
board.sleep(1000000)
""")
    b.module.ring_at(800_000)
    b.module.ring_at(1_800_000)
    b.run(until=10)
    assert lines(b) == ["False 1000", "True 1500", "False 2500"]


def test_watchdog_ends_a_program_that_hangs(bench) -> None:
    b = bench("""
import time
print(board.reset_cause(), len(board.unique_id()))
if board.reset_cause() == "power":
    dog = board.watchdog(5000)
    time.sleep(4)
    dog.feed()
    time.sleep(60)
board.sleep(1000000)
""")
    b.run(until=60)
    assert lines(b) == ["power 6", "watchdog 6"]
    assert 9 < b.wakes[1].start_us / 1e6 < 10


def test_nothing_is_lost_at_921600_baud_while_the_driver_does_not_look(bench) -> None:
    b = bench("""
import time
uart = board.uart()
buf = bytearray(40000)
got = 0
while got < 92000:
    time.sleep_ms(300)
    got += uart.readinto(buf) or 0
print(got)
board.sleep(1000000)
""")
    b.module.stream_at(500_000, 1000)
    b.run(until=10)
    assert lines(b) == ["92000"]
    assert b.lost_bytes == 0
