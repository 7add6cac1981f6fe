"""What a value was over time: points, the gaps between them, and as many as a plot can show."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tools.monitor.sequence import Sequence as Count

COLUMNS = 120  # of a plot: a few hundred pixels


class Point(NamedTuple):
    """A value at a Unix time, and which record it came in; seq -- None: not known"""

    at: float
    value: float
    life: int = 0
    seq: int | None = None


def plotted(points: Iterable[Point], count: Count, since: float) -> dict[str, Any] | None:
    """A value's history from `since` on, as JSON has it; None when there is none.

    count -- of the node: where records are missing between two points there is a gap
    """
    each = {point.at: point for point in points if point.at >= since}
    found = sorted(each.values(), key=lambda point: point.at)
    if not found:
        return None
    values = [point.value for point in found]
    begin, end = found[0].at, found[-1].at
    return {
        "from": begin,
        "to": end,
        "count": len(found),
        "least": min(values),
        "most": max(values),
        "last": values[-1],
        "parts": [
            [[point.at, point.value] for point in part]
            for part in thinned(whole(found, count), begin, end)
        ],
    }


def whole(points: Sequence[Point], count: Count) -> list[list[Point]]:
    """The points in parts: from one to the next, a record is missing or the count began again."""
    gaps = sorted(count.missing | count.unheard)
    parts: list[list[Point]] = []
    before: Point | None = None  # the last that has a number
    for point in points:
        if not parts or (before is not None and _parted(before, point, count.life, gaps)):
            parts.append([])
        parts[-1].append(point)
        if point.seq is not None:
            before = point
    return parts


def _parted(a: Point, b: Point, life: int, gaps: list[int]) -> bool:
    if a.seq is None or b.seq is None:
        return False
    if a.life != b.life:
        return True
    first, last = sorted((a.seq, b.seq))
    return a.life == life and bisect_right(gaps, first) < bisect_left(gaps, last)


def thinned(parts: list[list[Point]], begin: float, end: float) -> list[list[Point]]:
    """The least and the most of each column of a plot from `begin` to `end`, and of each part."""
    if sum(map(len, parts)) <= 2 * COLUMNS:
        return parts
    width = (end - begin) / COLUMNS or 1.0
    found = []
    for part in parts:
        columns: dict[int, list[Point]] = {}
        for point in part:
            columns.setdefault(min(COLUMNS - 1, int((point.at - begin) / width)), []).append(point)
        kept = {part[0].at: part[0], part[-1].at: part[-1]}
        for column in columns.values():
            for extreme in (min, max):
                point = extreme(column, key=lambda point: point.value)
                kept[point.at] = point
        found.append([kept[at] for at in sorted(kept)])
    return found
