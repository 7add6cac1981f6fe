"""Temperature from a sensor with 10 mV per degree Celsius and 500 mV at 0 degrees (TMP36)."""


async def read(node) -> list:
    """[("temperature", "Cel", degrees)]; nothing where it is not wired"""
    volts = node.board.volts("temperature")
    return [] if volts is None else [("temperature", "Cel", round((volts - 0.5) * 100, 1))]
