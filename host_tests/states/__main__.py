"""The whole matrix: every reset and every state x every feature, boards wired in every way.

    python -m host_tests.states                  (about ten minutes)
    python -m host_tests.states tcp mqtt         what these two are in

Prints what fails, and a count; the exit code is 1 when anything does.
"""

import sys
import time
from collections.abc import Iterator

from host_tests.states import matrix
from host_tests.states.features import FEATURES


def cells(features: list[str]) -> Iterator[matrix.Cell]:
    """All cells that have to do with these features."""
    for wiring in matrix.WIRINGS:
        yield from matrix.after_states(wiring)
    for feature in FEATURES:
        yield from matrix.after_resets(feature, deep=True)


def main(features: list[str]) -> int:
    """Run them. Returns how many have failed."""
    count = failed = 0
    begin = time.monotonic()
    for cell in cells(features):
        if not {cell.wake, cell.feature} & set(features):
            continue
        count += 1
        try:
            matrix.run(cell)
        except Exception as error:
            failed += 1
            print(f"{cell}: {type(error).__name__}: {error}", flush=True)
    print(f"{count} wakes, {failed} failed, {time.monotonic() - begin:.0f} s")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:] or list(FEATURES)) else 0)
