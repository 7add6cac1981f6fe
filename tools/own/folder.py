"""A node's folder: configuration, sensors, what they need, and what they measure in software.

config.json secrets.json     as the board has them
sensors/NAME.py              read at each sample (docs/own-node.md)
sensors.txt                  packages that they need, a line each, as `mpremote mip` takes them
lib/                         where `mip --node` puts these; packages.json says whose is what
virtual/                     what is at the pins and buses of the virtual board
"""

import argparse
import ast
import functools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.calling import COMMAND
from tools.deploy import DeployError, settings
from tools.provision import tls
from tools.provision.node import CONFIG, SECRETS

SENSORS, LIBRARIES, VIRTUAL, PACKAGES = "sensors", "lib", "virtual", "sensors.txt"
PROGRAM = "main.py"
INSTALLED = "packages.json"  # in lib/
KINDS = ("int", "float", "str")
PIN = "pin"  # of the SIM


def add_argument(parser: argparse._ActionsContainer, text: str) -> None:
    """The option --node. text -- what is done with the folder"""
    parser.add_argument("--node", type=Path, metavar="FOLDER", help=f"a node's folder: {text}")


@dataclass(frozen=True)
class Folder:
    """One node. Raises DeployError wherever its files are not what they should be."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Folder":
        """The folder there, which must have a config.json."""
        if is_program(path):
            raise DeployError(f"{path} is no node but a program: {COMMAND} demo --node {path}")
        if not (path / CONFIG).is_file():
            raise DeployError(
                f"{path} is no node's folder: it has no {CONFIG} ({COMMAND} new {path})"
            )
        return cls(path)

    @property
    def config(self) -> dict[str, bytes]:
        """config.json, and secrets.json if there is one."""
        names = [name for name in (CONFIG, SECRETS) if (self.path / name).is_file()]
        return {name: (self.path / name).read_bytes() for name in names}

    @property
    def secrets(self) -> dict[str, Any]:
        """Those that a node in software has: none of the SIM's, as the virtual SIM has no PIN."""
        given = json.loads(self.config.get(SECRETS, b"{}"))
        given.pop(PIN, None)
        return given

    @functools.cached_property
    def whole(self) -> dict[str, Any]:
        """All settings but the secrets, as the firmware reads them, sensors' own ones checked."""
        names = {name: self.path / name for name in self.config}
        return settings.checked(self.config, names, self.tables())

    def tls(self) -> dict[str, bytes]:
        """The files that tls.* names."""
        return tls.files(self.whole, self.path)

    def code(self) -> dict[str, Path]:
        """Path on the board -> source: sensors, and what they need."""
        found: dict[str, Path] = {}
        for top in (LIBRARIES, SENSORS):
            base = self.path / top
            for path in sorted(base.rglob("*.py")) + sorted(base.rglob("*.mpy")):
                found[f"{top}/{path.relative_to(base).as_posix()}"] = path
        return found

    @property
    def sensors(self) -> dict[str, Path]:
        """Name -> file."""
        found = sorted((self.path / SENSORS).glob("*.py"))
        return {path.stem: path for path in found if not path.stem.startswith("_")}

    def tables(self) -> dict[str, settings.Table]:
        """Sensor -> its settings, read from its file without running it."""
        return {name: _table(path) for name, path in self.sensors.items()}

    def version(self) -> str:
        """What the user's version control says of the folder; "" where there is none."""
        done = subprocess.run(
            ["git", "-C", str(self.path), "describe", "--always", "--dirty", "--tags"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout.strip() if done.returncode == 0 else ""

    def missing(self) -> list[str]:
        """The packages that sensors.txt names and that are not in lib/: as what was installed
        says, or a file of their name.
        """
        base = self.path / LIBRARIES
        known = {
            package
            for package, files in self.installed().items()
            if files and all((base / name).is_file() for name in files)
        }
        there = {path.name for path in (self.path / LIBRARIES).rglob("*") if path.is_file()}
        stems = {name.partition(".")[0] for name in there}
        return [
            package for package in self.packages()
            if package not in known and _module(package) not in stems
        ]  # fmt: skip

    def installed(self) -> dict[str, list[str]]:
        """Package -> its files in lib/, as far as `mip --node` has brought them."""
        path = self.path / LIBRARIES / INSTALLED
        if not path.is_file():
            return {}
        try:
            return {str(name): list(map(str, files)) for name, files in _object(path).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise DeployError(f"{path} is not what mip --node has written: {error}") from error

    def packages(self) -> list[str]:
        """The lines of sensors.txt, without comments."""
        path = self.path / PACKAGES
        if not path.is_file():
            return []
        lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
        return [line for line in lines if line]


def is_program(path: Path) -> bool:
    """Whether a folder is no node but a program of its own, that uses the driver alone."""
    return (path / PROGRAM).is_file() and not (path / CONFIG).is_file()


def _object(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def _module(package: str) -> str:
    """The file that a package brings, as far as its name says: its last part, without version."""
    return package.partition("@")[0].rpartition("/")[2].partition(".")[0]


def _table(path: Path) -> settings.Table:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise DeployError(f"{path}{f', line {line}' if line else ''}: {error}") from error
    names = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    if "read" not in names:
        raise DeployError(f"{path} has no function read(node): docs/own-node.md")
    found: settings.Table = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "SETTINGS" for target in targets):
            assert isinstance(node, ast.Assign)
            found = _rows(node.value, path)
    return found


def _rows(tree: ast.expr, path: Path) -> settings.Table:
    told = (
        f"{path}, line {tree.lineno}: SETTINGS must be written out: "
        '{"name": (default, int, least, most)} or {"name": (default, ("this", "that"))}'
    )
    if not isinstance(tree, ast.Dict):
        raise DeployError(told)
    rows: settings.Table = {}
    for key, value in zip(tree.keys, tree.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise DeployError(told)
        if not isinstance(value, ast.Tuple) or len(value.elts) not in (2, 4):
            raise DeployError(told)
        row: list[Any] = []
        for part in value.elts:
            if isinstance(part, ast.Name) and part.id in KINDS:
                row.append(part.id)
                continue
            try:
                row.append(ast.literal_eval(part))
            except ValueError as error:
                raise DeployError(told) from error
        rows[key.value] = row
    return rows
