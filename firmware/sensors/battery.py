"""Battery voltage, through a divider on an analogue input."""


async def read(node) -> list:
    """[("battery", "V", volts)]; nothing where it is not wired"""
    if node.settings["battery.kind"] != "none":
        from .. import battery

        volts = battery.volts(node)
        return [] if volts is None else [("battery", "V", round(volts, 3))]
    volts = node.board.volts("battery")
    if volts is None:
        return []
    return [("battery", "V", round(volts * node.settings["battery.divider"], 3))]
