"""What a node's wiring rules out, and what that costs, in words: for the log and the tools.

Loaded at a start only.
"""

from . import energy, wiring

_DAY_S = 86400


def told(settings: dict) -> str:
    """What the wires that are missing rule out, and its price; "" where they rule out nothing.

    The price is an estimate: of the module alone, by the charges of energy.py, where the network
    grants what is asked for, and attaching takes as long as usual.
    """
    if wiring.can_end(settings, energy.OFF):
        return ""
    text = "no pins.pwrkey: module never off"
    if not wiring.can_end(settings, energy.PSM):
        text = "no pins.pwrkey, no pins.wake: module never off nor in psm"
    best, least = _cheapest(settings, wiring.wanted(settings))
    left, most = _cheapest(settings, wiring.ways(settings))
    if left == best or most <= least:  # nothing else is worth it
        return "%s; that costs nothing, it is in %s anyway" % (text, left)
    price = "%s, but %s: about %s mAh a day, not %s (estimate: report each %d s, attach %d s)"
    period_s = settings["report.period_s"]
    return price % (text, left, _rounded(most), _rounded(least), period_s, energy.ATTACH_S)


def _cheapest(settings: dict, ways: tuple) -> tuple:
    """(the best of these ways, mAh a day that the module needs between reports so)"""
    network = energy.Network(
        energy.ATTACH_S,
        settings["sleep.active_s"],
        settings["sleep.tau_s"],
        settings["sleep.edrx_s"] or None,
        settings["sleep.release_s"],
    )
    module = energy.profile().module
    gap_s = settings["report.period_s"]
    way = energy.module_sleep(module, gap_s, network, ways)
    charge = energy.module_mc(way, module, gap_s, network) or 0
    return way, charge * _DAY_S / gap_s / 3600


def _rounded(mah: float) -> str:
    return "%.0f" % mah if mah >= 10 else "%.1f" % mah
