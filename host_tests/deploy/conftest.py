"""A copy of the project to change, and virtual boards in real time to deploy it to."""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from host_tests.bench.test_mpremote import serving
from tools.deploy import project
from tools.virtual_board.board import Board, flash_folder

SMALL = {
    "boot.py": "",
    "main.py": "from firmware import app\nprint('hello from', app.__file__)\n",
    "lib/c1100/__init__.py": "",
    "lib/c1100/at.py": "AT = 'AT'\n",
    "firmware/__init__.py": "",
    "firmware/app.py": "from firmware.boards import base\nimport c1100.at\n",
    "firmware/boards/__init__.py": "",
    "firmware/boards/base.py": "",
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project of the same layout, in place of the real one."""
    root = tmp_path / "checkout"
    for name, text in SMALL.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(project, "ROOT", root)
    return root


class Served:
    """A board with its serial port and its flash as a folder."""

    def __init__(self, tty: str, flash: Path) -> None:
        self.tty = tty
        self.flash = flash

    def files(self) -> set[str]:
        """Paths of all files on the flash."""
        return {p.relative_to(self.flash).as_posix() for p in self.flash.rglob("*") if p.is_file()}


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Callable[[], Served]]:
    """Makes boards in real time; all end with the test."""
    with contextlib.ExitStack() as stack:
        made: list[Served] = []

        def make() -> Served:
            flash = tmp_path / f"flash{len(made)}"
            real = stack.enter_context(serving(Board(flash_folder(flash))))
            made.append(Served(real.runner.console.name, flash))
            return made[-1]

        yield make


def command(module: ModuleType, *arguments: str) -> int:
    """Run a command of `python -m tools` in this process. Returns its exit code."""
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args([str(argument) for argument in arguments]))
