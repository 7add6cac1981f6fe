"""The virtual board: MicroPython's unix port with stand-ins for the hardware.

The stand-in ``machine`` has the names and the meaning that boards give them, so this file reads
like the one of a real board.
"""

import machine

_RX_BYTES = 4096


class Board:
    """settings -- as config.load() returns them"""

    def __init__(self, settings: dict) -> None:
        self._settings = settings
        self._rtc = machine.RTC()

    def uart(self) -> machine.UART:
        """The UART that the module is on."""
        settings = self._settings
        return machine.UART(settings["uart.id"], settings["uart.baud"], timeout=0, rxbuf=_RX_BYTES)

    def output(self, name: str) -> machine.Signal | None:
        """The output ``pwrkey`` or ``wake``, not asserted; None if it is not wired."""
        number = self._settings["pins." + name]
        if number < 0:
            return None
        low = not self._settings["pins." + name + "_active"]
        return machine.Signal(machine.Pin(number, machine.Pin.OUT, value=low), invert=low)

    def input(self, name: str) -> machine.Signal | None:
        """The input ``status``; None if it is not wired."""
        number = self._settings["pins." + name]
        if number < 0:
            return None
        low = not self._settings["pins." + name + "_active"]
        return machine.Signal(machine.Pin(number, machine.Pin.IN), invert=low)

    def volts(self, name: str) -> float | None:
        """Voltage at the analogue input ``battery`` or ``temperature``; None if not wired."""
        number = self._settings["pins." + name]
        return None if number < 0 else machine.ADC(number).read_uv() / 1000000

    def load(self) -> bytes:
        """What store() kept over deep sleep; empty after a loss of supply."""
        return self._rtc.memory()

    def store(self, data: bytes) -> None:
        """Keep up to 2 KiB over deep sleep and resets."""
        self._rtc.memory(data)

    def sleep(self, ms: int) -> None:
        """Deep sleep: does not return, the next wake is a boot."""
        machine.deepsleep(ms)
