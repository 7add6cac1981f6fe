"""A board's flash and identity, and how a life of its interpreter starts.

A life is one process: from a power-up, reset or wake to the next. The board knows no clock; the
real-time loop (`realtime.py`) and the lockstep bench (`tools/lockstep.py`) each run it on theirs.
"""

import enum
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from tools.calling import COMMAND
from tools.virtual_board import stand_in_files
from tools.virtual_board.link import Link
from tools.virtual_board.process import BoardError, Launcher, Process

START = """\
import sys
sys.path[:] = [{!r}]
import _board
del sys
_board.start(globals())
"""
IMAGE_BLOCK_SIZE = 4096


class Cause(enum.IntEnum):
    """Why a life began: the values of machine.reset_cause()."""

    POWER_ON = 1
    HARD_RESET = 2
    WATCHDOG = 3
    DEEP_SLEEP = 4
    SOFT_RESET = 5


class Wake(enum.IntEnum):
    """What ended a deep sleep: the values of machine.wake_reason()."""

    NONE = 0
    PIN = 2
    TIMER = 4


def flash_folder(path: Path) -> dict[str, object]:
    """A folder of the host as the board's flash; made when it is missing."""
    path.mkdir(parents=True, exist_ok=True)
    return {"folder": str(path.resolve())}


def flash_image(path: Path, blocks: int = 512) -> dict[str, object]:
    """A LittleFS image file as the flash; a missing one becomes `blocks` erased 4 KiB blocks."""
    if not path.exists():
        path.write_bytes(b"\xff" * IMAGE_BLOCK_SIZE * blocks)
    elif path.stat().st_size == 0 or path.stat().st_size % IMAGE_BLOCK_SIZE:
        raise BoardError(f"{path} is not a whole number of {IMAGE_BLOCK_SIZE} byte blocks")
    return {"image": str(path.resolve()), "block_size": IMAGE_BLOCK_SIZE}


def rom_file(path: Path, blocks: int = 64) -> Path:
    """A file that is the board's partition for ROMFS, such as an image; a missing one becomes
    `blocks` erased 4 KiB blocks.
    """
    if not path.exists():
        path.write_bytes(b"\xff" * IMAGE_BLOCK_SIZE * blocks)
    elif path.stat().st_size == 0:
        raise BoardError(f"{path} is empty: make it by `{COMMAND} image --romfs`")
    return path.resolve()


@dataclass(frozen=True)
class Computing:
    """How fast a board computes: nanoseconds for an instruction of MicroPython's virtual machine,
    whatever it calls, and for a byte of code that is loaded.
    """

    instruction_ns: int
    load_ns: int


class Life:
    """One running interpreter with its line to the host and its console."""

    def __init__(self, process: Process, link: Link, stdin: int, stdout: int) -> None:
        self.process = process
        self.link = link
        self._stdin = stdin
        self.stdout = stdout
        self._unsent = b""

    def type(self, data: bytes) -> None:
        """Send console input to the interpreter, as fast as it takes it."""
        self._unsent += data
        self.flush()

    def flush(self) -> None:
        """Send what `type` could not send yet."""
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._stdin, self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unsent = b""  # it has ended; its process says how

    def printed(self) -> bytes:
        """What it has printed since the last call; empty when nothing, or when it has ended."""
        try:
            return os.read(self.stdout, 65536)
        except BlockingIOError:
            return b""

    def end(self) -> int:
        """End it now if it still runs. Returns its exit code."""
        self.process.kill()
        return self.process.wait()

    def close(self) -> None:
        """Give back the descriptors."""
        self.link.close()
        os.close(self._stdin)
        os.close(self.stdout)


@dataclass
class Board:
    """A board with its flash. `heap` is the MicroPython heap, as the interpreter's -X takes it.

    `rom`: a file that is its partition for ROMFS (`rom_file`), None for a board without one.
    `virtual`: a folder that says what is at its pins and buses (devices.py).
    `seed` makes what the interpreter draws from `random` repeatable: each life gets its own.
    `computing`: in lockstep, the time that it takes to compute; None: none.
    """

    flash: dict[str, object]
    heap: str = "384K"
    unique_id: bytes = b"\x24\x0a\xc4\x00\x00\x01"
    seed: int = 1
    computing: Computing | None = None
    rom: Path | None = None
    virtual: Path | None = None
    lives: int = 0
    launcher: Launcher = field(init=False)

    def __post_init__(self) -> None:
        self.launcher = Launcher(counting=self.computing is not None, rom=self.rom)

    @property
    def _has_buses(self) -> bool:
        """Whether a program may want them: there is something on them, or a sensor."""
        folder = self.flash.get("folder")
        return self.virtual is not None or (
            isinstance(folder, str) and Path(folder, "sensors").is_dir()
        )

    def close(self) -> None:
        """End whatever runs on it."""
        self.launcher.close()

    def start(
        self,
        cause: Cause,
        *,
        wake: Wake = Wake.NONE,
        lockstep: bool,
        rtc_memory: bytes,
        rtc_us: int,
        raw: bool = False,
        uarts: dict[int, int] | None = None,
    ) -> Life:
        """Start the next life.

        `rtc_us`: what the calendar shows now, in microseconds since 2000. `raw`: the prompt was in
        raw mode before a soft reset, so main.py does not run. `uarts`: in real time, a descriptor
        for each UART number.
        """
        self.lives += 1
        link = Link()
        stdin, to_stdin = os.pipe()
        stdout, to_stdout = os.pipe()
        for fd in (to_stdin, stdout):
            os.set_blocking(fd, False)
        ttys = uarts or {}
        argv = [
            "micropython",
            "-X",
            f"heapsize={self.heap}",
            "-c",
            START.format(stand_in_files.folder()),
        ]
        fds = [stdin, to_stdout, to_stdout, link.child_fileno(), *ttys.values()]
        process = self.launcher.start(argv, fds)
        link.started()
        os.close(stdin)
        os.close(to_stdout)
        speed = self.computing or Computing(0, 0)
        about = {
            "lockstep": lockstep,
            "counter": process.counter,
            "instruction_ns": speed.instruction_ns,
            "load_ns": speed.load_ns,
            "flash": self.flash,
            "rom": [process.rom, self.rom.stat().st_size] if self.rom else None,
            "raw": raw,
            "buses": self._has_buses or not lockstep,
            "seed": self.seed * 1_000_003 + self.lives,
            "cause": int(cause),
            "wake": int(wake),
            "rtc": rtc_memory.hex(),
            "rtc_us": rtc_us,
            "id": self.unique_id.hex(),
            "uarts": {str(number): 4 + n for n, number in enumerate(ttys)},
        }
        link.answer(json.dumps(about).encode())
        return Life(process, link, to_stdin, stdout)
