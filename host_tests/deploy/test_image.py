"""The LittleFS image: as the board's own MicroPython would have it, and a node boots from it."""

import json
import subprocess
from pathlib import Path

import pytest
from littlefs import LittleFS

from host_tests.deploy.conftest import SMALL, command
from host_tests.patience import LIMIT_S
from tools.broker import Address, embedded
from tools.demo.subscriber import Subscriber
from tools.deploy import DeployError, boards, image, project
from tools.deploy.boards import BOARDS
from tools.deploy.settings import micropython
from tools.lockstep import Bench
from tools.virtual_board.board import Board, flash_image
from tools.virtual_c1100.module import VirtualC1100
from tools.virtual_c1100.profile import Profile

NODE = {
    "id": "from-image",
    "apn": "internet",
    "mqtt": {"host": "mqtt.test"},
    "uart": {"tx": 17, "rx": 16},
    "pins": {"pwrkey": 4, "wake": 5, "status": 18, "battery": 34, "temperature": 35},
}

# Mounts an image as a board would, lists and writes; argv: image, block size.
MOUNT = """
import os, sys, vfs
class Flash:
    def __init__(self, path, size):
        self.f = open(path, "r+b"); self.size = size; self.count = self.f.seek(0, 2) // size
    def readblocks(self, block, buf, offset=0):
        self.f.seek(block * self.size + offset); self.f.readinto(buf)
    def writeblocks(self, block, buf, offset=0):
        self.f.seek(block * self.size + offset); self.f.write(buf)
    def ioctl(self, op, arg):
        return {4: self.count, 5: self.size}.get(op, 0)
flash = Flash(sys.argv[1], int(sys.argv[2]))
vfs.mount(flash, "/board")  # finds out what it is, as ports do at their start
def walk(path):
    for name, kind, _, *size in os.ilistdir(path):
        if kind & 0x4000:
            walk(path + name + "/")
        else:
            print(path[7:] + name, size[0])
walk("/board/")
with open("/board/new", "w") as f:
    f.write("x" * 3000)
vfs.umount("/board")
"""


@pytest.mark.parametrize("name", BOARDS)
def test_real_micropython_mounts_every_boards_image(name, checkout, tmp_path) -> None:
    out = tmp_path / "image.bin"
    assert command(image, "--board", name, "--out", out) == 0
    data = out.read_bytes()
    assert len(data) == BOARDS[name].size
    # What a port's start looks for: extmod/vfs.c (mp_vfs_autodetect), ports/stm32/main.c.
    block = BOARDS[name].block
    assert b"littlefs" in (data[8:16], data[block + 8 : block + 16])
    program = [micropython(), "-c", MOUNT, str(out), str(block)]
    mounted = subprocess.run(program, capture_output=True, text=True, check=False)
    assert mounted.returncode == 0, mounted.stderr
    found = dict(line.split() for line in mounted.stdout.splitlines())
    want = {n if n in project.START else n[:-3] + ".mpy" for n in SMALL}
    assert set(found) == want
    assert found["main.py"] == str(len(SMALL["main.py"]))
    again = LittleFS(block_size=block, block_count=len(data) // block, mount=False)
    again.context.buffer = bytearray(out.read_bytes())
    again.mount()
    with again.open("new", "rb") as written_by_micropython:
        assert written_by_micropython.read() == b"x" * 3000


@pytest.mark.parametrize("options", [[], ["--source"]], ids=["mpy", "py"])
def test_a_node_boots_from_the_image_to_its_first_report(options, tmp_path, capsys) -> None:
    config = tmp_path / "node.json"
    config.write_text(json.dumps(NODE))
    secrets = tmp_path / "node-secrets.json"
    secrets.write_text(json.dumps({"mqtt": {"password": "s3cret"}}))
    out = tmp_path / "image.bin"
    files = ["--config", config, "--secrets", secrets]
    assert command(image, "--board", "esp32-4m", *files, "--out", out, *options) == 0
    shown = capsys.readouterr().out
    assert f"{out}: {len(project.sources()) + 2} files, 2097152 bytes for 0x200000" in shown
    assert "s3cret" not in shown
    with (
        embedded() as broker,
        Subscriber(broker, "nodes/from-image/telemetry") as subscriber,
        Bench(
            Board(flash_image(out)),
            lambda timeline, send: VirtualC1100(
                timeline, Profile(routes={Address("mqtt.test", 1883): broker}), send
            ),
        ) as bench,
    ):
        bench.run(until=lambda: bool(bench.wakes and bench.wakes[0].end), limit_s=600)
        subscriber.wait(1, LIMIT_S)
        assert len(subscriber.payloads) == 1, [text for _, text in bench.console]
        record = json.loads(subscriber.payloads[0])
    assert record[0]["bn"].startswith("from-image")
    assert {"battery", "temperature"} <= {entry["n"] for entry in record}


def test_settings_are_checked_by_the_firmware_itself(tmp_path, capsys) -> None:
    config = tmp_path / "c.json"
    out = tmp_path / "image.bin"
    for given, says in (
        ("{", "config.json is not valid JSON"),
        ('{"id": "x"}', "config.json: mqtt.host is missing"),
        ('{"id": "x", "mqtt": {"host": "h", "qos": 7}}', "mqtt.qos: 7 is not allowed"),
        ('{"id": "x", "mqtt": {"host": "h"}, "colour": 1}', "there is no setting colour"),
    ):
        config.write_text(given)
        assert command(image, "--board", "esp32-4m", "--config", config, "--out", out) == 1
        assert says in capsys.readouterr().err
    secrets = tmp_path / "s.json"
    secrets.write_text('{"pin": "123456789"}')
    config.write_text(json.dumps(NODE))
    both = ["--config", config, "--secrets", secrets]
    assert command(image, "--board", "esp32-4m", *both, "--out", out) == 1
    said = capsys.readouterr().err
    assert "secrets.json: pin" in said
    assert "123456789" not in said
    assert not out.exists()


def test_a_uart_on_the_pins_of_the_flash_chip_is_refused(tmp_path, capsys, monkeypatch) -> None:
    small = {name: text.encode() for name, text in SMALL.items()}
    monkeypatch.setattr(image, "contents", lambda *_: small)
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"id": "n", "mqtt": {"host": "h"}, "uart": {"tx": 17}}))
    options = ["--config", config, "--out", tmp_path / "image.bin"]
    for board in ("esp32-4m", "esp32-8m", "esp32-16m"):
        assert command(image, "--board", board, *options) == 1
        assert "uart.rx: without it UART 1 of an esp32 has pin 9" in capsys.readouterr().err
    assert not (tmp_path / "image.bin").exists()
    assert command(image, "--board", "esp32s3-4m", *options) == 0


def test_an_outbox_that_does_not_fit_is_refused(tmp_path, capsys) -> None:
    config = tmp_path / "c.json"
    config.write_text(json.dumps(NODE))
    options = ["--config", config, "--out", tmp_path / "image.bin"]
    assert command(image, "--board", "pybv11", *options) == 1
    assert "manifest.py, image --frozen" in capsys.readouterr().err
    config.write_text(json.dumps(NODE | {"outbox": {"bytes": 200000}}))
    assert command(image, "--board", "pybv11", "--frozen", *options) == 1
    assert "the outbox needs 200000: lower outbox.bytes" in capsys.readouterr().err
    config.write_text(json.dumps(NODE))
    assert command(image, "--board", "pybv11", "--frozen", *options) == 0


def test_what_is_too_large_and_what_is_not_known(tmp_path, capsys) -> None:
    with pytest.raises(DeployError, match="do not fit"):
        image.build(BOARDS["pybv11"], {"big": b"x" * 200_000})
    assert command(image, "--board", "esp33", "--out", tmp_path / "i") == 1
    assert "no board 'esp33'; there are: esp32-4m, " in capsys.readouterr().err
    missing = tmp_path / "none.json"
    assert command(image, "--board", "pybv11", "--config", missing) == 1
    assert f"{missing}: No such file or directory" in capsys.readouterr().err
    assert boards.named("esp32s3-8m").flash_size == 8 << 20


def test_arguments_have_their_defaults(checkout, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(image, "--board", "esp32-4m") == 0
    assert (tmp_path / "build" / "esp32-4m.bin").stat().st_size == 2 << 20
