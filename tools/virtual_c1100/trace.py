"""A readable record of every byte on the UART with its virtual time; secrets are masked.

One line is `<seconds of the first byte> <seconds of the last> <direction> <text>`: `>` to the
module, `<` from it, `!` what happened to the module. Line ends and other bytes that are no
printable ASCII are escaped as in Python.
"""

import re
from typing import TextIO

from tools.timeline import Timeline, Timer

GAP_S = 0.05  # a pause that ends a record in the middle of a line
LIMITS = {False: 256, True: 8192}  # bytes of one record; a command line is never cut

_SECRETS = (
    re.compile(rb'(AT\s*\+\s*CPIN\s*=)([^\r\n]*)', re.IGNORECASE),
    re.compile(rb'("(?:password|psk|key|privatekey)"\s*,)([^\r\n]*)', re.IGNORECASE),
)  # fmt: skip


def masked(data: bytes) -> bytes:
    """`data` without PIN, PUK, password and key."""
    for pattern in _SECRETS:
        data = pattern.sub(rb"\1***", data)
    return data


class Trace:
    """Writes to `file` until `close`."""

    def __init__(self, timeline: Timeline, file: TextIO) -> None:
        self._timeline = timeline
        self._file = file
        self._open: dict[str, bytearray] = {}
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._timers: dict[str, Timer] = {}

    def bytes(self, direction: str, data: bytes) -> None:
        """`data` has arrived now. `direction`: ">" to the module, "<" from it."""
        for byte in data:
            record = self._open.setdefault(direction, bytearray())
            if record.endswith(b"\r") and byte != 10 and record.strip(b"\r\n"):
                self._write(direction)
                record = self._open.setdefault(direction, bytearray())
            if not record:
                self._first[direction] = self._timeline.now_us
            self._last[direction] = self._timeline.now_us
            record.append(byte)
            command = record[:2].upper() == b"AT"
            ended = byte == (13 if direction == ">" else 10) and record.strip(b"\r\n")
            if ended or len(record) >= LIMITS[command]:
                self._write(direction)
        if timer := self._timers.pop(direction, None):
            timer.cancel()
        record = self._open.get(direction)
        # A command being typed by hand stays whole: masking needs to see all of it.
        if record and (record[:2].upper() not in (b"A", b"AT") or record.endswith(b"\r")):
            self._timers[direction] = self._timeline.call_later(
                round(GAP_S * 1e6), lambda: self._write(direction)
            )

    def event(self, text: str) -> None:
        """Something happened to the module."""
        self.flush()
        now = self._timeline.now_us / 1e6
        self._file.write(f"{now:.6f} {now:.6f} ! {text}\n")

    def flush(self) -> None:
        """Write what is there of unfinished lines."""
        for direction in sorted(self._open):
            self._write(direction)
        self._file.flush()

    def close(self) -> None:
        """Write the rest and close the file."""
        self.flush()
        self._file.close()

    def _write(self, direction: str) -> None:
        data = bytes(self._open.pop(direction, b""))
        if not data:
            return
        first, last = self._first[direction] / 1e6, self._last[direction] / 1e6
        text = repr(masked(data))[2:-1].replace('\\"', '"')
        self._file.write(f"{first:.6f} {last:.6f} {direction} {text}\n")
