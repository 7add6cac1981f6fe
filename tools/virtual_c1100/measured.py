"""A live NB-IoT network as it was measured, in place of the assumed one of profile.py and air.py.

    profile = measured.applied(profile)      # what has its usual value gets the measured one

* 128 sessions of a Quectel BG96, the chip of the C1100's class (G. Leenders et al., KU Leuven,
  github.com/guusleenders/NB-IoT-Power-Measurements): boot 6.6 s, PDP context and socket 2.6 s, a
  packet 3.8 s, at any signal; how long it takes to connect, by coverage level and RSRP.
* 5,000 events of A. D. Robinson (Stellenbosch 2019, github.com/dan-leo/masters): from idle until a
  datagram of 16 to 512 B is out, and a tracking-area update, by coverage level.

Only medians and percentiles derived from them are here. How a session differs from the median one
is drawn for each (Luck); the profile of its currents draws with the same luck.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

from tools.virtual_c1100.profile import NB_IOT, Profile

NAME = "measured"


class Luck(NamedTuple):
    """Where a session lies among those that were measured, from 0, the least, to 1, the most.

    boot, search, connected -- currents; search_s -- how long it takes to connect
    """

    boot: float = 0.5
    search_s: float = 0.5
    search: float = 0.5
    connected: float = 0.5


class Spread(NamedTuple):
    """What 10 %, half and 90 % of the sessions do not exceed."""

    low: float
    middle: float
    high: float

    def at(self, share: float) -> float:
        """What so great a share does not exceed: straight lines through the three."""
        end = self.low if share < 0.5 else self.high
        return self.middle + (end - self.middle) * abs(share - 0.5) / 0.4


class Place(NamedTuple):
    """Where sessions were measured: coverage level, RSRP in dBm from, to; None: all of the level.

    connect_s -- from the radio's start until registered
    """

    level: int
    rsrp: tuple[int, int] | None
    connect_s: Spread


PLACES = (
    Place(0, None, Spread(2.5, 4.2, 7.2)),
    Place(1, None, Spread(4.1, 7.2, 10.2)),
    Place(2, None, Spread(7.4, 14.2, 20.8)),
    Place(0, (-105, -70), Spread(2.3, 4.1, 6.9)),
    Place(0, (-115, -106), Spread(4.1, 4.7, 7.1)),
    Place(0, (-120, -116), Spread(3.8, 5.1, 8.0)),
    Place(1, (-125, -116), Spread(4.1, 7.2, 9.6)),
    Place(1, (-130, -126), Spread(4.1, 7.2, 11.8)),
    Place(2, (-130, -121), Spread(5.8, 11.6, 16.2)),
    Place(2, (-137, -131), Spread(10.4, 15.2, 26.0)),
)
USUAL_S = PLACES[0].connect_s.middle  # a network in which it takes longer does so everywhere


def nearest(places: Iterable[Any], level: int, rsrp: int | None) -> Any:
    """The place of a coverage level to which an RSRP belongs, or is nearest; the whole level where
    none is known. ValueError for a level at which nothing was measured.
    """
    found = [place for place in places if place.level == level]
    wanted = [place for place in found if (place.rsrp is None) == (rsrp is None)] or found
    if not wanted:
        raise ValueError(f"nothing was measured at coverage level {level}")
    if rsrp is None:
        return wanted[0]
    return min(wanted, key=lambda p: max(p.rsrp[0] - rsrp, rsrp - p.rsrp[1], 0) if p.rsrp else 0)


def connect_factor(level: int, rsrp: int | None, luck: Luck) -> float:
    """How many times as long as usual it takes to connect."""
    place: Place = nearest(PLACES, level, rsrp)
    return place.connect_s.at(luck.search_s) / USUAL_S


# Of the 6.6 s the last 2.4 are the SIM's (inferred: modules of this class show a UART by then, and
# the field gives it 5 s from the key on); the 2.6 s for context and socket are shared as in the
# assumed network (inferred). The session's 3.8 s of a packet are its program's, the same at any
# signal: the current is taken from it, the time of an exchange from Robinson's echoes, the medians
# of which are 0.46, 0.97 and 1.63 s at the three levels.
_LATENCY = {
    "boot": 4.2, "sim_ready": 2.4, "registration": USUAL_S, "pdp": 1.8, "mqtt_open": 0.8,
    "connect": 0.8, "mqtt_packet": 0.97, "packet": 0.97,
}  # fmt: skip
# Robinson's 16, 64, 128, 256 and 512 B: at level 0 1.46 s and 12.4 kbit/s, at level 1 2.63 s and
# 2.8 kbit/s, at level 2 2.87 s and 2.9 kbit/s meet all medians within 13 %. The mean currents of
# a phase have its transmissions in them, and connecting is all of attach.
_RADIO = {"repetition": (1.0, 1.8, 1.965), "slower": (1.0, 2.46, 2.176)}
_NB_IOT = {"uplink_bps": 12_400, "setup": 1.46, "attach": 0.0, "tau": 1.51, "tx_share": 0.0}


def applied(profile: Profile) -> Profile:
    """The profile in the measured network. What differs from the usual is the user's and stays."""
    usual = Profile()
    nb_iot = _changed(profile.radio.nb_iot, usual.radio.nb_iot, _NB_IOT)
    radio = _changed(profile.radio, usual.radio, _RADIO)
    return dataclasses.replace(
        profile,
        network=NAME,
        latency=_changed(profile.latency, usual.latency, _LATENCY),
        radio=dataclasses.replace(radio, nb_iot=nb_iot),
        cell=_changed(profile.cell, usual.cell, {"acts": (NB_IOT,)}),
    )


def _changed(part: Any, usual: Any, values: dict[str, Any]) -> Any:
    news = {k: v for k, v in values.items() if getattr(part, k) == getattr(usual, k)}
    return dataclasses.replace(part, **news)


def fitting(profile: Profile, usual: str = "assumed") -> Profile:
    """The profile in the network that it names, or in the `usual` one."""
    return applied(profile) if (profile.network or usual) == NAME else profile
