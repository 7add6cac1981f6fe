"""Getting at a board that sleeps, is busy, or is not there: log, prompt, deploy, and why not."""

import argparse
import contextlib
import errno
import fcntl
import importlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from pathlib import Path

import pytest

from host_tests.bench.test_mpremote import serving
from host_tests.deploy.conftest import command
from host_tests.patience import LIMIT_S, until
from tools.__main__ import COMMANDS
from tools.deploy import DeployError, connection, deploy, reach
from tools.deploy import log as log_tool
from tools.virtual_board.board import Board, flash_folder

ROOT = Path(__file__).resolve().parents[2]
SLEEPS = "import machine, time\nprint('wake')\ntime.sleep(0.5)\nmachine.deepsleep(1200)\n"
# As firmware/app.py in safe mode.
SAFE_MODE = "import time\nprint('safe mode')\nfor _ in range(600):\n time.sleep(1)\n"
# A wake that has said something which is not on flash yet.
SPEAKS = """\
import firmware.log as log, time
log.begin("info")
log.info("said in this wake")
time.sleep(30)
"""
KEPT = b"#1\n2026-11-27 10:00:00 W kept on flash\n"


@pytest.fixture
def board(tmp_path):
    """board(main) -> a board in real time with the firmware's log, and this main.py"""
    with contextlib.ExitStack() as stack:

        def make(main: str):
            flash = tmp_path / "flash"
            (flash / "firmware").mkdir(parents=True)
            for name in ("__init__.py", "log.py"):
                shutil.copy(ROOT / "firmware" / name, flash / "firmware" / name)
            (flash / "log.0").write_bytes(KEPT)
            (flash / "main.py").write_text(main)
            return stack.enter_context(serving(Board(flash_folder(flash))))

        yield make


def said(real, text: str, times: int = 1) -> bool:
    return [line for _, line in real.runner.lines].count(text) >= times


@pytest.mark.parametrize("main", [SLEEPS, SAFE_MODE, "", "while True:\n pass\n"])
def test_the_log_of_a_node_that_sleeps_is_in_safe_mode_at_its_prompt_or_busy(board, main, capsys):
    real = board(main)
    tty_name = real.runner.console.name
    first = main and main.split("print('")[-1].split("'")[0] if "print" in main else ""
    if first:
        until(lambda: said(real, first))
    assert command(log_tool, tty_name, "--wait", LIMIT_S) == 0
    assert capsys.readouterr().out == "2026-11-27 10:00:00 W kept on flash\n"
    if first:  # it goes on
        count = sum(line == first for _, line in real.runner.lines)
        until(lambda: said(real, first, count + 1))


def test_what_the_wake_has_said_so_far_is_shown_and_kept(board, capsys):
    real = board(SPEAKS)
    until(lambda: said(real, "said in this wake"))
    for count in (1, 2):
        assert command(log_tool, real.runner.console.name) == 0
        out = capsys.readouterr().out
        assert out.startswith("2026-11-27 10:00:00 W kept on flash\n")
        assert out.count("I said in this wake") == count
        until(lambda count=count: said(real, "said in this wake", count + 1))


def test_a_board_without_firmware(board, capsys):
    real = board("")
    shutil.rmtree(Path(real.runner.board.flash["folder"]) / "firmware")
    assert command(log_tool, real.runner.console.name) == 1
    assert "there is no firmware on it" in capsys.readouterr().out


def test_a_port_that_comes_when_the_board_wakes(board, tmp_path, capsys):
    """As the USB of a chip that has its own."""
    real = board(SAFE_MODE)
    link = tmp_path / "ttyACM"
    timer = threading.Timer(1.0, link.symlink_to, [real.runner.console.name])
    timer.start()
    assert command(log_tool, link, "--wait", LIMIT_S) == 0
    assert "kept on flash" in capsys.readouterr().out
    timer.join()


# Why not ---------------------------------------------------------------------------------------


class Waits:
    """Time that passes only while a tool waits, in which a device has its turn: how busy the
    machine is does not count.
    """

    plays = False
    rounds = 0  # of the device

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        if not Waits.plays:
            time.sleep(seconds)
            return
        begin = Waits.rounds
        until(lambda: Waits.rounds >= begin + 2)


@contextlib.contextmanager
def device(says=b"", answers=None):
    """A port at which something says this again and again; `answers`, what to each byte."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    stop = threading.Event()

    def play():
        while not stop.is_set():
            if says:
                with contextlib.suppress(BlockingIOError):  # nobody reads
                    os.write(master, says)
            if select.select([master], [], [], 0.01)[0]:
                data = os.read(master, 100)
                if answers is not None and b"\x03" in data:
                    os.write(master, answers)
            Waits.rounds += 1

    thread = threading.Thread(target=play)
    thread.start()
    Waits.plays = True
    try:
        yield os.ttyname(slave)
    finally:
        Waits.plays = False
        stop.set()
        thread.join(LIMIT_S)
        os.close(master)
        os.close(slave)


def why(port, wait_s: float = 1.2) -> str:
    """The line that says why a board is not to be had."""
    states = []
    with pytest.raises(DeployError) as caught, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "time", Waits())
        connection.Connection(str(port), wait_s, lambda left, state: states.append((left, state)))
    text = str(caught.value)
    assert "\n" not in text
    assert states[-1] == (0, "")  # whoever shows it takes it away
    assert all(0 < left <= wait_s and state for left, state in states[:-1])
    return text


def test_no_port(tmp_path):
    assert re.match(
        r"there is no such port \(serial ports here: .*\): is the board", why("/dev/no")
    )
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    assert "there is no such port" in why(tmp_path / "dangling")


def test_a_port_that_has_gone(tmp_path, monkeypatch):
    """A PTY stays open without its link; a USB port that goes gives an error at the next read."""
    with device() as name:
        link = tmp_path / "tty"
        link.symlink_to(name)
        listen = reach.Seen.listen

        def unplugged(seen, data):
            if link.is_symlink():
                link.unlink()
                raise OSError(errno.EIO, "gone")
            return listen(seen, data)

        monkeypatch.setattr(reach.Seen, "listen", unplugged)
        text = why(link)
        assert text.startswith("the port has gone: the board sleeps, and its USB with it: --wait")


def test_a_port_that_says_nothing():
    with device() as name:
        assert re.match(
            r"no MicroPython prompt \(it says nothing\): is it the right port", why(name)
        )


def test_a_port_that_prints_and_does_not_stop():
    with device(b"temperature 21.5\r\n") as name:
        assert "(it prints, and does not stop at Ctrl-C)" in why(name)


def test_a_board_that_starts_again_and_again():
    with device(b"rst:0x8 (TG1WDT_SYS_RESET)\r\n") as name:
        assert "(it starts again and again): a watchdog" in why(name)


def test_a_board_that_leaves_its_prompt_again(monkeypatch, capsys):
    monkeypatch.setattr(reach, "RAW_S", 0.3)
    monkeypatch.setattr(reach, "READ_S", 0.3)
    with device(answers=b"\r\n>>> ") as name:
        assert "(it was at its prompt and left it)" in why(name, 0.5)
    assert capsys.readouterr().out == ""  # mpremote prints what it did not expect


def test_a_board_whose_main_takes_ctrl_c_away(board):
    real = board("import micropython\nmicropython.kbd_intr(-1)\nwhile True:\n print('on')\n")
    until(lambda: said(real, "on"))
    text = why(real.runner.console.name)
    assert "Ctrl-C" in text or "prompt" in text


def test_another_program_holds_the_port():
    with device() as name:
        holder = os.open(name, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(holder, fcntl.LOCK_EX)
        try:
            text = why(name)
        finally:
            os.close(holder)
        assert text.startswith("another program has it open")
        assert text.endswith(": end that first")
        if "FLOCK" in Path("/proc/locks").read_text():
            assert f"pid {os.getpid()}" in text


def test_another_program_lets_go_of_the_port_in_time(board):
    real = board("")
    holder = os.open(real.runner.console.name, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    timer = threading.Timer(1.0, os.close, [holder])
    timer.start()
    with connection.Connection(real.runner.console.name, LIMIT_S) as connected:
        assert connected.about().implementation == "micropython"
    timer.join()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EACCES, "you may not open it: add yourself to its group"),
        (errno.EPERM, "you may not open it"),
        (errno.EBUSY, "another program has it open: end that first"),
        (errno.ENXIO, "there is no such port"),
        (errno.ENODEV, "there is no such port"),
    ],
)
def test_what_the_system_says(number, text, monkeypatch, tmp_path):
    real = os.open

    def refusing(path, *more, **options):
        if str(path) == str(tmp_path / "tty"):
            raise OSError(number, os.strerror(number))
        return real(path, *more, **options)

    monkeypatch.setattr(os, "open", refusing)
    assert text in why(tmp_path / "tty", 60 if number in (errno.EACCES, errno.EPERM) else 0.5)


def test_what_is_no_port(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path, "/dev/null"):
        assert why(path, 60) == "it is no serial port: name the board's"


def test_an_address_at_which_nobody_listens():
    assert "it cannot be opened" in why("socket://127.0.0.1:9", 0.5)


@pytest.mark.parametrize("tool", ["log", "deploy", "provision"])
def test_every_tool_says_it_in_a_line(tool):
    options = {
        "log": ["/dev/no"],
        "deploy": ["--port", "/dev/no"],
        "provision": ["--port", "/dev/no"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tools", tool, *options[tool], "--wait", "0.1"],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    text = (done.stdout + done.stderr).strip()
    assert text.count("\n") == 0
    assert "there is no such port" in text


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "1e9", "", "soon", "5s", "0x5"])
@pytest.mark.parametrize("name", ["deploy", "log", "prompt", "provision", "command"])
def test_what_is_no_time_to_wait(name, text, capsys):
    parser = argparse.ArgumentParser()
    importlib.import_module(COMMANDS[name][0]).add_arguments(parser)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args([f"--wait={text}"])
    assert caught.value.code == 2
    assert f"{text!r} is not a number of seconds, 0 to 2592000" in capsys.readouterr().err


# On a terminal ---------------------------------------------------------------------------------


class Terminal:
    """A tool with a terminal of its own."""

    def __init__(self, *typed):
        self.master, slave = pty.openpty()
        self.said = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools", *map(str, typed)],
            cwd=ROOT, stdin=slave, stdout=slave, stderr=slave,
            # A suite in the background has SIGINT ignored, and its children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def until(self, text):
        limit = time.monotonic() + LIMIT_S
        while text not in self.said:
            assert time.monotonic() < limit, self.said
            self._read()

    def _read(self):
        if select.select([self.master], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # it has ended
                self.said += os.read(self.master, 1000)
                return
            time.sleep(0.05)

    def ended(self):
        limit = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < limit, self.said
            self._read()
        self._read()
        assert b"Traceback" not in self.said, self.said
        return self.process.returncode

    def type(self, data):
        os.write(self.master, data)


def test_a_prompt_behind_which_the_node_goes_on(board):
    real = board(SAFE_MODE)
    until(lambda: said(real, "safe mode"))
    with Terminal("prompt", real.runner.console.name, "--wait", LIMIT_S) as terminal:
        terminal.until(b">>> ")
        terminal.type(b"print(6 * 7)\r")
        terminal.until(b"\n42")
        starts = sum(line == "safe mode" for _, line in real.runner.lines)
        terminal.type(b"\x1d")
        terminal.until(b"the board is starting")
        assert terminal.ended() == 0
        until(lambda: said(real, "safe mode", starts + 1))


def test_a_prompt_to_stay_at(board):
    real = board("import time\nprint('runs')\ntime.sleep(60)\n")
    until(lambda: said(real, "runs"))
    with Terminal("prompt", real.runner.console.name, "--stay", "--wait", LIMIT_S) as terminal:
        terminal.until(b">>> ")
        terminal.type(b"\x1d")
        terminal.until(b"the board is at its prompt")
        assert terminal.ended() == 0
    assert not said(real, "runs", 2)


def test_a_prompt_needs_a_terminal(capsys):
    done = subprocess.run(
        [sys.executable, "-m", "tools", "prompt", "/dev/no"],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("prompt needs a terminal")


@pytest.mark.parametrize("tool", ["log", "prompt", "deploy", "provision"])
def test_a_countdown_and_ctrl_c(tool):
    name = "/dev/not-yet"
    port = [name] if tool in ("log", "prompt") else ["--port", name]
    with Terminal(tool, *port, "--wait", "500") as terminal:
        terminal.until(b"s left")
        attributes = termios.tcgetattr(terminal.master)
        assert attributes[3] & termios.ECHO  # the terminal is as it was
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ended() == 130
        assert f"{tool}: stopped".encode() in terminal.said
        if tool in ("log", "prompt"):
            assert b"by hand: `mpremote connect /dev/not-yet repl`" in terminal.said


def test_deploy_stops_while_it_waits_for_one_of_a_tray(tmp_path):
    """In this process: the thread that waits must not keep it alive."""
    once = iter([True])
    report_waiting = deploy.Report.waiting

    def interrupt(self, left_s, state):
        if next(once, False):
            signal.raise_signal(signal.SIGINT)
        report_waiting(self, left_s, state)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deploy.Report, "waiting", interrupt)
            with pytest.raises(KeyboardInterrupt):
                command(deploy, "--port", tmp_path / "a", "--port", tmp_path / "b", "--wait", 500)
    finally:
        signal.signal(signal.SIGINT, before)
