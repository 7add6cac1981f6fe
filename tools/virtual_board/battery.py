"""A battery for the virtual board: it empties, sags under load, and gives less in the cold.

    bench.battery = Battery("li-socl2", used=lambda: mah, amperes=lambda: 0.2, celsius=lambda: -20)

Written from data sheets (Saft LS 26500, Panasonic CR123A and NCR18650B, Energizer E91, A123
ANR26650), not from the firmware's table: voltage of a cell at rest by what is left of it, and the
resistance inside, which grows in the cold and towards the end.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple


class Chemistry(NamedTuple):
    """curve -- (share that is left, V at rest at 20 degrees), the fullest first

    cold -- V less at rest for each degree below 20; ohms -- inside, full, at 20 degrees
    doubling -- degrees below 20 that double them
    """

    curve: tuple[tuple[float, float], ...]
    cold: float
    ohms: float
    doubling: float


CHEMISTRIES = {
    "li-socl2": Chemistry(
        ((1, 3.68), (0.7, 3.65), (0.4, 3.61), (0.2, 3.56), (0.1, 3.49), (0.05, 3.40), (0.02, 3.2),
         (0, 2.0)), 0.0015, 0.9, 18),
    "li-mno2": Chemistry(
        ((1, 3.2), (0.8, 3.0), (0.6, 2.95), (0.4, 2.88), (0.2, 2.80), (0.1, 2.7), (0.05, 2.6),
         (0, 2.0)), 0.002, 0.4, 20),
    "liion": Chemistry(
        ((1, 4.2), (0.8, 4.0), (0.6, 3.85), (0.4, 3.72), (0.2, 3.65), (0.1, 3.55), (0.05, 3.4),
         (0, 2.9)), 0.001, 0.08, 18),
    "alkaline": Chemistry(
        ((1, 1.6), (0.8, 1.44), (0.6, 1.33), (0.4, 1.25), (0.2, 1.17), (0.1, 1.09), (0.05, 1.0),
         (0, 0.8)), 0.002, 0.25, 15),
    "lifepo4": Chemistry(
        ((1, 3.45), (0.9, 3.34), (0.6, 3.305), (0.4, 3.27), (0.2, 3.23), (0.1, 3.17), (0.05, 3.05),
         (0, 2.5)), 0.001, 0.04, 18),
}  # fmt: skip


@dataclass
class Battery:
    """used -- mAh that are gone; amperes -- that are drawn now; celsius -- of its cells

    age -- its resistance is so many times that of a new one
    """

    kind: str
    used: Callable[[], float]
    amperes: Callable[[], float]
    celsius: Callable[[], float] = lambda: 20.0
    capacity_mah: float = 1000.0
    cells: int = 1
    age: float = 1.0

    @property
    def left(self) -> float:
        """The share that is left."""
        return min(max(1 - self.used() / self.capacity_mah, 0.0), 1.0)

    def volts(self) -> float:
        """At its poles."""
        found = CHEMISTRIES[self.kind]
        degrees = max(20 - self.celsius(), 0.0)
        rest = _at(found.curve, self.left) - found.cold * degrees
        ohms = found.ohms * self.age * 2 ** (degrees / found.doubling) * _towards_end(self.left)
        return max(self.cells * (rest - ohms * self.amperes()), 0.0)


def _at(curve: tuple[tuple[float, float], ...], left: float) -> float:
    for (more, high), (less, low) in pairwise(curve):
        if left >= less:
            return low + (high - low) * (left - less) / (more - less)
    return curve[-1][1]


def _towards_end(left: float) -> float:
    """The resistance of a cell that empties: three times in its last tenth."""
    return 1 + 2 * math.exp(-left / 0.05)
