"""A serial line to a module, in plain blocking calls; it remembers what the module said."""

import re
import time
from collections.abc import Iterator

import serial

from tools.probe.driver import at

IDENTITY = re.compile(r"\b\d{15,20}\b")  # IMEI, IMSI, ICCID
ENDS = re.compile(rb"[\r\n]+")
PAUSE_S = 0.02
ASK_S = 3.0
GUARD_S = 1.2  # of silence around +++


class Mute(Exception):
    """The port is there, but nobody answers."""


class Line:
    """port -- as pyserial takes it; secrets -- texts that never get into a transcript"""

    def __init__(self, port: str, baud: int, secrets: tuple[str, ...] = ()) -> None:
        self._port = serial.serial_for_url(port, baud, timeout=PAUSE_S, write_timeout=5)
        self._secrets = tuple(text for text in secrets if text)
        self._rest = b""
        self.heard: list[str] = []  # lines that belong to no command: URCs

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def masked(self, text: str) -> str:
        """A text without secrets, and without what identifies module and SIM."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return IDENTITY.sub(lambda found: "0" * len(found[0]), text)

    def find(self, limit_s: float) -> None:
        """Get an answer to AT. Raises Mute when there is none."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            self.send(b"AT\r")
            for line in self.lines(1.0):
                if at.result(line) is not None:
                    self.drain(0.2)
                    return
        raise Mute(
            f"nothing answers AT in {limit_s:g} s: is the module on (power key), is it the right "
            "port and rate (--baud), are RX and TX the right way round?"
        )

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self._port.write(data)
        self._port.flush()

    def leave_data_mode(self, escape: bytes) -> None:
        """Silence, the escape, silence."""
        time.sleep(GUARD_S)
        self.send(escape)
        time.sleep(GUARD_S)

    def skip(self, count: int, seconds: float) -> None:
        """Take raw bytes that are no lines; fewer if they do not come in time."""
        end = time.monotonic() + seconds
        # The line before them may have ended with CR LF, of which only the CR was there.
        while time.monotonic() < end and len(self._rest.removeprefix(b"\n")) < count:
            self._rest += self._port.read(4096)
        self._rest = self._rest.removeprefix(b"\n")[count:]

    def drain(self, seconds: float) -> list[str]:
        """What comes within so many seconds and belongs to no command."""
        found = list(self.lines(seconds))
        self.heard += [self.masked(text) for text in found]
        return found

    def ask(self, command: str) -> list[str]:
        """The lines that answer a command, up to its result code."""
        self.send(f"AT{command}\r".encode())
        said = []
        for text in self.lines(ASK_S):
            said.append(text)
            if at.result(text) is not None or at.prefix(text) == "+CME ERROR":
                break
        return said

    def lines(self, seconds: float, prompt: bool = False) -> Iterator[str]:
        """Lines as they come, for so many seconds; with `prompt` also ">", which has no end."""
        end = time.monotonic() + seconds
        while True:
            while found := ENDS.search(self._rest):
                raw, self._rest = self._rest[: found.start()], self._rest[found.end() :]
                if raw:
                    yield at.text(raw)
            if prompt and self._rest.strip() == b">":
                self._rest = b""
                yield ">"
            if time.monotonic() > end:
                return
            self._rest += self._port.read(4096)
