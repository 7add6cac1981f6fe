"""Signal strength as the module sees it."""


async def read(node) -> list:
    """[("signal", "dBm", rssi)]; nothing where the module does not know it"""
    rssi = (await node.modem.signal()).rssi
    return [] if rssi is None else [("signal", "dBm", rssi)]
