"""Sensors: one file each, with ``async def read(node) -> [(name, unit, value), ...]``.

unit is one of the SenML registry or None; value a number, text, bool or telemetry.Fixed. No value
is no sample: what is not wired returns none. What cannot be measured raises, whatever the error.

To add a sensor: write its file, and name it in SENSORS. It is loaded when it is first read.
"""

SENSORS = ("battery", "temperature")  # those that need no module


def load(name: str):
    """The module of a sensor."""
    return __import__("firmware.sensors." + name, None, None, ("read",))
