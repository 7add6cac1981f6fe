"""STM32 (pyboard and its kin): MicroPython's stm32 port.

Register bits are those of the reference manuals RM0090 (F4) and RM0410 (F7). Deep sleep is
Standby mode: pins float, and besides the timer only PA0 can end it, on an F4.
"""

import os

import machine
import stm
from micropython import const

from .base import Base
from .stm32_memory import Memory

_LONGEST_MS = const(131000000)  # the RTC's wake-up timer: 17 bits of seconds
_LONGEST_WATCHDOG_MS = const(32000)  # 12 bits of 128 Hz

# Bits of the word that says what a start has to do first.
_MS = const(0x3FFFFFFF)
_AFTER_RESET = const(1 << 30)
_RING = const(1 << 31)

_CSR = const(4)  # PWR_CSR
_EWUP = const(1 << 8)  # of it: PA0's rising edge ends Standby
_WUTF = const(1 << 10)  # of RTC_ISR: the timer has ended it


class Board(Base):
    """settings -- as config.load() returns them"""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        chip = os.uname().machine
        self._f4 = "STM32F4" in chip
        self._memory = Memory(chip)
        self.memo_bytes = max(self._memory.size - 128, 0)
        self._watchdog = None
        self._watchdog_ms = _LONGEST_MS
        self._rang = False
        self._go_on_sleeping()

    def uart(self) -> machine.UART:
        """The UART that the module is on; its number decides the pins."""
        return self._uart()

    def volts(self, name: str) -> float | None:
        """Voltage at the analogue input ``battery`` or ``temperature``; None if not wired.

        Relative to a supply of 3.3 V.
        """
        adc = self._made(name, "measure a voltage", machine.ADC)
        return None if adc is None else adc.read_u16() * 3.3 / 65535

    def load(self) -> bytes:
        """What store() kept over deep sleep; empty after a loss of supply."""
        return self._memory.load()

    def store(self, data: bytes) -> None:
        """Keep bytes over deep sleep and resets: 2 KiB where there is backup SRAM (F405, F407,
        F42x, F446, F469, F7), else as many as the backup registers hold, 68 at least.
        """
        self._memory.store(data)

    def sleep(self, ms: int, ring: bool = False) -> None:
        """Deep sleep: does not return, the next wake is a boot.

        ms   -- milliseconds
        ring -- whether the module's ring pin ends it too, where that is wired

        A ring pin that cannot end Standby gets Stop mode (about 100 times the current) and a
        reset instead.
        """
        if ring and not self._ends_standby() and self._pin(self.wake_pin) is not None:
            self.light_sleep(ms, True)
            machine.reset()
        if self._watchdog is not None:
            # It counts on in Standby. Only a reset stops it: sleep then.
            self._memory.task = ms | _AFTER_RESET | (_RING if ring else 0)
            machine.reset()
        now = min(ms, _LONGEST_MS)
        self._memory.task = (ms - now) | (_RING if ring else 0)
        if self._f4:
            csr = stm.mem32[stm.PWR + _CSR] & ~_EWUP
            stm.mem32[stm.PWR + _CSR] = csr | _EWUP if ring and self._ends_standby() else csr
        machine.deepsleep(now)

    def light_sleep(self, ms: int, ring: bool = False) -> bool:
        """Sleep with all state kept (Stop mode); what comes over the UART meanwhile is lost.

        ms   -- milliseconds
        ring -- whether the module's ring pin ends it too, where that is wired

        Returns whether the ring pin ended it.
        """
        self._rang = False
        number = self._pin(self.wake_pin)
        pin = None
        if ring and number is not None:
            pin = machine.Pin(number, machine.Pin.IN)
            edge = pin.IRQ_FALLING if self._wakes_low() else pin.IRQ_RISING
            pin.irq(self._on_ring, edge)
        while ms > 0 and not self._rang:
            # The watchdog counts on in Stop mode, ticks_ms() does not.
            now = min(ms, self._watchdog_ms // 2)
            machine.lightsleep(now)
            ms -= now
            if self._watchdog is not None:
                self._watchdog.feed()
        if pin is not None:
            pin.irq(None)
        return self._rang

    def woken_by_ring(self) -> bool:
        """Whether the ring pin ended the deep sleep before this start."""
        if self.reset_cause() != "deepsleep" or not self._f4:
            return False
        return not stm.mem32[stm.RTC + stm.RTC_ISR] & _WUTF

    def watchdog(self, ms: int) -> machine.WDT:
        """Start the watchdog; from then on ``feed()`` it at least every ``ms`` milliseconds.

        More than 32000 ms becomes 32000 ms, the most that the hardware can do.
        """
        self._watchdog_ms = min(ms, _LONGEST_WATCHDOG_MS)
        self._watchdog = machine.WDT(timeout=self._watchdog_ms)
        return self._watchdog

    def _ends_standby(self) -> bool:
        number = self._pin(self.wake_pin)
        if number is None or not self._f4 or self._wakes_low():
            return False
        return machine.Pin(number, machine.Pin.IN).name() == "A0"

    def _on_ring(self, _pin: machine.Pin) -> None:
        self._rang = True

    def _go_on_sleeping(self) -> None:
        """A sleep that the watchdog or the timer's range has split goes on at the next start."""
        task = self._memory.task
        self._memory.task = 0
        ms = task & _MS
        cause = self.reset_cause()
        expected = "reset" if task & _AFTER_RESET else "deepsleep"
        if ms and cause == expected and not self.woken_by_ring():
            self.sleep(ms, bool(task & _RING))
