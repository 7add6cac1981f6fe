"""A board at a serial port, driven by mpremote.

mpremote is used as a library, not as a command: opening the port resets many boards, so all steps
share one connection, one round trip hashes all files, and the progress is ours to show. Its
version is pinned, because that interface may still change.
"""

import ast
import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from types import SimpleNamespace
from typing import cast

import serial
from mpremote.repl import do_repl
from mpremote.transport_serial import SerialTransport

from tools.calling import COMMAND
from tools.deploy import DeployError, reach

LEAST_VERSION = (1, 24)
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
    waiting -- is told of that (reach.transport)
    soft_reset -- nothing is loaded; else the interpreter is as main.py was interrupted

    Raises DeployError when it does not.
    """

    def __init__(
        self,
        port: str,
        wait_s: float = 10,
        waiting: reach.Waiting = reach.nobody,
        soft_reset: bool = True,
    ) -> None:
        self._transport = reach.transport(port, wait_s, soft_reset, waiting)
        self.port = reach.name_of(port)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # it may have gone by now
            self._transport.close()

    def run(self, code: str) -> str:
        """Run code at the prompt. Returns what it printed. Raises DeployError: what it said."""
        try:
            return self._transport.exec(code).decode()
        except reach.ERRORS as error:
            raise DeployError(str(error).strip()) from error

    def about(self) -> About:
        """What the board is. Raises DeployError when it is too old for this project."""
        name, version, mpy, machine, platform, unique_id, free = ast.literal_eval(self.run(_ABOUT))
        if tuple(version[:2]) < LEAST_VERSION:
            have = ".".join(map(str, version))
            need = ".".join(map(str, LEAST_VERSION))
            raise DeployError(
                f"MicroPython {have} is too old, {need} is needed: put a newer one on the board "
                f"({COMMAND} flash)"
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
            self._transport.enter_raw_repl(soft_reset=True, timeout_overall=reach.FRESH_S)
        except reach.ERRORS as error:
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
        except reach.ERRORS as error:
            raise DeployError(f"cannot write {path}: {str(error).strip()}") from error
        if self.tree([PART]) != {PART: sha256(data).hexdigest()}:
            raise DeployError(
                f"{path} does not read back as written: try again; if it stays, the flash is worn"
            )
        self.rename(PART, path)

    def prompt(self) -> bool:
        """Somebody types, until Ctrl-]. Returns whether the port has gone."""
        state = SimpleNamespace(
            transport=self._transport,
            ensure_friendly_repl=self._transport.exit_raw_repl,
            did_action=lambda: None,
        )
        options = SimpleNamespace(
            escape_non_printable=False, capture=None, inject_code=None, inject_file=None
        )
        try:
            return do_repl(state, options)
        except reach.ERRORS as error:
            raise DeployError(f"lost at the prompt: {error}") from error

    def restart(self, seconds: float, line: Callable[[str], None]) -> None:
        """Soft reset into boot.py and main.py; `line(text)` gets what it prints meanwhile."""
        try:
            self._transport.exit_raw_repl()
            port = _serial(self._transport)
            time.sleep(0.1)
            port.read(port.in_waiting)
            port.write(b"\x04")
            _lines(port, seconds, line)
        except reach.ERRORS as error:
            raise DeployError(f"lost after the reset: {error}") from error


def _serial(transport: SerialTransport) -> serial.Serial:
    return cast(serial.Serial, transport.serial)  # without a mount it is that


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
