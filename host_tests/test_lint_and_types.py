"""Style, types, and the rules of the layout: who may import whom, what a file may contain."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PORTS = ("esp32", "stm32", "unix")


def run(*command) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tracked(folder: str = ".") -> list[Path]:
    """Files of the project below a folder: what git has, and what it would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = sorted(set(done.stdout.split("\0")))
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_ruff_check():
    run(BIN / "ruff", "check", "--no-cache", ".")


def test_ruff_format():
    run(BIN / "ruff", "format", "--no-cache", "--check", ".")


@pytest.mark.parametrize("port", PORTS)
def test_types_against_the_stubs_of(port, tmp_path):
    """The driver and the firmware, with the modules that this port's MicroPython has."""
    stubs = ROOT / "build" / "typings" / port
    assert stubs.is_dir(), f"no stubs in {stubs}: run the suite by `make test`"
    if port == "unix":
        stubs = with_hardware(stubs, tmp_path)
    others = [f"{ROOT}/firmware/boards/{name}*.py" for name in PORTS if name != port]
    sensors = [f"{ROOT}/tools/own/ready/sensors"] if port != "unix" else []  # it has no buses
    check_types(
        tmp_path,
        {
            "include": [f"{ROOT}/lib", f"{ROOT}/firmware", *sensors],
            "exclude": others,
            "extraPaths": [f"{ROOT}/lib", str(ROOT)],
            "typeshedPath": str(stubs),
            "stubPath": str(stubs),
            "reportMissingModuleSource": "none",
        },
    )


def with_hardware(stubs: Path, folder: Path) -> Path:
    """The stubs of the unix port with `machine` and `network` of an ESP32, as the virtual board
    has a `machine` of its own.
    """
    made = folder / "stubs"
    made.mkdir()
    hardware = [stubs.with_name("esp32") / name for name in ("machine.pyi", "network.pyi")]
    names = [path.name for path in hardware]
    for path in (*hardware, *(path for path in stubs.iterdir() if path.name not in names)):
        (made / path.name).symlink_to(path)
    return made


def test_types_of_the_tools(tmp_path):
    check_types(
        tmp_path,
        {
            "include": [f"{ROOT}/tools"],
            # What runs on MicroPython has no CPython stubs.
            "exclude": [
                f"{ROOT}/tools/virtual_board/stand_ins",
                f"{ROOT}/tools/own/ready/sensors",
                f"{ROOT}/tools/bench/on_micropython",
                f"{ROOT}/tools/bench/on_32_bit",
            ],
            "extraPaths": [str(ROOT)],
        },
    )


def check_types(folder: Path, settings: dict) -> None:
    settings |= {
        "typeCheckingMode": "standard",
        "pythonVersion": "3.11",
        "venvPath": str(BIN.parent.parent),
        "venv": BIN.parent.name,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    run(BIN / "basedpyright", "--level", "error", "-p", folder)


FORBIDDEN = (
    ("lib", ("tools", "host_tests", "firmware")),
    ("firmware", ("tools", "host_tests")),
    ("tools/virtual_c1100", ("c1100", "lib", "firmware")),
)


@pytest.mark.parametrize(("folder", "names"), FORBIDDEN, ids=lambda value: str(value))
def test_nothing_is_imported_against_the_direction_of_the_layout(folder, names):
    files = [path for path in tracked(folder) if path.suffix == ".py"]
    assert files
    for path in files:
        for imported in imports(path):
            assert imported.split(".")[0] not in names, f"{path} imports {imported}"


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def test_no_path_of_one_machine_is_in_the_project():
    pattern = re.compile(r"(?<![\w.])/(home|root|work|Users)/\w")
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:  # a picture
            continue
        if path == Path(__file__):
            continue
        found = pattern.search(text)
        assert not found, f"{path}: {text[found.start() : found.start() + 60]!r}"
