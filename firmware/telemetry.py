"""Samples to payload: SenML JSON (RFC 8428).

What a node's records hold, besides what sensors of your own give:

    name         unit  value          where
    seq                number         each record: its number, never twice in a node's life
    reset              text           first record after a start that was a reset: power, reset,
                                      watchdog, soft, unknown
    version            text           first record after a start: of the firmware
    driver             text           likewise, of lib/c1100 where it is another one
    start              number         each sample: cold starts in the node's life
    wake               number         each sample: wakes since the last of them
    battery      V     number         each sample, if pins.battery is wired
    temperature  Cel   number         each sample, if pins.temperature is wired
    signal       dBm   number         sampled in a wake that reports: RSSI
    rsrp         dBm   number         likewise, where the module tells it; rsrq, sinr: in dB
    lat, lon     lat, lon  number     position.period_s
    alt          m     number         likewise, if the fix has it
    satellites         number         likewise
    clock_step   s     number         the clock was set by so much
    trace              text           of a crash, with its event: where it was raised
    at                 text           of a crash: the last lines from the module
    failures, commands, timeouts      of a crash: numbers
    (health)           number, text   health.period_s: see health.py
    set_aside          number         records given up, refused by every uplink, so far
    event              text           what somebody should know, once when it begins:
                                      "sensor NAME failed: REASON", "sensor NAME is back", "sensor
                                      NAME comes and goes: told again in a day"; rungs of
                                      recovery.py; "crash: ERROR"; faults of flash, configuration
"""

import json
from collections import namedtuple

from micropython import const

# A number with so many decimal places as a whole number: boards have floats of 32 bits, which keep
# seven digits. Fixed(1214736670, 7) is 121.473667.
Fixed = namedtuple("Fixed", ("whole", "places"))

_LARGEST = 3.4e38  # of floats of 32 bits: infinite is what is larger on any board
SAMPLE_BYTES = const(320)  # of one sample: with what else a record has, every uplink takes it


def senml(node: str, samples: list, at: int | None = None) -> str:
    """One SenML pack as compact JSON.

    node    -- the node's id; base name of all records
    samples -- (name, unit of the SenML registry or None, value) of one moment: a number, also
               Fixed, text, a bool, or bytes; what is none of these (not measured, not finite) is
               left out
    at      -- Unix time of that moment; without it RFC 8428 4.5.3 reads "roughly now"
    """
    base = '"bn":%s,' % json.dumps(node + ":")
    if at is not None:
        base += '"bt":%d,' % at
    pack = []
    for name, unit, value in samples:
        kind, text = _written(value, unit)
        if text is None:
            continue
        # Written field by field, because MicroPython's dict keeps no order.
        unit = '"u":%s,' % json.dumps(unit) if unit else ""
        pack.append('{%s"n":%s,%s"%s":%s}' % (base, json.dumps(name), unit, kind, text))
        base = ""
    return "[" + ",".join(pack) + "]"


def are_samples(found) -> bool:
    """Whether it is a list of nothing but samples that can be sent."""
    try:
        for sample in found:
            name, unit, value = sample
            text = name + (unit or "") + _written(value, unit)[1]
            if not name or len(text.encode()) > SAMPLE_BYTES or isinstance(sample, str):
                return False
        return isinstance(found, list)
    except (TypeError, ValueError):
        return False


def flat(values: dict) -> str:
    """A JSON object of names and single values, which may be Fixed."""
    parts = []
    for name, value in values.items():
        text = number(value)
        parts.append("%s:%s" % (json.dumps(name), json.dumps(value) if text is None else text))
    return "{" + ",".join(parts) + "}"


def _written(value, unit: str | None) -> tuple:
    """(label of RFC 8428, JSON text); a text of None: nothing that can be sent. Bytes are data,
    which has no unit.
    """
    if value is True or value is False:
        return "vb", "true" if value else "false"
    if isinstance(value, str):
        return "vs", json.dumps(value)
    if not unit and isinstance(value, (bytes, bytearray)):
        from binascii import b2a_base64

        text = b2a_base64(bytes(value)).decode().replace("+", "-").replace("/", "_")
        return "vd", '"%s"' % text.rstrip("=\n")
    return "v", number(value)


def number(value) -> str | None:
    """A number (int, float, Fixed) as JSON writes it; None for what is none, or is not finite."""
    if isinstance(value, Fixed):
        whole = isinstance(value.whole, int) and isinstance(value.places, int)
        return _decimal(value.whole, value.places) if whole else None
    if isinstance(value, float):
        # Neither nan nor infinity: JSON has no words for them.
        return json.dumps(value) if -_LARGEST < value < _LARGEST else None
    if isinstance(value, int) and value is not True and value is not False:
        return str(value) if value >> 128 in (0, -1) else None  # longer is nobody's measurement
    return None


def _decimal(whole: int, places: int) -> str:
    digits = str(abs(whole))
    digits = "0" * (places + 1 - len(digits)) + digits
    split = len(digits) - places
    part = digits[split:].rstrip("0")
    return ("-" if whole < 0 else "") + digits[:split] + ("." + part if part else "")
