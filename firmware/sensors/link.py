"""Signal strength as the module sees it."""


async def read(node) -> list:
    """[("signal", "dBm", rssi)]"""
    return [("signal", "dBm", (await node.modem.signal()).rssi)]
