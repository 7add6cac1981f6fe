# The board's clock and lines in lockstep: time is what the host says, and moves only in wait().
#
# What is computed takes time only where it is counted (_computing.py). So that a program which
# polls in a tight loop (time readings, any(), pins) does not stand still for ever, each SPIN_CALLS
# such calls without a wait cost SPIN_US.
import struct

import _computing
import _link
from _computing import free

SPIN_CALLS = 200
SPIN_US = 2000
_PERIOD = 1 << 30  # the counters wrap as on a 32-bit board
_HALF = 1 << 29

lines = {}  # UART number -> its line
pins = {}  # pin number -> the Pin with an interrupt handler
_now = 0  # microseconds in this life, without its computing
_calls = 0


def start(about):
    """Take over the host's description of this life; nothing in it concerns the clock."""


def now_us():
    return _now + _computing.us()


@free
def wait(us, uarts=0, light=0):
    """Let time pass: `us` microseconds (-1: no limit), or less.

    Ends early when bytes arrive at one of `uarts` (a bit for each number) and after any
    interrupt, whose handlers have then run. `light` = 1 in light sleep.
    """
    global _now, _calls
    _calls = 0
    _link.send("W", "qBB", us, uarts, light)
    data = _link.answer()
    _now = struct.unpack_from("<q", data)[0] - _computing.us()
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


@free
def transmit(number, data):
    for at in range(0, len(data), 32768):
        _link.send_bytes("U", number, data[at : at + 32768])


def pull(number):
    """Bytes come with the answer to wait(), never between."""


@free
def ticks_us():
    spin()
    return now_us() & (_PERIOD - 1)


ticks_cpu = ticks_us


@free
def ticks_ms():
    spin()
    return now_us() // 1000 & (_PERIOD - 1)


@free
def ticks_add(ticks, delta):
    return (ticks + delta) & (_PERIOD - 1)


@free
def ticks_diff(a, b):
    return ((a - b + _HALF) & (_PERIOD - 1)) - _HALF


@free
def sleep_us(us):
    end = now_us() + us
    while now_us() < end:
        wait(end - now_us())


@free
def sleep_ms(ms):
    sleep_us(ms * 1000)


@free
def sleep(s):
    sleep_us(int(s * 1000000))
