"""Measure the project's figures, print them, and write them to build/bench.json."""

import argparse
import json

from tools.bench.figures import MEASURES, ROOT, NotMeasured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="TEXT", default="", help="measures whose name has TEXT")


def run(args: argparse.Namespace) -> int:
    """Returns 0; a figure that cannot be measured here is named with the reason."""
    figures = {}
    for measure in MEASURES:
        if args.only not in measure.__name__:
            continue
        try:
            found = measure()
        except NotMeasured as reason:
            print(f"{measure.__name__}: not measured: {reason}")
            continue
        for name, (value, unit) in found.items():
            figures[name] = {"value": value, "unit": unit}
            print(f"{name:<50} {value:>12g} {unit}")
    path = ROOT / "build" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"written to {path.relative_to(ROOT)}")
    return 0
