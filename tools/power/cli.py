"""Power report of a run: where each mAh went, and how long the battery lasts."""

import argparse
from pathlib import Path

from tools import failure
from tools.power import run as runs
from tools.power.profiles import load, names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder or file of a run (run.json)")
    parser.add_argument(
        "--battery", help=f"profile: {', '.join(names('battery'))}, or a TOML file of yours"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: beside the run")


def run(args: argparse.Namespace) -> int:
    """Write picture and page. Returns 0, or 1 with a message when the run cannot be read."""
    folder = args.out or (args.run if args.run.is_dir() else args.run.parent)
    try:
        found = runs.load(args.run)
        if args.battery:
            load(args.battery, "battery")
            found.battery = args.battery
        from tools.power import report  # late: matplotlib takes a second

        stem = "power" if args.run.is_dir() or args.run.name == runs.NAME else args.run.stem
        paths = report.write(found, folder, stem)
    except ValueError as error:
        print(error)
        return 1
    except OSError as error:
        print(failure.words(error, error.filename or folder))
        return 1
    print("\n".join(report.headline(found)))
    for path in paths:
        print(f"written to {path}")
    return 0
