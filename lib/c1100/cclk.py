"""The network's time as +CCLK tells it (TS 27.007 8.15). Sans-IO."""

from micropython import const

_EPOCH_2000 = const(946684800)  # in Unix time
_LAST_ZONE = const(96)  # quarters of an hour


def parse(text: str) -> int | None:
    """``yy/MM/dd,hh:mm:ss±zz``, local time and its zone in quarters of an hour, as Unix time. The
    year may have four digits, the zone may be missing; blanks and quotes do not count. None for
    what is no time, or one before 2000 or after 2099.
    """
    for c in ' "':
        text = text.replace(c, "")
    parts = text.split(",")  # of more than two, summer time may be the third: the zone has it
    if len(parts) < 2:
        return None
    sign = "-" if "-" in parts[1] else "+"
    shown, zoned, zone = parts[1].partition(sign)
    date = _numbers(parts[0], "/", 3)
    clock = _numbers(shown, ":", 3)
    zones = _numbers(zone, ":", 1) if zoned else [0]
    if date is None or clock is None or zones is None:
        return None
    year, month, day = date
    if year < 100:
        year += 2000 if year < 70 else 1900
    hour, minute, second = clock
    zone = -zones[0] if sign == "-" else zones[0]
    if not 2000 <= year < 2100 or not 1 <= month <= 12 or not 1 <= day <= _days(year, month):
        return None
    if hour > 23 or minute > 59 or second > 60 or not -_LAST_ZONE <= zone <= _LAST_ZONE:
        return None
    # Days since 2000-01-01, in years that begin in March. 2100 is not seen by this firmware.
    moved = (month + 9) % 12
    years = year - 2000 - (month < 3)
    days = years * 365 + years // 4 + (moved * 153 + 2) // 5 + day + 59
    return _EPOCH_2000 + days * 86400 + hour * 3600 + minute * 60 + second - zone * 900


def _numbers(text: str, between: str, count: int) -> list | None:
    """So many numbers of two digits, the first also of four; None if that is not what it is."""
    parts = text.split(between)
    for part in parts:
        for c in part:
            if not "0" <= c <= "9":
                return None
        if len(part) != 2 and (len(part) != 4 or part is not parts[0] or between != "/"):
            return None
    return [int(part) for part in parts] if len(parts) == count else None


def _days(year: int, month: int) -> int:
    """Days of a month."""
    if month == 2:
        return 28 if year % 4 else 29  # holds until 2100
    return 30 if month in (4, 6, 9, 11) else 31
