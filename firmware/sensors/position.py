"""Position by the module's GNSS receiver (manual 3.4)."""

from c1100 import C1100Error, at

from .. import log
from ..telemetry import Fixed


async def read(node) -> list:
    """[("lat", "lat", degrees), ("lon", "lon", degrees), ("alt", "m", metres) where it is
    known, ("satellites", None, number)]
    """
    settings = node.settings
    limit_s = settings["position.limit_s"]
    weak_s = settings["position.weak_s"]
    gnss = node.modem.gnss
    sky = None
    if weak_s:
        from ..own import sky

        weak_s = sky.patience_s(node)
    try:
        await gnss.start(timeout_s=limit_s)
        fix = await gnss.fix(limit_s, weak_s, settings["position.weak_db"])
        if sky is not None:
            sky.found(node, gnss.is_weak)
    except at.Timeout:
        if sky is not None and gnss.is_weak:
            sky.weak(node)
        raise
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
