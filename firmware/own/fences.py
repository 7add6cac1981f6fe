"""Fences: places that a position enters and leaves.

    "fences": {"yard": {"circle": [31.2304, 121.4737, 200]},
               "field": {"polygon": [[31.2, 121.4], [31.3, 121.4], [31.3, 121.5]]}}

A circle has latitude, longitude and radius in metres; a polygon corners of latitude and longitude.
What is inside is told as an event, and when it is out again; not before it has been so for
`dwell_s`. Distances are those of a sphere, flat within some tens of kilometres.
"""

import math

from micropython import const

from . import has_passed
from .over import amount
from .rules import ACTIONS

FIELDS = {"dwell_s": (0, int, 0, 86400), "do": ("report", ACTIONS)}
CORNERS = const(32)
LARGEST_M = const(50000)
_METRES = 111195.0  # of a degree of latitude
_IS_IN, _OTHER_SINCE = range(2)  # of what is remembered


def judge(fences: dict, kept: dict, samples: list, now_s: int, flex_s: int = 0) -> tuple:
    """(texts of events, whether a record is wanted, whether a report at once is)

    kept    -- what is remembered: fence: [whether it is in, since when it is the other way]
    samples -- with "lat" and "lon", or nothing is judged
    flex_s  -- by how much positions may come later or earlier
    """
    here = position(samples)
    texts = []
    record = report = False
    if here is None:
        return texts, record, report
    for name in sorted(fences):
        fence = fences[name]
        inside = is_inside(fence, here)
        state = kept.get(name)
        if not isinstance(state, list) or len(state) != 2:
            kept[name] = [inside, None]  # where it is at first is no news
            continue
        if inside == state[_IS_IN]:
            state[_OTHER_SINCE] = None
            continue
        since = state[_OTHER_SINCE]
        if since is None or since > now_s:
            since = state[_OTHER_SINCE] = now_s
        if not has_passed(since, now_s, fence.get("dwell_s", 0), flex_s):
            continue
        kept[name] = [inside, None]
        how = fence.get("do", ACTIONS[0])
        record = True
        report = report or how == "report"
        if how != "record":
            texts.append(_told(name, inside))
    return texts, record, report


def _told(name: str, inside: bool) -> str:
    return ("fence %s: inside" if inside else "fence %s: outside") % name


def position(samples: list) -> tuple | None:
    """(latitude, longitude) in degrees; None if there is none."""
    found = {name: amount(value) for name, _, value in samples if name in ("lat", "lon")}
    lat, lon = found.get("lat"), found.get("lon")
    return None if lat is None or lon is None else (lat, lon)


def is_inside(fence: dict, here: tuple) -> bool:
    """Whether a position is within a circle or polygon."""
    if "circle" in fence:
        lat, lon, radius_m = fence["circle"]
        return distance_m(here, (lat, lon)) <= radius_m
    corners = fence["polygon"]
    origin = corners[0]
    x, y = _flat(origin, here)
    inside = False
    x0, y0 = _flat(origin, corners[-1])
    for corner in corners:
        x1, y1 = _flat(origin, corner)
        # A ray to the east crosses this edge, or not.
        if (y0 > y) != (y1 > y) and x0 + (x1 - x0) * (y - y0) / (y1 - y0) > x:
            inside = not inside
        x0, y0 = x1, y1
    return inside


def distance_m(a: tuple, b: tuple) -> float:
    """Metres between two positions."""
    x, y = _flat(a, b)
    return math.sqrt(x * x + y * y)


def _flat(origin: tuple, point: tuple) -> tuple:
    """Metres to the east and to the north, by the shorter way about the globe."""
    east = (point[1] - origin[1] + 540) % 360 - 180
    scale = math.cos(math.radians(origin[0]))
    return east * scale * _METRES, (point[0] - origin[0]) * _METRES
