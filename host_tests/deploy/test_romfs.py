"""ROMFS: what is in the image, a node that runs from it, and how it gets onto a board."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from host_tests.bench.test_mpremote import serving
from host_tests.deploy.conftest import SMALL, Served, command
from host_tests.deploy.test_image import NODE
from host_tests.patience import LIMIT_S
from tools.broker import Address, embedded
from tools.demo.subscriber import Subscriber
from tools.deploy import DeployError, boards, deploy, image, project, rom, romfs
from tools.deploy.connection import Connection
from tools.deploy.settings import micropython
from tools.lockstep import Bench
from tools.virtual_board.board import Board, flash_folder, rom_file
from tools.virtual_board.process import BoardError
from tools.virtual_c1100 import Profile, VirtualC1100

CODE = sorted(name[:-3] + ".mpy" for name in SMALL if name not in project.START)
WALK = """
import os, sys, vfs
with open(sys.argv[1], "rb") as file:
    vfs.mount(vfs.VfsRom(file.read()), "/rom")
def walk(path):
    for name, kind, *_ in os.ilistdir(path):
        if kind & 0x4000:
            walk(path + "/" + name)
        else:
            with open(path + "/" + name, "rb") as f:
                print(path[5:] + "/" + name, f.read().hex())
walk("/rom")
"""


def number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def records(data: bytes, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Path and content of all files in a folder's records (MicroPython, extmod/vfs_rom.c)."""
    at = 0
    while at < len(data):
        kind, at = number(data, at)
        size, at = number(data, at)
        body, at = data[at : at + size], at + size
        if kind not in (4, 5):
            continue
        length, begin = number(body, 0)
        path = prefix + body[begin : begin + length].decode()
        body = body[begin + length :]
        if kind == 4:
            yield from records(body, path + "/")
            continue
        kind, begin = number(body, 0)
        size, begin = number(body, begin)
        assert kind == 2  # the content itself, not where it is
        yield path, body[begin : begin + size]


@pytest.mark.parametrize("name", ["esp32-4m", "esp32c3-4m", "pybd-sf2"])
def test_an_image_has_all_code_compiled_and_nothing_else(name, checkout, tmp_path, capsys) -> None:
    native = checkout / "firmware" / "fast.py"
    native.write_text("import micropython\n@micropython.native\ndef f(): return 1\n")
    out = tmp_path / "image.romfs"
    assert command(image, "--romfs", "--board", name, "--out", out) == 0
    data = out.read_bytes()
    count = len(CODE) + 1
    assert f"{out}: {count} files, {len(data)} bytes (lib/c1100 " in capsys.readouterr().out
    size, begin = number(data, 3)
    assert (data[:3], begin + size) == (b"\xd2\xcd\x31", len(data))
    found = dict(records(data[begin:]))
    want = image.contents(boards.named(name), source=False)
    assert found == {path: want[path] for path in want if path not in project.START}
    assert sorted(found) == sorted([*CODE, "firmware/fast.mpy"])
    program = [micropython(), "-c", WALK, str(out)]
    mounted = subprocess.run(program, capture_output=True, text=True, check=True)
    assert dict(line.split() for line in mounted.stdout.splitlines()) == {
        path: content.hex() for path, content in found.items()
    }


def test_an_image_of_code_takes_nothing_else(checkout, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(image, "--romfs", "--board", "esp32-4m") == 0
    assert (tmp_path / "build" / "esp32-4m.romfs").read_bytes()[:3] == romfs.MAGIC
    for option in (["--config", "c"], ["--secrets", "s"], ["--source"], ["--frozen"]):
        assert command(image, "--romfs", "--board", "esp32-4m", *option) == 1
        said = capsys.readouterr().err
        assert f"so {option[0]} is not for it" in said
        assert said.count("\n") == 1
    with pytest.raises(DeployError, match="ASCII only"):
        romfs.build({"firmware/größe.mpy": b""})


def test_a_node_reports_with_all_code_in_romfs(tmp_path) -> None:
    out = tmp_path / "image.romfs"
    assert command(image, "--romfs", "--board", "esp32-4m", "--out", out) == 0
    flash = tmp_path / "flash"
    board = Board(flash_folder(flash), rom=rom_file(out))
    for name in project.START:
        shutil.copy(project.ROOT / name, flash / name)
    (flash / "config.json").write_text(json.dumps(NODE))
    with (
        embedded() as broker,
        Subscriber(broker, "nodes/from-image/telemetry") as subscriber,
        Bench(
            board,
            lambda timeline, send: VirtualC1100(
                timeline, Profile(routes={Address("mqtt.test", 1883): broker}), send
            ),
        ) as bench,
    ):
        bench.run(until=lambda: bool(bench.wakes and bench.wakes[0].end), limit_s=600)
        subscriber.wait(1, LIMIT_S)
        assert len(subscriber.payloads) == 1, [text for _, text in bench.console]
        assert json.loads(subscriber.payloads[0])[0]["bn"].startswith("from-image")
    # What it has written is on the file system, and no code is.
    assert {"config.good", "outbox"} <= {path.name for path in flash.iterdir()}
    assert {path.name for path in flash.rglob("*py")} == set(project.START)


class Partitioned(Served):
    """A board with a partition for ROMFS."""

    def __init__(self, tty: str, flash: Path, partition: Path) -> None:
        super().__init__(tty, flash)
        self.partition = partition

    def deploy(self, *options: object) -> int:
        return command(deploy, "--port", self.tty, "--log", "0.5", *options)

    def code(self) -> set[str]:
        """Modules that are files."""
        return self.files() - set(project.START) - {"config.json"}

    def in_rom(self) -> list[str]:
        """What a board finds there."""
        data = self.partition.read_bytes()
        if data[:3] != romfs.MAGIC:
            return []
        size, begin = number(data, 3)
        return sorted(path for path, _ in records(data[begin : begin + size]))


@pytest.fixture
def partitioned(tmp_path: Path) -> Iterator[Callable[..., Partitioned]]:
    """Makes one board in real time, with a partition of some blocks that may hold an image."""
    stack = contextlib.ExitStack()

    def make(blocks: int = 4, holding: dict[str, bytes] | None = None) -> Partitioned:
        path = tmp_path / "partition"
        path.write_bytes((romfs.build(holding) if holding else b"").ljust(4096 * blocks, b"\xff"))
        flash = tmp_path / "flash"
        real = stack.enter_context(serving(Board(flash_folder(flash), rom=rom_file(path))))
        return Partitioned(real.runner.console.name, flash, path)

    with stack:
        yield make


def test_deploy_uses_romfs_where_the_board_has_it(checkout, partitioned, capsys) -> None:
    board = partitioned()
    assert board.deploy() == 0
    out = capsys.readouterr().out
    assert "| hello from /rom/firmware/app.mpy" in out
    assert f"ROMFS: {len(CODE)} modules, " in out
    assert "of 16384 bytes" in out
    assert (board.in_rom(), board.files()) == (CODE, set(project.START))

    before = board.partition.stat().st_mtime_ns
    assert board.deploy("--no-reset") == 0
    out = capsys.readouterr().out
    assert "there already" in out
    assert "0 of 2 files copied (0 bytes), 0 removed" in out
    assert board.partition.stat().st_mtime_ns == before

    (checkout / "firmware" / "boards" / "base.py").write_text("CHANGED = 1\n")
    assert board.deploy("--no-reset") == 0
    assert "there already" not in capsys.readouterr().out
    assert b"CHANGED" in board.partition.read_bytes()


def test_files_of_an_earlier_deployment_do_not_hide_romfs(checkout, partitioned, capsys) -> None:
    board = partitioned()
    assert board.deploy("--no-reset", "--files", "--source") == 0
    assert board.in_rom() == []
    assert len(board.code()) == len(CODE)
    (board.flash / "config.json").write_text('{"id": "x"}')
    assert board.deploy() == 0
    out = capsys.readouterr().out
    assert "| hello from /rom/firmware/app.mpy" in out
    assert f"{len(CODE)} removed" in out
    assert (board.code(), board.in_rom()) == (set(), CODE)
    assert not (board.flash / "lib" / "c1100").exists()
    assert (board.flash / "config.json").read_text() == '{"id": "x"}'


def test_a_file_that_is_no_part_of_it_is_not_removed_unasked(
    checkout, partitioned, capsys
) -> None:
    board = partitioned()
    own = board.flash / "firmware" / "own.py"
    own.parent.mkdir()
    own.write_text("")
    assert board.deploy("--no-reset") == 1
    said = capsys.readouterr().out
    assert "FAILED: firmware/own.py would hide what is in ROMFS" in said
    assert "--prune removes it" in said
    assert (own.exists(), board.in_rom()) == (True, [])
    assert board.deploy("--prune") == 0
    assert "| hello from /rom/" in capsys.readouterr().out


def test_romfs_of_ours_does_not_hide_files(checkout, partitioned, capsys) -> None:
    board = partitioned()
    assert board.deploy("--no-reset") == 0
    assert board.deploy("--files") == 0
    out = capsys.readouterr().out
    assert "ROMFS erased: it would hide the files" in out
    assert "| hello from firmware/app.mpy" in out
    assert (board.in_rom(), len(board.code())) == ([], len(CODE))


FOREIGN = {"lib/sensor.mpy": b"M"}
MIXED = {**FOREIGN, "lib/c1100/at.mpy": b"M"}


@pytest.mark.parametrize(
    ("blocks", "holding", "options", "says", "modules"),
    [
        (4, FOREIGN, [], "files, not ROMFS: the board's ROMFS is in use (lib/sensor.mpy)", "file"),
        (4, FOREIGN, ["--files"], f"{len(SMALL)} of {len(SMALL)} files copied", "file"),
        (4, FOREIGN, ["--romfs"], f"ROMFS: {len(CODE)} modules", "rom"),
        (4, MIXED, [], "FAILED: the board's ROMFS has lib/c1100/at.mpy among others' files", ""),
        (4, MIXED, ["--romfs"], f"ROMFS: {len(CODE)} modules", "rom"),
        (1, None, [], "bytes, the board's ROMFS 4096\n", "file"),
        (1, None, ["--romfs"], "bytes, the board's ROMFS 4096: deploy without --romfs", ""),
        (4, None, ["--romfs", "--source"], "FAILED: --source is not for --romfs", ""),
        (4, None, ["--source"], f"{len(SMALL)} of {len(SMALL)} files copied", "file"),
    ],
)
def test_where_the_code_goes(
    blocks, holding, options, says, modules, checkout, partitioned, capsys
) -> None:
    if blocks == 1:  # too small
        filling = "".join(f"def f{n}(): return {n}\n" for n in range(200))
        (checkout / "firmware" / "boards" / "base.py").write_text(filling)
    board = partitioned(blocks, holding)
    assert board.deploy("--no-reset", *options) == (0 if modules else 1)
    assert says in capsys.readouterr().out
    assert len(board.code()) == (len(CODE) if modules == "file" else 0)
    assert board.in_rom() == (CODE if modules == "rom" else sorted(holding or []))


def test_a_board_without_romfs(checkout, boards, capsys) -> None:
    board = boards()
    assert command(deploy, "--port", board.tty, "--romfs") == 1
    assert "FAILED: the board's MicroPython has no ROMFS" in capsys.readouterr().out
    assert board.files() == set()


class Interrupted(Exception):
    """Stands for a cable that was pulled."""


def test_an_interrupted_write_leaves_no_romfs_and_no_main(
    checkout, partitioned, monkeypatch, capsys
) -> None:
    board = partitioned(8)
    big = "".join(f"def f{n}(): return {n}\n" for n in range(300))
    (checkout / "firmware" / "boards" / "base.py").write_text(big)
    assert board.deploy("--no-reset") == 0
    assert len(board.in_rom()) == len(CODE)
    (checkout / "firmware" / "boards" / "base.py").write_text("NEW = 1\n" + big)
    run, writes = Connection.run, []

    def pulled(self: Connection, code: str) -> str:
        if code.startswith("w("):
            writes.append(code)
            if len(writes) == 2:
                raise Interrupted
        return run(self, code)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Connection, "run", pulled)
        board.deploy()
    assert (board.in_rom(), "main.py" in board.files()) == ([], False)
    assert board.deploy() == 0
    assert "| hello from /rom/" in capsys.readouterr().out
    assert (board.in_rom(), board.files()) == (CODE, set(project.START))


@pytest.mark.parametrize("at", [0, 300], ids=["at the start", "in a file"])
def test_a_write_that_did_not_take_is_found(
    at, checkout, partitioned, monkeypatch, capsys
) -> None:
    board = partitioned()
    execute = SerialTransport.exec

    def worn_out(self, command, data_consumer=None):
        if isinstance(command, str) and command.startswith("w("):
            command = command.replace("a2b_base64(", f"x(a2b_base64, {at}, ")
            execute(self, "def x(f, i, t):\n b = bytearray(f(t))\n b[i] ^= 1\n return b")
        return execute(self, command, data_consumer)

    with monkeypatch.context() as patch:
        patch.setattr(SerialTransport, "exec", worn_out)
        assert board.deploy("--no-reset") == 1
    said = capsys.readouterr().out
    assert "FAILED: ROMFS is not written, deploy again: it does not read back" in said
    assert said.count("\n") == 2
    assert "main.py" not in board.files()


DEVICE = """
import sys
class Flash(bytearray):
    def ioctl(self, op, arg):
        if op == 6:
            self[arg * 512 : arg * 512 + 512] = b"\\xff" * 512
        return {4: len(self) // 512, 5: 512}.get(op, 0)
    def writeblocks(self, block, data, offset=0):
        self[block * 512 + offset : block * 512 + offset + len(data)] = data
class vfs:
    memory = Flash(8192)
    def rom_ioctl(op, *args):
        return {1: 1, 2: vfs.memory}[op]
    def umount(path):
        raise OSError(22)
sys.modules["vfs"] = vfs
"""


def test_a_partition_that_is_a_block_device(boards) -> None:
    data = romfs.build({"lib/big.mpy": bytes(range(256)) * 25})
    written: list[int] = []
    with Connection(boards().tty) as board:
        board.run(DEVICE)
        part = rom.find(board)
        assert part == rom.Partition(8192, 512, True)
        rom.write(board, part, data, written.append)
        assert rom.holds(board, data)
        assert sum(written) == len(data)
        rom.erase(board, part)
        said = board.run("print(vfs.memory[:3].hex(), vfs.memory[4096:4099].hex())")
        assert said.split() == ["ffffff", data[4096:4099].hex()]


def test_a_partition_of_the_virtual_board(tmp_path, monkeypatch) -> None:
    path = rom_file(tmp_path / "new", blocks=2)
    assert path.read_bytes() == b"\xff" * 8192
    assert rom_file(path) == path
    (tmp_path / "empty").touch()
    with pytest.raises(BoardError, match="empty is empty: make it by `python -m tools image"):
        rom_file(tmp_path / "empty")
    monkeypatch.setenv("MICROPYTHON", "/bin/true")
    with pytest.raises(BoardError, match="ROMFS needs the MicroPython that pip installs"):
        Board(flash_folder(tmp_path / "flash"), rom=path)
