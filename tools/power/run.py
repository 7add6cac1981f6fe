"""`run.json`: what a bench run leaves for its power report.

One object: "format" 1, "title", "notes", "begin_us", "end_us", the profiles' names "module",
"board" and "battery", "names" (texts), and "intervals": rows of load, start, duration, state,
cause, nanoamperes and wake, with load, state and cause as indices into "names". Times are integer
microseconds. "compared" holds milliampere-hours a day of other ways to do the same job. "problem"
says why the run's figures are none of a node that works, "" when they are; "period_us" is how
often the node does all its jobs, 0 when that is not known.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.power.account import Account, Interval
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
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(raw, dict) or raw.pop("format", None) != FORMAT:
        raise ValueError(f"{path} is not a run of format {FORMAT}")
    try:
        names = raw.pop("names")
        raw["intervals"] = [
            Interval(names[a], start, start + us, names[b], names[c], na, wake)
            for a, start, us, b, c, na, wake in raw["intervals"]
        ]
        run = Run(**raw)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    if run.span_us <= 0 or not run.intervals:
        raise ValueError(f"{path} is empty: the run has no length")
    return run
