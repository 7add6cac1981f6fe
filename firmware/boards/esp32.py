"""ESP32 and its kin (S2, S3, C3, C6): MicroPython's esp32 port."""

import esp32
import machine

from .base import Base

# A pad's level, over sleep and the next start; the stubs lack this argument of Pin.init().
_HELD = {"hold": True}
_RELEASED = {"hold": False}


class Board(Base):
    """settings -- as config.load() returns them"""

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        self._outputs = []

    def uart(self) -> machine.UART:
        """The UART that the module is on."""
        return self._uart(has_pins=True)

    def output(self, name: str) -> machine.Signal | None:
        """The output ``pwrkey`` or ``wake``, not asserted; None if it is not wired.

        Its level is kept during sleep, and given up only here, after the new one is set.
        """
        low = self._invert(name)

        def made(number):
            pin = machine.Pin(number)
            pin.init(machine.Pin.OUT, value=low, **_RELEASED)
            self._outputs.append(pin)
            return machine.Signal(pin, invert=low)

        return self._made(name, "be an output", made)

    def volts(self, name: str) -> float | None:
        """Voltage at the analogue input ``battery`` or ``temperature``; None if not wired.

        Up to about 2.45 V (ESP32) or 2.9 V (the others) with the chip's own calibration.
        """

        def made(number):
            return machine.ADC(machine.Pin(number), atten=machine.ADC.ATTN_11DB)

        adc = self._made(name, "measure a voltage", made)
        return None if adc is None else adc.read_uv() / 1000000

    def sleep(self, ms: int, ring: bool = False) -> None:
        """Deep sleep: does not return, the next wake is a boot. Outputs keep their levels.

        ms   -- milliseconds
        ring -- whether the module's ring pin ends it too, where that is wired
        """
        self._arm(ring)
        self._hold(_HELD)
        hold = getattr(esp32, "gpio_deep_sleep_hold", None)
        if hold is not None and self._outputs:
            hold(True)  # for pads outside the RTC domain
        machine.deepsleep(ms)

    def light_sleep(self, ms: int, ring: bool = False) -> bool:
        """Sleep with all state kept; what comes over the UART meanwhile is lost.

        ms   -- milliseconds
        ring -- whether the module's ring pin ends it too, where that is wired

        Returns whether the ring pin ended it.
        """
        self._arm(ring)
        self._hold(_HELD)
        machine.lightsleep(ms)
        self._hold(_RELEASED)
        return self._rang()

    def woken_by_ring(self) -> bool:
        """Whether the ring pin ended the deep sleep before this start."""
        return self.reset_cause() == "deepsleep" and self._rang()

    def watchdog(self, ms: int) -> machine.WDT:
        """Start the watchdog; from then on ``feed()`` it at least every ``ms`` milliseconds."""
        return machine.WDT(timeout=ms)

    def _hold(self, how: dict) -> None:
        for pin in self._outputs:
            pin.init(**how)

    def _rang(self) -> bool:
        # Besides the timer nothing else is ever armed: the chips name the pin differently.
        return machine.wake_reason() not in (0, machine.TIMER_WAKE)

    def _arm(self, ring: bool) -> None:
        """Let the ring pin end the next sleep, or not."""
        number = self._pin(self.wake_pin)
        if number is None:
            return
        pin = machine.Pin(number, machine.Pin.IN) if ring else None
        pins = None if pin is None else (pin,)
        level = not self._wakes_low()
        if hasattr(esp32, "wake_on_ext0"):  # ESP32, S2, S3
            esp32.wake_on_ext0(pin, level)
        elif hasattr(esp32, "wake_on_ext1"):  # C6
            esp32.wake_on_ext1(pins, level)
        else:  # C3
            esp32.wake_on_gpio(pins, level)
