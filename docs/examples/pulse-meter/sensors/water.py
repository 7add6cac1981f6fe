"""Pulses of a meter's contact at `pins.alarm`, counted while the node works and while it sleeps.

    "pins": {"alarm": 33}, "sensors": {"pulse": {"wakes": 1, "per_unit": 100}}

No counter of an ESP32 or STM32 that MicroPython has (machine.Counter) goes on in deep sleep. So
each pulse wakes the node: it counts, leaves the module alone, and sleeps again. While it is awake
an interrupt counts. A contact that stays closed is waited for until it is open: it costs a second
wake, not one after the other. Pulses that come while the board boots are seen as one.

The count is in RTC memory, and each `save_s` in a file: so much is lost with the supply.
"""

import time

import machine

from firmware import files, log
from firmware.last_good import ConfigError
from firmware.own import has_passed
from firmware.telemetry import Fixed

SETTINGS = {
    "name": ("pulses", str, 1, 24),
    "unit": ("", str, 0, 16),
    "per_unit": (1, int, 1, 1000000),  # pulses of one unit
    "debounce_ms": (30, int, 0, 1000),
    "save_s": (3600, int, 60, 604800),
    "max_per_day": (20000, int, 1, 86400),  # wakes: beyond, only what comes while it works counts
}

_WRAP = 1 << 30  # the count begins again at 0
_DAY_S = 86400
_PLACES = 4
_FILE = "pulse"

_given = {}
_contact = None  # once a wake has begun
# What is remembered: `count`; `read`, that of the last reading; `closed`, whether the contact was
# when the node fell asleep, None: not known; `wakes` on a `day`; `saved`, the count in the file,
# and `at`, since when.
_kept = {}


class Contact:
    """Counts each closing. Of one that bounces only the first edge counts, and none of those when
    it opens: what counts comes to an open contact, after debounce_ms of peace.
    """

    def __init__(self, number, active: int, debounce_ms: int, rang: bool) -> None:
        self.closings = 0
        self.taken = 0
        self._active = active
        self._debounce_ms = debounce_ms
        now = time.ticks_ms()
        self._last = now if rang else time.ticks_add(now, -debounce_ms)
        self._pin = machine.Pin(number, machine.Pin.IN)
        self.closed = self._is_closed()
        self._pin.irq(self._edge, machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING)

    def _is_closed(self) -> bool:
        return self._pin.value() == self._active

    def _edge(self, _pin) -> None:
        now = time.ticks_ms()
        if not self.closed and time.ticks_diff(now, self._last) >= self._debounce_ms:
            self.closings += 1  # also of a pulse that is over already
        self._last = now
        self.closed = self._is_closed()

    def take(self) -> int:
        """Those since the last time."""
        found = self.closings - self.taken  # an interrupt may come between any two lines
        self.taken += found
        return found

    def stop(self) -> None:
        """Once there is peace, but for a contact that knows none."""
        left_ms = self._debounce_ms - time.ticks_diff(time.ticks_ms(), self._last)
        if left_ms > 0:
            time.sleep_ms(left_ms)
        self._pin.irq(None)
        time.sleep_ms(0)  # what waits is handled
        if self._is_closed() != self.closed:
            self._edge(None)


def woken(node, settings, kept, rang):
    """A wake begins: what has ended the sleep counts, and from now on an interrupt does."""
    global _contact, _kept
    _kept = kept
    if "count" not in kept:
        kept.update(_saved())
    was = kept["closed"]
    if rang and was:
        time.sleep_ms(settings["debounce_ms"])  # it opens
    given = node.settings
    _contact = Contact(
        given["pins.alarm"], given["pins.alarm_active"], settings["debounce_ms"], rang
    )
    closed = kept["closed"] = _contact.closed
    # It may have closed while the board has booted; or opened, and closed again.
    if rang or closed if was is False else was and rang and closed:
        _add(1)
    if rang:
        today = node.now() // _DAY_S
        kept["wakes"] = kept["wakes"] + 1 if kept["day"] == today else 1
        kept["day"] = today


def before_sleep(node, settings, kept):
    """Whether the contact wakes the node by closing (True) or opening; None: not at all."""
    global _contact
    contact, _contact = _contact, None
    if contact is None:
        return None
    contact.stop()
    _add(contact.take())
    kept["closed"] = contact.closed
    now_s = node.now()
    if kept["count"] != kept["saved"] and has_passed(kept["at"], now_s, settings["save_s"]):
        try:
            files.store(_FILE, b"%d %d" % (kept["count"], kept["read"]))
            kept["saved"], kept["at"] = kept["count"], now_s
        except OSError as error:
            log.tell("%s cannot be written: %s", _FILE, error)
    if kept["day"] == now_s // _DAY_S and kept["wakes"] >= settings["max_per_day"]:
        log.tell("pulse: max_per_day wakes: until tomorrow it counts only while awake")
        return None
    return not contact.closed


def setup(node, settings):
    _given.update(settings)


def read(node):
    """All pulses so far, and those since the last reading."""
    if _contact is None:
        raise ConfigError("it needs pins.alarm, and its setting wakes")
    _add(_contact.take())
    now, before = _kept["count"], _kept["read"]
    _kept["read"] = now
    total = _whole(now)
    since = total - _whole(before) if now >= before else total + _whole(_WRAP) - _whole(before)
    name, unit = _given["name"], _given["unit"] or None
    return [(name, unit, Fixed(total, _PLACES)), (name + "_sum", unit, Fixed(since, _PLACES))]


def _whole(pulses: int) -> int:
    """Units, times 10 to the power of _PLACES."""
    per_unit = _given["per_unit"]
    return (pulses * 10**_PLACES + per_unit // 2) // per_unit


def _add(pulses: int) -> None:
    _kept["count"] = (_kept["count"] + pulses) % _WRAP


def _saved() -> dict:
    """What is remembered after a loss of supply."""
    count = read = 0
    try:
        found = files.load(_FILE)
        if found:
            count, read = [int(text) % _WRAP for text in found.split()]
    except (OSError, ValueError) as error:
        log.tell("%s cannot be read: %s", _FILE, error)
    return {
        "count": count,
        "read": read,
        "closed": None,
        "day": 0,
        "wakes": 0,
        "saved": count,
        "at": None,
    }
