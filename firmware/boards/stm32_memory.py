"""What an STM32 keeps over Standby mode and resets: backup registers, or backup SRAM.

Addresses and bits: RM0090 (F4) and RM0410 (F7), which agree here.
"""

import struct

import stm
from micropython import const

# Chips with 4 KiB of backup SRAM at the same address.
_WITH_SRAM = (
    "STM32F405",
    "STM32F407",
    "STM32F415",
    "STM32F417",
    "STM32F42",
    "STM32F43",
    "STM32F446",
    "STM32F469",
    "STM32F479",
    "STM32F7",
)
_SRAM = const(0x40024000)
_SRAM_BYTES = const(2048)

_CSR = const(4)  # PWR_CSR
_DBP = const(1 << 8)  # of PWR_CR: the backup domain may be written
_BRE = const(1 << 9)  # of PWR_CSR: backup SRAM is supplied in Standby
_BKPSRAMEN = const(1 << 18)  # of RCC_AHB1ENR: its clock

_MARK = const(0xC110)  # with the length, in front of the data
_TASK = const(1)  # register 0 is left to boot loaders
_FIRST = const(2)


class Memory:
    """chip -- its name, as in os.uname().machine

    Raises NotImplementedError for a chip without known backup registers.
    """

    def __init__(self, chip: str) -> None:
        stm.mem32[stm.PWR] |= _DBP
        self._registers, count = _registers()
        if any(name in chip for name in _WITH_SRAM):
            stm.mem32[stm.RCC + stm.RCC_AHB1ENR] |= _BKPSRAMEN
            stm.mem32[stm.PWR + _CSR] |= _BRE
            self._data = _SRAM
            self.size = _SRAM_BYTES
        else:
            self._data = self._registers + 4 * _FIRST
            self.size = 4 * (count - _FIRST - 1)

    @property
    def task(self) -> int:
        """32 bits for the board itself."""
        return stm.mem32[self._registers + 4 * _TASK]

    @task.setter
    def task(self, value: int) -> None:
        stm.mem32[self._registers + 4 * _TASK] = value

    def load(self) -> bytes:
        """What store() has kept; empty if nothing, or after a loss of supply."""
        head = stm.mem32[self._data]
        length = head & 0xFFFF
        if head >> 16 != _MARK or length > self.size:
            return b""
        words = [stm.mem32[self._data + 4 + i] for i in range(0, length, 4)]
        return b"".join([struct.pack("<I", word & 0xFFFFFFFF) for word in words])[:length]

    def store(self, data: bytes) -> None:
        """Keep up to ``size`` bytes. Raises ValueError for more."""
        if len(data) > self.size:
            raise ValueError("%d bytes do not fit into %d" % (len(data), self.size))
        padded = bytes(data) + bytes(-len(data) % 4)
        for i in range(0, len(padded), 4):
            stm.mem32[self._data + 4 + i] = struct.unpack_from("<I", padded, i)[0]
        stm.mem32[self._data] = _MARK << 16 | len(data)


def _registers() -> tuple:
    """(address of backup register 0, how many there are)"""
    for block, form in (("RTC", "RTC_BKP%dR"), ("TAMP", "TAMP_BKP%dR")):
        count = 0
        while hasattr(stm, form % count):
            count += 1
        if count:
            return getattr(stm, block) + getattr(stm, form % 0), count
    raise NotImplementedError("firmware/boards/stm32_memory.py knows no backup registers here")
