"""The bridge, with pseudo terminals in place of the physical halves' serial ports."""

import os
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.patience import LIMIT_S, until

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import time
from machine import UART
uart = UART(1, 115200, timeout=0)
for question in ("AT\\r", "AT+CGMM\\r"):
    heard = b""
    while b"OK" not in heard and b"0\\r" not in heard:
        uart.write(question)  # the module may still be booting
        time.sleep_ms(300)
        heard += uart.read() or b""
    print("heard", heard)
time.sleep(1000)
"""


def bridge(*arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tools", "bridge", *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


class Port:
    """A serial port as the physical half sees it; `name` is for the bridge."""

    def __init__(self) -> None:
        self.end, self._other = os.openpty()
        for end in (self.end, self._other):
            tty.setraw(end)
        os.set_blocking(self.end, False)
        self.name = os.ttyname(self._other)
        self.heard = b""

    def read(self) -> bytes:
        while select.select([self.end], [], [], 0)[0]:
            self.heard += os.read(self.end, 4096)
        return self.heard


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    os.close(made.end)
    os.close(made._other)


def test_a_boards_uart_reaches_a_virtual_module(port, tmp_path):
    trace = tmp_path / "trace"
    child = bridge("--board", port.name, "--trace", trace)
    try:

        def answers() -> bool:
            os.write(port.end, b"AT\r")
            time.sleep(0.2)
            return b"OK" in port.read()

        until(answers)
        port.heard = b""
        os.write(port.end, b'AT+CPIN="43210987"\r')
        until(lambda: port.read().count(b"\r\n") >= 2)
    finally:
        child.send_signal(signal.SIGINT)
        assert child.wait(LIMIT_S) == 0
    assert "virtual C1100 for the board at" in child.stdout.read()
    text = trace.read_text()
    assert "> AT" in text
    assert "< " in text
    assert "43210987" not in text


def test_a_module_reaches_a_virtual_board(tmp_path):
    link = tmp_path / "c1100"
    module = subprocess.Popen(
        [sys.executable, "-m", "tools", "virtual-c1100", "--link", str(link)],
        cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "boot.py").write_text("")
    (flash / "main.py").write_text(ASK)
    trace = tmp_path / "trace"
    until(link.is_symlink)
    child = bridge("--module", os.readlink(link), "--flash", flash, "--trace", trace)
    try:
        until(lambda: trace.exists() and "C1100" in trace.read_text().partition("CGMM")[2])
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(LIMIT_S) == 0
        module.terminate()
        module.wait(LIMIT_S)
    assert "AT+CGMM" in trace.read_text()


def test_what_is_wrong_is_said(tmp_path):
    child = bridge("--board", tmp_path / "none")
    assert child.wait(LIMIT_S) == 1
    assert "No such file" in child.stdout.read()
    child = bridge("--module", tmp_path / "none")
    assert child.wait(LIMIT_S) == 2
    assert "--flash DIR" in child.stdout.read()
