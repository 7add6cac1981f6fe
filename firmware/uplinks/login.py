"""What it means for a node when a broker does not take it. Loaded when that has happened."""

from c1100 import Refused

from .. import log


def told(settings: dict, error: Refused, port: str) -> None:
    """Say on the log what to check.

    port -- the key of the broker's. A certificate that is refused says all of it itself.
    """
    if hasattr(error, "why"):
        return
    user = settings["mqtt.user"]
    log.error(
        "the broker refused %s, or %s:%d cannot be reached: check mqtt.user and "
        "mqtt.password, mqtt.host and %s",
        "user " + user if user else "a node without user",
        settings["mqtt.host"],
        settings[port],
        port,
    )
