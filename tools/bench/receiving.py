"""What the driver takes to receive, and to ask: machine instructions and heap, on MicroPython.

Everything is counted, not timed: the same figures in every run.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from statistics import median

from tools.bench.figures import (
    BIN,
    ROOT,
    SCRIPTS,
    MeasureFailed,
    NotMeasured,
    on_micropython,
)

SCRIPT = "receive.py"
HEAP = "4M"  # room for a run of each section without a collection, which would come by chance
ROOMY = "8M"  # never: so that all that is allocated is counted
OTHERS = (".usual", ".floor")  # names of what is no figure of this driver
MARK = "mp_os_getenv"  # the C function that the script calls around what is counted
# Where names stand in the interpreter's tables makes a twentieth of the figures. What is told is
# the middle one, with so many other names in front.
NAMES_BEFORE = (0, 29, 47)


def receiving() -> dict[str, tuple[float, str]]:
    """This driver, on transcripts."""
    return _figures(lambda name: name.startswith("rx.") and not name.endswith(OTHERS)) | {
        "rx.bytes_per_line": heap()["rx.bytes_per_line"]
    }


def others() -> dict[str, tuple[float, str]]:
    """The usual way and asyncio alone, on the same transcripts."""
    return _figures(lambda name: name.endswith(OTHERS))


def asking() -> dict[str, tuple[float, str]]:
    """A command with its answer."""
    return _figures(lambda name: name == "command.instructions") | {
        "command.heap": heap()["command.heap"]
    }


def _figures(chosen: Callable[[str], bool]) -> dict[str, tuple[float, str]]:
    return {
        name: (round(instructions), unit)
        for name, (unit, instructions) in instructions_of().items()
        if chosen(name)
    }


@cache
def heap() -> dict[str, tuple[float, str]]:
    """Heap of a line, beyond what its callback is handed, and of a command. 64-bit."""
    found = {name: values for name, *values in on_micropython(SCRIPT, ROOMY)}
    _, lines, spent, handed = found["rx.instructions_per_byte"]
    count, _, command, _ = found["command.instructions"]
    return {
        "rx.bytes_per_line": (round((spent - handed) / lines), "B"),
        "command.heap": (round(command / count), "B"),
    }


@cache
def instructions_of() -> Mapping[str, tuple[str, float]]:
    """For each section of the script its unit, and what one of them takes: the difference of a
    long run and a short one, so that nothing counts that happens once.
    """
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise NotMeasured("valgrind is needed to count machine instructions")
    with ThreadPoolExecutor() as threads:
        runs = list(threads.map(lambda names: _run(valgrind, names), NAMES_BEFORE))
    return {
        name: (unit, median(found[name][1] for found in runs))
        for name, (unit, _) in runs[0].items()
    }


def _run(valgrind: str, names: int) -> dict[str, tuple[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            valgrind, "--tool=callgrind", f"--callgrind-out-file={folder}/c",
            f"--dump-before={MARK}", sys.executable, BIN / "micropython", "-X", f"heapsize={HEAP}",
            SCRIPTS / SCRIPT, str(names),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MeasureFailed(done.stdout + done.stderr)
        found = {}
        for n, (name, count, *_) in enumerate(json.loads(done.stdout)):
            _, few, many = (counted(Path(folder, f"c.{3 * n + k}")) for k in (1, 2, 3))
            unit = "1" if name.startswith("command") else "1/B"
            found[name] = (unit, (many - few) / count)
    return found


def counted(dump: Path) -> int:
    """Instructions since the dump before it."""
    found = re.search(r"^summary: (\d+)", dump.read_text(), re.M)
    if not found:
        raise MeasureFailed(f"callgrind has written no summary: {dump.name}")
    return int(found[1])


MEASURES = (receiving, asking, others)
