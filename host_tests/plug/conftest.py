"""A program on the bench as a user would write it, and the real peers that it talks to."""

import json
import shutil
from pathlib import Path

import pytest

from host_tests.flows.conftest import PROGRAMS as FLOWS
from host_tests.flows.conftest import ROOT, Flow
from tools.lockstep import Bench
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_c1100 import Profile, VirtualC1100

EXAMPLES = ROOT / "docs" / "examples"
PROGRAMS = Path(__file__).parent / "programs"
ANSWER_S = (
    0.5  # as many a program sends what it needs in pieces, and no piece but the last has one
)


class Program(Flow):
    """main.py and what else is on the flash, with the driver in lib/."""

    def __init__(
        self, folder: Path, files: dict[str, str | bytes], profile: Profile, heap: str
    ) -> None:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "lib" / "c1100", folder / "lib" / "c1100", ignore=ignore)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.folder = folder
        self.heard = bytearray()  # all that the module has sent over the UART

        def module(timeline, send) -> VirtualC1100:
            def tapped(data: bytes) -> None:
                self.heard += data
                send(data)

            return VirtualC1100(timeline, profile, tapped)

        self.bench = Bench(
            Board(flash_folder(folder), heap=heap),
            module,
            stuck_s=60,
        )

    def run(self, limit_s: float = 3600, until: str = "done") -> None:
        def over() -> bool:
            return any(line == until or line.startswith("Traceback") for line in self.lines)

        try:
            self.bench.run(until=over, limit_s=limit_s)
        finally:
            print(*self.lines, sep="\n")  # pytest shows it of a test that fails
        assert until in self.lines, "\n".join(self.lines)

    @property
    def printed(self) -> list[str]:
        """What it has printed, up to the end."""
        return self.lines[: self.lines.index("done")]


@pytest.fixture
def program(tmp_path: Path):
    """program(name, files, profile, settings) -> Program

    name: of an example or a program here (with .py), which is main.py; or of a program that is
    started with the modem and the settings, as those of host_tests/flows are.
    """
    made = []

    def make(
        name: str,
        files: dict[str, str | bytes] | None = None,
        profile: Profile | None = None,
        settings: dict | None = None,
        heap: str = "1M",
    ) -> Program:
        files = dict(files or {})
        if name.endswith(".py"):
            folder = PROGRAMS if (PROGRAMS / name).is_file() else EXAMPLES
            files["main.py"] = (folder / name).read_text()
            files["flow.json"] = json.dumps(settings or {})
        else:
            files["main.py"] = (FLOWS / "main.py").read_text()
            files["flow.py"] = (PROGRAMS / f"{name}.py").read_text()
            files["flow.json"] = json.dumps(settings or {})
        folder = tmp_path / f"flash{len(made)}"
        profile = profile or Profile()
        profile.peer_answer_s = min(profile.peer_answer_s, ANSWER_S)
        made.append(Program(folder, files, profile, heap))
        return made[-1]

    yield make
    for each in made:
        each.bench.close()
