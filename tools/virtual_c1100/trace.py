"""A readable record of every byte on the UART with its virtual time; secrets are masked.

One line is `<seconds of the first byte> <seconds of the last> <direction> <text>`: `>` to the
module, `<` from it, `!` what happened to the module. Line ends and other bytes that are no
printable ASCII are escaped as in Python.
"""

import re
from typing import TextIO

from tools.timeline import Timeline, Timer

GAP_S = 0.05  # a pause that ends a record in the middle of a line
LIMITS = {False: 256, True: 8192}  # bytes of one record; no command and no frame is cut

FLAG = 0x7E  # begins and ends a PPP frame (RFC 1662)
NO_FRAME = b"A+\r\n"  # what a DTE that has left PPP begins with

_LINE = rb"[^\r\n]*"
# Each with what stays as its first group. A command may follow another one on the same line.
_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # PIN, PUK, passwords of the SIM's facilities (27.007 8.3, 7.4, 7.5)
        rb"(\+\s*(?:CPIN2?|CLCK|CPWD)\s*=)" + _LINE,
        # of a PDP context (27.007 10.1.31), and how other firmware of this chip family has it
        rb"((?:\+\s*CGAUTH|\$\s*QCPDPP)\s*=)" + _LINE,
        # AT+LSMQTTCFG="password",... and what other keys may be called
        rb'("(?:password|psk|key|privatekey)"\s*,)' + _LINE,
        # HTTP headers, set by command or sent over a socket
        rb'(\+\s*LSHTTPHEADERINFO\s*=\s*"[^"\r\n]*(?:auth|cookie|key|token|secret)[^"\r\n]*"\s*,)'
        + _LINE,
        rb"((?:authorization|cookie)\s*:)" + _LINE,
        # a URL that is data behind a prompt
        rb"(://[^/\s:@]*:)[^/\s@]*(?=@)",
        rb"([?&][^=&\s]*(?:auth|key|token|secret|password)[^=&\s]*=)[^&\s#]*",
        # PPP: the PAP request (RFC 1334), its code escaped or not
        rb"(\xc0#)(?:\x01|}!)[^~]*",
    )
)


def masked(data: bytes) -> bytes:
    """`data`, a whole line or PPP frame, without PIN, PUK, password and key."""
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
        self._framed = False  # the DTE speaks PPP

    def bytes(self, direction: str, data: bytes) -> None:
        """`data` has arrived now. `direction`: ">" to the module, "<" from it."""
        for byte in data:
            record = self._open.setdefault(direction, bytearray())
            framed = self._framed and direction == ">"
            if not framed and record.endswith(b"\r") and byte != 10 and record.strip(b"\r\n"):
                self._write(direction)
                record = self._open.setdefault(direction, bytearray())
            if direction == ">" and not record:
                # Frames share the flag between them, so the next one may begin without.
                framed = self._framed = byte == FLAG or (self._framed and byte not in NO_FRAME)
            if not record:
                self._first[direction] = self._timeline.now_us
            self._last[direction] = self._timeline.now_us
            record.append(byte)
            if framed:
                ended = byte == FLAG and len(record) > 1
            else:
                ended = byte == (13 if direction == ">" else 10) and record.strip(b"\r\n")
            if ended or len(record) >= LIMITS[framed or _is_command(record)]:
                self._write(direction)
        if timer := self._timers.pop(direction, None):
            timer.cancel()
        record = self._open.get(direction)
        # A frame, and a command being typed by hand, stays whole: masking needs to see all of it.
        whole = direction == ">" and self._framed
        if record and not whole and (not _is_command(record) or record.endswith(b"\r")):
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


def _is_command(record: bytearray) -> bool:
    """Whether a command has begun, perhaps behind noise."""
    return b"AT" in record.upper() or record[-1:].upper() == b"A"
