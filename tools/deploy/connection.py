"""A board at a serial port, driven by mpremote.

mpremote is used as a library, not as a command: opening the port resets many boards, so all steps
share one connection, one round trip hashes all files, and the progress is ours to show. Its
version is pinned, because that interface may still change.
"""

import ast
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import cast

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from tools.deploy import DeployError

LEAST_VERSION = (1, 24)
RETRY_S = 0.5
KNOCK_S = 0.1
RAW_S = 5
READ_S = 10.0  # a board that erases flash may be silent for a while
PART = "deploy.part"  # a file on the board that is not complete yet

_ABOUT = """\
import sys, os
try:
 import machine
 u = machine.unique_id().hex()
except (ImportError, AttributeError):
 u = ''
try:
 s = os.statvfs(os.getcwd())
 free = s[0] * s[3]
except (OSError, AttributeError):
 free = -1
i = sys.implementation
print(repr((i[0], tuple(i[1][:3]), getattr(i, '_mpy', 0), getattr(i, '_machine', ''),
 sys.platform, u, free)))
"""
_HASHES = """\
import os
from hashlib import sha256
b = memoryview(bytearray(512))
def h(p):
 d = sha256()
 with open(p, 'rb') as f:
  while True:
   n = f.readinto(b)
   if not n:
    return d.digest().hex()
   d.update(b[:n])
def t(p):
 try:
  s = os.stat(p)
 except OSError:
  return
 if s[0] & 0x4000:
  print(repr((p, None)))
  for e in os.ilistdir(p):
   t(p + '/' + e[0])
 else:
  print(repr((p, h(p))))
"""
_ERRORS = (TransportError, serial.SerialException, OSError)


@dataclass(frozen=True)
class About:
    """What a board says of itself. `free`: bytes of its file system, None where it cannot tell."""

    implementation: str
    version: tuple[int, ...]
    mpy: int
    machine: str
    platform: str
    unique_id: str
    free: int | None


class Connection:
    """An interrupted board, its prompt in raw mode. A context manager.

    port -- as mpremote takes it: a device, or an URL such as socket://host:port
    wait_s -- seconds in which the board may appear and answer; one that sleeps is met at its wake

    Raises DeployError when it does not.
    """

    def __init__(self, port: str, wait_s: float = 10) -> None:
        # mpremote knows a PTY by its own name, not by a link to it.
        self.port = os.path.realpath(port) if os.path.islink(port) else port
        deadline = time.monotonic() + wait_s
        while True:
            try:
                self._transport = self._open(deadline)
                return
            except _ERRORS as error:
                if time.monotonic() > deadline:
                    raise DeployError(self._why_not(error)) from error
            time.sleep(RETRY_S)

    def _open(self, deadline: float) -> SerialTransport:
        transport = SerialTransport(self.port)
        try:
            port = _serial(transport)
            port.timeout = port.write_timeout = READ_S
            _knock(port, deadline)
            transport.enter_raw_repl(soft_reset=True, timeout_overall=RAW_S)
        except BaseException:
            transport.close()
            raise
        return transport

    def _why_not(self, error: Exception) -> str:
        if "://" not in self.port and not os.path.exists(self.port):
            present = ", ".join(port.device for port in list_ports.comports()) or "none"
            return (
                f"there is no such port (serial ports here: {present}): is the board plugged in?"
            )
        return (
            f"no MicroPython prompt ({error}): is it the right port, is another program using it, "
            "does the board sleep (--wait SECONDS)?"
        )

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def run(self, code: str) -> str:
        """Run code at the prompt. Returns what it printed. Raises DeployError: what it said."""
        try:
            return self._transport.exec(code).decode()
        except _ERRORS as error:
            raise DeployError(str(error).strip()) from error

    def about(self) -> About:
        """What the board is. Raises DeployError when it is too old for this project."""
        name, version, mpy, machine, platform, unique_id, free = ast.literal_eval(self.run(_ABOUT))
        if tuple(version[:2]) < LEAST_VERSION:
            have = ".".join(map(str, version))
            need = ".".join(map(str, LEAST_VERSION))
            raise DeployError(
                f"MicroPython {have} is too old, {need} is needed: put a newer one on the board "
                "(python -m tools flash)"
            )
        return About(
            name, tuple(version), mpy, machine, platform, unique_id, None if free < 0 else free
        )

    def tree(self, roots: Iterable[str]) -> dict[str, str | None]:
        """Everything at and below these paths: path -> SHA-256 as hex, None for a folder."""
        lines = self.run(f"{_HASHES}for p in {tuple(roots)!r}:\n t(p)\n").splitlines()
        return dict(ast.literal_eval(line) for line in lines)

    def fresh(self) -> None:
        """Soft reset to the prompt: nothing is loaded, and what can be mounted is mounted."""
        try:
            self._transport.enter_raw_repl(soft_reset=True, timeout_overall=RAW_S)
        except _ERRORS as error:
            raise DeployError(f"lost after a reset: {error}") from error

    def make_folder(self, path: str) -> None:
        """Create a folder, unless it is there."""
        self.run(f"import os\ntry:\n os.mkdir({path!r})\nexcept OSError:\n os.stat({path!r})")

    def remove(self, path: str, folder: bool = False) -> None:
        """Remove a file, or an empty folder."""
        self.run(f"import os\nos.{'rmdir' if folder else 'remove'}({path!r})")

    def rename(self, path: str, to: str) -> None:
        """Rename a file, in place of one that has the new name."""
        self.run(f"import os\nos.rename({path!r}, {to!r})")

    def read(self, path: str) -> bytes | None:
        """Content of a file, None if there is none."""
        if path not in self.tree([path]):
            return None
        return bytes(self._transport.fs_readfile(path))

    def write(self, path: str, data: bytes, progress: Callable[[int], None]) -> None:
        """Write a file, and read it back before it gets its name.

        progress -- called with the bytes of each piece

        Raises DeployError; then the file is what it was before.
        """
        done = 0

        def report(written: int, _total: int) -> None:
            nonlocal done
            progress(written - done)
            done = written

        try:
            self._transport.fs_writefile(PART, data, progress_callback=report)
        except _ERRORS as error:
            raise DeployError(f"cannot write {path}: {str(error).strip()}") from error
        if self.tree([PART]) != {PART: sha256(data).hexdigest()}:
            raise DeployError(
                f"{path} does not read back as written: try again; if it stays, the flash is worn"
            )
        self.rename(PART, path)

    def restart(self, seconds: float, line: Callable[[str], None]) -> None:
        """Soft reset into boot.py and main.py; `line(text)` gets what it prints meanwhile."""
        try:
            self._transport.exit_raw_repl()
            port = _serial(self._transport)
            time.sleep(0.1)
            port.read(port.in_waiting)
            port.write(b"\x04")
            _lines(port, seconds, line)
        except _ERRORS as error:
            raise DeployError(f"lost after the reset: {error}") from error


def _serial(transport: SerialTransport) -> serial.Serial:
    return cast(serial.Serial, transport.serial)  # without a mount it is that


def _knock(port: serial.Serial, deadline: float) -> None:
    # A node that sleeps is awake for seconds only, and not every wake lasts as long as mpremote
    # waits between its two tries. Ctrl-B leaves a raw mode in which somebody has left it.
    heard = b""
    while b">>> " not in heard:
        if time.monotonic() > deadline:
            raise TransportError("it does not answer")
        port.write(b"\r\x03\x02")
        time.sleep(KNOCK_S)
        heard = (heard + port.read(port.in_waiting))[-1000:]


def _lines(port: serial.Serial, seconds: float, line: Callable[[str], None]) -> None:
    end = time.monotonic() + seconds
    text = b""
    while time.monotonic() < end:
        waiting = port.in_waiting
        if not waiting:
            time.sleep(0.02)
            continue
        text += port.read(waiting)
        *complete, text = text.split(b"\n")
        for each in complete:
            _show(each, line)
    _show(text, line)


def _show(text: bytes, line: Callable[[str], None]) -> None:
    if shown := text.decode("utf-8", "replace").strip("\r"):
        line(shown)
