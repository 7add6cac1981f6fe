"""Level in a tank: a pressure probe of 4 to 20 mA across 150 ohm at an analogue input."""

import machine

SETTINGS = {
    "pin": (32, int, 0, 255),
    "empty_v": (0.6, float, 0, 5),
    "metres_per_v": (1.25, float, 0.001, 100),
}

_given = {}


def setup(node, settings):
    _given.update(settings)


def read(node):
    adc = machine.ADC(machine.Pin(_given["pin"]))
    if hasattr(machine.ADC, "ATTN_11DB"):
        adc.atten(machine.ADC.ATTN_11DB)  # an ESP32's whole range
    volts = adc.read_u16() * 3.3 / 65535
    if volts < 0.4:
        raise ValueError(f"no probe: {volts:.2f} V")
    return [("level", "m", round((volts - _given["empty_v"]) * _given["metres_per_v"], 2))]
