"""Sensors: one file each, with ``async def read(node) -> [(name, unit, value), ...]``."""

from . import battery, temperature

SENSORS = (battery, temperature)  # those that need no module
