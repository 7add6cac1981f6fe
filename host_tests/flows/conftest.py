"""A program on the bench: flash with the driver and one flow, a virtual C1100 on the UART."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests import deployed
from host_tests.patience import ANSWER_S, LIMIT_S
from tools.lockstep import Bench
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_c1100 import Profile, VirtualC1100

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"
STEP_US = 5_000_000
PEER_S = 0.03  # per step in which nothing was said


class Flow:
    """`said(word)`: what the program has printed behind a word, in order."""

    def __init__(self, folder: Path, name: str, settings: dict, profile: Profile) -> None:
        folder.mkdir()
        deployed.put(folder, "lib/")
        shutil.copy(PROGRAMS / "main.py", folder / "main.py")
        shutil.copy(PROGRAMS / f"{name}.py", folder / "flow.py")
        (folder / "flow.json").write_text(json.dumps(settings))
        profile.peer_answer_s = ANSWER_S
        self.heard = bytearray()  # all that the module has sent over the UART

        def module(timeline, send) -> VirtualC1100:
            def tapped(data: bytes) -> None:
                self.heard += data
                send(data)

            return VirtualC1100(timeline, profile, tapped)

        self.bench = Bench(Board(flash_folder(folder), heap="512K"), module, stuck_s=30)

    @property
    def module(self) -> VirtualC1100:
        module = self.bench.module
        assert isinstance(module, VirtualC1100)
        return module

    @property
    def lines(self) -> list[str]:
        return [line for _, line in self.bench.console]

    def run(self, limit_s: float = 600, until: str = "done") -> None:
        """Until the program has printed `until`."""

        def over() -> bool:
            return any(line in (until, "failed") for line in self.lines)

        while not over():
            said, end_us = len(self.lines), self.bench.timeline.now_us + STEP_US
            self.bench.run(
                until=lambda end_us=end_us: over() or self.bench.timeline.now_us >= end_us,
                limit_s=limit_s,
            )
            if len(self.lines) == said:  # a peer, which lives in real time, may have to answer
                time.sleep(PEER_S)
        assert "failed" not in self.lines, "\n".join(self.lines)

    def go_on_until(self, condition: Callable[[], bool], step_s: float = 1.0) -> None:
        """Let virtual time pass in steps until a peer, which lives in real time, has answered."""
        limit = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < limit, "the peer does not answer"
            self.bench.run(until=self.bench.timeline.now_us / 1e6 + step_s)
            time.sleep(0.01)

    def said(self, word: str) -> list[str]:
        return [line[len(word) + 1 :] for line in self.lines if line.startswith(word + " ")]


@pytest.fixture
def flow(tmp_path: Path):
    """flow(name, settings, profile) -> Flow"""
    flows = []

    def make(name: str, settings: dict | None = None, profile: Profile | None = None) -> Flow:
        made = Flow(tmp_path / f"flash{len(flows)}", name, settings or {}, profile or Profile())
        flows.append(made)
        return made

    yield make
    for made in flows:
        made.bench.close()
