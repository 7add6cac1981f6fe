"""What a MicroPython firmware for an ESP32 says of itself: its chip, and its partition table.

MicroPython's .bin is bootloader, partition table (at flash offset 0x8000, ESP-IDF's default) and
program in one, from the chip's bootloader offset on. The format of the table is in ESP-IDF,
"Partition Tables": entries of 32 bytes, AA 50, type, subtype, offset, size, label, flags.
"""

import struct
from collections.abc import Mapping
from typing import Any

from tools.deploy import DeployError

_IMAGE_MAGIC = 0xE9
_CHIP_ID_AT = 12  # ESP-IDF, esp_image_header_t
_TABLE = 0x8000
_ENTRY = struct.Struct("<2sBBII16sI")
_ENTRY_MAGIC = b"\xaa\x50"
_LABELS = (b"vfs", b"ffat")  # ports/esp32/modules/flashbdev.py


def _chips() -> Mapping[str, Any]:
    from esptool.targets import CHIP_DEFS  # late: most tools have no use for it

    return CHIP_DEFS


def bootloader_offset(chip: str) -> int:
    """Where in flash the firmware of a chip begins. `chip` is esptool's name of it."""
    return _chips()[chip].BOOTLOADER_FLASH_OFFSET


def chip_of(firmware: bytes) -> str:
    """esptool's name of the chip that a firmware is for. Raises DeployError when it is none."""
    if len(firmware) > _CHIP_ID_AT + 2 and firmware[0] == _IMAGE_MAGIC:
        number = int.from_bytes(firmware[_CHIP_ID_AT : _CHIP_ID_AT + 2], "little")
        for name, chip in _chips().items():
            if getattr(chip, "IMAGE_CHIP_ID", None) == number:
                return name
    raise DeployError(
        "this is no ESP32 firmware: take the .bin of the board's page on "
        "https://micropython.org/download (not the .app-bin)"
    )


def parts(firmware: bytes) -> list[tuple[int, int]]:
    """Type and offset of each partition of a firmware; none where it has no table."""
    table = firmware[_TABLE - bootloader_offset(chip_of(firmware)) :]
    found = []
    for at in range(0, len(table) - _ENTRY.size, _ENTRY.size):
        magic, kind, _, offset, _, _, _ = _ENTRY.unpack_from(table, at)
        if magic != _ENTRY_MAGIC:
            break
        found.append((kind, offset))
    return found


def file_system(firmware: bytes, flash_size: int) -> tuple[int, int]:
    """Offset and size in bytes of the file system that a firmware will use.

    flash_size -- bytes of flash that the board has

    Raises DeployError when the firmware has no partition table, or leaves no room.
    """
    table = firmware[_TABLE - bootloader_offset(chip_of(firmware)) :]
    end = 0
    for at in range(0, len(table) - _ENTRY.size, _ENTRY.size):
        magic, _, _, offset, size, label, _ = _ENTRY.unpack_from(table, at)
        if magic != _ENTRY_MAGIC:
            break
        if label.rstrip(b"\0") in _LABELS:
            return offset, size
        end = max(end, offset + size)
    if not end:
        raise DeployError("the firmware has no partition table: is it the .app-bin of an update?")
    if end >= flash_size:
        raise DeployError(
            f"the firmware's partitions end at {end:#x}, the board's flash at {flash_size:#x}: "
            "is it the right firmware?"
        )
    return end, flash_size - end
