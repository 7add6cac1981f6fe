"""Position by the module's GNSS receiver (manual 3.4)."""

from c1100 import C1100Error


async def read(node) -> list:
    """[("lat", "lat", degrees), ("lon", "lon", degrees), ("alt", "m", metres)]"""
    limit_s = node.settings["position.limit_s"]
    gnss = node.modem.gnss
    await gnss.start(timeout_s=limit_s)
    try:
        fix = await gnss.fix(limit_s)
    finally:
        try:
            await gnss.stop()
        except C1100Error as error:
            print("receiver not stopped:", error)
    return [
        ("lat", "lat", fix.latitude),
        ("lon", "lon", fix.longitude),
        ("alt", "m", fix.altitude),
        ("satellites", None, fix.satellites),
    ]
