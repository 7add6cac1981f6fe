"""Sensors: one file each, with ``async def read(node) -> [(name, unit, value), ...]``."""
