"""Values over several readings: the mean, least, greatest or last of each until a record is made.

Settings ``sensors.NAME.over``: one of these words, or a list of some. With one the value keeps its
name, with several each has it as NAME.mean and so on. Text and what is true or false has its last.
"""

from ..telemetry import Fixed

WAYS = ("last", "mean", "min", "max")
_COUNT, _SUM, _LEAST, _MOST = range(4)


def amount(value) -> float | None:
    """A value as a number; None if it is none."""
    if value is True or value is False:
        return None
    if isinstance(value, Fixed):
        return value.whole / 10**value.places
    return value if isinstance(value, (int, float)) else None


def fold(kept: dict, samples: list, how) -> None:
    """Add a reading. kept -- name: [count, sum, least, most, unit, last, how]

    how -- as `over` has it
    """
    for name, unit, value in samples:
        number = amount(value)
        now = kept.get(name)
        if number is None:
            kept[name] = [0, 0, 0, 0, unit, value, how]
        elif now is None or not now[_COUNT]:
            kept[name] = [1, number, number, number, unit, _plain(value), how]
        else:
            kept[name] = [
                now[_COUNT] + 1,
                now[_SUM] + number,
                min(now[_LEAST], number),
                max(now[_MOST], number),
                unit,
                _plain(value),
                how,
            ]


def folded(kept: dict) -> list:
    """The samples that a record gets of what was folded."""
    found = []
    for name in sorted(kept):
        count, total, least, most, unit, last, how = kept[name]
        for way in (how,) if isinstance(how, str) else how:
            value = last
            if isinstance(last, list):
                value = Fixed(last[0], last[1])
            if count and way != "last":
                value = {"mean": total / count, "min": least, "max": most}[way]
                value = round(value, 6) if isinstance(value, float) else value
            found.append((name if isinstance(how, str) else name + "." + way, unit, value))
    return found


def _plain(value):
    """As JSON can keep it."""
    return [value.whole, value.places] if isinstance(value, Fixed) else value
