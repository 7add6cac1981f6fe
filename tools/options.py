"""Numbers on a command line: what they may be, said in one line when they are something else."""

import argparse
import re
from collections.abc import Callable

HEAP_BYTES = (32 << 10, 1 << 30)
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}
LONGEST = 20  # digits
SHOWN = 40  # characters of what was typed


def whole(least: int, most: int, what: str = "a whole number") -> Callable[[str], int]:
    """A type for argparse: whole numbers in a range."""

    def number(text: str) -> int:
        good = re.fullmatch(rf"[+-]?[0-9]{{1,{LONGEST}}}", text.strip())
        if not good or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{_cut(text)!r} is not {what}, {least} to {most}")
        return int(text)

    return number


baud = whole(300, 4_000_000, "a rate in bits per second")
seed = whole(-(2**63), 2**63 - 1)


def heap(text: str) -> str:
    """A type for argparse: a size as MicroPython takes it, 384K."""
    good = re.fullmatch(rf"([0-9]{{1,{LONGEST}}})([KM]?)", text.upper())
    least, most = HEAP_BYTES
    if not good or not least <= int(good[1]) * UNITS[good[2]] <= most:
        raise argparse.ArgumentTypeError(
            f"{_cut(text)!r} is not a size of a heap such as 384K, {least >> 10}K to {most >> 20}M"
        )
    return text.upper()


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
