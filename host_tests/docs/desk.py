"""A desk to try the documents' commands on: a copy of the project, brokers, boards, a module."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from host_tests import patience
from host_tests.bench.test_mpremote import serving
from host_tests.deploy.test_flash import PLAIN, firmware
from host_tests.deployed import compiled
from host_tests.docs import stand_ins
from host_tests.docs.markdown import ROOT
from host_tests.docs.stand_ins import Way
from host_tests.support.web import serving_files
from tools.broker import Address, free_port
from tools.virtual_board.board import Board, flash_folder

LIMIT_S = 3600.0 if os.environ.get("DOCS") == "full" else patience.LIMIT_S
PARTS = ("tools", "lib", "firmware", "docs", "host_tests/scenarios")
KEY = "c0ffee" * 8
ID = "field-17"  # of README
NODE = {"id": ID, "mqtt": {"host": "broker.example", "port": 1883}}
WIRED = NODE | {"uart": {"tx": 17, "rx": 16}}  # for an image of an ESP32


class Done(NamedTuple):
    """How a command ended, and what it said, with the names that the document has."""

    code: int
    said: str


class Desk:
    """folder -- a copy of the project in it; broker -- for what talks to nodes"""

    def __init__(self, folder: Path, broker: Address) -> None:
        self.broker = broker
        self.root = folder / "project"
        self._folder = folder
        copy_project(self.root)
        (self.root / ".venv").symlink_to(Path(sys.executable).parent.parent)
        (self.root / "build").mkdir()
        (self.root / "config.json").write_text(json.dumps(WIRED))
        (self.root / "secrets.json").write_text(json.dumps({"commands": {"key": KEY}}))
        (self.root / "build/ignored.toml").write_text('[grants]\nrelease = "ignored"\n')
        (self.root / "nodes.csv").write_text("id,mqtt.host\na1,broker.example\n")
        firmware("esp32", PLAIN, folder).rename(self.root / "ESP32_GENERIC.bin")
        (self.root / "PYBD_SF2.dfu").write_bytes(b"DfuSe" + bytes(100))

    def start(self, command: str, **real: str) -> "Running":
        """Begin a command as bash would, with what stands in."""
        return Running(self, command, real)

    def run(self, command: str, **real: str) -> Done:
        """Run a command to its end."""
        return self.start(command, **real).ended()

    # What stands in -------------------------------------------------------------------------

    @contextlib.contextmanager
    def peers(self, command: str) -> Iterator[dict[str, str]]:
        """Those that a command needs."""
        wanted = set(re.findall(r"{(\w+)}", stand_ins.replaced(command)))
        with contextlib.ExitStack() as stack:
            made: dict[str, Callable[[], str]] = {
                "broker": lambda: str(self.broker),
                "port": lambda: str(free_port()),
                "folder": lambda: str(self._folder),
                "board": lambda: stack.enter_context(self._board()),
                "module": lambda: stack.enter_context(self._module()),
                "line": lambda: stack.enter_context(_line()),
                "server": lambda: stack.enter_context(self._server()),
            }
            yield {name: made[name]() for name in wanted if name in made}

    @contextlib.contextmanager
    def _board(self) -> Iterator[str]:
        """Its serial port; it has a node's code and settings."""
        flash = self._folder / f"flash{len(list(self._folder.glob('flash*')))}"
        for name, data in compiled().items():
            (flash / name).parent.mkdir(parents=True, exist_ok=True)
            (flash / name).write_bytes(data)
        (flash / "config.json").write_text(json.dumps(NODE))
        with serving(Board(flash_folder(flash))) as real:
            yield real.runner.console.name

    @contextlib.contextmanager
    def _module(self) -> Iterator[str]:
        """The line of a virtual C1100."""
        link = self._folder / f"c1100-{free_port()}"
        running = self.start(f"python -m tools virtual-c1100 --link {link}")
        try:
            running.until("Ctrl-C ends it")
            yield os.readlink(link)
        finally:
            running.interrupt()

    @contextlib.contextmanager
    def _server(self) -> Iterator[str]:
        """The URL of a web server with what `python -m tools mip` builds."""
        built = self.root / "build/mip"
        if not built.exists():
            assert self.run("python -m tools mip").code == 0
        with serving_files(built) as url:
            yield url


def copy_project(root: Path) -> None:
    """What the commands need of the project."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=ignore)
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, root)


class Running:
    """A command that has been started, in a terminal where it needs one."""

    def __init__(self, desk: Desk, command: str, real: dict[str, str]) -> None:
        self._real = real
        self.command = command
        self.said = ""
        path = [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin", "/sbin"]
        environment = {k: v for k, v in os.environ.items() if k not in ("CI", "DOCS")}
        environment |= {"PATH": ":".join(path), "PYTHONUNBUFFERED": "1", "TERM": "xterm"}
        self._heard, inner = pty.openpty() if stand_ins.on_screen(command) else os.pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", stand_ins.replaced(command, **real)],
            cwd=ROOT if command.startswith(stand_ins.IN_PROJECT) else desk.root,
            env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=inner, stderr=inner,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.close(inner)

    def until(self, pattern: str) -> str:
        """Wait until it has said something. Returns all that it has said."""
        limit = time.monotonic() + LIMIT_S
        while not re.search(pattern, self.said):
            assert self._hear(0.2), f"{self.command} has ended:\n{self.said}"
            assert time.monotonic() < limit, f"{self.command} has said only:\n{self.said}"
        return self.said

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        self._hear(0)
        return self._process.poll() is not None

    def interrupt(self) -> Done:
        """Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self.ended()

    def ended(self) -> Done:
        """Wait for its end."""
        limit = time.monotonic() + LIMIT_S
        while self._hear(0.2):
            if time.monotonic() > limit:
                os.killpg(self._process.pid, signal.SIGKILL)
                raise AssertionError(f"{self.command} does not end:\n{self.said}")
        os.close(self._heard)
        return Done(self._process.wait(LIMIT_S), self._as_printed())

    def _hear(self, seconds: float) -> bool:
        """Take in what it says; False when it has ended, and all is heard."""
        if not select.select([self._heard], [], [], seconds)[0]:
            return self._process.poll() is None
        try:
            heard = os.read(self._heard, 65536)
        except OSError:  # of a terminal: nobody holds the other end any more
            heard = b""
        if not heard:
            return False
        self.said += heard.decode(errors="replace").replace("\r", "")
        return True

    def _as_printed(self) -> str:
        said = self.said.replace(sys.executable, ".venv/bin/python")
        for name in stand_ins.NAMES:
            real = name.real.strip()
            for key, value in self._real.items():
                real = real.replace("{" + key + "}", value)
            if "{" not in real and name.printed.strip() in self.command:
                said = said.replace(real, name.printed.strip())
        return said


@contextlib.contextmanager
def _line() -> Iterator[str]:
    """A serial port with nobody at its other end."""
    near, far = os.openpty()
    for end in (near, far):
        tty.setraw(end)
    try:
        yield os.ttyname(far)
    finally:
        os.close(near)
        os.close(far)


def in_place(command: str, how: stand_ins.How) -> str:
    """What is run, before names are replaced."""
    if how.way is not Way.INSTEAD:
        return command
    plain = re.sub(r"\s+#.*", "", command)
    return plain + how.text[1:] if how.text.startswith("+") else how.text
