"""A node on the bench: the project's firmware on its flash, a virtual C1100 on its UART."""

import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests import deployed
from host_tests.patience import ANSWER_S
from host_tests.peers import any_broker
from host_tests.virtual_c1100.http_server import HttpServer
from tools.broker import Address
from tools.demo import flash
from tools.demo.subscriber import Subscriber, as_sampled
from tools.events import Event
from tools.lockstep import Bench
from tools.power.watch import Watch
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_c1100 import Profile, VirtualC1100

PERIOD_S = 900


class Node:
    """profile -- of the virtual module; config -- changes to the demo's configuration

    source -- the board has .py files, which a test may change, and not the compiled ones
    console_pty -- somebody can type at its prompt; heap -- of its MicroPython
    stuck_s -- of computing, after which a program hangs
    watch -- whose meter counts the charge
    """

    def __init__(
        self,
        folder: Path,
        broker: Address,
        profile: Profile,
        secrets: dict,
        source: bool = False,
        console_pty: bool = False,
        heap: str = "384K",
        stuck_s: float = 3,
        watch: Watch | None = None,
        **config,
    ) -> None:
        self.flash = folder
        folder.mkdir()
        if source:
            flash.build(folder, "n1", broker, PERIOD_S)
        else:
            deployed.put(folder)
            flash.configure(folder, "n1", broker, PERIOD_S)
        self.configure(**config)
        (folder / "secrets.json").write_text(json.dumps(secrets))
        self.events: list[Event] = []

        def happened(event: Event) -> None:
            self.events.append(event)
            if watch:
                watch.event(event)

        profile.peer_answer_s = ANSWER_S

        def made(timeline, send) -> VirtualC1100:
            return VirtualC1100(timeline, profile, send)

        self.bench = Bench(
            Board(flash_folder(folder), heap=heap),
            watch.module(made) if watch else made,
            on_event=happened,
            on_board_state=watch.board_state if watch else None,
            console_pty=console_pty,
            stuck_s=stuck_s,
        )

    def configure(self, **changes) -> None:
        """Change top-level keys of config.json; a key of None is removed."""
        path = self.flash / "config.json"
        config = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))

    @property
    def module(self) -> VirtualC1100:
        module = self.bench.module
        assert isinstance(module, VirtualC1100)
        return module

    def live(self, wakes: int) -> None:
        """Until so many wakes, counted from power-up, have ended in sleep."""
        self.bench.run(
            until=lambda: self.asleep and len(self.said("sleeping")) >= wakes,
            limit_s=wakes * 17 * PERIOD_S,
        )

    def deliver(self, subscriber: Subscriber) -> list[str]:
        """Live until all that was sampled has arrived. Returns what arrived, each record once, and
        as it was sampled.
        """

        def arrived() -> list[str]:
            sampled = {text.encode() for text in self.said("sampled")}
            found = [as_sampled(record, sampled) for record in subscriber.records]
            return [record.decode() for record in dict.fromkeys(found)]

        begin_s = self.bench.timeline.now_us / 1e6

        def is_all_here() -> bool:
            if self.asleep:
                subscriber.settle()
            return self.asleep and set(self.said("sampled")) <= set(arrived())

        self.bench.run(
            until=is_all_here,
            limit_s=begin_s + 40 * PERIOD_S,
        )
        return arrived()

    @property
    def asleep(self) -> bool:
        """Whether the board is in deep sleep."""
        wakes = self.bench.wakes
        return bool(wakes and wakes[-1].end)

    def said(self, start: str) -> list[str]:
        """Console lines that begin with this, without it."""
        return [
            line[len(start) :].strip() for _, line in self.bench.console if line.startswith(start)
        ]

    def asleep_by(self, wake: int) -> float:
        """Virtual seconds that a wake, counted from 1, lasted."""
        awake = self.bench.wakes[wake - 1]
        return (awake.end_us - awake.start_us) / 1e6


class Lines:
    """A server of the TCP line protocol: it stores, then confirms; `keep` says how many. It ends
    the connection, or is silent from then on, at a record in `hated`.
    """

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.records: list[bytes] = []
        self.keep = 10**9
        self.time = b""
        self.hated: list[bytes] = []
        self.silent = False
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer.nodes.append(self.rfile.readline().decode().strip())
                for line in self.rfile:
                    number, _, record = line.strip().partition(b" ")
                    if len(outer.records) >= outer.keep:
                        return
                    if any(part in record for part in outer.hated):
                        if outer.silent:
                            self.rfile.read()
                        return
                    outer.records.append(record)
                    self.wfile.write(b"%s%s\n" % (number, outer.time))

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host, self.port = self.server.server_address


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines()
    threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def web_server() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


@pytest.fixture(scope="module")
def broker() -> Iterator[Address]:
    with any_broker() as address:
        yield address


@pytest.fixture
def node(tmp_path: Path, broker: Address):
    """node(profile=..., secrets=..., source=..., console_pty=..., **config) -> Node"""
    nodes = []

    def make(profile: Profile | None = None, secrets: dict | None = None, **config) -> Node:
        made = Node(
            tmp_path / f"flash{len(nodes)}", broker, profile or Profile(), secrets or {}, **config
        )
        nodes.append(made)
        return made

    yield make
    for made in nodes:
        made.bench.close()
