"""What all commands for boards share: --port, --wait, and the same work on a tray of boards."""

import argparse
import contextlib
import io
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from tools.deploy import DeployError, seconds


def add_port_arguments(parser: argparse.ArgumentParser) -> None:
    """--port (a list, `args.port`) and --wait (seconds, `args.wait`)."""
    parser.add_argument("--port", action="append", required=True, metavar="PORT",
                        help="serial port of the board; may be repeated for several")  # fmt: skip
    parser.add_argument("--wait", type=seconds, default=10, metavar="SECONDS",
                        help="for a board that sleeps to wake (default 10)")  # fmt: skip


def add_port_argument(parser: argparse.ArgumentParser) -> None:
    """PORT (one, `args.port`), --wait (seconds, `args.wait`), --stay."""
    parser.add_argument("port", metavar="PORT", help="serial port of the board")
    parser.add_argument("--wait", type=seconds, default=10, metavar="SECONDS",
                        help="for a board that sleeps to wake (default 10)")  # fmt: skip
    parser.add_argument("--stay", action="store_true",
                        help="leave the board at its prompt; else it starts again")  # fmt: skip


@dataclass(frozen=True)
class Report:
    """Where the work on one board says how far it is."""

    port: str
    _console: Console
    _progress: Progress
    _task: TaskID
    _stop: threading.Event

    def say(self, text: str) -> None:
        """A line, with the port before it."""
        self._console.print(f"{self.port}: {text}", markup=False)

    def waiting(self, left_s: float, state: str) -> None:
        """How long the board may still take to answer. Raises DeployError after Ctrl-C."""
        self._go_on()
        text = f"{self.port}: {state}; {left_s:.0f} s left" if left_s > 0 else self.port
        self._progress.update(self._task, description=text)

    def total(self, count: int) -> None:
        """How many bytes there are to be written."""
        self._progress.update(self._task, total=count)

    def advance(self, count: int) -> None:
        """So many bytes have been written. Raises DeployError after Ctrl-C."""
        self._go_on()
        self._progress.advance(self._task, count)

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise DeployError("stopped")


def at_all_ports(ports: list[str], work: Callable[[str, Report], None]) -> int:
    """Call `work(port, report)` for all ports at once, with a progress bar each.

    Returns the exit code: 1 when one of them raised DeployError, which is shown, else 0.
    """
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    stop = threading.Event()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())

    def one(port: str) -> bool:
        report = Report(port, console, progress, progress.add_task(port, total=None), stop)
        try:
            work(port, report)
        except DeployError as error:
            console.print(f"{port}: FAILED: {error}", markup=False, style="bold red")
            return False
        return True

    with (
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        # mpremote prints what it did not expect; the errors that follow say it better.
        contextlib.redirect_stdout(io.StringIO()),
        ThreadPoolExecutor(len(ports)) as pool,
    ):
        try:
            return 0 if all(list(pool.map(one, dict.fromkeys(ports)))) else 1
        except KeyboardInterrupt:
            stop.set()
            raise
