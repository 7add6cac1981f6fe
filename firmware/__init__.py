"""The application: one wake of a telemetry node. Knows the driver's public API and a Board."""

import sys

CHECKED = "config.checked"  # file of last_good.py


class ConfigError(Exception):
    """A setting that cannot be used. The text names the key, and what is allowed."""


def unload(*names: str) -> None:
    """Forget modules of this package that are done: their heap is for others. No other may hold
    them; whoever needs one again loads it again. The driver's go by C1100.forget().
    """
    for name in names:
        path = "%s.%s" % (__name__, name)
        if sys.modules.pop(path, None) is not None:
            dot = path.rfind(".")
            delattr(sys.modules[path[:dot]], path[dot + 1 :])
