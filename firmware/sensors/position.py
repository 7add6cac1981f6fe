"""Position by the module's GNSS receiver (manual 3.4)."""

from c1100 import C1100Error

from .. import log
from ..telemetry import Fixed


async def read(node) -> list:
    """[("lat", "lat", degrees), ("lon", "lon", degrees), ("alt", "m", metres) where it is
    known, ("satellites", None, number)]
    """
    limit_s = node.settings["position.limit_s"]
    gnss = node.modem.gnss
    try:
        await gnss.start(timeout_s=limit_s)
        fix = await gnss.fix(limit_s)
    finally:
        try:
            await gnss.stop()
        except C1100Error as error:
            log.warning("receiver not stopped: %s", error)
    found = [
        ("lat", "lat", Fixed(fix.latitude_e7, 7)),
        ("lon", "lon", Fixed(fix.longitude_e7, 7)),
    ]
    if fix.altitude_mm is not None:
        found.append(("alt", "m", Fixed(fix.altitude_mm, 3)))
    return found + [("satellites", None, fix.satellites)]
