"""Measure the project's figures, print them, and write them to build/bench.json."""

import argparse
import json
import sys
from pathlib import Path

from tools import failure
from tools.bench import burst, costs, figures, heap, receiving, recorded, wake
from tools.bench.figures import MeasureFailed, NotMeasured
from tools.deploy import project

MEASURES = (
    *receiving.MEASURES,
    *burst.MEASURES,
    *heap.MEASURES,
    *costs.MEASURES,
    *wake.MEASURES,
    *figures.MEASURES,
)
OUTPUT = Path("build/bench.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="TEXT", default="", help="measures whose name has TEXT")
    parser.add_argument("--record", action="store_true",
                        help="only what make test holds, and keep what is found")  # fmt: skip
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default build/bench.json; none with --only"
    )


def run(args: argparse.Namespace) -> int:
    """Returns 0; 1 when what is measured does not work, 2 when nothing has such a name. What
    cannot be measured here is named.
    """
    measures = recorded.MEASURES if args.record else MEASURES
    if args.only and not args.record:
        measures += heap.ON_REQUEST
    chosen = [measure for measure in measures if args.only in measure.__name__]
    if not chosen:
        names = ", ".join(measure.__name__ for measure in MEASURES)
        print(f"bench: nothing is called {args.only!r}; there are {names}", file=sys.stderr)
        return 2
    if args.record and not project.IS_A_CLONE:
        print("bench: --record is for a clone of the project", file=sys.stderr)
        return 2
    figures = {}
    failed = 0
    for measure in chosen:
        try:
            found = measure()
        except NotMeasured as reason:
            print(f"{measure.__name__}: not measured: {reason}")
            continue
        except MeasureFailed as error:
            failed = 1
            print(f"{measure.__name__}: FAILED: {error}")
            continue
        if args.record:
            recorded.record(found)
        for name, (value, unit) in found.items():
            figures[name] = {"value": value, "unit": unit}
            print(f"{name:<50} {value:>12g} {unit}", flush=True)
    output = args.output or (None if args.only or args.record else OUTPUT)
    if output:
        with failure.naming(output):
            output.parent.mkdir(exist_ok=True)
            output.write_text(json.dumps(figures, indent=2) + "\n")
        print(f"written to {output}")
    return failed
