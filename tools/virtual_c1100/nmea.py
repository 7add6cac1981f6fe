"""NMEA 0183 sentences of a moving receiver, made with pynmea2."""

import math
import time
from dataclasses import dataclass

import pynmea2

from tools.virtual_c1100.profile import Track

EARTH_M = 6_371_000.0
KNOT_M_S = 1852 / 3600
GSV_ROWS = 4  # satellites per GSV sentence
SYSTEMS = ("GP", "GL", "GB")  # GPS, GLONASS, BeiDou (manual, tables 3 and 4; talkers inferred)

# talker, satellite id, elevation and azimuth in degrees, signal to noise ratio in dB, used
SKY = (
    ("GP", "10", 63, 137, 37, True), ("GP", "07", 61, 98, 35, True),
    ("GP", "05", 59, 290, 40, True), ("GP", "08", 54, 157, 30, True),
    ("GP", "02", 21, 45, 28, True), ("GP", "13", 9, 210, 15, False),
    ("GL", "65", 33, 53, 27, True), ("GL", "72", 20, 1, 22, True),
    ("GL", "88", 62, 210, 31, True), ("GB", "06", 33, 53, 27, True),
    ("GB", "09", 20, 1, 25, True), ("GB", "14", 48, 175, 33, True),
)  # fmt: skip
STRONGEST = max(row[4] for row in SKY)
LEAST = 8  # dB-Hz: below it a receiver does not follow a satellite (inferred)
HDOP, PDOP, VDOP = "1.03", "1.72", "1.38"


@dataclass(frozen=True)
class Position:
    """Where the receiver is: degrees, metres above sea level, metres per second, degrees."""

    latitude: float
    longitude: float
    altitude: float
    speed: float
    course: float


def position(track: Track, seconds: float) -> Position:
    """Where the track is after `seconds`: a straight line, or a circle when it turns."""
    turn = math.radians(track.turn)
    start = math.radians(track.course)
    if turn:
        north = (math.sin(start + turn * seconds) - math.sin(start)) / turn * track.speed
        east = (math.cos(start) - math.cos(start + turn * seconds)) / turn * track.speed
    else:
        north = math.cos(start) * track.speed * seconds
        east = math.sin(start) * track.speed * seconds
    scale = math.cos(math.radians(track.latitude))
    return Position(
        track.latitude + math.degrees(north / EARTH_M),
        track.longitude + math.degrees(east / (EARTH_M * scale)),
        track.altitude + track.climb * seconds,
        track.speed,
        math.degrees(start + turn * seconds) % 360,
    )


def epoch(
    unix: float, where: Position | None, cn0: float = STRONGEST, gsv: bool = True
) -> list[str]:
    """All sentences of one second; `where` None while there is no fix.

    cn0 -- dB-Hz of the strongest satellite; gsv -- whether satellites in view are told
    """
    clock = time.gmtime(unix)
    day = time.strftime("%d%m%y", clock)
    moment = time.strftime("%H%M%S", clock) + f".{int(unix % 1 * 100):02}"
    sentences = _position_sentences(moment, day, where)
    for system in SYSTEMS:
        used = [row[1] for row in SKY if row[0] == system and row[5]] if where else []
        ids = tuple(used + [""] * (12 - len(used)))
        dops = (PDOP, HDOP, VDOP) if where else ("99.9", "99.9", "99.9")
        sentences.append(str(pynmea2.GSA("GN", "GSA", ("A", "3" if where else "1", *ids, *dops))))
    for system in SYSTEMS if gsv else ():
        sentences += _in_view(system, cn0 - STRONGEST)
    return sentences


def _position_sentences(moment: str, day: str, where: Position | None) -> list[str]:
    if where is None:
        rmc = (moment, "V", "", "", "", "", "", "", day, "", "", "N")
        gga = (moment, "", "", "", "", "0", "00", "99.9", "", "M", "", "M", "", "")
        vtg = ("", "T", "", "M", "", "N", "", "K", "N")
    else:
        place = (*_angle(where.latitude, 2, "NS"), *_angle(where.longitude, 3, "EW"))
        knots, course = f"{where.speed / KNOT_M_S:.3f}", f"{where.course:.2f}"
        used = sum(row[5] for row in SKY)
        rmc = (moment, "A", *place, knots, course, day, "", "", "A")
        gga = (moment, *place, "1", f"{used:02}", HDOP, f"{where.altitude:.1f}", "M", "48.0",
               "M", "", "")  # fmt: skip
        vtg = (course, "T", "", "M", knots, "N", f"{where.speed * 3.6:.3f}", "K", "A")
    return [
        str(pynmea2.RMC("GN", "RMC", rmc)),
        str(pynmea2.VTG("GN", "VTG", vtg)),
        str(pynmea2.GGA("GN", "GGA", gga)),
    ]


def _in_view(system: str, weaker: float) -> list[str]:
    rows = [row for row in SKY if row[0] == system]
    count = -(-len(rows) // GSV_ROWS)
    sentences = []
    for n in range(count):
        fields = [str(count), str(n + 1), f"{len(rows):02}"]
        for _, number, elevation, azimuth, ratio, _ in rows[n * GSV_ROWS : (n + 1) * GSV_ROWS]:
            cn0 = round(ratio + weaker)
            shown = f"{cn0:02}" if cn0 >= LEAST else ""
            fields += [number, f"{elevation:02}", f"{azimuth:03}", shown]
        sentences.append(str(pynmea2.GSV(system, "GSV", tuple(fields))))
    return sentences


def _angle(degrees: float, width: int, signs: str) -> tuple[str, str]:
    """`ddmm.mmmmm` and the hemisphere."""
    whole, minutes = divmod(round(abs(degrees) * 60, 5), 60)
    return f"{int(whole):0{width}}{minutes:08.5f}", signs[degrees < 0]
