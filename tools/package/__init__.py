"""Makes wheel and sdist of the project: the back end that pyproject.toml names (PEP 517, 660).

Needs nothing but Python, so `pip install .` needs no network for the building. It is not one of
the usual back ends because of the layout: `tools`, `lib` and `firmware` are top folders here, and
must not become top-level packages of a user's environment; they go below `c1100_tools`.
"""

import fnmatch
import io
import os
import tarfile
import tomllib
from pathlib import Path
from typing import Any

from tools.package.wheel import Wheel

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "c1100_tools"
ENTRY = ROOT / "tools" / "package" / f"{PACKAGE}.py"
# What the tools need of a clone, at its place below the package.
NEEDED = (
    "tools", "lib", "firmware", "docs/schema", "docs/performance.svg",
    "boot.py", "main.py", "manifest.py", "package.json",
    "pyproject.toml", "requirements.txt", "host_tests/scenarios", "host_tests/bench/recorded.json",
)  # fmt: skip


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None):
    """PEP 517. Returns the file's name."""
    wheel = _begun()
    wheel.add(f"{PACKAGE}/__init__.py", ENTRY.read_bytes())
    wheel.add(f"{PACKAGE}/py.typed", b"")
    for name, path in files().items():
        if any(name == part or name.startswith(f"{part}/") for part in NEEDED):
            wheel.add(f"{PACKAGE}/{name}", path.read_bytes())
    return wheel.write(Path(wheel_directory))


def build_editable(
    wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None
):
    """PEP 660: the same command, which runs what is in this clone."""
    wheel = _begun()
    here = f"FOLDER = Path({str(ROOT)!r})"
    lines = ENTRY.read_text().splitlines()
    text = "\n".join(here if line.startswith("FOLDER = ") else line for line in lines)
    wheel.add(f"{PACKAGE}/__init__.py", text.encode() + b"\n")
    return wheel.write(Path(wheel_directory))


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """PEP 517. Returns the file's name."""
    wheel = _begun()
    out = Path(sdist_directory, f"{wheel.stem}.tar.gz")
    with tarfile.open(out, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        _put(archive, f"{wheel.stem}/PKG-INFO", wheel.metadata.encode(), 0o644)
        for name, path in files().items():
            _put(archive, f"{wheel.stem}/{name}", path.read_bytes(), path.stat().st_mode & 0o777)
    return out.name


def project() -> dict[str, Any]:
    """The table [project]; the version is in no other place."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def files() -> dict[str, Path]:
    """All that belongs to the project, by path: what git is not told to ignore. An unpacked sdist
    has no git to ask.
    """
    lines = (ROOT / ".gitignore").read_text().splitlines()
    lines = [".git", "PKG-INFO"] + [line for line in lines if line and not line.startswith("#")]

    def kept(path: Path) -> bool:
        """The last line that says something of it decides; `!` takes back what one before says."""
        parts = path.relative_to(ROOT).parts
        for line in reversed(lines):
            if _names(line.removeprefix("!").rstrip("/"), parts):
                return line.startswith("!")
        return True

    found = {}
    for name, below, names in os.walk(ROOT):
        folder = Path(name)
        below[:] = sorted(each for each in below if kept(folder / each))
        for path in sorted(folder / each for each in names):
            if kept(path):
                found[path.relative_to(ROOT).as_posix()] = path
    return found


def _names(pattern: str, parts: tuple[str, ...]) -> bool:
    """Whether a pattern of .gitignore names this path: by its own name, or, where there is a slash
    in it, from the project's folder on.
    """
    if "/" not in pattern:
        return fnmatch.fnmatch(parts[-1], pattern)
    wanted = pattern.removeprefix("/").split("/")
    return len(wanted) == len(parts) and all(map(fnmatch.fnmatch, parts, wanted))


def requirements() -> list[str]:
    """What the tools need of other packages: requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    found = [line.partition("#")[0].strip() for line in lines]
    return [line for line in found if line]


def _begun() -> Wheel:
    about = project()
    metadata = {
        "Name": about["name"], "Version": about["version"], "Summary": about["description"],
        "License": "MIT", "Requires-Python": about["requires-python"],
        "Requires-Dist": requirements(), "Description-Content-Type": "text/markdown",
    }  # fmt: skip
    scripts = "".join(f"{name} = {call}\n" for name, call in about["scripts"].items())
    wheel = Wheel(metadata, (ROOT / "README.md").read_text())
    wheel.about("entry_points.txt", f"[console_scripts]\n{scripts}")
    wheel.about("LICENSE", (ROOT / "LICENSE").read_text())
    return wheel


def _put(archive: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode  # and no time: the same sources, the same file
    archive.addfile(info, io.BytesIO(data))
