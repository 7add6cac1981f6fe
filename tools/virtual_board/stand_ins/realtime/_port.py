# The board's clock and lines in real time: the host's clock, and a tty for each UART.
import utime
from utime import (
    sleep,
    sleep_ms,
    sleep_us,
    ticks_add,
    ticks_cpu,
    ticks_diff,
    ticks_ms,
    ticks_us,
)

_SLICE_US = 1000

lines = {}  # UART number -> its line
pins = {}  # pin number -> the Pin with an interrupt handler; nothing is wired to pins
_start_ns = utime.time_ns()
_ttys = {}
_chunk = bytearray(256)


def start(about):
    """Open the descriptors that the host has passed for the UARTs."""
    for number, fd in about["uarts"].items():
        _ttys[int(number)] = open(fd, "r+b")


def now_us():
    return (utime.time_ns() - _start_ns) // 1000


def wait(us, uarts=0, light=0):
    """Let at most a millisecond pass; line-idle handlers run when a line has gone quiet."""
    sleep_us(_SLICE_US if us < 0 else min(us, _SLICE_US))
    for number, line in lines.items():
        if line.irq_wanted and not pull(number) and line.busy:
            line.idle()


def spin():
    pass


def transmit(number, data):
    tty = _ttys.get(number)
    at = 0
    while tty and at < len(data):
        n = tty.write(data[at:])
        if n is None:
            sleep_us(_SLICE_US)  # nobody reads the other end at the moment
        else:
            at += n


def pull(number):
    """Move what has arrived into the line's buffer. Returns whether anything had."""
    tty = _ttys.get(number)
    some = False
    while tty:
        n = tty.readinto(_chunk)
        if not n:
            return some
        some = True
        lines[number].arrived(memoryview(_chunk)[:n])
    return some
