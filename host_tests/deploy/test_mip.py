"""The driver by the real `mpremote mip install`, from a local server, onto a virtual board."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.bench.test_mpremote import mpremote
from host_tests.deploy.conftest import command
from host_tests.support.web import serving_files
from tools.deploy import DeployError, mip, parts, project
from tools.deploy.settings import micropython

MODULES = {f"lib/c1100/{path.stem}" for path in (project.ROOT / "lib/c1100").glob("*.py")}
USE = "import c1100; from c1100 import timers; print(c1100.C1100, timers.decode_t3412('00100001'))"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command builds."""
    folder = tmp_path_factory.mktemp("mip")
    assert command(mip, "--out", folder) == 0
    return folder


@pytest.fixture(scope="module")
def index(built: Path) -> Iterator[str]:
    """The URL at which it is served."""
    with serving_files(built) as url:
        yield url


@pytest.mark.parametrize(
    ("package", "suffix"),
    [
        # What github:OWNER/REPO@mpy becomes: package.json, and its files by relative URLs.
        ("{index}/package.json", ".mpy"),
        # The repository itself.
        (str(project.ROOT / "package.json"), ".py"),
    ],
    ids=["release branch", "repository"],
)
def test_a_package_json_installs_the_driver_alone(package, suffix, index, boards) -> None:
    board = boards()
    mpremote(board.tty, "mip", "install", package.format(index=index))
    assert board.files() == {module + suffix for module in MODULES}
    assert mpremote(board.tty, "exec", USE) == "<class 'C1100'> 3600\n"


def test_the_index_installs_it_for_the_board_and_copies_nothing_twice(index, boards) -> None:
    board = boards()
    install = ["mip", "install", "--index", index, "c1100"]
    assert mpremote(board.tty, *install).count("Installing: ") == len(MODULES)
    assert board.files() == {module + ".mpy" for module in MODULES}
    assert mpremote(board.tty, "exec", USE) == "<class 'C1100'> 3600\n"
    again = mpremote(board.tty, *install)
    assert again.count("Exists: ") == len(MODULES)
    assert "Installing: " not in again


def test_the_index_has_the_sources_for_boards_without_mpy(built: Path) -> None:
    listed = json.loads((built / "package/py/c1100/latest.json").read_text())
    assert {f"lib/{path}" for path, _ in listed["hashes"]} == {name + ".py" for name in MODULES}
    for path, short in listed["hashes"]:
        data = (built / "file" / short[:2] / short).read_bytes()
        assert data == (project.ROOT / "lib" / path).read_bytes()


def test_the_repositorys_package_json_is_up_to_date(checkout: Path, monkeypatch) -> None:
    monkeypatch.undo()  # the real project
    packages = mip.source_packages()
    assert {path.name for path in (project.ROOT / "lib").glob("*.json")} == {
        Path(path).name for path in packages if path.startswith("lib/")
    }
    for path, want in packages.items():
        have = (project.ROOT / path).read_text()
        assert have == want, "run `python -m tools mip --update`"
        for _, url in json.loads(have)["urls"]:
            assert (project.ROOT / path).parent.joinpath(url).is_file()


def test_all_have_the_version_of_pyproject() -> None:
    told = {
        name: re.search(pattern, (project.ROOT / name).read_text(), re.MULTILINE)
        for name, pattern in {
            "pyproject.toml": r'^version = "(.*)"$',
            "package.json": r'^  "version": "(.*)",$',
            "lib/c1100/__init__.py": r'^__version__ = "(.*)"$',
            "firmware/version.py": r'^VERSION = "(.*)"',
        }.items()
    }
    assert all(told.values()), told
    assert len({found[1] for found in told.values() if found}) == 1, told


def test_update_writes_the_repositorys_package_json(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text('[project]\nversion = "1.2"\n')
    (checkout / "lib/c1100/__init__.py").write_text('"""0.1"""\n__version__ = "0.1"  # so\n')
    (checkout / "firmware/version.py").write_text('VERSION = "0.1"\n\nOTHER_VERSION = "0.1"\n')
    assert command(mip, "--update") == 0
    assert json.loads((checkout / "package.json").read_text()) == {
        "version": "1.2",
        "urls": [
            ["c1100/__init__.py", "lib/c1100/__init__.py"],
            ["c1100/at.py", "lib/c1100/at.py"],
        ],
    }
    names = ["c1100/__init__.py", "c1100/at.py"]
    assert json.loads((checkout / "lib/c1100-core.json").read_text()) == {
        "version": "1.2",
        "urls": [[name, name] for name in names],
    }
    said = (checkout / "lib/c1100/__init__.py").read_text()
    assert said == '"""0.1"""\n__version__ = "1.2"  # so\n'
    said = (checkout / "firmware/version.py").read_text()
    assert said == 'VERSION = "1.2"\n\nOTHER_VERSION = "0.1"\n'


# How each part's feature is opened, as far as that needs no module.
OPENED = {
    "core": "modem.signal(), modem.start(), modem.attach(), modem.command('+CSQ')",
    "mqtt": "modem.mqtt('node', 'mqtt.example')",
    "http": "modem.http",
    "sockets": "modem.pdp('internet'), modem.tcp('tcp.example', 7), modem.passthrough(None)",
    "gnss": "modem.gnss",
    "lwm2m": "modem.lwm2m",
    "ppp": "modem.ppp('internet')",
    "power": "modem.power",
}
LOADED = """
import sys
sys.path[:] = [sys.argv[1], ".frozen"]
import asyncio, os
async def main():
    for name, *_ in os.ilistdir(sys.argv[1] + "/c1100"):
        if name != "__init__.py":
            __import__("c1100." + name[:-3])
    from c1100 import C1100
    modem = C1100(None)
    {}
asyncio.run(main())
print("opened")
"""


@pytest.mark.parametrize("part", OPENED)
def test_a_part_needs_its_own_files_and_the_core_only(part, tmp_path) -> None:
    """On real MicroPython; and every import in its modules, also a late one, is of one of them."""
    files = parts.files(part)
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(project.ROOT / "lib" / name, path)
    command = [micropython(), "-X", "heapsize=2M", "-c", LOADED.format(OPENED[part]), tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("opened\n"), done.stdout + done.stderr
    have = {Path(name).stem for name in files}
    for name in have - set(parts.FACADE):
        assert parts.imported(name) <= have, name


def test_parts_are_the_driver_and_share_nothing() -> None:
    found = parts.modules()
    assert set(found) == set(OPENED)
    names = [name for modules in found.values() for name in modules]
    assert sorted(names) == sorted(path.stem for path in parts.folder().glob("*.py"))
    assert all(found.values())


def test_the_core_may_not_need_a_part(checkout) -> None:
    (checkout / "lib/c1100/__init__.py").write_text("def f():\n    from .ppp import escape\n")
    (checkout / "lib/c1100/ppp.py").write_text("")
    with pytest.raises(DeployError, match="cannot do without ppp"):
        parts.modules()


def test_one_part_is_installed_with_the_core_alone(index, boards) -> None:
    wanted = {f"lib/{name}" for name in parts.files("mqtt")}
    board = boards()
    mpremote(board.tty, "mip", "install", str(project.ROOT / "lib/c1100-mqtt.json"))
    assert board.files() == wanted
    use = "import c1100; print(c1100.C1100(None).mqtt('a', 'b').connected)"
    assert mpremote(board.tty, "exec", use) == "False\n"
    compiled = {name.replace(".py", ".mpy") for name in wanted}
    for package in (["--index", index, "c1100-mqtt"], [f"{index}/c1100-mqtt.json"]):
        board = boards()
        mpremote(board.tty, "mip", "install", *package)
        assert board.files() == compiled
