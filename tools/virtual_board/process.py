"""MicroPython processes, started in about two milliseconds each through `launcher.py`."""

import atexit
import contextlib
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

START_LIMIT_S = 60.0
STANDING = (["T"], ["Z"], ["X"], [])  # proc(5): stopped, or it has ended
STOP_LOOK_S = 0.0005


class BoardError(Exception):
    """The virtual board cannot go on; the text says why and what to do."""


def interpreter() -> str:
    """The MicroPython to run: `$MICROPYTHON` (an executable), else the one installed by pip.

    Raises BoardError when there is none.
    """
    if named := os.environ.get("MICROPYTHON"):
        if found := shutil.which(named):
            return found
        raise BoardError(f"$MICROPYTHON names {named}, which is not an executable")
    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise BoardError(
            "no MicroPython: pip install -r requirements.txt, or name one in $MICROPYTHON"
        )
    return spec.origin


class Launcher:
    """The helper process that forks interpreters. A context manager; `close` ends all of them.

    counting -- let them count the instructions that they execute, where that is possible
    rom -- a file that is in the memory of all of them

    To start a helper takes as long as some wakes: one whose launcher is closed serves the next,
    unless it has a file in its memory.
    """

    def __init__(self, counting: bool = False, rom: Path | None = None) -> None:
        binary = interpreter()
        if rom and not binary.endswith(".so"):
            raise BoardError("ROMFS needs the MicroPython that pip installs: unset $MICROPYTHON")
        self._kind = (binary, counting, rom)
        self._helper, self._socket = _idle_helper(self._kind) or _helper(*self._kind)
        if hasattr(os, "sched_getaffinity"):
            self.run_on(os.sched_getaffinity(0))
        self._text = b""
        self._running: set[int] = set()
        self._ended: dict[int, int] = {}
        self._between = True  # no answer of the helper is under way

    def __enter__(self) -> "Launcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run_on(self, cpus: set[int]) -> None:
        """Let interpreters that start from now on run on these CPUs (Linux only)."""
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._helper.pid, cpus)

    def close(self) -> None:
        """End every interpreter."""
        if self._socket.fileno() < 0:
            return
        try:
            for pid in list(self._running):
                self._kill(pid)
                self._status(pid, START_LIMIT_S)
        except (BoardError, OSError):
            pass  # it has ended, and is no use to others
        fit = self._between and not self._running and not self._text
        if fit and self._kind[-1] is None:
            _idle.setdefault(self._kind, []).append((self._helper, self._socket.dup()))
            self._socket.close()
        else:
            _end(self._helper, self._socket)

    def start(self, argv: list[str], fds: list[int]) -> "Process":
        """Start an interpreter with `argv` (as its main() gets it) and `fds` as its 0, 1, 2, ...

        Raises BoardError when the helper does not answer.
        """
        request = json.dumps({"argv": argv}).encode() + b"\n"
        self._between = False
        socket.send_fds(self._socket, [request], fds)
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            message = self._read(deadline - time.monotonic())
            if message is None:
                raise BoardError("the interpreter's launcher does not answer")
            if "pid" in message:
                # The kernel gives numbers out again: after some 30,000 starts this is an old one.
                self._ended.pop(message["pid"], None)
                self._running.add(message["pid"])
                self._between = True
                return Process(self, message["pid"], message["counter"], message["rom"])

    def fileno(self) -> int:
        """Readable when a process has ended; then call `poll` of that process."""
        return self._socket.fileno()

    def _read(self, timeout_s: float) -> dict[str, int] | None:
        """The next message, with ends of processes noted; None after `timeout_s` seconds."""
        while b"\n" not in self._text:
            ready, _, _ = select.select([self._socket], [], [], max(0.0, timeout_s))
            if not ready:
                return None
            data = self._socket.recv(4096)
            if not data:
                code = self._helper.wait()
                raise BoardError(f"the interpreter's launcher ended with code {code}")
            self._text += data
        line, self._text = self._text.split(b"\n", 1)
        message = json.loads(line)
        if "exit" in message:
            self._ended[message["exit"]] = message["status"]
            self._running.discard(message["exit"])
        return message

    def _status(self, pid: int, timeout_s: float) -> int | None:
        deadline = time.monotonic() + timeout_s
        while pid not in self._ended:
            if self._read(deadline - time.monotonic()) is None:
                return None
        return self._ended[pid]

    def _kill(self, pid: int) -> None:
        self._socket.sendall(json.dumps({"kill": pid}).encode() + b"\n")


_Helper = tuple["subprocess.Popen[bytes]", socket.socket]
_Kind = tuple[str, bool, Path | None]
_idle: dict[_Kind, list[_Helper]] = {}


def _helper(binary: str, counting: bool, rom: Path | None) -> _Helper:
    ours, theirs = socket.socketpair()
    script = Path(__file__).with_name("launcher.py")
    command = [sys.executable, "-I", "-S", str(script), str(theirs.fileno()), binary]
    command += ["count"] * counting
    command += [f"rom={rom}"] if rom else []
    helper = subprocess.Popen(
        command, pass_fds=[theirs.fileno()], start_new_session=True, stdin=subprocess.DEVNULL
    )
    theirs.close()
    return helper, ours


def _idle_helper(kind: _Kind) -> _Helper | None:
    idle = _idle.get(kind)
    while idle:
        helper, line = idle.pop()
        if helper.poll() is None:
            return helper, line
        line.close()  # somebody has ended it
    return None


def _end(helper: "subprocess.Popen[bytes]", line: socket.socket) -> None:
    """Without its line it ends every interpreter, and itself."""
    line.close()
    helper.wait()


@atexit.register
def _end_idle() -> None:
    for idle in _idle.values():
        while idle:
            _end(*idle.pop())


class Process:
    """One running interpreter: from a power-up or reset to the next.

    counter -- address in its memory where it counts its instructions (u64); 0: it does not
    rom -- likewise of the launcher's file; 0: there is none
    """

    def __init__(self, launcher: Launcher, pid: int, counter: int, rom: int) -> None:
        self._launcher = launcher
        self.pid = pid
        self.counter = counter
        self.rom = rom

    def poll(self) -> int | None:
        """Its exit code (a signal as a negative number), or None while it runs."""
        return self._launcher._status(self.pid, 0)

    def wait(self, timeout_s: float = START_LIMIT_S) -> int:
        """Wait up to `timeout_s` seconds for its end. Returns the exit code, else BoardError."""
        status = self._launcher._status(self.pid, timeout_s)
        if status is None:
            raise BoardError(f"the interpreter (process {self.pid}) does not end")
        return status

    def kill(self) -> None:
        """End it at once, as a power cut would, and wait until it has gone."""
        if self.poll() is None:
            self._launcher._kill(self.pid)
            self.wait()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the code that runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGINT)

    def computed_s(self) -> float:
        """Seconds that it has computed so far; where the system does not tell, the time."""
        fields = self._stat()
        if not fields:
            return time.monotonic()
        user, system = fields[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """Meanwhile it stands still, so that what is seen of it stays true."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP)
        try:
            while self._stat()[:1] not in STANDING:
                time.sleep(STOP_LOOK_S)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGCONT)

    def _stat(self) -> list[str]:
        # proc(5): the fields after the command's name in brackets begin with the third.
        try:
            with open(f"/proc/{self.pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()
        except OSError:
            return []

    def catches_interrupt(self) -> bool:
        """Does a Ctrl-C interrupt now, rather than count as a byte of input? Ask while it is
        `halted`, and interrupt it before it goes on: else it may be at its prompt by then, where a
        SIGINT ends it.

        The port installs its SIGINT handler only while code runs and kbd_intr(3) holds, which is
        when a board's interrupt character works too: not at the prompt, nor in mounted traffic.
        """
        try:
            with open(f"/proc/{self.pid}/status") as status:
                caught = [line.split()[1] for line in status if line.startswith("SigCgt")]
        except OSError:  # it has ended
            return False
        return any(int(mask, 16) & (1 << (signal.SIGINT - 1)) for mask in caught)
