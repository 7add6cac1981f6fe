"""`run.json`: what a bench run leaves for its power report.

One object: "format" 1, "title", "notes", "begin_us", "end_us", the profiles' names "module",
"board" and "battery", "names" (texts), and "intervals": rows of load, start, duration, state,
cause, nanoamperes and wake, with load, state and cause as indices into "names". Times are integer
microseconds. "compared" holds milliampere-hours a day of other ways to do the same job. "problem"
says why the run's figures are none of a node that works, "" when they are; "period_us" is how
often the node does all its jobs, 0 when that is not known.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import failure
from tools.power.account import LOADS, Account, Interval
from tools.power.meter import Meter

FORMAT = 1
NAME = "run.json"


@dataclass
class Run:
    """A metered run."""

    title: str
    module: str
    board: str
    battery: str
    begin_us: int
    end_us: int
    intervals: list[Interval]
    notes: list[str] = field(default_factory=list)
    compared: dict[str, float] = field(default_factory=dict)
    problem: str = ""
    period_us: int = 0

    @classmethod
    def of(cls, meter: Meter, title: str, battery: str, notes: list[str]) -> "Run":
        """What a meter has counted up to its last `close`."""
        names = meter.module.name, meter.board.name
        return cls(title, *names, battery, meter.begin_us, meter.end_us, meter.intervals, notes)

    @property
    def span_us(self) -> int:
        """How long the run was, in microseconds."""
        return self.end_us - self.begin_us

    def account(self) -> Account:
        """The sums of the run."""
        return Account.of(self.intervals)

    def save(self, path: Path) -> Path:
        """Write to a file, or to run.json in a folder. Returns the file."""
        if path.suffix != ".json":
            path.mkdir(parents=True, exist_ok=True)
            path /= NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        names: dict[str, int] = {}
        rows = []
        for i in self.intervals:
            load, state, cause = (names.setdefault(n, len(names)) for n in (i[0], i[3], i[4]))
            rows.append([load, i.start_us, i.end_us - i.start_us, state, cause, i.na, i.wake])
        raw = vars(self) | {"format": FORMAT, "names": list(names), "intervals": rows}
        with failure.naming(path):
            path.write_text(json.dumps(raw, separators=(",", ":")) + "\n")
        return path


def load(path: Path) -> Run:
    """Read a run from its file or its folder. Raises ValueError that says what is wrong."""
    if path.is_dir():
        path /= NAME
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(raw, dict) or repr(raw.pop("format", None)) != str(FORMAT):
        raise ValueError(f"{path} is not a run of format {FORMAT}")
    try:
        names = raw.pop("names")
        raw["intervals"] = [
            Interval(
                names[_int(a)], start, start + _int(us), names[_int(b)], names[_int(c)], na, wake
            )
            for a, start, us, b, c, na, wake in raw["intervals"]
        ]
        run = Run(**raw)
        _check(run)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    if run.span_us <= 0 or not run.intervals:
        raise ValueError(f"{path} is empty: the run has no length")
    return run


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no whole number")
    return value


def _check(run: Run) -> None:
    """Raises ValueError for what no bench has written."""
    for name in ("title", "module", "board", "battery", "problem"):
        if not isinstance(getattr(run, name), str):
            raise ValueError(f"{name} is no text")
    for name in ("begin_us", "end_us", "period_us"):
        if type(getattr(run, name)) is not int:
            raise ValueError(f"{name} is no whole number")
    if not isinstance(run.notes, list) or not all(isinstance(note, str) for note in run.notes):
        raise ValueError("notes are no texts")
    if not isinstance(run.compared, dict) or not all(map(_is_amount, run.compared.values())):
        raise ValueError("compared are no numbers")
    for n, i in enumerate(run.intervals):
        numbers = (i.start_us, i.end_us, i.na, i.wake)
        if any(type(number) is not int for number in numbers) or i.load not in LOADS:
            raise ValueError(f"interval {n} is none")
        if not (run.begin_us <= i.start_us <= i.end_us <= run.end_us and i.na >= 0):
            raise ValueError(f"interval {n} does not lie in the run")
        if not isinstance(i.state, str) or not isinstance(i.cause, str):
            raise ValueError(f"interval {n} has no state")


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < math.inf
