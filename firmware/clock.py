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
    """The answer to +CCLK as Unix time; None when the module does not know the time, or says what
    is none (c1100.cclk).
    """
    from c1100 import cclk  # in wakes that have a session

    return told(cclk.parse(text))


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
