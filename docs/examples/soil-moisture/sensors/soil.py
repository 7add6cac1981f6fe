"""Soil moisture: a capacitive probe at an analogue input, supplied by a pin while it measures."""

import machine

SETTINGS = {
    "pin": (32, int, 0, 255),
    "supply": (26, int, 0, 255),
    "dry_v": (2.8, float, 0, 5),
    "wet_v": (1.2, float, 0, 5),
}
warm_up_ms = 200

_given = {}


def setup(node, settings):
    _given.update(settings)
    machine.Pin(settings["supply"], machine.Pin.OUT, value=1)


def read(node):
    adc = machine.ADC(machine.Pin(_given["pin"]))
    if hasattr(machine.ADC, "ATTN_11DB"):
        adc.atten(machine.ADC.ATTN_11DB)  # an ESP32's whole range
    volts = adc.read_u16() * 3.3 / 65535
    machine.Pin(_given["supply"], machine.Pin.OUT, value=0)
    dry, wet = _given["dry_v"], _given["wet_v"]
    return [("moisture", "/", round((dry - volts) / (dry - wet), 2))]
