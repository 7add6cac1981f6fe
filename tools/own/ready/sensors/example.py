"""Soil moisture: a capacitive probe at an analogue input. Change it to what you measure."""

import machine

# name: (default, type, least, most); config.json may have others: {"sensors": {"example": {...}}}
SETTINGS = {"pin": (32, int, 0, 255), "dry_v": (2.8, float, 0, 5), "wet_v": (1.2, float, 0, 5)}

_given = {}


def setup(node, settings):
    _given.update(settings)


def read(node):
    volts = machine.ADC(machine.Pin(_given["pin"])).read_u16() * 3.3 / 65535
    dry, wet = _given["dry_v"], _given["wet_v"]
    return [("moisture", "/", round((dry - volts) / (dry - wet), 2))]
