"""Getting at a board that sleeps, is busy, or is not there yet: until it answers, or why not.

A node that sleeps is awake for seconds only, so its port is knocked at all the time; one whose
USB sleeps with it has no port until then.
"""

import contextlib
import errno
import fcntl
import io
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from tools.deploy import DeployError

RETRY_S = 0.5
KNOCK_S = 0.1
RAW_S = 5  # a node that sleeps is awake for seconds: then it is knocked at again
FRESH_S = 60  # a board that is held starts: its boot.py, and this machine, may be slow
READ_S = 10.0  # a board that erases flash may be silent for a while
HEARD = 4000  # last bytes that are kept of what a board prints
RESETS = 2  # from which on it starts again and again
PROMPT = b">>> "
RESET = b"rst:"  # what an ESP32 prints first
ERRORS = (TransportError, serial.SerialException, OSError)

# What is wrong: (in a few words, what can be done).
MISSING = ("no such port", "is the board plugged in?")
GONE = (
    "the port has gone",
    "the board sleeps, and its USB with it: --wait SECONDS, longer than it sleeps",
)
DENIED = ("you may not open it", "add yourself to its group: ls -l, sudo usermod -aG")
HELD = ("another program has it open", "end that first")
NO_PORT = ("it is no serial port", "name the board's")
SILENT = (
    "it says nothing",
    "is it the right port, does the board sleep (--wait SECONDS, longer than it sleeps)?",
)
BUSY = (
    "it prints, and does not stop at Ctrl-C",
    "is it the right port, at 115200 baud? If its main.py takes Ctrl-C away: press reset while "
    "this waits (--wait SECONDS), else erase it (esptool erase-flash)",
)
RESETTING = (
    "it starts again and again",
    "a watchdog, or a supply that is too weak? Press reset while this waits (--wait SECONDS)",
)
LEFT = (
    "it was at its prompt and left it",
    "does another program use it, or a watchdog of its main.py bite? As soon as it is there: "
    "mpremote fs mv :main.py :main.off",
)
HOPELESS = (DENIED, NO_PORT)  # however long one waits

Waiting = Callable[[float, str], None]


def nobody(_left_s: float, _state: str) -> None:
    """Shows nothing of the waiting."""


def countdown(port: str) -> Waiting:
    """Shows on a terminal how long it may still take."""

    def show(left_s: float, state: str) -> None:
        if sys.stderr.isatty():
            text = f"{port}: {state}; waiting for it, {left_s:.0f} s left (Ctrl-C ends it)"
            print(f"\r\x1b[K{text if left_s > 0 else ''}", end="", file=sys.stderr, flush=True)

    return show


def by_hand(port: str, code: str) -> str:
    """What to type to do it without these tools."""
    do = f'`mpremote connect {port} resume exec "{code}"`, then ' if code else ""
    return (
        f"by hand: `mpremote connect {port} repl`, hold Ctrl-C until >>> comes, Ctrl-] to leave; "
        f"{do}`mpremote connect {port} reset`"
    )


@dataclass
class Seen:
    """What has been seen of a board so far."""

    port: str
    was_there: bool = False
    is_there: bool = False
    problem: tuple[str, str] = MISSING  # with the port itself
    detail: str = ""
    heard: bytes = b""
    resets: int = 0
    prompts: int = 0

    @property
    def what(self) -> tuple[str, str]:
        """What is wrong."""
        if not self.is_there:
            return GONE if self.was_there and self.problem is MISSING else self.problem
        if self.prompts:
            return LEFT
        if self.resets >= RESETS:
            return RESETTING
        return BUSY if self.heard.strip() else SILENT

    def why(self) -> str:
        """All of it, in a line."""
        what, hint = self.what
        if what == MISSING[0]:
            present = ", ".join(port.device for port in list_ports.comports()) or "none"
            return f"there is {what} (serial ports here: {present}): {hint}"
        if self.is_there:
            others = _holders(self.port)
            too = f"; {others} has it open, too" if others else ""
            return f"no MicroPython prompt ({what}{too}): {hint}"
        return f"{what}{self.detail}: {hint}"

    def listen(self, data: bytes) -> bool:
        """Take in what the board prints; whether it is at its prompt."""
        known = self.heard.count(RESET)
        self.heard += data
        self.resets += self.heard.count(RESET) - known
        self.heard = self.heard[-HEARD:]
        return PROMPT in self.heard[-1000:]


def transport(
    port: str, wait_s: float, soft_reset: bool, waiting: Waiting = nobody
) -> SerialTransport:
    """An interrupted board, its prompt in raw mode.

    wait_s -- in which it may appear and answer
    soft_reset -- with nothing loaded, else as main.py was interrupted
    waiting -- called with the seconds that are left, and what is waited for in a few words; the
               last time with 0

    Raises DeployError that says why not.
    """
    seen = Seen(port)
    deadline = time.monotonic() + wait_s
    try:
        while True:
            try:
                return _opened(seen, deadline, soft_reset, waiting)
            except ERRORS as error:
                _look(seen, error)
                if time.monotonic() > deadline or (not seen.is_there and seen.what in HOPELESS):
                    raise DeployError(seen.why()) from error
            waiting(max(0.1, deadline - time.monotonic()), seen.what[0])
            time.sleep(RETRY_S)
    finally:
        waiting(0, "")


def name_of(port: str) -> str:
    """mpremote knows a PTY by its own name, not by a link to it."""
    return os.path.realpath(port) if os.path.islink(port) else port


def _opened(seen: Seen, deadline: float, soft_reset: bool, waiting: Waiting) -> SerialTransport:
    made = SerialTransport(name_of(seen.port))
    seen.was_there = seen.is_there = True
    try:
        port = cast(serial.Serial, made.serial)  # without a mount it is that
        port.timeout = port.write_timeout = READ_S
        _knock(port, seen, deadline, waiting)
        with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it did not expect
            made.enter_raw_repl(soft_reset=soft_reset, timeout_overall=RAW_S)
    except BaseException:
        with contextlib.suppress(OSError):  # it may have gone by now
            made.close()
        raise
    return made


def _knock(port: serial.Serial, seen: Seen, deadline: float, waiting: Waiting) -> None:
    # Not every wake lasts as long as mpremote waits between its two tries. Ctrl-B leaves a raw
    # mode in which somebody has left it.
    seen.heard = b""
    shown = time.monotonic()
    while not seen.listen(port.read(port.in_waiting)):
        now = time.monotonic()
        if now > deadline:
            raise TransportError("it does not answer")
        if now - shown > RETRY_S:
            waiting(max(0.1, deadline - now), seen.what[0])
            shown = now
        port.write(b"\r\x03\x02")
        time.sleep(KNOCK_S)
    seen.prompts += 1


def _look(seen: Seen, error: Exception) -> None:
    """Whether the port can be had now, and why not: mpremote does not say."""
    if "://" in seen.port:
        seen.problem = (f"it cannot be opened: {error}", "is the address right, does it listen?")
        return
    seen.problem, seen.detail = MISSING, ""
    seen.is_there = False
    try:
        fd = os.open(name_of(seen.port), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as failed:
        seen.was_there |= failed.errno in (errno.EBUSY, errno.EACCES, errno.EPERM)
        if failed.errno in (errno.EACCES, errno.EPERM):
            seen.problem = DENIED
        elif failed.errno == errno.EBUSY:
            seen.problem = HELD
        elif failed.errno == errno.EISDIR:
            seen.problem = NO_PORT
        return
    try:
        if not os.isatty(fd):
            seen.problem = NO_PORT
            return
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.was_there = seen.is_there = True
    except OSError:
        seen.problem = HELD
        owner = _lock_owner(os.fstat(fd)) or _holders(seen.port)
        seen.detail = f" ({owner})" if owner else ""
    finally:
        os.close(fd)


def _lock_owner(node: os.stat_result) -> str:
    """The program that has locked a file (Linux), "" if that cannot be seen."""
    device = f"{os.major(node.st_dev):02x}:{os.minor(node.st_dev):02x}:{node.st_ino}"
    with contextlib.suppress(OSError), open("/proc/locks", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if "FLOCK" in words and device in words:
                return _program(words[words.index(device) - 1])
    return ""


def _holders(port: str) -> str:
    """Other programs of ours that have a device open (Linux); a PTY's may be its board."""
    path = os.path.realpath(port)
    if path.startswith("/dev/pts/") or not os.path.isdir("/proc"):
        return ""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            folder = f"/proc/{pid}/fd"
            links = {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
            if path in links and int(pid) != os.getpid():
                found.append(_program(pid))
    return ", ".join(found)


def _program(pid: str) -> str:
    name = "process"
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        name = file.read().strip()
    return f"{name}, pid {pid}"
