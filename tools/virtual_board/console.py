"""The board's serial console: a PTY for mpremote or a person, lines for a log, Ctrl-C, soft reset.

The unix port has the whole REPL, raw mode and raw paste included; what it lacks is the restart. A
Ctrl-D ends its process, and the board that starts the next one comes up where a real board
would: in raw mode again when the Ctrl-D was given there.
"""

import os
import pty
import select
import time
import tty
from collections.abc import Callable
from pathlib import Path

from tools.virtual_board.board import Cause, Life

BANNER = b"MicroPython "
BANNER_END = b'Type "help()" for more information.\r\n>>> '
RAW_END = b"OK\r\n"  # what Ctrl-D in raw mode prints last
CTRL_A, CTRL_C = b"\x01", b"\x03"
INTERRUPT_GAP_S = 0.1
INTERRUPT_SETTLE_S = 0.02
READER_PATIENCE_S = 5.0


class Console:
    """Bytes between the interpreter of the present life and whoever listens.

    `line(text)` is called for each line printed; without `pty` nobody can type.
    """

    def __init__(self, line: Callable[[str], None], with_pty: bool = False) -> None:
        self._line = line
        self._text = b""
        self._tail = b""
        self._held: bytes | None = None  # raw restart: output kept back until the banner is over
        self._interrupted_at = 0.0
        self._is_read = True  # the PTY, as far as that has been seen
        self.host: int | None = None
        self.name = ""
        self._link: Path | None = None
        if with_pty:
            # The slave stays open here, so that the master never sees a hang-up.
            self.host, self._slave = pty.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self.host, False)
            self.name = os.ttyname(self._slave)

    def symlink(self, path: Path) -> None:
        """Let `path` name the PTY until `close`."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.symlink_to(self.name)
        temporary.replace(path)
        self._link = path

    def close(self) -> None:
        """Give up the PTY and its symlink."""
        if self.host is not None:
            os.close(self.host)
            os.close(self._slave)
            self.host = None
        if self._link and self._link.is_symlink():
            self._link.unlink()

    def restarted(self, life: Life, cause: Cause, raw: bool) -> None:
        """A new life begins; say so as boards do."""
        self._flush_line()
        self._tail = b""
        self._held = b"" if raw else None
        if cause is Cause.SOFT_RESET:
            self._to_host(b"MPY: soft reboot\r\n")
        elif cause is not Cause.POWER_ON:
            self._to_host(b"\r\nrst:" + cause.name.encode() + b"\r\n")
        if raw:
            life.type(CTRL_A)

    def was_raw(self) -> bool:
        """Was the prompt of the life that has just ended in raw mode?"""
        return self._tail.endswith(RAW_END)

    def from_board(self, data: bytes) -> None:
        """The interpreter has printed `data`."""
        self._tail = (self._tail + data)[-8:]
        if self._held is not None:
            self._held += data
            if BANNER_END not in self._held:
                return
            # boot.py's output passes; the friendly banner before raw mode does not.
            end = self._held.index(BANNER_END)
            start = self._held.rindex(BANNER, 0, end)
            data = self._held[:start] + self._held[end + len(BANNER_END) :]
            self._held = None
        self._to_host(data)
        self._text += data
        while b"\n" in self._text:
            line, self._text = self._text.split(b"\n", 1)
            self._line(line.rstrip(b"\r").decode("utf-8", "replace"))

    def _flush_line(self) -> None:
        if self._text:
            self._line(self._text.rstrip(b"\r").decode("utf-8", "replace"))
            self._text = b""

    def _to_host(self, data: bytes) -> None:
        if self.host is None:
            return
        while data:
            try:
                data = data[os.write(self.host, data) :]
                self._is_read = True
            except BlockingIOError:
                # The PTY is full. Who reads it may be busy; else it is a UART without a listener.
                patience_s = READER_PATIENCE_S if self._is_read else 0
                if not select.select([], [self.host], [], patience_s)[1]:
                    self._is_read = False
                    return

    def from_host(self, life: Life, interrupt: Callable[[], None]) -> None:
        """Pass on what the host has typed; a Ctrl-C while code runs is an `interrupt()`."""
        assert self.host is not None
        try:
            data = os.read(self.host, 4096)
        except BlockingIOError:
            return
        while CTRL_C in data:
            with life.process.halted():
                if not life.process.catches_interrupt():
                    break
                before, data = data.split(CTRL_C, 1)
                life.type(before)
                now = time.monotonic()
                # A second one while the first is under way would end the process.
                is_new = now - self._interrupted_at > INTERRUPT_GAP_S
                if is_new:
                    self._interrupted_at = now
                    interrupt()
            if is_new:
                time.sleep(INTERRUPT_SETTLE_S)
        life.type(data)
