"""What the forms of `payload.format` cost: bytes and charge of reports with 1, 6 and 24 records.

    python -m tools payload

Each figure is the firmware itself, reporting over MQTT every hour for six hours: the bytes of its
messages, and what the module used, its sleep between the reports included.
"""

import argparse

from rich.console import Console
from rich.table import Table

from tools import options
from tools.power.scenario import NODE, Scenario
from tools.power.simulate import Life, simulate

FORMATS = ("senml+json", "senml+cbor")
RECORDS = (1, 6, 24)
REPORT_S = 3600
DAYS = 0.26  # six reports, and what a node needs to start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--records", type=options.whole(1, 100_000), nargs="+", default=RECORDS,
                        metavar="N", help="records of a report (default 1 6 24)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the table. Returns 0, or 1 if something has not arrived."""
    table = Table("records", "format", "messages", "bytes", "mAh a report", box=None)
    problem = ""
    for count in args.records:
        for form in FORMATS:
            life = lived(form, count)
            problem = problem or life.records.problem
            sizes = life.messages[1:] or life.messages  # the first one tells of the start
            reports = max(1, life.sessions)
            mah = life.run.account().by_load["module"].mah / reports
            each = len(life.messages) / reports
            table.add_row(
                str(count), form, f"{each:.1f}", f"{sum(sizes) / reports:.0f}", f"{mah:.4f}"
            )
    console = Console(highlight=False)
    console.print(table)
    if problem:
        console.print(problem, style="bold red", markup=False)
    return bool(problem)


def lived(form: str, count: int) -> Life:
    """A node whose reports have so many records."""
    node = NODE | {
        "sample": {"period_s": max(REPORT_S // count, 10)},
        "report": {"period_s": REPORT_S},
        "payload": {"format": form},
    }
    return simulate(Scenario("", DAYS, node, frozen=True))
