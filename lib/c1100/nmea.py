"""NMEA 0183 sentences: a position out of GGA and RMC, in whole numbers.

Sans-IO. Boards have floats of 32 bits, in which 121.473667 degrees is 121.4737: up to 5.5 m off.
So nothing here is a float until somebody asks a Fix for one.
"""

from micropython import const

_DEGREE = const(10000000)  # positions count 1e-7 degrees: a centimetre
_CENTURY_TURNS = const(80)  # GPS time begins in 1980
_KNOT_UM_S = const(514444)
# Quality of GGA and mode of RMC that stand for satellites. Not: estimated by dead reckoning,
# entered by hand, simulated.
_QUALITIES = ("1", "2", "3", "4", "5", "9")
_MODES = ("A", "D", "F", "P", "R")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# attribute: (where the whole number stands, how many of it are one)
_SCALES = {
    "latitude": ("latitude_e7", _DEGREE),
    "longitude": ("longitude_e7", _DEGREE),
    "altitude": ("altitude_mm", 1000),
    "speed": ("speed_um_s", 1000000),
    "course": ("course_cdeg", 100),
    "hdop": ("hdop_e2", 100),
}
_ORDER = ("time", "latitude", "longitude", "altitude", "speed", "course", "satellites", "hdop")


class Fix:
    """A position. It is also the tuple (time, latitude, longitude, altitude, speed, course,
    satellites, hdop).

    time      -- (year, month, day, hour, minute, second) in UTC, as the receiver tells it: 1980 or
                 2006 where it does not know
    latitude_e7, longitude_e7 -- 1e-7 degrees, north and east positive
    altitude_mm -- above mean sea level, speed_um_s, course_cdeg -- 0.01 degrees, hdop_e2 -- 0.01;
                 None where unknown

    latitude, longitude (degrees), altitude (m), speed (m/s), course (degrees) and hdop are the
    same as floats, with the digits that the board's floats have.
    """

    def __init__(
        self, moment: tuple, latitude: int, longitude: int, altitude: int | None = None,
        speed: int | None = None, course: int | None = None, satellites: int = 0,
        hdop: int | None = None,
    ) -> None:  # fmt: skip
        self.time = moment
        self.latitude_e7 = latitude
        self.longitude_e7 = longitude
        self.altitude_mm = altitude
        self.speed_um_s = speed
        self.course_cdeg = course
        self.satellites = satellites
        self.hdop_e2 = hdop

    def __getattr__(self, name: str) -> float | None:
        if name not in _SCALES:
            raise AttributeError(name)
        kept, scale = _SCALES[name]
        whole = getattr(self, kept)
        return None if whole is None else whole / scale

    def __getitem__(self, index):
        if isinstance(index, slice):
            return tuple([self[i] for i in range(8)])[index]
        return getattr(self, _ORDER[index])

    def __len__(self) -> int:
        return len(_ORDER)


def sentence(line: str) -> list | None:
    """The fields of a sentence, ``GNGGA`` first; None if it has no right checksum."""
    star = line.rfind("*")
    if line[:1] != "$" or star < 0:
        return None
    told = line[star + 1 :].strip()
    total = 0
    for c in line[1:star]:
        total ^= ord(c)
    if told.upper() != "%02X" % total:
        return None
    return line[1:star].split(",")


def combine(gga: list | None, rmc: list | None) -> Fix | None:
    """A Fix from the GGA and RMC sentences of one moment; None unless both are valid and mean
    satellites. A right checksum says nothing about what stands in a sentence.
    """
    if gga is None or rmc is None or len(gga) < 10 or len(rmc) < 10:
        return None
    moment = _moment(rmc[9], rmc[1])
    if moment is None or _clock(gga[1]) != _clock(rmc[1]):
        return None
    if rmc[2] != "A" or gga[6] not in _QUALITIES or (len(rmc) > 12 and rmc[12] not in _MODES):
        return None
    latitude = _degrees(rmc[3], 2, 90, rmc[4], "NS")
    longitude = _degrees(rmc[5], 3, 180, rmc[6], "EW")
    # Where both are 0 there is water, and a receiver that prints zeros for what it does not know.
    if latitude is None or longitude is None or not (latitude or longitude):
        return None
    knots = scaled(rmc[7], 6)
    return Fix(
        moment,
        latitude,
        longitude,
        scaled(gga[9], 3),
        None if knots is None or knots < 0 else knots * _KNOT_UM_S // 1000000,
        scaled(rmc[8], 2),
        int(gga[7]) if _is_number(gga[7]) else 0,
        scaled(gga[8], 2),
    )


def scaled(text: str, places: int) -> int | None:
    """Decimal text times 10 to the power of places, rounded: ``-48.05``, 1 -> -481. None if it
    is no plain number (``nan``, ``1e5``, ````).
    """
    sign = -1 if text[:1] == "-" else 1
    whole, _, part = (text[1:] if sign < 0 else text).partition(".")
    if not _is_number(whole) or (part and not _is_number(part)):
        return None
    digits = (part + "0" * (places + 1))[: places + 1]
    return sign * ((int(whole + digits) + 5) // 10)


def _is_number(text: str) -> bool:
    """Whether text is digits and nothing else, and not absurdly many."""
    return 0 < len(text) <= 12 and all("0" <= c <= "9" for c in text)


def _degrees(text: str, width: int, most: int, half: str, halves: str) -> int | None:
    """``ddmm.mmmm`` or ``dddmm.mmmm`` in 1e-7 degrees; None if that is no place on Earth.

    width -- digits of the degrees; half, halves -- ``S`` of ``NS``: the second is negative
    """
    whole = text.partition(".")[0]
    if len(whole) != width + 2 or not _is_number(whole) or len(half) != 1 or half not in halves:
        return None
    minutes = scaled(text[width:], 7)
    if minutes is None or minutes >= 60 * _DEGREE:
        return None
    value = int(whole[:width]) * _DEGREE + (minutes + 30) // 60
    if value > most * _DEGREE:
        return None
    return -value if half == halves[1] else value


def _clock(text: str) -> int | None:
    """``hhmmss``, ``hhmmss.ss`` or ``hhmmss.sss`` as hhmmss * 1000: all are equal."""
    return scaled(text, 3) if len(text.partition(".")[0]) == 6 else None


def _moment(date: str, clock: str) -> tuple | None:
    """``ddmmyy`` and ``hhmmss`` as (year, month, day, hour, minute, second); None if there is no
    such moment.
    """
    now = _clock(clock)
    if now is None or len(date) != 6 or not _is_number(date):
        return None
    hour, minute, second = now // 10000000, now // 100000 % 100, now // 1000 % 100
    day, month, year = int(date[:2]), int(date[2:4]), int(date[4:])
    year += 1900 if year >= _CENTURY_TURNS else 2000
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1]:
        return None
    if month == 2 and day == 29 and year % 4:  # 2000 is a leap year, 1900 and 2100 cannot be told
        return None
    if hour > 23 or minute > 59 or second > 60:
        return None
    return year, month, day, hour, minute, second
