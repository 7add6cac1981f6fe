"""`python -m tools flash`: its commands, and that esptool accepts what they name, offline.

No ESP32 firmware is at hand: the bootloader and the program are made by esptool's own classes, in
the layout of MicroPython's .bin (ports/esp32/makeimg.py).
"""

import hashlib
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from esptool.bin_image import ELFSection, ESP32C3FirmwareImage, ESP32FirmwareImage
from esptool.targets import CHIP_DEFS
from littlefs import LittleFS

from host_tests.deploy.conftest import command
from tools.deploy import DeployError, flash, image, partitions, suits
from tools.deploy.boards import BOARDS

IMAGES = {
    "esp32": (ESP32FirmwareImage, 0x40080000),
    "esp32c3": (ESP32C3FirmwareImage, 0x40380000),
}
NVS_PHY = [("nvs", 1, 2, 0x9000, 0x6000), ("phy_init", 1, 1, 0xF000, 0x1000)]
PLAIN = [*NVS_PHY, ("factory", 0, 0, 0x10000, 0x1F0000)]
LARGER = [*NVS_PHY, ("factory", 0, 0, 0x10000, 0x2F0000)]
WITH_ROW = [*PLAIN, ("vfs", 1, 0x81, 0x200000, 0x180000)]


def app(chip: str, path: Path) -> bytes:
    """A valid image for the chip, with one segment of code."""
    kind, address = IMAGES[chip]
    made = kind()
    made.entrypoint = address
    made.segments.append(ELFSection(b".text", address, bytes(range(256)) * 4, flags=0))
    made.save(str(path))
    return path.read_bytes()


def firmware(chip: str, table: list[tuple], folder: Path) -> Path:
    """A .bin like MicroPython's: bootloader, partition table with its MD5, program."""
    program = app(chip, folder / "app.bin")
    rows = b"".join(
        struct.pack("<2sBBII16sI", b"\xaa\x50", kind, sub, offset, size, label.encode(), 0)
        for label, kind, sub, offset, size in table
    )
    rows += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(rows).digest()
    first = partitions.bootloader_offset(chip)
    data = program.ljust(0x8000 - first, b"\xff") + rows
    data = data.ljust(0x10000 - first, b"\xff") + program
    path = folder / f"{chip}.bin"
    path.write_bytes(data)
    return path


def esptool(*arguments: object) -> str:
    words = [sys.executable, "-m", "esptool", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("board", "first"), [("esp32-4m", 0x1000), ("esp32c3-4m", 0x0)])
def test_esptool_accepts_firmware_and_image_at_their_offsets(
    board, first, checkout, tmp_path, capsys
) -> None:
    chip = BOARDS[board].chip
    bin_file = firmware(chip, PLAIN, tmp_path)
    system = tmp_path / "system.bin"
    options = ["--board", board, "--firmware", bin_file]
    assert command(image, *options, "--out", system) == 0
    capsys.readouterr()
    assert command(flash, *options, "--image", system, "--port", "/dev/X", "--dry-run") == 0
    printed = shlex.split(capsys.readouterr().out)
    assert printed[1:5] == ["-m", "esptool", "--chip", chip]
    assert printed[5:7] == ["--port", "/dev/X"]
    assert printed[9:] == ["write-flash", hex(first), str(bin_file), "0x200000", str(system)]

    said = esptool("image-info", bin_file)
    assert "Checksum: " in said
    assert "(valid)" in said
    assert "invalid" not in said
    merged = tmp_path / "merged.bin"
    esptool("--chip", chip, "merge-bin", "-o", merged, *printed[10:])
    data = merged.read_bytes()
    program = bin_file.read_bytes()
    assert data[first : first + len(program)] == program
    assert data[0x200000:] == system.read_bytes()
    mounted = LittleFS(block_size=4096, block_count=512, mount=False)
    mounted.context.buffer = bytearray(data[0x200000:])
    mounted.mount()
    with mounted.open("main.py", "rb") as file:
        assert file.read() == (checkout / "main.py").read_bytes()


def test_esptool_parses_the_command_that_is_run(tmp_path, capfd) -> None:
    bin_file = firmware("esp32", PLAIN, tmp_path)
    options = ["--board", "esp32-4m", "--firmware", bin_file, "--erase"]
    missing = tmp_path / "ttyNONE"
    # It gets as far as opening the port, so it has understood everything before that.
    assert command(flash, *options, "--port", missing) != 0
    out = "".join(capfd.readouterr())
    assert "write-flash --erase-all 0x1000" in out
    assert f"Could not open {missing}" in out


@pytest.mark.parametrize(
    ("table", "flash_size", "found"),
    [
        (PLAIN, 4 << 20, (0x200000, 0x200000)),
        (PLAIN, 16 << 20, (0x200000, 0xE00000)),
        (LARGER, 4 << 20, (0x300000, 0x100000)),
        (WITH_ROW, 4 << 20, (0x200000, 0x180000)),
    ],
)
@pytest.mark.parametrize("chip", IMAGES)
def test_the_partition_table_of_the_firmware_counts(
    chip, table, flash_size, found, tmp_path
) -> None:
    data = firmware(chip, table, tmp_path).read_bytes()
    assert partitions.chip_of(data) == chip
    assert partitions.file_system(data, flash_size) == found


def test_a_firmware_that_cannot_be_right_is_refused(tmp_path) -> None:
    data = firmware("esp32", PLAIN, tmp_path).read_bytes()
    with pytest.raises(DeployError, match=r"end at 0x200000, the board's flash at 0x200000"):
        partitions.file_system(data, 2 << 20)
    with pytest.raises(DeployError, match=r"no partition table.*app-bin"):
        partitions.file_system((tmp_path / "app.bin").read_bytes(), 4 << 20)
    with pytest.raises(DeployError, match="no ESP32 firmware"):
        partitions.chip_of(b"DfuSe and more of it")
    offsets = {name: chip.BOOTLOADER_FLASH_OFFSET for name, chip in CHIP_DEFS.items()}
    for board in BOARDS.values():
        if board.chip:
            assert partitions.bootloader_offset(board.chip) == offsets[board.chip]


def test_image_board_and_firmware_must_agree(checkout, tmp_path, capsys) -> None:
    plain = firmware("esp32", PLAIN, tmp_path)
    system = tmp_path / "system.bin"
    assert command(image, "--board", "esp32-4m", "--firmware", plain, "--out", system) == 0
    given = ["--port", "P", "--image", system, "--dry-run"]
    larger = firmware("esp32", LARGER, tmp_path)
    for options, says in (
        (["--board", "esp32-4m", "--firmware", larger], "2097152 bytes, the file system of this"),
        (["--board", "esp32-8m", "--firmware", larger], "of this board and firmware 5242880"),
        (["--board", "esp32s3-4m", "--firmware", larger], "is for an esp32, the board has an esp"),
        (["--board", "pybd-sf2", "--firmware", larger], "is no .dfu file"),
        (["--board", "none", "--firmware", larger], "no board 'none'"),
    ):
        assert command(flash, *options, *given) == 1
        assert says in capsys.readouterr().err
    assert command(flash, "--board", "esp32-4m", "--firmware", plain) == 1
    assert "needs --port" in capsys.readouterr().err


def test_commands_for_an_stm32(checkout, tmp_path, capsys, monkeypatch) -> None:
    dfu = tmp_path / "PYBD_SF2.dfu"
    dfu.write_bytes(b"DfuSe\x01" + bytes(100))
    system = tmp_path / "system.bin"
    assert command(image, "--board", "pybd-sf2", "--out", system) == 0
    capsys.readouterr()
    options = ["--board", "pybd-sf2", "--firmware", dfu, "--image", system]
    assert command(flash, *options, "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"dfu-util -d 0483:df11 -a 0 -D {dfu}",
        f"dfu-util -d 0483:df11 -a 0 -s 0x80000000:leave -D {system}",
    ]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command(flash, *options) == 1
    assert "dfu-util is missing: install it" in capsys.readouterr().err


def test_a_command_that_fails_ends_the_flashing(checkout, tmp_path, monkeypatch, capfd) -> None:
    dfu = tmp_path / "PYBV11.dfu"
    dfu.write_bytes(b"DfuSe\x01" + bytes(100))
    system = tmp_path / "system.bin"
    assert command(image, "--board", "pybv11", "--out", system) == 0
    tool = tmp_path / "dfu-util"
    tool.write_text(
        f"#!{sys.executable}\nimport sys\nprint('tool', *sys.argv[1:])\nsys.exit(74)\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    options = ["--board", "pybv11", "--firmware", dfu, "--image", system]
    assert command(flash, *options) == 74
    assert capfd.readouterr().out.count("tool -d 0483:df11") == 1


# What is made for another board ------------------------------------------------------------------


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Board -> its image, with as little on it as there can be."""
    folder = tmp_path_factory.mktemp("systems")
    made = {name: folder / f"{name}.bin" for name in BOARDS}
    for name, path in made.items():
        files = {"boot.py": b"", "main.py": b""}
        path.write_bytes(image.build(BOARDS[name], files, name)[0])
    return made


@pytest.mark.parametrize("name", BOARDS)
def test_an_image_belongs_on_its_board_and_on_no_other(name, systems) -> None:
    for made_for, path in systems.items():
        if made_for == name:
            suits.check_image(path, name, BOARDS[name])
            continue
        one_line = r"^[^\n]*(is made for|bytes, the file system)[^\n]*$"
        with pytest.raises(DeployError, match=one_line):
            suits.check_image(path, name, BOARDS[name])
        if BOARDS[made_for].size == BOARDS[name].size:
            with pytest.raises(DeployError, match=f"is made for {made_for}, not for {name}"):
                suits.check_image(path, name, BOARDS[name])
            suits.check_image(path, name, BOARDS[name], force=True)


@pytest.mark.parametrize("name", ["esp32-4m", "pybd-sf2", "pybv11"])
def test_what_is_no_image_is_refused(name, systems, tmp_path) -> None:
    flash_of = BOARDS[name]
    good = systems[name].read_bytes()
    files = {
        "empty": (b"", "is empty"),
        "cut": (good[:-1], "bytes, the file system"),
        "longer": (good + b"x", "bytes, the file system"),
        "noise": (bytes(range(256)) * (flash_of.size // 256), "is no LittleFS image"),
        "zeros": (bytes(flash_of.size), "is no LittleFS image"),
        "erased": (b"\xff" * flash_of.size, "is no LittleFS image"),
        "torn": (good[:16] + bytes(flash_of.size - 16), "damaged LittleFS image"),
    }
    for file, (data, says) in files.items():
        path = tmp_path / file
        path.write_bytes(data)
        for force in (False, True):
            with pytest.raises(DeployError, match=says):
                suits.check_image(path, name, flash_of, force)
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(DeployError, match="cannot be read"):
            suits.check_image(path, name, flash_of)
    path = tmp_path / "others"  # of a board's own mkfs, or of before images said it
    path.write_bytes(image.build(flash_of, {"main.py": b""})[0])
    suits.check_image(path, name, flash_of)


@pytest.mark.parametrize("name", BOARDS)
def test_a_firmware_belongs_on_its_chip_and_is_whole(name, tmp_path, capsys) -> None:
    mcus = {board.mcu for board in BOARDS.values() if board.mcu}
    made = {chip: firmware(chip, PLAIN, tmp_path) for chip in IMAGES}
    for mcu in mcus:
        made[mcu] = tmp_path / f"{mcu}.dfu"
        text = f"a board with {mcu}xyz".encode()
        made[mcu].write_bytes(b"DfuSe\x01" + struct.pack("<I", 11 + len(text)) + b"\x01" + text)
    for what in ("empty", "noise"):
        made[what] = tmp_path / what
        made[what].write_bytes(b"" if what == "empty" else bytes(range(256)) * 999)
    made["folder"], made["none"] = tmp_path, tmp_path / "missing"
    whole = made[next(iter(IMAGES))].read_bytes()
    made["torn"] = tmp_path / "torn"
    for length in (1, 20, 0x8000, 0xF000, 0xF010, len(whole) - 300):
        made["torn"].write_bytes(whole[:length])
        assert command(flash, "--board", name, "--port", "P", "--firmware", made["torn"],
                       "--dry-run") == 1  # fmt: skip
    capsys.readouterr()
    for what, path in made.items():
        right = what in (BOARDS[name].chip or "-", BOARDS[name].mcu or "-")
        options = ["--board", name, "--port", "P", "--firmware", path, "--dry-run"]
        assert command(flash, *options) == (0 if right else 1), what
        said = capsys.readouterr().err
        assert right or (said.startswith("flash: ") and said.count("\n") == 1), said
        if what in mcus and BOARDS[name].mcu:
            assert command(flash, *options, "--force") == 0
            capsys.readouterr()
    if BOARDS[name].mcu:
        cut = made[BOARDS[name].mcu]
        cut.write_bytes(cut.read_bytes()[:-1])
        assert command(flash, "--board", name, "--firmware", cut, "--dry-run") == 1
        assert "is cut off" in capsys.readouterr().err


SAYS = """esptool v5
Connected to {chip} on /dev/ttyUSB0:
Chip type:          {chip}-D0WD (revision v1.0)
Detected flash size: {size}
"""


@pytest.mark.parametrize("name", [name for name in BOARDS if BOARDS[name].chip])
def test_the_board_at_the_port_is_asked_before_it_is_written(name, monkeypatch) -> None:
    there = {
        CHIP_DEFS[board.chip].CHIP_NAME: board.chip for board in BOARDS.values() if board.chip
    }
    for chip, known_as in there.items():
        for mib in (2, 4, 8, 16):
            text = SAYS.format(chip=chip, size=f"{mib}MB")
            done = subprocess.CompletedProcess([], 0, text, "")
            monkeypatch.setattr(suits.subprocess, "run", lambda *_, done=done, **__: done)
            if known_as == BOARDS[name].chip and mib << 20 >= BOARDS[name].flash_size:
                suits.check_connected("P", BOARDS[name])
                continue
            with pytest.raises(DeployError, match=r"^P has [^\n]*$"):
                suits.check_connected("P", BOARDS[name])
    for text in ("", "A fatal error occurred", "Detected flash size: Unknown"):
        assert suits.told(text) == ("", 0)
