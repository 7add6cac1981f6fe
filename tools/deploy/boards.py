"""Where each board keeps its file system, and how it is flashed.

The figures are from MicroPython's source; none has been tried on a board.

ESP32: ports/esp32/partitions-4MiBplus.csv ends with `factory` at 0x10000 + 0x1F0000, and main.c
makes the "vfs" partition of what is left of the flash; the older partitions-4MiB.csv, -8MiB.csv
and -16MiB.csv name the same range. A firmware with another table is found out by `partitions.py`.

STM32: ports/stm32/boards/<BOARD>/mpconfigboard.h and mpconfigboard.mk (MICROPY_VFS_LFS2),
flashbdev.c, storage.h; main.c mounts a LittleFS when it finds one in the first or second block.
"""

from dataclasses import dataclass

from tools.deploy import DeployError

ESP32_START = 0x200000
MIB = 1 << 20


@dataclass(frozen=True)
class BoardFlash:
    """The file system of a board. `start`: offset in flash, for DFU the address; sizes in bytes.

    chip -- esptool's name of it, "" for a board that takes DFU
    arch -- of native code in .mpy files
    mcu -- of a board that takes DFU
    """

    chip: str
    arch: str
    start: int
    size: int
    block: int = 4096
    mcu: str = ""

    @property
    def flash_size(self) -> int:
        """Of an ESP32: all flash, as the file system is its end."""
        return self.start + self.size


def _esp32(chip: str, arch: str, mib: int) -> BoardFlash:
    return BoardFlash(chip, arch, ESP32_START, mib * MIB - ESP32_START)


BOARDS = {
    "esp32-4m": _esp32("esp32", "xtensawin", 4),
    "esp32-8m": _esp32("esp32", "xtensawin", 8),
    "esp32-16m": _esp32("esp32", "xtensawin", 16),
    "esp32s2-4m": _esp32("esp32s2", "xtensawin", 4),
    "esp32s3-4m": _esp32("esp32s3", "xtensawin", 4),
    "esp32s3-8m": _esp32("esp32s3", "xtensawin", 8),
    "esp32s3-16m": _esp32("esp32s3", "xtensawin", 16),
    "esp32c3-4m": _esp32("esp32c3", "rv32imc", 4),
    "esp32c6-4m": _esp32("esp32c6", "rv32imc", 4),
    # SPI flash 1 (16 Mbit, MICROPY_HW_SPIFLASH_SIZE_BITS), at MBOOT_SPIFLASH_ADDR for mboot.
    "pybd-sf2": BoardFlash("", "armv7emsp", 0x80000000, 2 * MIB, mcu="STM32F722"),
    "pybd-sf6": BoardFlash("", "armv7emdp", 0x80000000, 2 * MIB, mcu="STM32F767"),
    # STM32F405: flash sectors 1 to 4, in blocks of FLASH_BLOCK_SIZE. Room for a small outbox only.
    "pybv11": BoardFlash("", "armv7emsp", 0x08004000, 112 * 1024, block=512, mcu="STM32F405"),
}


def named(name: str) -> BoardFlash:
    """The board of this name. Raises DeployError with the names that there are."""
    if name not in BOARDS:
        raise DeployError(f"no board {name!r}; there are: {', '.join(BOARDS)}")
    return BOARDS[name]
