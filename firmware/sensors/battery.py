"""Battery voltage, through a divider on an analogue input."""


async def read(node) -> list:
    """[("battery", "V", volts)]"""
    volts = node.board.volts("battery")
    if volts is not None:
        volts = round(volts * node.settings["battery.divider"], 3)
    return [("battery", "V", volts)]
