"""What a module or a board draws in each state, from its profile."""

import functools
import itertools
from dataclasses import dataclass

from tools.power.profiles import Figure, Profile
from tools.virtual_c1100.measured import Luck, connect_factor, nearest

MODULE_STATES = (
    "off", "boot", "search", "awake", "idle", "edrx", "psm",
    "connected-tx", "connected-rx", "connected-open", "connected-answer", "connected-tail",
)  # fmt: skip
BOARD_STATES = ("off", "active", "computing", "light-sleep", "deep-sleep")
ASLEEP = {"off", "psm", "idle", "edrx", "deep-sleep"}  # nothing is being done

_FIXED = {"off": "off", "boot": "boot", "search": "search", "psm": "psm"}
_BY_RAT = {
    "connected-rx": "rx", "connected-tail": "tail",
    "connected-open": "tail", "connected-answer": "tail",  # where it was not measured apart
}  # fmt: skip
# state: figure of a place, and whose luck it is
_BY_PLACE = {
    "boot": ("boot", "boot"), "search": ("search", "search"),
    "connected-rx": ("open", "connected"), "connected-open": ("open", "connected"),
    "connected-answer": ("answer", "connected"),
    "connected-tail": ("tail", "connected"),
}  # fmt: skip


@dataclass(frozen=True)
class Link:
    """The radio link as far as currents depend on it.

    rat -- "lte-m", "nb-iot", "gsm", or None without a cell
    drx_s -- seconds between two paging occasions (36.304 clause 7.1)
    edrx -- cycle and paging time window in seconds, None without eDRX (36.304 clause 7.3)
    tx_dbm -- output power. The network sets it; full power is the dearest case
    level, rsrp -- coverage level, and RSRP in dBm, of a network that was measured; None: not known
    luck -- of the sessions of which the mean is wanted
    """

    rat: str | None = None
    drx_s: float = 1.28
    edrx: tuple[float, float] | None = None
    tx_dbm: float = 23.0
    level: int | None = None
    rsrp: int | None = None
    luck: tuple[Luck, ...] = (Luck(),)


NO_CELL = Link()


def module_amperes(profile: Profile, state: str, link: Link = NO_CELL) -> float:
    """Mean current of a module in `state`, in amperes.

    "idle" is DRX and "edrx" eDRX, both with the processor asleep between paging occasions;
    "awake" is idle with processor and UART on. ValueError for a state or RAT without figures.
    """
    level = link.level if link.rat in ("nb-iot", None) else None  # None: no cell yet
    if state in _BY_PLACE and profile.places and level is not None:
        place = nearest(profile.places, level, link.rsrp)
        name, of = _BY_PLACE[state]
        return _mean(place.figures[name], of, level, link.rsrp, link.luck)
    if state in _FIXED:
        return profile.amperes(_FIXED[state])
    if state == "idle":
        return _paged(profile, link, 1, link.drx_s)
    if state == "edrx" and link.edrx:
        cycle, window = link.edrx
        return _paged(profile, link, max(1, round(window / link.drx_s)), cycle)
    if state == "awake":
        return max(profile.amperes("awake"), _paged(profile, link, 1, link.drx_s))
    if state == "connected-tx":
        return _transmitting(profile, link)
    if state in _BY_RAT:
        _check(profile, link)
        return profile.amperes(f"{link.rat}.{_BY_RAT[state]}")
    raise ValueError(f"module state {state!r} with {link} has no current")


@functools.lru_cache(1000)
def _mean(figure: Figure, of: str, level: int, rsrp: int | None, lucks: tuple[Luck, ...]) -> float:
    """The mean over sessions: they connect at different currents, and for different times."""
    parts = [
        (connect_factor(level, rsrp, luck) if of == "search" else 1.0, getattr(luck, of))
        for luck in lucks
    ]
    return sum(t * figure.at(share) for t, share in parts) / sum(t for t, _ in parts)


def board_amperes(profile: Profile, state: str) -> float:
    """Current of a board in `state`, in amperes, without its regulator. ValueError."""
    if state not in BOARD_STATES:
        raise ValueError(f"board state {state!r} is none of {', '.join(BOARD_STATES)}")
    if state == "off":
        return 0.0
    return profile.amperes("active" if state == "computing" else state)


def _paged(profile: Profile, link: Link, occasions: int, cycle_s: float) -> float:
    """The floor, and so many paging occasions in each cycle; without a cell the floor alone."""
    floor = profile.amperes("idle-floor")
    if link.rat is None:
        return floor
    _check(profile, link)
    return floor + occasions * profile.figures[f"{link.rat}.page"].value * 1e-6 / cycle_s


def _transmitting(profile: Profile, link: Link) -> float:
    """At the link's output power, between the two nearest points of the profile."""
    _check(profile, link)
    assert link.rat is not None
    points = [(dbm, figure.amperes) for dbm, figure in profile.tx[link.rat]]
    if link.tx_dbm <= points[0][0]:
        return points[0][1]
    for (low, less), (high, more) in itertools.pairwise(points):
        if link.tx_dbm <= high:
            return less + (more - less) * (link.tx_dbm - low) / (high - low)
    return points[-1][1]


def _check(profile: Profile, link: Link) -> None:
    if link.rat not in profile.tx:
        raise ValueError(f"profile {profile.name} has no figures of {link.rat or 'no cell'}")
