"""The virtual board: MicroPython's unix port with stand-ins for the hardware.

The stand-in ``machine`` has the names and the meaning that boards give them, so this file reads
like the one of a real board.
"""

import machine

from .base import Base


class Board(Base):
    """settings -- as config.load() returns them"""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        self._rang = False
        self._armed = None  # the ring pin, while it is

    def uart(self) -> machine.UART:
        """The UART that the module is on."""
        return self._uart()

    def volts(self, name: str) -> float | None:
        """Voltage at the analogue input ``battery`` or ``temperature``; None if not wired."""
        adc = self._made(name, "measure a voltage", lambda pin: machine.ADC(machine.Pin(pin)))
        return None if adc is None else adc.read_uv() / 1000000

    def sleep(self, ms: int, ring: bool = False) -> None:
        """Deep sleep: does not return, the next wake is a boot.

        ms   -- milliseconds
        ring -- whether the module's ring pin ends it too, where that is wired
        """
        self._arm(ring, machine.DEEPSLEEP)
        machine.deepsleep(ms)

    def light_sleep(self, ms: int, ring: bool = False) -> bool:
        """Sleep with all state kept; what comes over the UART meanwhile is lost.

        ms   -- milliseconds
        ring -- whether the module's ring pin ends it too, where that is wired

        Returns whether the ring pin ended it.
        """
        self._rang = False
        self._arm(ring, machine.SLEEP)
        machine.lightsleep(ms)
        return self._rang

    def woken_by_ring(self) -> bool:
        """Whether the ring pin ended the deep sleep before this start."""
        return machine.wake_reason() == machine.PIN_WAKE

    def watchdog(self, ms: int) -> machine.WDT:
        """Start the watchdog; from then on ``feed()`` it at least every ``ms`` milliseconds."""
        return machine.WDT(timeout=ms)

    def _arm(self, ring: bool, sleep: int) -> None:
        if not ring:
            if self._armed is not None:
                self._armed.irq(None)
            return
        pin = self._made(
            self.wake_pin, "be an input", lambda pin: machine.Pin(pin, machine.Pin.IN)
        )
        if pin is None:
            return
        self._armed = pin
        edge = pin.IRQ_FALLING if self._wakes_low() else pin.IRQ_RISING
        pin.irq(self._on_ring, edge, wake=sleep)

    def _on_ring(self, _pin: machine.Pin) -> None:
        self._rang = True
