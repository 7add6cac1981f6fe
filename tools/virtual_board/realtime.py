"""The board in real time: a PTY for mpremote, and a tty for each UART."""

import contextlib
import os
import termios
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

from tools import failure
from tools.events import Event
from tools.timeline import Timeline
from tools.virtual_board.board import Board
from tools.virtual_board.process import BoardError
from tools.virtual_board.runner import Runner

LOOP_S = 0.2


@contextlib.contextmanager
def open_tty(path: Path) -> Iterator[int]:
    """A tty in raw mode, without blocking. Raises BoardError when it cannot be opened."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise BoardError(f"cannot open the UART's tty: {failure.words(error)}") from error
    try:
        tty.setraw(fd)
        settings = termios.tcgetattr(fd)
        settings[4] = settings[5] = termios.B115200
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        yield fd
    finally:
        os.close(fd)


class RealTimeBoard:
    """`board` on the host's clock; `uarts` are descriptors from `open_tty` by UART number."""

    def __init__(
        self,
        board: Board,
        uarts: dict[int, int] | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._timeline = Timeline()
        self._begin = time.monotonic()
        self.runner = Runner(
            self._timeline,
            board,
            lockstep=False,
            uarts=uarts,
            on_event=on_event,
            console_pty=True,
            boot_ms=0,
        )

    def run(self, until: Callable[[], bool]) -> None:
        """Serve the board until `until()`, which is asked several times a second, is true."""
        while not until():
            self._timeline.advance_to(self._now_us())
            due = self._timeline.next_us()
            left = LOOP_S if due is None else min(LOOP_S, max(0, due - self._now_us()) / 1e6)
            if self.runner.life is None:
                self.runner.attend(left)
            else:
                self.runner.listen(left, attended=True)

    def _now_us(self) -> int:
        return int((time.monotonic() - self._begin) * 1e6)
