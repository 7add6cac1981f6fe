"""The application: one wake of a telemetry node. Knows the driver's public API and a Board."""

import sys


def unload(*names: str) -> None:
    """Forget modules of this package that are done: their heap is for others. No other may hold
    them; whoever needs one again loads it again.
    """
    package = sys.modules[__name__]
    for name in names:
        if sys.modules.pop("%s.%s" % (__name__, name), None) is not None:
            delattr(package, name)
