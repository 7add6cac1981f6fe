"""What virtual/ puts at pins and buses."""

import struct
from pathlib import Path

import pytest

from tools.virtual_board import devices
from tools.virtual_board.devices import Devices
from tools.virtual_board.process import BoardError

ENODEV = b"\x13"
ECHO = """
class Device:
    {where}
    def __init__(self):
        self.said = b""
    def write(self, data, now_s):
        self.said += data
    def read(self, count, now_s):
        return (self.said + bytes(count))[:count]
    def transfer(self, data, now_s):
        return bytes(255 - byte for byte in data)
"""


def folder(tmp_path: Path, **files: str) -> Devices:
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text)
    return Devices(tmp_path)


def count(n: int) -> bytes:
    return struct.pack("<H", n)


def test_nothing_is_connected_without_a_folder(tmp_path):
    for found in (Devices(None), Devices(tmp_path / "none"), Devices(tmp_path)):
        assert found.level(1, 0) is None
        assert found.reading(1, 0) is None
        assert found.change_after(0) is None
        assert found.bus(devices.I2C_SCAN, 0, b"", set(), 0) == b"\0"
        assert found.bus(devices.I2C_READ, 0x76, count(1), set(), 0) == ENODEV
        assert found.bus(devices.I2C_WRITE, 0x76, b"x", set(), 0) == ENODEV
        assert found.bus(devices.SPI, 0, b"xy", {5}, 0) == b"\0\xff\xff"
        assert found.bus(devices.WIRE_RESET, 4, b"", set(), 0) == ENODEV
        assert found.bus(devices.WIRE_READ, 4, count(2), set(), 0) == b"\0\xff\xff"


def test_a_pin_follows_its_file(tmp_path):
    found = folder(tmp_path, pin7__csv="# volts\n0,0.5\n10,2.0\n20,1.0\n")
    assert [found.level(7, s * 1_000_000) for s in (0, 9, 10, 19, 20, 99)] == [0, 0, 1, 1, 0, 0]
    reading = found.reading(7, 10_000_000)
    assert reading is not None
    assert reading.microvolts == 2_000_000
    assert found.change_after(0) == (10_000_000, 7, 1)
    assert found.change_after(10_000_000) == (20_000_000, 7, 0)
    assert found.change_after(20_000_000) is None


def test_a_pin_repeats(tmp_path):
    found = folder(tmp_path, pin7__csv="# repeats every 100\n0,0\n10,3.3\n20,0\n")
    at, seen = 0, []
    while len(seen) < 4:
        change = found.change_after(at)
        assert change is not None
        at = change[0]
        seen.append((at // 1_000_000, change[2]))
    assert seen == [(10, 1), (20, 0), (110, 1), (120, 0)]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pin7.csv", "", "no line"),
        ("pin7.csv", "0;1\n", "line 1"),
        ("pin7.csv", "0,1\nx,2\n", "line 2"),
        ("pin7.csv", "0,1,2\n", "line 1"),
        ("pin7.csv", "5,1\n5,2\n", "times must grow"),
        ("pin7.csv", "0,1\ninf,2\n", "line 2"),
        ("pin7.csv", "# repeats every 5\n0,1\n6,2\n", "repeats"),
        ("seven.csv", "0,1\n", "pin<number>"),
        ("pin999.csv", "0,1\n", "pin<number>"),
        ("d.py", "x = 1\n", "AttributeError"),
        ("d.py", "def\n", "SyntaxError"),
        ("d.py", "class Device:\n    pass\n", "none of i2c, spi, onewire"),
        ("d.py", "class Device:\n    def __init__(self):\n        1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(BoardError, match=name) as caught:
        Devices(tmp_path)
    assert words in str(caught.value)


def test_i2c(tmp_path):
    found = folder(tmp_path, echo__py=ECHO.format(where="i2c = 0x40"))
    assert found.bus(devices.I2C_SCAN, 0, b"", set(), 0) == b"\0\x40"
    assert found.bus(devices.I2C_WRITE, 0x40, b"ab", set(), 0) == b"\0"
    assert found.bus(devices.I2C_READ, 0x40, count(3), set(), 0) == b"\0ab\0"
    assert found.bus(devices.I2C_READ, 0x41, count(3), set(), 0) == ENODEV


def test_spi_goes_to_whom_is_selected(tmp_path):
    found = folder(tmp_path, echo__py=ECHO.format(where="spi = 5"))
    assert found.bus(devices.SPI, 0, b"\x01\x02", {5}, 0) == b"\0\xfe\xfd"
    assert found.bus(devices.SPI, 0, b"\x01\x02", {6}, 0) == b"\0\xff\xff"


def test_onewire_addresses_by_match_and_skip(tmp_path):
    rom = bytes(range(8))
    found = folder(tmp_path, echo__py=ECHO.format(where=f"onewire = 4; rom = {rom!r}"))
    bus = found.bus
    assert bus(devices.WIRE_SCAN, 4, b"", set(), 0) == b"\0" + rom
    for address, answer in (
        (b"\xcc", b"\0D"),
        (b"\x55" + rom, b"\0D"),
        (b"\x55" + rom[:7] + b"x", b"\0\xff"),
    ):
        assert bus(devices.WIRE_RESET, 4, b"", set(), 0) == b"\0"
        for byte in address + b"D":
            assert bus(devices.WIRE_WRITE, 4, bytes((byte,)), set(), 0) == b"\0"
        assert bus(devices.WIRE_READ, 4, count(1), set(), 0) == answer


def test_a_device_that_fails_ends_the_run_with_its_words(tmp_path):
    found = folder(tmp_path, echo__py=ECHO.format(where="i2c = 1") + "        raise KeyError(7)\n")
    with pytest.raises(BoardError, match=r"virtual/ failed: .*"):
        found.bus(devices.I2C_READ, 1, b"", set(), 0)
