"""What a node counts of itself between two health records: a line of text for each session.

    H <clock of the next record> <JSON>      what health.py has made of all lines before
    R <cause> <clock>                        a restart
    T <seconds>                              the clock was set by so much
    S <error or -> <connect, s/10> <session, s> <sent> <received> <refused> <waiting> <writes>
      <next number> <mV at rest> <mV while transmitting>

Loaded at the end of a session, at a restart, and when the clock is set, where ``health.period_s``
is not 0. One write of flash for each; health.py makes one line of them when they are many.
"""

import os

from micropython import const

from . import files, log

FILE = "tally"
BYTES = const(3072)  # then they become one line
_seen = 0  # of files.writes


def add(kind: str, *values) -> None:
    """Note a line. What flash does not take is not counted."""
    try:
        with open(FILE, "ab") as file:
            file.write(("%s %s\n" % (kind, " ".join([str(value) for value in values]))).encode())
        is_long = os.stat(FILE)[6] > BYTES
    except OSError as error:
        log.tell("%s cannot be written: %s", FILE, error)
        return
    if is_long:
        from . import health

        health.shorten()


def read() -> bytes:
    """All lines; b"" where there are none that can be read."""
    try:
        return files.read(FILE) or b""
    except OSError as error:
        log.tell("%s cannot be read: %s", FILE, error)
        return b""


def due(lines: bytes) -> int:
    """Clock of the next health record; 0: it is due, as there is none yet, after a restart, or
    where that is damaged.
    """
    if lines[:2] != b"H " or b"\nR " in lines:
        return 0
    try:
        return int(lines[2 : lines.find(b" ", 2)])
    except ValueError:
        return 0


def is_due(now_s: int, period_s: int) -> bool:
    """Whether a health record is: the first one, after a restart, or once its time has come."""
    return not 0 < due(read()) - now_s <= period_s


def session(node, error: str, connect_s: float, lasted_s: int) -> None:
    """A session is over. error -- why the report has failed, "" if it has not"""
    global _seen
    writes, _seen = files.writes - _seen, files.writes
    add(
        "S",
        error or "-",
        int(connect_s * 10),
        lasted_s,
        node.sent,
        node.received,
        node.refused,
        node.waiting,
        writes,
        node.outbox.next,
        int(node.rest_v * 1000),
        int(node.load_v * 1000),
    )
    node.sent = node.received = node.refused = 0
