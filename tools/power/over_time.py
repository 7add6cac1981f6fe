"""Where the charge of a long run went over time: in equal pieces, and in a typical stretch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tools.power.curve import Step

HOUR_S, DAY_S = 3600, 86400
PIECES = 36  # at most, of a run
PIECES_S = (
    60, 300, 900, 1800, HOUR_S, 2 * HOUR_S, 6 * HOUR_S, DAY_S, 2 * DAY_S, 7 * DAY_S, 14 * DAY_S,
    30 * DAY_S,
)  # fmt: skip
STRETCHES = ((DAY_S, "day"), (6 * HOUR_S, "6 hours"), (HOUR_S, "hour"), (600, "10 minutes"))
APART = 300  # wakes that can be told from each other in the picture of a stretch


class Stretch(NamedTuple):
    """A part of a run, in microseconds, and its name."""

    begin_us: int
    end_us: int
    name: str


def piece_us(span_us: int) -> int:
    """How long one of the pieces is, in microseconds, into which a run is divided."""
    least_s = span_us / PIECES / 1e6
    return round(1e6 * next((s for s in PIECES_S if s >= least_s), least_s))


def charges(
    curve: Iterable[Step], begin_us: int, end_us: int, width_us: int
) -> list[dict[str, int]]:
    """Charge by state in each piece of `width_us` microseconds, in nA us; the last may be shorter.

    Their sum is the charge from `begin_us` to `end_us`, exactly.
    """
    found: list[dict[str, int]] = [
        defaultdict(int) for _ in range(-(-(end_us - begin_us) // width_us))
    ]
    for step in curve:
        at, end = max(step.start_us, begin_us), min(step.end_us, end_us)
        while at < end:
            piece = (at - begin_us) // width_us
            upto = min(end, begin_us + (piece + 1) * width_us)
            found[piece][step.state] += step.na * (upto - at)
            at = upto
    return found


def typical(curve: Sequence[Step], begin_us: int, end_us: int, wakes: int) -> Stretch:
    """The stretch with the median charge, as long as its wakes can be told from each other.

    The first one, with the node's start, counts only where there are no more than two.
    """
    span_us = end_us - begin_us
    fitting = (
        (round(s * 1e6), name)
        for s, name in STRETCHES
        if wakes * s * 1e6 <= APART * span_us or s == STRETCHES[-1][0]
    )
    width_us, name = next(fitting)
    count = span_us // width_us
    if count < 2:
        return Stretch(begin_us, end_us, "")
    pieces = charges(curve, begin_us, begin_us + count * width_us, width_us)
    order = sorted(range(1 if count > 2 else 0, count), key=lambda n: (sum(pieces[n].values()), n))
    begin = begin_us + order[len(order) // 2] * width_us
    return Stretch(begin, begin + width_us, name)
