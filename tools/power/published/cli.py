"""The energy model beside what others have published: measurements, data sheets, other models.

python -m tools published            # a line per case, tables of measurements by their reason
python -m tools published --all      # every row
"""

import argparse
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.power.published.cases import KINDS, LIMIT, Case, load

WITHIN = f"within {100 * LIMIT:g} %"
FEW = 3  # rows that share a line and are still named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--all", action="store_true", help="every row of the tables")


def run(args: argparse.Namespace) -> int:
    """Print the table. Returns 0, or 1 when a case without a reason is not met."""
    cases = load()
    show(cases, Console(highlight=False), rows=args.all)
    return 0 if all(case.met for case in cases if not case.reason) else 1


def show(cases: Iterable[Case], console: Console, *, rows: bool = False) -> None:
    """Publication and model side by side, then the reasons, notes and kinds that the table names.

    rows -- also single rows of a table of measurements, else a line for each of its reasons
    """
    found, remarks = list(cases), _Remarks()
    for source in dict.fromkeys(case.source for case in found):
        table = Table(title=escape(source), title_justify="left", title_style="bold", expand=True)
        table.add_column("case", ratio=1, min_width=20)
        table.add_column("kind")
        here = [case for case in found if case.source == source]
        wide = rows and any(case.spread for case in here)
        spreads = ("10 to 90 %", "model's") if wide else ()
        for name in ("published", "model", "deviation", *spreads):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column(WITHIN)
        for together in _lines(here, rows):
            _add(table, together, remarks, wide)
        console.print(table)
    for number, text in remarks.numbered():
        console.print(f"({number}) {escape(text)}")
    for kind, text in KINDS.items():
        console.print(f"{kind}: {text}")
    console.print(summary(found))


def summary(cases: list[Case]) -> str:
    """One line: how many are met, and how many of those are evidence."""
    met = [case for case in cases if case.met]
    free = [case for case in met if case.kind != "arithmetic" and not case.calibrated]
    sums = sum(case.kind == "arithmetic" for case in met)
    set_by = sum(bool(case.calibrated) for case in met)
    return (
        f"{len(cases)} published figures, {len(met)} {WITHIN}: {len(free)} of them say something"
        f" about the model, {set_by} have set it, {sums} are arithmetic"
    )


def _lines(cases: list[Case], rows: bool) -> list[list[Case]]:
    """Cases that share a line: alone, or the rows of a table that are met or fail alike."""
    together: dict[object, list[Case]] = {}
    for number, case in enumerate(cases):
        key = (case.group, case.reason) if case.group and not rows else number
        together.setdefault(key, []).append(case)
    return list(together.values())


def _add(table: Table, cases: list[Case], remarks: "_Remarks", wide: bool) -> None:
    first = cases[0]
    deviations = sorted(case.deviation for case in cases)
    what = first.what if not first.group else f"{first.group}: {first.what}"
    if len(cases) > 1:
        few = f" ({'; '.join(case.what for case in cases)})" if len(cases) <= FEW else ""
        what = f"{first.group}: {len(cases)} rows{few}"
        numbers = ["", "", f"{deviations[0]:+.1%} to {deviations[-1]:+.1%}"]
    else:
        figures = (f"{value:.4g} {first.unit}" for value in (first.published, first.modelled))
        numbers = [*figures, f"{deviations[0]:+.1%}"]
    if first.where and not first.group:
        what += f" [dim]({escape(first.where)})[/dim]"
    verdict = "[green]yes[/green]" if all(c.met for c in cases) else "[yellow]no[/yellow]"
    set_by_it = f"calibrated: it has set {first.calibrated}" if first.calibrated else ""
    for text in (set_by_it, first.reason, first.note):
        verdict += f" ({remarks.number(text)})" if text else ""
    between = [_between(first.spread), _between(first.modelled_spread)] if wide else []
    table.add_row(what, first.kind, *numbers, *between, verdict)


def _between(spread: tuple[float, float] | None) -> str:
    if spread is None:
        return ""
    return f"{spread[0]:.4g} to {spread[1]:.4g}" if spread[0] < spread[1] else "none"


class _Remarks:
    """Texts that are said once, below the tables."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts) + 1)

    def numbered(self) -> list[tuple[int, str]]:
        return [(number, text) for text, number in self._texts.items()]
