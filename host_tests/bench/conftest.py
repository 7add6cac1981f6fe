"""What the bench's own tests share: a board with a given main.py, and a module of a few lines."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.events import Event
from tools.lockstep import Bench
from tools.timeline import Timeline
from tools.virtual_board.board import Board, flash_folder

BAUD_US = 87  # one character at 115200 baud


class EchoModule:
    """Answers each burst of bytes with the same bytes after `latency_us`, at line speed."""

    def __init__(self, timeline: Timeline, send: Callable[[bytes], None]) -> None:
        self.timeline = timeline
        self.send = send
        self.latency_us = 5_000
        self.received: list[tuple[int, bytes]] = []
        self.pins: list[tuple[int, str, bool]] = []
        self.levels: dict[str, bool] = {"status": False}
        self.on_pin: Callable[[str, bool], None] | None = None

    def receive(self, data: bytes) -> None:
        self.received.append((self.timeline.now_us, data))
        line_us = 2 * len(data) * BAUD_US
        self.timeline.call_later(self.latency_us + line_us, lambda: self.send(data))

    def set_pin(self, name: str, level: bool) -> None:
        self.pins.append((self.timeline.now_us, name, level))

    def get_pin(self, name: str) -> bool:
        return self.levels[name]

    def change(self, name: str, level: bool) -> None:
        self.levels[name] = level
        if self.on_pin:
            self.on_pin(name, level)

    def peers(self) -> list:
        return []


class Node:
    """A bench with its log, and the lines that the board has printed."""

    def __init__(self, flash: Path, **options) -> None:
        self.log: list[Event] = []
        self.flash = flash
        module = options.pop("module", EchoModule)
        heap = options.pop("heap", "256K")
        board = Board(flash_folder(flash), heap, computing=options.pop("computing", None))
        self.bench = Bench(board, module, on_event=self.log.append, **options)

    @property
    def lines(self) -> list[str]:
        return [text for _, text in self.bench.console]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Makes a node of the text of main.py (and other files); all are closed at the end."""
    nodes: list[Node] = []

    def make(main: str, files: dict[str, str] | None = None, **options) -> Node:
        flash = tmp_path / f"flash{len(nodes)}"
        flash.mkdir()
        for name, text in {"main.py": main, **(files or {})}.items():
            (flash / name).write_text(text)
        nodes.append(Node(flash, **options))
        return nodes[-1]

    yield make
    for each in nodes:
        each.bench.close()
