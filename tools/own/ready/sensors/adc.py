"""A voltage at an analogue input, times a factor, plus an offset."""

import machine

SETTINGS = {
    "pin": (32, int, 0, 255),
    "name": ("level", str, 1, 32),
    "unit": ("V", str, 0, 16),
    "factor": (1.0, float, -1e9, 1e9),
    "offset": (0.0, float, -1e9, 1e9),
    "readings": (8, int, 1, 64),
}

_given = {}


def setup(node, settings):
    _given.update(settings)


def read(node):
    adc = machine.ADC(machine.Pin(_given["pin"]))
    if hasattr(machine.ADC, "ATTN_11DB"):
        adc.atten(machine.ADC.ATTN_11DB)  # an ESP32's whole range
    total = 0
    for _ in range(_given["readings"]):
        total += adc.read_u16() * 3.3 / 65535
    value = total / _given["readings"] * _given["factor"] + _given["offset"]
    return [(_given["name"], _given["unit"] or None, round(value, 4))]
