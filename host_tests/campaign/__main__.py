"""The long campaign: python -m host_tests.campaign [--wakes N] [--seed N]"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

import host_tests.shim  # noqa: F401
from host_tests.campaign.run import Outcome, campaign
from host_tests.peers import any_broker


def main() -> int:
    """Run, and print what came of it. Returns 1 when the node broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m host_tests.campaign", description=__doc__)
    parser.add_argument("--wakes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    console = Console(highlight=False)
    begin = time.monotonic()
    with (
        any_broker() as broker,
        tempfile.TemporaryDirectory(prefix="campaign.") as folder,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("", total=args.wakes)
        made = campaign(
            Path(folder), broker, args.wakes, args.seed,
            lambda name, wakes: progress.update(task, description=name, completed=wakes),
        )  # fmt: skip
    report(made, time.monotonic() - begin, args.seed, console)
    return 1 if made.problems else 0


def report(made: Outcome, seconds: float, seed: int, console: Console) -> None:
    """The figures, and every promise that was broken."""
    console.print(
        f"{made.wakes} wakes in {made.days:.0f} virtual days, {sum(made.faults.values())} faults "
        f"of {len(made.faults)} kinds, seed {seed}, {seconds:.0f} s"
    )
    console.print(
        f"{made.sampled} records sampled, {made.delivered} delivered, {made.repeated} of them "
        f"more than once, {made.dropped} given up by policy or damaged"
    )
    console.print(
        f"longest wake {made.longest_wake_s:.0f} s, dearest {made.dearest_wake_mah:.2f} mAh"
    )
    for problem in made.problems:
        console.print(f"FAILED: {problem}", style="bold red", markup=False)


if __name__ == "__main__":
    sys.exit(main())
