"""Does a file belong on a board, and is the connected board the one that is meant?

What each says of itself: an image the name of its board, in an attribute of boot.py, which nobody
sees as a file; a MicroPython for an ESP32 its chip and the length of its parts; one for an STM32
its microcontroller, in plain text; an ESP32 at a port its chip and the size of its flash, by
esptool. What an STM32 in its DFU mode is, nothing here asks.
"""

import re
import struct
import subprocess
import sys
from pathlib import Path

from littlefs import LittleFS, LittleFSError

from tools.calling import COMMAND
from tools.deploy import DeployError, partitions
from tools.deploy.boards import MIB, BoardFlash

ATTRIBUTE = "B"
BEARER = "boot.py"
MAGIC = b"littlefs"  # in the first block or the second: LittleFS, SPEC.md
MCU = re.compile(rb"STM32[A-Z]\d{3}")
APP_TYPE = 0
SEGMENT = 8  # bytes in front of each: address and length (ESP-IDF, esp_image_segment_header_t)
HEADER = 24


def read(path: Path) -> bytes:
    """Content of a file that is to be flashed. Raises DeployError when there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DeployError(f"{path} cannot be read: {error.strerror}") from error
    if not data:
        raise DeployError(f"{path} is empty")
    return data


def mark(system: LittleFS, board: str) -> None:
    """Say in an image for which board it is made."""
    if board:
        system.setattr(BEARER, ATTRIBUTE, board.encode())


def check_image(path: Path, name: str, flash: BoardFlash, force: bool = False) -> None:
    """Raises DeployError for an image that is not of this board.

    force -- only its size and kind count
    """
    data = read(path)
    advice = f"make it by `{COMMAND} image` with the same --board and --firmware"
    # LittleFS keeps its size in the superblock, and MicroPython refuses one of another size.
    if len(data) != flash.size:
        raise DeployError(
            f"{path} has {len(data)} bytes, the file system of this board and firmware "
            f"{flash.size}: {advice}"
        )
    if MAGIC not in (data[8:16], data[flash.block + 8 : flash.block + 16]):
        raise DeployError(f"{path} is no LittleFS image: {advice}")
    made_for = _board_of(data, flash)
    if made_for is None:
        raise DeployError(f"{path} is a damaged LittleFS image, or of other blocks: {advice}")
    if made_for and made_for != name and not force:
        raise DeployError(f"{path} is made for {made_for}, not for {name}: {advice} (or --force)")


def _board_of(data: bytes, flash: BoardFlash) -> str | None:
    """The board that an image is made for; "" if it does not say; None if it cannot be mounted."""
    system = LittleFS(
        block_size=flash.block, block_count=flash.size // flash.block, mount=False
    )  # fmt: skip
    system.context.buffer = bytearray(data)
    try:
        system.mount()
    except LittleFSError:
        return None
    try:
        return system.getattr(BEARER, ATTRIBUTE).decode("ascii", "replace")
    except LittleFSError:  # of before there was this, or made by others
        return ""


def check_esp32_firmware(path: Path, flash: BoardFlash) -> None:
    """Raises DeployError for what is no MicroPython for this chip, or not all of it."""
    data = read(path)
    try:
        chip = partitions.chip_of(data)
    except DeployError as error:
        raise DeployError(f"{path}: {error}") from error
    if chip != flash.chip:
        raise DeployError(f"{path} is for an {chip}, the board has an {flash.chip}")
    first = partitions.bootloader_offset(chip)
    for kind, offset in partitions.parts(data):
        if kind == APP_TYPE:
            if not _is_whole(data[max(offset - first, 0) :]):
                raise DeployError(f"{path} is cut off: download it again")
            return


def _is_whole(program: bytes) -> bool:
    """Whether all segments of an ESP32's program are there."""
    if len(program) < HEADER:
        return False
    at = HEADER
    for _ in range(program[1]):
        if at + SEGMENT > len(program):
            return False
        at += SEGMENT + struct.unpack_from("<I", program, at + 4)[0]
    return at < len(program)  # a checksum follows


def check_dfu(path: Path, flash: BoardFlash, force: bool = False) -> None:
    """Raises DeployError for what is no MicroPython for this STM32, or not all of it."""
    data = read(path)
    if data[:5] != b"DfuSe":
        raise DeployError(f"{path} is no .dfu file: an STM32 needs MicroPython as .dfu")
    # The format is ST's UM0391: its length without the suffix stands behind the version.
    if len(data) < 11 or len(data) < struct.unpack_from("<I", data, 6)[0]:
        raise DeployError(f"{path} is cut off: download it again")
    found = {name.decode() for name in MCU.findall(data)}
    if found and flash.mcu not in found and not force:
        raise DeployError(
            f"{path} is for an {', '.join(sorted(found))}, the board has an {flash.mcu} "
            "(or --force)"
        )


def check_connected(port: str, flash: BoardFlash) -> None:
    """Raises DeployError when the ESP32 at a port says that it is another one.

    One that says nothing is left to esptool itself, which has the words for that.
    """
    command = [sys.executable, "-m", "esptool", "--port", port, "flash-id"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    chip, size = told(done.stdout)
    if chip and chip != flash.chip:
        raise DeployError(
            f"{port} has an {chip}, the board has an {flash.chip}: is it the right --board, the "
            "right --port? (or --force)"
        )
    if size and size < flash.flash_size:
        raise DeployError(
            f"{port} has {size // MIB} MiB of flash, the board has {flash.flash_size // MIB}: is "
            "it the right --board? (or --force)"
        )


def told(text: str) -> tuple[str, int]:
    """(chip, bytes of flash) in what esptool prints; "" and 0 where that is not in it."""
    chip = re.search(r"^Connected to (\S+) on ", text, re.MULTILINE)
    size = re.search(r"^Detected flash size: *(\d+)(KB|MB)$", text, re.MULTILINE)
    unit = {"KB": 1024, "MB": MIB}
    return (
        chip[1].lower().replace("-", "") if chip else "",
        int(size[1]) * unit[size[2]] if size else 0,
    )
