"""What a node's wires allow: the module is never left in a state that nothing wired can end.

Everything that leaves the module alone asks here, so that a module that is off has a power key,
and one in PSM a power key or a wake pin. What ends by itself does not count: the tracking-area
update ends PSM, but only for seconds that a node that sleeps cannot hit. Nor does the switch of
the supply: a module need not start because it is supplied. It is a last resort, for a module that
has been silent for more than one wake.
"""

from . import energy

# A way to sleep: the wires each of which ends it. Of the others the UART is enough.
_ENDS = {energy.OFF: ("pwrkey",), energy.PSM: ("pwrkey", "wake")}
_WANTED = {
    "auto": (energy.OFF, energy.PSM, energy.EDRX),
    "off": (energy.OFF,),
    "psm": (energy.PSM, energy.EDRX),
    "edrx": (energy.EDRX, energy.IDLE),
    "idle": (energy.IDLE,),
}


def is_wired(settings: dict, pin: str) -> bool:
    """pin -- "pwrkey", "wake", "status", "cut" """
    return settings["pins." + pin] != -1


def can_end(settings: dict, way: str) -> bool:
    """Whether something wired ends a way of the module to sleep."""
    wires = _ENDS.get(way)
    return wires is None or any(is_wired(settings, pin) for pin in wires)


def ways(settings: dict) -> tuple:
    """The ways to sleep that may be chosen for the module: those that ``sleep.module`` wants, and
    something wired can end. IDLE is always left where OFF is not.
    """
    found = tuple([way for way in _WANTED[settings["sleep.module"]] if can_end(settings, way)])
    if can_end(settings, energy.OFF):
        return found
    return found + tuple([way for way in (energy.EDRX, energy.IDLE) if way not in found])


def wanted(settings: dict) -> tuple:
    """Likewise, if all were wired."""
    return _WANTED[settings["sleep.module"]]
