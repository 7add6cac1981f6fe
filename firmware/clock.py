"""The node's clock: the board's calendar, set by what the node is told.

Seconds of the board's clock count from the port's own epoch, 2000 or 1970; only `unix` is of use
outside. Who tells the time, a network or a server, may be wrong: all that is told is judged here.
"""

import time

from micropython import const

# No true time is before the firmware was made. Recorded for a release; never later than its day,
# nor than the day at which the virtual module's clock begins.
BUILT = const(1699920000)  # 2023-11-14
_END = const(4102444800)  # 2100-01-01
_UNITS = (1, 1000, 1000000, 1000000000)  # their ranges, BUILT to _END, do not meet
_EPOCH_2000 = const(946684800)  # in Unix time
_LAST_ZONE = const(96)  # quarters of an hour (27.007 8.15)
_STEP_S = const(2)  # the network's answer has whole seconds, and takes its time
_SLACK_S = const(30)  # an answer that was long under way
_DRIFT = const(20)  # a board's clock is off by one part in so many: an RC oscillator asleep


def now_s() -> int:
    """Seconds of the board's clock, as the scheduler wants them."""
    return int(time.time())


def unix(now_s: int) -> int | None:
    """Unix time of a reading of the clock; None while the clock has not been set."""
    known = now_s + epoch()
    return known if BUILT <= known < _END else None


# What is told ---------------------------------------------------------------------------------


def told(value) -> int | None:
    """Unix time in seconds from a number that somebody has told, of whatever type; None: it is no
    time. Milliseconds, microseconds and nanoseconds are known by their size; a number with a point
    is not taken, because boards with floats of 32 bits have minutes between two of them.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        for unit in _UNITS:
            if BUILT <= value // unit < _END:
                return value // unit
    return None


def parse(text: str) -> int | None:
    """``yy/MM/dd,hh:mm:ss±zz`` (+CCLK, 27.007 8.15; local time, zone in quarters of an hour) as
    Unix time. The year may have four digits, the zone may be missing; blanks and quotes do not
    count. None when the module does not know the time, or says what is none.
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
    return told(_EPOCH_2000 + days * 86400 + hour * 3600 + minute * 60 + second - zone * 900)


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


# What is done about it ------------------------------------------------------------------------


def doubtful(state, known: int, now_s: int) -> bool:
    """Whether a time that was told is not to be believed yet.

    A clock that was never set takes any. One that was set may be off by its drift since then; what
    is off by more is believed when it is told a second time, by another or in another session.
    """
    step = known - epoch() - now_s
    before, state.doubt = state.doubt, 0
    unset = not state.synced or now_s + epoch() < BUILT
    if unset or _may_be(step, now_s - state.synced):
        return False
    since_s = ((now_s // 60 - state.doubted + 1) & 0xFFFF) * 60
    if before and _may_be(difference(step, before), since_s):
        return False
    state.doubt = step & 0xFFFFFFFF or 1
    state.doubted = now_s // 60 & 0xFFFF
    return True


def _may_be(step: int, since_s: int) -> bool:
    """Whether a clock may be off by so much after so long."""
    return abs(step) <= _SLACK_S + max(since_s, 0) // _DRIFT


def difference(a: int, b: int) -> int:
    """a - b on a clock of 32 bits, or of numbers that are kept in so many."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def correct(board, known: int, now_s: int) -> int:
    """Compare the clock with a Unix time that is believed, and set it if it is off by more than
    the comparison is worth.

    Returns the step in seconds; 0 when the clock was left alone.
    """
    step = known - epoch() - now_s
    if -_STEP_S < step < _STEP_S:
        return 0
    try:
        utc = time.gmtime(now_s + step)
    except (OverflowError, ValueError):  # behind the end of the port's calendar
        return 0
    board.set_clock(utc)
    return step


def epoch() -> int:
    """The beginning of the board's clock in Unix time."""
    return 0 if time.gmtime(0)[0] == 1970 else _EPOCH_2000
