# The board's clock and lines in lockstep: time is what the host says, and moves only in wait().
#
# Computation takes no time. A program that polls in a tight loop (time readings, any(), pins)
# would stand still for ever, so each SPIN_CALLS such calls without a wait cost SPIN_US.
import struct

import _link

SPIN_CALLS = 200
SPIN_US = 2000
_PERIOD = 1 << 30  # the counters wrap as on a 32-bit board
_HALF = 1 << 29

lines = {}  # UART number -> its line
pins = {}  # pin number -> the Pin with an interrupt handler
_now = 0  # microseconds in this life
_calls = 0


def start(about):
    """Take over the host's description of this life; nothing in it concerns the clock."""


def now_us():
    return _now


def wait(us, uarts=0, light=0):
    """Let time pass: `us` microseconds (-1: no limit), or less.

    Ends early when bytes arrive at one of `uarts` (a bit for each number) and after any
    interrupt, whose handlers have then run. `light` = 1 in light sleep.
    """
    global _now, _calls
    _calls = 0
    _link.send("W", "qBB", us, uarts, light)
    data = _link.answer()
    _now = struct.unpack_from("<q", data)[0]
    at = 8
    while at < len(data):
        kind = data[at]
        if kind == 66:  # B
            n, length = struct.unpack_from("<BH", data, at + 1)
            at += 4
            lines[n].arrived(data[at : at + length])
            at += length
        elif kind == 76:  # L
            lines[data[at + 1]].idle()
            at += 2
        elif kind == 80:  # P
            pins[data[at + 1]].changed(data[at + 2])
            at += 3
        else:  # C
            raise KeyboardInterrupt


def spin():
    """A call that a busy loop would make has been made."""
    global _calls
    _calls += 1
    if _calls >= SPIN_CALLS:
        wait(SPIN_US)


def transmit(number, data):
    for at in range(0, len(data), 32768):
        _link.send_bytes("U", number, data[at : at + 32768])


def pull(number):
    """Bytes come with the answer to wait(), never between."""


def ticks_us():
    spin()
    return _now & (_PERIOD - 1)


ticks_cpu = ticks_us


def ticks_ms():
    spin()
    return _now // 1000 & (_PERIOD - 1)


def ticks_add(ticks, delta):
    return (ticks + delta) & (_PERIOD - 1)


def ticks_diff(a, b):
    return ((a - b + _HALF) & (_PERIOD - 1)) - _HALF


def sleep_us(us):
    end = _now + us
    while _now < end:
        wait(end - _now)


def sleep_ms(ms):
    sleep_us(ms * 1000)


def sleep(s):
    sleep_us(int(s * 1000000))
