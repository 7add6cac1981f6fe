# The module `time` of a board: counters from the board's clock, calendar from its RTC, which
# starts at 2000-01-01 on power-up; the epoch is 2000 too, as on ESP32 and STM32.
import _port
import utime as _native
from _computing import free
from _port import (
    sleep,
    sleep_ms,
    sleep_us,
    ticks_add,
    ticks_cpu,
    ticks_diff,
    ticks_ms,
    ticks_us,
)

_EPOCH = 946684800  # 2000-01-01 in Unix time
_rtc_us = 0


def _set_rtc(us):
    """The calendar shows `us` microseconds since 2000 now. Returns the change."""
    global _rtc_us
    change = us - _now_us()
    _rtc_us += change
    return change


def _now_us():
    return _rtc_us + _port.now_us()


@free
def time():
    _port.spin()
    return _now_us() // 1000000


@free
def time_ns():
    _port.spin()
    return _now_us() * 1000


@free
def gmtime(s=None):
    return _native.gmtime((time() if s is None else int(s)) + _EPOCH)[:8]


localtime = gmtime


@free
def mktime(t):
    return int(_native.mktime(t)) - _EPOCH
