"""The node's clock: the board's calendar, set by the network's.

Seconds of the board's clock count from the port's own epoch, 2000 or 1970; only `unix` is of use
outside.
"""

import time

from micropython import const

_EPOCH_2000 = const(946684800)  # in Unix time
_LEAST_YEAR = const(21)  # a module that does not know the time shows 1970, 1980 or 2000
_STEP_S = const(2)  # the network's answer has whole seconds, and takes its time


def now_s() -> int:
    """Seconds of the board's clock, as the scheduler wants them."""
    return int(time.time())


def unix(now_s: int) -> int | None:
    """Unix time of a reading of the clock; None while the clock has not been set."""
    return now_s + _epoch() if time.gmtime(now_s)[0] >= 2000 + _LEAST_YEAR else None


def parse(text: str) -> int | None:
    """``yy/MM/dd,hh:mm:ss±zz`` (+CCLK, 27.007 8.15; local time, zone in quarters of an hour) as
    Unix time; None when the module does not know the time.
    """
    try:
        year, month, day = [int(part) for part in text[:8].split("/")]
        hour, minute, second = [int(part) for part in text[9:17].split(":")]
        zone = int(text[17:]) if len(text) > 17 else 0
    except ValueError:
        return None
    if not _LEAST_YEAR <= year < 70:
        return None
    # Days since 2000-01-01, in years that begin in March. 2100 is not seen by this firmware.
    moved = (month + 9) % 12
    years = year - (month < 3)
    days = years * 365 + years // 4 + (moved * 153 + 2) // 5 + day + 59
    return _EPOCH_2000 + days * 86400 + hour * 3600 + minute * 60 + second - zone * 900


def correct(board, known: int, now_s: int) -> int:
    """Compare the clock with a Unix time that is known to be right, and set it if it is off by
    more than the comparison is worth.

    Returns the step in seconds; 0 when the clock was left alone.
    """
    step = known - _epoch() - now_s
    if -_STEP_S < step < _STEP_S:
        return 0
    board.set_clock(time.gmtime(now_s + step))
    return step


def _epoch() -> int:
    """The beginning of the board's clock in Unix time."""
    return 0 if time.gmtime(0)[0] == 1970 else _EPOCH_2000
