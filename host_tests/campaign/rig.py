"""A node on a real LittleFS, and everything around it that can go wrong."""

import contextlib
import json
import random
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from littlefs import LittleFS, LittleFSError

from firmware.outbox import Outbox
from host_tests.peers import dead_port
from host_tests.virtual_c1100.http_server import HttpServer
from tools.broker import Address
from tools.deploy import image
from tools.deploy.boards import BOARDS
from tools.lockstep import Bench
from tools.power.meter import Meter
from tools.power.profiles import load
from tools.power.watch import Watch
from tools.virtual_board.board import Board, flash_image
from tools.virtual_c1100 import Profile, VirtualC1100

BLOCK, BLOCKS = 4096, 192
NODE = "campaign"
OUTBOX = 16384
BROKER = ("mqtt.example", 1883)
HUNG_SENSOR = b"async def read(node):\n    while True:\n        pass\n"
HUNG = "firmware/sensors/temperature.py"  # a source file comes before the compiled one
BALLAST = "ballast"
WEB = "http.example"


class Silent(socketserver.BaseRequestHandler):
    """A broker that accepts the session, and never says anything again."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.recv(1024)
            self.request.sendall(b"\x20\x02\x00\x00")  # CONNACK
            while self.request.recv(1024):
                pass


class Flash:
    """The board's flash between two lives of it, through a LittleFS of the host's."""

    def __init__(self, path: Path, config: dict) -> None:
        self.path = path
        board = replace(BOARDS["pybv11"], arch="", size=BLOCK * BLOCKS, block=BLOCK)
        files = image.contents(board, source=False)
        files["config.json"] = json.dumps(config).encode()
        path.write_bytes(image.build(board, files)[0])

    @contextlib.contextmanager
    def mounted(self) -> Iterator[LittleFS]:
        """For changes; they are written back at the end."""
        system = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
        system.context.buffer = bytearray(self.path.read_bytes())
        system.mount()
        yield system
        self.path.write_bytes(bytes(system.context.buffer))

    def configure(self, **changes: object) -> None:
        """Change top-level keys of config.json; None removes one."""
        with self.mounted() as system:
            with system.open("config.json", "rb") as file:
                config = json.loads(file.read()) | changes
            with system.open("config.json", "wb") as file:
                kept = {k: v for k, v in config.items() if v is not None}
                file.write(json.dumps(kept).encode())

    def fill(self) -> None:
        """Leave no block free."""
        with self.mounted() as system:
            number = 0
            with contextlib.suppress(LittleFSError):
                while True:
                    with system.open(f"{BALLAST}.{number}", "wb") as file:
                        file.write(b"\xa5" * BLOCK)
                    number += 1

    def empty(self) -> None:
        """Remove what fill() has written."""
        with self.mounted() as system:
            for name in system.listdir("/"):
                if name.startswith(BALLAST):
                    system.remove(name)

    def put(self, name: str, data: bytes | None) -> None:
        """Write a file; None removes it."""
        with self.mounted() as system:
            if data is None:
                with contextlib.suppress(FileNotFoundError):
                    system.remove(name)
                return
            with system.open(name, "wb") as file:
                file.write(data)

    def dropped(self) -> int:
        """Records that the outbox says are lost: given up by its policy, or damaged."""
        with self.mounted() as system, tempfile.TemporaryDirectory(prefix="outbox.") as name:
            folder = Path(name)
            (folder / "outbox").mkdir()
            names = [f"outbox/{file}" for file in system.listdir("outbox")]
            for path in (*names, "outbox.next"):
                missing = contextlib.suppress(FileNotFoundError, LittleFSError)
                with missing, system.open(path, "rb") as file:
                    (folder / path).write_bytes(file.read())
            return Outbox(f"{name}/outbox", OUTBOX).dropped

    def spoil(self, name: str, data: bytes | None) -> None:
        """Put something else where a small file is, or was; None: a folder."""
        with self.mounted() as system:
            with contextlib.suppress(FileNotFoundError, LittleFSError):
                system.remove(name)
            if data is None:
                with contextlib.suppress(FileExistsError):
                    system.mkdir(name)
                return
            with system.open(name, "wb") as file:
                file.write(data)

    def mend(self, name: str) -> None:
        """Nothing is there any more."""
        with self.mounted() as system, contextlib.suppress(FileNotFoundError, LittleFSError):
            system.remove(name)

    def flip(self, folder: str, draw: random.Random) -> None:
        """One bit of one file in a folder, if there is one."""
        with self.mounted() as system:
            files = [f"{folder}/{name}" for name in sorted(system.listdir(folder))]
            if not files:
                return
            name = draw.choice(files)
            with system.open(name, "rb") as file:
                content = bytearray(file.read())
            if content:
                content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            with system.open(name, "wb") as file:
                file.write(bytes(content))


class Rig:
    """Node, module, network. A context manager."""

    def __init__(self, folder: Path, broker: Address, seed: int) -> None:
        self.random = random.Random(seed)
        self.broker = broker
        self.profile = Profile(seed=seed, patience_s=0.3, peer_answer_s=0.3)
        self.profile.routes[BROKER] = broker
        self.start_s = self.profile.start_s
        self._stack = contextlib.ExitStack()
        self.silent = self._stack.enter_context(_served())
        self.web = self._stack.enter_context(HttpServer())
        self.profile.routes[WEB, 80] = self.web.address
        self.flash = Flash(folder / "flash.img", config())
        self.meter = Meter(load("mdm9206", "module"), load("esp32", "board"), keep=False)
        watch = Watch(self.meter)
        self.bench = Bench(
            Board(flash_image(self.flash.path), seed=seed),
            watch.module(lambda timeline, send: VirtualC1100(timeline, self.profile, send)),
            seed=seed,
            on_event=watch.event,
            on_board_state=watch.board_state,
            stuck_s=1.0,
        )
        self._stack.callback(self.bench.close)
        self.watch = watch

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def module(self) -> VirtualC1100:
        module = self.bench.module
        assert isinstance(module, VirtualC1100)
        return module

    @property
    def asleep(self) -> bool:
        """Whether the board is in deep sleep."""
        wakes = self.bench.wakes
        return bool(wakes and wakes[-1].end.startswith("deep sleep"))

    def said(self, start: str) -> list[str]:
        """Console lines that begin with this, without it."""
        return [
            line[len(start) :].strip() for _, line in self.bench.console if line.startswith(start)
        ]


def config() -> dict:
    """The node's settings while all is well."""
    return {
        "id": NODE,
        "sample": {"period_s": 300},
        "report": {"period_s": 900},
        "mqtt": {"host": BROKER[0], "port": BROKER[1]},
        "register_s": 60,
        "pins": {"pwrkey": 4, "wake": 5, "status": 18, "cut": 6, "battery": 34, "temperature": 35},
        "outbox": {"bytes": OUTBOX},
    }


@contextlib.contextmanager
def _served() -> Iterator[Address]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield Address(*server.server_address)
    finally:
        server.shutdown()
        server.server_close()


def dead() -> Address:
    """An address at which nobody listens."""
    return Address("127.0.0.1", dead_port())
