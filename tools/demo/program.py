"""`demo --node FOLDER` for a folder with a main.py of its own: a program with the driver alone.

It runs on the virtual board with lib/c1100 as it is deployed, what is in the folder, and its
virtual/, where module.toml is the module and its network. Whatever host it calls that is not on
this machine, a server of our own stands in for it: at port 80 one that says what it was asked for,
at 1883 the embedded broker, at any other one that sends back what it gets.
"""

import contextlib
import json
import shutil
import socketserver
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TextIO

from tools import broker as brokers
from tools.broker import HOST, Address
from tools.demo import far_side
from tools.demo.own import LEFT_OUT
from tools.demo.view import View, clock
from tools.deploy import compiler, project
from tools.events import Event
from tools.lockstep import Bench
from tools.own.folder import VIRTUAL
from tools.power import scenario
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_c1100.module import VirtualC1100
from tools.virtual_c1100.profile import Profile

LIMIT_S = 86400.0  # virtual
FAILED = "Traceback (most recent call last):"
MODULE = "module.toml"
BANNER = ("MicroPython ", 'Type "help()"')  # of the prompt, at which main.py has ended


class Echo(socketserver.StreamRequestHandler):
    """Sends back what it gets."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := self.request.recv(4096):
                self.wfile.write(data)


class Answers(BaseHTTPRequestHandler):
    """Says what it was asked for, as JSON."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        asked = {
            "method": self.command,
            "path": self.path,
            "body": self.rfile.read(length).decode(errors="replace"),
        }
        data = json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """The trace has it."""


class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True


class StandIns(dict[tuple[str, int], tuple[str, int]]):
    """Routes of the virtual module: a server comes up when it is first asked for."""

    def __init__(self, stack: contextlib.ExitStack, view: View) -> None:
        super().__init__()
        self._stack = stack
        self._view = view

    def get(self, key, default=None):  # type: ignore[no-untyped-def,override]
        host, port = key
        if key not in self and not far_side.here(host):
            self[key] = self._served(port)
            self._view.say(f"a server of our own stands in for {host}:{port}")
        return super().get(key, default)

    def _served(self, port: int) -> Address:
        if port == 1883:
            return self._stack.enter_context(brokers.embedded())
        made = ThreadingHTTPServer((HOST, 0), Answers) if port == 80 else Threads((HOST, 0), Echo)
        return self._stack.enter_context(far_side.served(made))


def live(folder: Path, seed: int, wakes: int, work: Path, view: View, trace: TextIO) -> list[str]:
    """Run it until it has ended, or slept so often. Returns what went wrong.

    Raises BoardError, ValueError.
    """
    begin = time.monotonic()
    flash = work / "flash"
    shutil.copytree(folder, flash, ignore=shutil.ignore_patterns(*LEFT_OUT))
    driver = {path: source for path, source in project.sources().items() if path[:4] == "lib/"}
    for path, data in compiler.compiled(driver, compiler.emitted()).items():
        (flash / path).parent.mkdir(parents=True, exist_ok=True)
        (flash / path).write_bytes(data)
    module = folder / VIRTUAL / MODULE
    with contextlib.ExitStack() as stack:
        given = scenario.module(module) if module.is_file() else Profile()
        routes = StandIns(stack, view)
        routes.update(given.routes)
        profile = replace(given, seed=seed, routes=routes)

        def happened(event: Event) -> None:
            trace.write(f"{event}\n")
            view.event(event)
            if event.kind == "console" and not event.detail.startswith(BANNER):
                view.say(f"{clock(event.at_us)}  prints  {event.detail}", "bold")

        bench = Bench(
            Board(flash_folder(flash), seed=seed, virtual=folder / VIRTUAL),
            lambda timeline, send: VirtualC1100(timeline, profile, send),
            seed=seed,
            on_event=happened,
        )
        stack.callback(bench.close)
        view.say(f"{folder.name} is a program of its own: main.py runs with the driver")
        view.live = True
        bench.run(until=lambda: _is_over(bench, wakes), limit_s=LIMIT_S)
        view.live = False
        lines = [line for _, line in bench.console if not line.startswith(BANNER)]
        view.summary(
            [
                ("lines printed", str(len(lines))),
                ("virtual time lived", clock(bench.timeline.now_us)),
                ("machine time", f"{time.monotonic() - begin:.1f} s"),
            ]
        )
    if FAILED not in lines:
        return []
    after = lines[lines.index(FAILED) + 1 :]
    return [next((line for line in after if not line.startswith(" ")), FAILED)]


def _is_over(bench: Bench, wakes: int) -> bool:
    return bench.at_prompt or sum(bool(wake.end) for wake in bench.wakes) >= wakes
