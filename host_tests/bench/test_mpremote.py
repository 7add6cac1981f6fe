"""The real mpremote against the virtual board, in real time and in lockstep."""

import array
import contextlib
import fcntl
import os
import select
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from host_tests.patience import LIMIT_S, until
from tools.demo.flash import reset
from tools.lockstep import Bench
from tools.virtual_board import console
from tools.virtual_board.board import Board, flash_folder, flash_image
from tools.virtual_board.console import INTERRUPT_GAP_S
from tools.virtual_board.process import Process
from tools.virtual_board.realtime import RealTimeBoard, open_tty

PROGRAM_S = 0.5


def mpremote(tty: str, *command: str, cwd: Path | None = None) -> str:
    """Run mpremote to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", tty, *command],
        capture_output=True, text=True, timeout=LIMIT_S, cwd=cwd, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def serving(board: Board, uarts: dict[int, int] | None = None) -> Iterator[RealTimeBoard]:
    """A board in real time, served by a thread."""
    stop = threading.Event()
    real = RealTimeBoard(board, uarts)
    thread = threading.Thread(target=real.run, args=(stop.is_set,))
    thread.start()
    try:
        yield real
    finally:
        stop.set()
        thread.join(LIMIT_S)
        real.runner.close()
    assert not thread.is_alive()


@pytest.fixture(params=["folder", "littlefs"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealTimeBoard]:
    flash = (
        flash_folder(tmp_path / "flash")
        if request.param == "folder"
        else flash_image(tmp_path / "flash.bin", blocks=64)
    )
    with serving(Board(flash)) as board:
        yield board


def test_deploy_run_and_restart(real: RealTimeBoard, tmp_path: Path) -> None:
    tty = real.runner.console.name
    package = tmp_path / "pack"
    (package / "sub").mkdir(parents=True)
    (package / "__init__.py").write_text("NAME = 'pack'\n")
    (package / "sub" / "data.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "main.py").write_text("import pack\nprint('main of', pack.NAME)\n")
    assert mpremote(tty, "exec", "print(6 * 7)") == "42\n"
    mpremote(tty, "fs", "cp", "-r", "pack", ":/lib/", cwd=tmp_path)
    mpremote(tty, "fs", "cp", "main.py", ":", cwd=tmp_path)
    check = "f = open('/lib/pack/sub/data.bin', 'rb'); print(f.read() == bytes(range(256)) * 40)"
    assert mpremote(tty, "exec", check) == "True\n"
    listing = mpremote(tty, "fs", "ls", ":/").split()
    assert {"main.py", "lib/"} <= set(listing)
    assert not {"machine.py", "time.py", "_board.py"} & set(listing)

    mpremote(tty, "soft-reset")
    lives = len(real.runner.wakes)
    mpremote(tty, "reset")
    deadline = time.monotonic() + LIMIT_S
    while "main of pack" not in [text for _, text in real.runner.lines]:
        assert time.monotonic() < deadline, real.runner.lines
        time.sleep(0.02)
    assert len(real.runner.wakes) > lives
    assert real.runner.wakes[-1].cause.name == "HARD_RESET"
    answer = "import machine; print(machine.reset_cause() == machine.HARD_RESET)"
    assert mpremote(tty, "resume", "exec", answer) == "True\n"


def test_running_main_is_interrupted(real: RealTimeBoard, tmp_path: Path) -> None:
    tty = real.runner.console.name
    (tmp_path / "main.py").write_text("import time\nprint('runs')\nwhile True:\n time.sleep(1)\n")
    mpremote(tty, "fs", "cp", "main.py", ":", "+", "reset", cwd=tmp_path)
    deadline = time.monotonic() + LIMIT_S
    while "runs" not in [text for _, text in real.runner.lines]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert mpremote(tty, "exec", "print('stopped')") == "stopped\n"
    assert any("KeyboardInterrupt" in text for _, text in real.runner.lines)


def test_ctrl_c_in_a_garbage_collection_leaves_the_interpreter_whole(tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "main.py").write_text("""
import gc
held = [bytearray(9) for _ in range(1500)]
print("runs")
while True:
    gc.collect()
""")
    with (
        serving(Board(flash_folder(flash))) as real,
        open_tty(Path(real.runner.console.name)) as tty,
    ):

        def told(text: str) -> int:
            return [line for _, line in real.runner.lines].count(text)

        for n in range(1, 9):
            until(lambda n=n: told("runs") == n)
            time.sleep(INTERRUPT_GAP_S)  # since the last one: two at once are one
            os.write(tty, b"\x03")
            until(lambda n=n: told("KeyboardInterrupt: ") == n)
            os.write(tty, b"print(len([0] * 5000))\r")
            until(lambda n=n: told("5000") == n)
            os.write(tty, b"\x04")


def waiting_bytes(fd: int) -> int:
    size = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, size)
    return size[0]


def test_what_is_printed_while_a_message_is_read_appears_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "main.py").write_text("import time\nprint('runs')\ntime.sleep(3600)\n")
    runner = RealTimeBoard(Board(flash_folder(flash))).runner
    try:
        runner.timeline.advance_to(0)
        life = runner.life
        assert life is not None
        deadline = time.monotonic() + LIMIT_S
        while not select.select([life.link], [], [], 0)[0] or waiting_bytes(life.stdout) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        look = select.select
        # The interpreter prints just after the look at who has something to say.
        monkeypatch.setattr(
            select,
            "select",
            lambda r, w, x, t: look([s for s in r if s is not life.stdout], w, x, t),
        )
        assert runner.listen(LIMIT_S, attended=True)
        assert "runs" in [text for _, text in runner.lines]
    finally:
        monkeypatch.undo()
        runner.close()


def test_a_reader_that_is_busy_loses_nothing(tmp_path: Path, monkeypatch) -> None:
    """A PTY holds 4 KB; what deploy asks for is longer."""
    monkeypatch.setattr(console, "READER_PATIENCE_S", LIMIT_S)
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "main.py").write_text("input()\nfor n in range(2000):\n print('line', n)\n")
    with (
        serving(Board(flash_folder(flash))) as real,
        open_tty(Path(real.runner.console.name)) as tty,
    ):
        told = b""
        os.write(tty, b"\r")
        time.sleep(0.5)  # longer than it takes the board to fill the PTY
        end = time.monotonic() + LIMIT_S
        while b"line 1999" not in told:
            assert time.monotonic() < end, told[-100:]
            if select.select([tty], [], [], 1)[0]:
                told += os.read(tty, 65536)
    assert [line for line in told.decode().splitlines() if line[:5] == "line "] == [
        f"line {n}" for n in range(2000)
    ]


def test_nobody_who_reads_holds_up_no_board(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(console, "READER_PATIENCE_S", 0.1)
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "main.py").write_text("for n in range(9000):\n print('line', n)\nprint('over')\n")
    with serving(Board(flash_folder(flash))) as real:
        until(lambda: "over" in [text for _, text in real.runner.lines])


def test_mounted_folder_with_bytes_that_look_like_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "data.bin").write_bytes(bytes([3, 4, 1, 0]) * 2000)
    with serving(Board(flash_folder(tmp_path / "flash"))) as real:
        tty = real.runner.console.name
        code = "print(open('data.bin', 'rb').read() == bytes([3, 4, 1, 0]) * 2000)"
        out = mpremote(tty, "mount", str(tmp_path / "host"), "exec", code)
    assert "True" in out.splitlines()  # mpremote's own lines come before or after it


def test_deep_sleep_and_watchdog_in_real_time(tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "main.py").write_text("""
import machine, time
rtc = machine.RTC()
n = len(rtc.memory()) + 1
rtc.memory(b"x" * n)
print("wake", n, machine.reset_cause())
if n < 3:
    machine.deepsleep(100)
if n == 3:
    machine.WDT(timeout=200)
    time.sleep(30)
""")
    begin = time.monotonic()
    with serving(Board(flash_folder(flash))) as real:
        while len(real.runner.lines) < 4 or "wake 4 3" not in [t for _, t in real.runner.lines]:
            assert time.monotonic() - begin < LIMIT_S, real.runner.lines
            time.sleep(0.02)
    lines = [text for _, text in real.runner.lines]
    assert lines[:4] == ["wake 1 1", "wake 2 4", "wake 3 4", "wake 4 3"]
    assert time.monotonic() - begin > 0.4


def test_uart_on_a_tty_with_its_receive_buffer_and_idle_interrupt(tmp_path: Path) -> None:
    master, slave = os.openpty()
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "main.py").write_text("""
import asyncio, machine, time
uart = machine.UART(1, 115200, rxbuf=100)
flag = asyncio.ThreadSafeFlag()
uart.irq(lambda u: flag.set(), uart.IRQ_RXIDLE)
async def main():
    uart.write(b"ready\\n")
    await flag.wait()
    print("idle", uart.any())
    print(uart.read(5))
    uart.read()
    print(await asyncio.StreamReader(uart).readline())
asyncio.run(main())
""")
    try:
        with (
            open_tty(Path(os.ttyname(slave))) as uart,
            serving(Board(flash_folder(flash)), {1: uart}) as real,
        ):
            assert select.select([master], [], [], LIMIT_S)[0]
            assert os.read(master, 100) == b"ready\n"
            os.write(master, b"hello" + b"." * 200)
            deadline = time.monotonic() + LIMIT_S
            while len(real.runner.lines) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            os.write(master, b"a line\n")
            while len(real.runner.lines) < 3:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            lost = real.runner.chip.lost_bytes
    finally:
        os.close(master)
        os.close(slave)
    assert [t for _, t in real.runner.lines][:3] == ["idle 100", "b'hello'", "b'a line\\n'"]
    assert lost == 105


def test_deployed_in_lockstep_the_node_lives_after_the_reset(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("""
import machine, time
time.sleep(10)
print("slept", time.ticks_ms())
machine.deepsleep(600000)
""")
    bench = Bench(Board(flash_folder(tmp_path / "flash")), console_pty=True)
    try:
        copy = subprocess.Popen(
            [sys.executable, "-m", "mpremote", "connect", bench.tty, "fs", "cp", "main.py", ":"],
            cwd=tmp_path, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        bench.run(until=lambda: copy.poll() is not None, attended=True)
        assert copy.returncode == 0
        reset(bench, tmp_path)
        bench.run(until=3600)
    finally:
        bench.close()
    assert [text for _, text in bench.console].count("slept 10000") == 6


def test_a_ctrl_c_at_the_end_of_a_program_loses_nothing(tmp_path: Path, monkeypatch) -> None:
    """Between the look at whether code runs and the Ctrl-C, the machine is busy with others."""
    seen = Process.catches_interrupt

    def looked(process: Process) -> bool:
        runs = seen(process)
        end = time.monotonic() + 1.5 * PROGRAM_S
        while runs and seen(process) and time.monotonic() < end:
            time.sleep(0.001)
        return runs

    monkeypatch.setattr(Process, "catches_interrupt", looked)
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "main.py").write_text(
        f"import time\nprint('runs')\nend = time.ticks_ms() + {PROGRAM_S * 1000:.0f}\n"
        "while time.ticks_ms() < end:\n pass\n"
    )
    with serving(Board(flash_folder(flash))) as real:
        until(lambda: "runs" in [text for _, text in real.runner.lines])
        transport = SerialTransport(real.runner.console.name, timeout=20 * PROGRAM_S)
        transport.enter_raw_repl(soft_reset=False)
        assert transport.exec("print('prompt')") == b"prompt\n"
        transport.close()
    assert len(real.runner.wakes) == 1
    assert "KeyboardInterrupt: " in [text for _, text in real.runner.lines]
