"""Temperature of the cargo: a TMP36 at an analogue input, 10 mV a degree, 500 mV at 0 degrees."""

import machine

SETTINGS = {"pin": (32, int, 0, 255), "readings": (4, int, 1, 64)}

_given = {}


def setup(node, settings):
    _given.update(settings)


def read(node):
    adc = machine.ADC(machine.Pin(_given["pin"]))
    if hasattr(machine.ADC, "ATTN_11DB"):
        adc.atten(machine.ADC.ATTN_11DB)  # an ESP32's whole range
    count = _given["readings"]
    volts = sum([adc.read_u16() for _ in range(count)]) * 3.3 / 65535 / count
    return [("cargo", "Cel", round((volts - 0.5) * 100, 1))]
