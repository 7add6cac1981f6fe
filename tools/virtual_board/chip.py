"""The board's peripherals on a clock: pins, UART input, ADC, calendar and watchdog.

Answers the interpreter's messages (`link.KINDS`) except those about its life; `module` is the
virtual C1100 on the other end of the wires, if there is one.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from tools.events import printable
from tools.network import Peer
from tools.power.wording import count as counted
from tools.timeline import Timeline, Timer
from tools.virtual_board import link, sensors
from tools.virtual_board.battery import Battery
from tools.virtual_board.devices import Devices
from tools.virtual_board.receiver import Receiver

UARTS = 3
RELEASED = 2
RISING, FALLING = 1, 2
ENDS_LIGHT_SLEEP, ENDS_DEEP_SLEEP = 2, 4


class Module(Protocol):
    """What the board's wires need of the virtual C1100. Levels are logical: True = asserted."""

    on_pin: Callable[[str, bool], None] | None

    def receive(self, data: bytes) -> None: ...
    def set_pin(self, name: str, level: bool) -> None: ...
    def get_pin(self, name: str) -> bool: ...
    def peers(self) -> Sequence[Peer]: ...


@dataclass(frozen=True)
class Wiring:
    """Which pin of the board goes to which of the module, and its level when asserted."""

    uart: int = 1
    outputs: dict[int, tuple[str, int]] = field(
        default_factory=lambda: {4: ("pwrkey", 1), 5: ("wake", 0), 6: ("cut", 1)}
    )
    inputs: dict[int, tuple[str, int]] = field(default_factory=lambda: {18: ("status", 1)})


class Chip:
    """The peripherals. `event(kind, detail)` logs; `on_bite()` is the watchdog's reset.

    `on_wake()` is called when a pin ends deep sleep.
    """

    def __init__(
        self,
        timeline: Timeline,
        wiring: Wiring,
        seed: int,
        event: Callable[[str, str], None],
        on_bite: Callable[[], None],
        on_wake: Callable[[], None],
        devices: Devices | None = None,
    ) -> None:
        self._timeline = timeline
        self._wiring = wiring
        self._seed = seed
        self._event = event
        self._on_bite = on_bite
        self._on_wake = on_wake
        self._devices = devices or Devices(None)
        self._watch_pins()
        self.module: Module | None = None
        self.battery: Battery | None = None
        self.readings: list[sensors.Reading] = []
        self.lost_bytes = 0
        self.rtc_memory = b""
        self._rtc_zero_us = 0
        self._heard = b""  # of the module, not logged yet
        self.light_sleep = False
        self._deep_sleep = False
        self.watchdog: Timer | None = None
        self._receivers = [Receiver(timeline) for _ in range(UARTS)]
        self._levels: dict[int, int] = {}
        self._held: set[str] = set()  # wires to the module that something else asserts
        self._asserted: set[str] = set()  # wires to the module, as it sees them
        self._irqs: dict[int, tuple[int, int]] = {}  # pin -> (trigger, sleeps that it ends)
        self._changes: list[tuple[int, int]] = []

    # Between lives --------------------------------------------------------------------------

    def power_on(self) -> None:
        """The supply is back: RTC memory is empty, the calendar starts at 2000."""
        self.rtc_memory = b""
        self._rtc_zero_us = self._timeline.now_us

    def stop(self, *, deep_sleep: bool = False, pins: bool = True) -> None:
        """The interpreter has ended: UARTs are closed, and unless `pins` is false, pins float."""
        self._log_heard()
        self._deep_sleep = deep_sleep
        self.light_sleep = False
        self._changes.clear()
        for receiver in self._receivers:
            receiver.reset()
        if not pins:
            return
        self._stop_watchdog()
        for pin in list(self._levels):
            self._drive(pin, RELEASED)
        keep = ENDS_DEEP_SLEEP if deep_sleep else 0
        self._irqs = {pin: irq for pin, irq in self._irqs.items() if irq[1] & keep}

    def start(self) -> None:
        """The interpreter starts."""
        self._deep_sleep = False
        self._irqs.clear()

    def rtc_us(self) -> int:
        """What the calendar shows, in microseconds since 2000."""
        return self._timeline.now_us - self._rtc_zero_us

    # What ends a wait -----------------------------------------------------------------------

    def due(self, uarts: int) -> bool:
        """Is there an interrupt to be handled, or are there bytes at one of `uarts` (bits)?"""
        if self.light_sleep:
            return any(self._irqs[pin][1] & ENDS_LIGHT_SLEEP for pin, _ in self._changes)
        return bool(self._changes) or any(
            r.idle_due or (r.visible and uarts >> n & 1) for n, r in enumerate(self._receivers)
        )

    def take(self) -> bytes:
        """All that has happened since the last wait, as events of the answer to WAIT."""
        events = bytearray()
        for n, receiver in enumerate(self._receivers):
            if receiver.visible:
                data = receiver.take()
                events += link.EVENT_BYTES + struct.pack("<BH", n, len(data)) + data
            if receiver.idle_due:
                receiver.idle_due = False
                events += link.EVENT_IDLE + bytes((n,))
        for change in self._changes:
            events += link.EVENT_PIN + bytes(change)
        self._changes.clear()
        return bytes(events)

    # From the module ------------------------------------------------------------------------

    def from_module(self, data: bytes) -> None:
        """`data` has arrived over the module's UART."""
        self._heard += data
        if data.endswith((b"\r", b"\n")):
            self._log_heard()
        receiver = self._receivers[self._wiring.uart]
        if not receiver.baud or self.light_sleep:
            self._lose(len(data), "the UART was not receiving")
        else:
            receiver.arrive(data)

    def _log_heard(self) -> None:
        """Log what the module has said, a line at a time."""
        heard, self._heard = self._heard, b""
        if heard:
            self._event("module", printable(heard))

    def module_pin(self, name: str, asserted: bool) -> None:
        """A pin of the module has changed."""
        self._event("pin", f"{name} {'on' if asserted else 'off'}")
        for pin, (wired, active) in self._wiring.inputs.items():
            if wired == name:
                self._changed(pin, active if asserted else 1 - active)

    def _watch_pins(self) -> None:
        """Wait for the next change of a pin that virtual/ describes."""
        change = self._devices.change_after(self._timeline.now_us)
        if change is not None:
            at_us, pin, level = change
            self._timeline.call_at(at_us, partial(self._pin_changed, pin, level))

    def _pin_changed(self, pin: int, level: int) -> None:
        self._watch_pins()
        self._event("pin", f"{pin} {'high' if level else 'low'}")
        self._changed(pin, level)

    def _changed(self, pin: int, level: int) -> None:
        if pin not in self._irqs:
            return
        trigger, ends = self._irqs[pin]
        if not trigger & (RISING if level else FALLING):
            return
        if self._deep_sleep:
            if ends & ENDS_DEEP_SLEEP:
                self._on_wake()
            return
        self._changes.append((pin, level))

    def hold(self, wire: str, held: bool) -> None:
        """Something besides the board asserts a wire to the module, or lets go of it."""
        (self._held.add if held else self._held.discard)(wire)
        self._tell(wire)

    def _lose(self, count: int, why: str) -> None:
        self.lost_bytes += count
        self._event("lost", f"{counted(count, 'byte')}: {why}")

    # From the program -----------------------------------------------------------------------

    def handle(self, kind: bytes, fields: tuple[int, ...], rest: bytes) -> bytes | None:
        """Do what a message asks. Returns the answer to a question, else None."""
        return _HANDLERS[kind](self, *fields, *((rest,) if kind in _WITH_BYTES else ()))

    def _uart_open(self, uart: int, baud: int) -> None:
        self._receivers[uart].open(baud)

    def _uart_write(self, uart: int, data: bytes) -> None:
        if uart == self._wiring.uart and self.module:
            self._log_heard()
            self._event("board", printable(data))
            self.module.receive(data)

    def _uart_irq(self, uart: int, wanted: int) -> None:
        self._receivers[uart].interrupt = bool(wanted)

    def _uart_lost(self, uart: int, count: int) -> None:
        self._lose(count, f"the receive buffer of UART({uart}) was full")

    def _pin_out(self, pin: int, level: int) -> None:
        self._drive(pin, level)

    def _drive(self, pin: int, level: int) -> None:
        if level == RELEASED:
            self._levels.pop(pin, None)
        else:
            self._levels[pin] = level
        if pin in self._wiring.outputs:
            self._tell(self._wiring.outputs[pin][0])

    def _tell(self, wire: str) -> None:
        """Tell the module if a wire has changed: whoever asserts it is enough."""
        asserted = wire in self._held or any(
            self._levels.get(pin) == active
            for pin, (name, active) in self._wiring.outputs.items()
            if name == wire
        )
        if self.module is None or asserted == (wire in self._asserted):
            return
        (self._asserted.add if asserted else self._asserted.discard)(wire)
        self._event("pin", f"{wire} {'on' if asserted else 'off'}")
        self.module.set_pin(wire, asserted)

    def _pin_read(self, pin: int) -> bytes:
        if pin in self._levels:
            return bytes((self._levels[pin],))
        level = self._devices.level(pin, self._timeline.now_us)
        if level is not None:
            return bytes((level,))
        name, active = self._wiring.inputs.get(pin, ("", 1))
        asserted = bool(name) and self.module is not None and self.module.get_pin(name)
        return bytes((active if asserted else 1 - active,))

    def _pin_irq(self, pin: int, trigger: int, ends: int) -> None:
        if trigger:
            self._irqs[pin] = (trigger, ends)
        else:
            self._irqs.pop(pin, None)

    def _adc_read(self, pin: int) -> bytes:
        now_us = self._timeline.now_us
        reading = self._devices.reading(pin, now_us) or sensors.read(
            self._seed, pin, now_us, self.battery
        )
        self.readings.append(reading)
        self._event("reading", f"{reading.name} {reading.microvolts} uV")
        return struct.pack("<I", reading.microvolts)

    def _bus(self, what: int, address: int, data: bytes) -> bytes:
        low = {pin for pin, level in self._levels.items() if not level}
        return self._devices.bus(what, address, data, low, self._timeline.now_us)

    def _rtc_memory(self, data: bytes) -> None:
        self.rtc_memory = data

    def _rtc_offset(self, forward_us: int) -> None:
        self._rtc_zero_us -= forward_us

    def _feed_watchdog(self, timeout_ms: int) -> None:
        self._stop_watchdog()
        self.watchdog = self._timeline.call_later(timeout_ms * 1000, self._bite)

    def _stop_watchdog(self) -> None:
        if self.watchdog:
            self.watchdog.cancel()
            self.watchdog = None

    def _bite(self) -> None:
        self.watchdog = None
        self._event("watchdog", "not fed in time")
        self._on_bite()


_HANDLERS: dict[bytes, Callable[..., bytes | None]] = {
    link.UART_OPEN: Chip._uart_open,
    link.UART_WRITE: Chip._uart_write,
    link.UART_IRQ: Chip._uart_irq,
    link.UART_LOST: Chip._uart_lost,
    link.PIN_OUT: Chip._pin_out,
    link.PIN_READ: Chip._pin_read,
    link.PIN_IRQ: Chip._pin_irq,
    link.ADC_READ: Chip._adc_read,
    link.BUS: Chip._bus,
    link.RTC_MEMORY: Chip._rtc_memory,
    link.RTC_OFFSET: Chip._rtc_offset,
    link.WATCHDOG: Chip._feed_watchdog,
}
_WITH_BYTES = {link.UART_WRITE, link.BUS, link.RTC_MEMORY}
