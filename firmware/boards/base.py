"""What is alike on all boards. Each port's file adds how it sleeps, remembers and measures."""

import machine
from micropython import const

# Bytes that come while nobody reads: the driver's longest pause between two looks at the UART
# (300 ms), and some work.
_UNREAD_MS = const(350)
_LEAST_RX_BYTES = const(4096)

_CAUSES = (
    ("PWRON_RESET", "power"),
    ("HARD_RESET", "reset"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deepsleep"),
    ("SOFT_RESET", "soft"),
)


def rx_bytes(baud: int) -> int:
    """Size of a receive buffer that does not overflow at this rate (8N1)."""
    return max(_LEAST_RX_BYTES, baud // 10 * _UNREAD_MS // 1000)


class Base:
    """settings -- as config.load() returns them"""

    memo_bytes = 1900  # that store() keeps besides the state

    def __init__(self, settings: dict) -> None:
        self._settings = settings
        # The one that sleep() and light_sleep() mean by `ring`: what a node is to be woken by.
        self.wake_pin = "ring" if settings.get("pins.alarm", -1) == -1 else "alarm"
        self.waits_for_release = False  # the pin ends the sleep when it is not asserted any more

    def _pin(self, name: str) -> int | str | None:
        """Number or name of a pin; None if it is not wired."""
        pin = self._settings["pins." + name]
        return None if pin == -1 else pin

    def _made(self, name: str, verb: str, make):
        """What make(pin) gives; None if that pin is not wired. Raises config.ConfigError with the
        setting's key.

        verb -- what the pin is to be or do, in words
        """
        pin = self._pin(name)
        if pin is None:
            return None
        try:
            return make(pin)
        except Exception as error:
            from . import unfit

            if not isinstance(error, unfit.ERRORS):
                raise
            raise unfit.pin("pins." + name, pin, verb, error, machine.Pin)

    def faults(self) -> list:
        """Texts that name the pins in the settings that this chip does not have."""
        from . import unfit

        return unfit.pins(self._settings, machine.Pin)

    def _uart(self, has_pins: bool = False) -> machine.UART:
        settings = self._settings
        baud = settings["uart.baud"]
        try:
            pins = {}
            for name in ("tx", "rx") if has_pins else ():
                if settings["uart." + name] != -1:
                    pins[name] = machine.Pin(settings["uart." + name])
            return machine.UART(settings["uart.id"], baud, timeout=0, rxbuf=rx_bytes(baud), **pins)
        except Exception as error:
            from . import unfit

            if not isinstance(error, unfit.ERRORS):
                raise
            raise unfit.uart(settings, error, machine.Pin, has_pins)

    def _invert(self, name: str) -> bool:
        return not self._settings["pins." + name + "_active"]

    def _wakes_low(self) -> bool:
        """Whether it is a low level of the wake pin that ends the sleep."""
        return self._invert(self.wake_pin) != self.waits_for_release

    def output(self, name: str) -> machine.Signal | None:
        """The output ``pwrkey`` or ``wake``, not asserted; None if it is not wired."""
        low = self._invert(name)

        def made(pin):
            return machine.Signal(machine.Pin(pin, machine.Pin.OUT, value=low), invert=low)

        return self._made(name, "be an output", made)

    def input(self, name: str) -> machine.Signal | None:
        """The input ``status`` or ``ring``; None if it is not wired."""

        def made(pin):
            return machine.Signal(machine.Pin(pin, machine.Pin.IN), invert=self._invert(name))

        return self._made(name, "be an input", made)

    def load(self) -> bytes:
        """What store() kept over deep sleep; empty after a loss of supply."""
        return machine.RTC().memory()

    def store(self, data: bytes) -> None:
        """Keep up to 2 KiB over deep sleep and resets."""
        machine.RTC().memory(data)

    def reset_cause(self) -> str:
        """Why the board started: power, reset, watchdog, deepsleep or soft."""
        cause = machine.reset_cause()
        for constant, name in _CAUSES:
            if getattr(machine, constant, None) == cause:
                return name
        return "unknown %d" % cause

    def set_clock(self, utc: tuple) -> None:
        """Set the calendar; utc -- (year, month, day, hour, minute, second, weekday, ...)"""
        year, month, day, hour, minute, second, weekday = utc[:7]
        machine.RTC().datetime((year, month, day, weekday + 1, hour, minute, second, 0))

    def unique_id(self) -> bytes:
        """What no other chip has."""
        return machine.unique_id()
