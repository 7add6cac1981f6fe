"""The demo on a terminal: a live log with virtual times, progress, and the summary.

Without a terminal the same lines come plain, without colour and progress bar.
"""

import re
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools.events import Event

# What is worth a line, by the event's kind and text: (pattern, who, style, what is said)
HIGHLIGHTS = [
    ("boot", r"(.*)", "node", "bold green", r"wakes: \1"),
    ("end", r"(watchdog.*|power cut|crash)", "node", "bold red", r"\1"),
    ("console", r"sampled (.*)", "node", "bold", r"sampled \1"),
    ("console", r"(published .*)", "node", "bold", r"\1"),
    ("console", r"(sleeping .*)", "node", "", r"\1"),
    ("console", r"(registered .*)", "node", "", r"\1"),
    ("console", r"((?:\w*Error|Traceback).*|.*failed.*|module stays on.*)", "node", "red", r"\1"),
    ("pin", r"pwrkey on", "node", "", "presses the power key"),
    ("pin", r"pwrkey off", "node", "", "releases the power key"),
    ("pin", r"status on", "module", "cyan", "runs"),
    ("pin", r"status off", "module", "cyan", "goes off"),
    ("board", r"(AT(?:\+CPIN|\+CEREG=|\+COPS|\+LSMQTT|\$QCPWRDN)[^\\]*)", "node", "dim", r"> \1"),
    ("module", r".*(\+CPIN: [A-Z ]+)", "module", "dim cyan", r"< \1"),
    ("module", r".*(\+CEREG: \d)\\r", "module", "cyan", r"< \1"),
    ("module", r".*(\+C(?:ME|MS) ERROR[^\\]*)", "module", "yellow", r"< \1"),
    ("module", r".*(\+(?:LS)?MQTT[A-Z]+[:=][^\\]*)", "module", "cyan", r"< \1"),
    ("module", r".*(\^[A-Z]+)", "module", "cyan", r"< \1"),
    # What it says to a board that sleeps is not worth a line.
    ("lost", r"(.*buffer.*)", "board", "yellow", r"lost \1"),
    ("network", r"(.*)", "bench", "yellow", r"\1"),
    ("stuck", r"(.*)", "bench", "red", r"\1"),
    ("watchdog", r"(.*)", "board", "bold red", r"watchdog \1"),
]
LONGEST = 240
_TABLE = [(k, re.compile(p), who, style, text) for k, p, who, style, text in HIGHLIGHTS]


def clock(us: int) -> str:
    """Virtual microseconds as days and time of day."""
    ms = us // 1000
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


class View:
    """Shows a run of `total` steps of each phase. A context manager."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self.live = False  # events are shown
        self._task = self._progress.add_task("", total=None, visible=False)

    def __enter__(self) -> "View":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, text: str, style: str = "") -> None:
        """A line of the demo itself."""
        self.console.print(escape(text), style=style)

    def phase(self, text: str, total: int) -> None:
        """A new phase with `total` steps."""
        self.say(text, "bold")
        self._progress.reset(self._task, total=total, description=text, visible=True)

    def reached(self, steps: int) -> None:
        """So many steps of the phase are done."""
        self._progress.update(self._task, completed=steps)

    def event(self, event: Event) -> None:
        """Show an event of the bench if it is worth a line."""
        if not self.live:
            return
        for kind, pattern, who, style, text in _TABLE:
            if kind == event.kind and (match := pattern.match(event.detail)):
                said = match.expand(text)
                if len(said) > LONGEST:
                    said = f"{said[:LONGEST]}... ({len(said)} characters)"
                line = f"{clock(event.at_us)}  {who:<6}  {said}"
                self.console.print(escape(line), style=style)
                return

    def summary(self, rows: list[tuple[str, str]]) -> None:
        """The table at the end."""
        table = Table(show_header=False)
        for name, value in rows:
            table.add_row(name, value)
        self.console.print(table)
