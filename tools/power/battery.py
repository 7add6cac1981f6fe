"""How long a battery lasts."""

import math

from tools.power.profiles import Profile

DAYS_PER_YEAR = 365.25


def life_years(battery: Profile, mah_per_day: float) -> float:
    """Years until the usable charge is gone, self-discharge included; inf when nothing draws.

    dQ/dt = -load - k Q, with k from the yearly share of what is left: Q(t) = 0 at
    ln(1 + k Q0 / load) / k.
    """
    charge = battery.figures["capacity"].value * battery.figures["usable"].value
    load = mah_per_day * DAYS_PER_YEAR
    k = -math.log1p(-battery.figures["self-discharge"].value)
    if load <= 0:
        return math.inf
    return math.log1p(k * charge / load) / k if k else charge / load
