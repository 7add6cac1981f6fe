"""From a checkout and a bare board to a reporting node: build, copy, image, flash, provision."""

import argparse
import math

LONGEST_S = 30 * 86400


class DeployError(Exception):
    """A step that cannot be done; the text says why and what to do."""


def seconds(text: str) -> float:
    """Seconds of a command line. Raises argparse.ArgumentTypeError that says what is wrong."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 to {LONGEST_S}")
    return value
