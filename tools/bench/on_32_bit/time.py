# The module `time` of a board, on a clock that moves only when somebody waits.
from utime import gmtime as _gmtime
from utime import mktime as _mktime
from utime import ticks_add, ticks_diff

_EPOCH = 946684800  # 2000-01-01 in Unix time
_now_ms = 0  # since the start
_rtc_ms = 0  # since 2000, at the start


def pass_ms(ms):
    global _now_ms
    _now_ms += max(ms, 0)


sleep_ms = pass_ms


def set_rtc(ms):
    global _rtc_ms
    _rtc_ms = ms - _now_ms


def sleep(s):
    pass_ms(int(s * 1000))


def sleep_us(us):
    pass_ms(us // 1000)


def ticks_ms():
    return _now_ms & 0x1FFFFFFF


def ticks_us():
    return _now_ms * 1000 & 0x1FFFFFFF


ticks_cpu = ticks_us


def time():
    return (_rtc_ms + _now_ms) // 1000


def time_ns():
    return (_rtc_ms + _now_ms) * 1_000_000


def gmtime(s=None):
    return _gmtime((time() if s is None else int(s)) + _EPOCH)[:8]


localtime = gmtime


def mktime(t):
    return int(_mktime(t)) - _EPOCH
