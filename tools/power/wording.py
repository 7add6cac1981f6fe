"""How a report writes numbers, times, states and causes."""

import math

US_PER_S = 1_000_000
UNITS_S = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "h"), (120, 60, "min"), (0, 1, "s"))

# What the current is for, all loads together (see curve.shown).
SHOWN = {
    "connected-tx": "transmitting",
    "connected-rx": "receiving, signalling",
    "connected-open": "connection opens",
    "connected-answer": "answer awaited",
    "connected-tail": "connected, no traffic",
    "search": "searching",
    "boot": "module boots",
    "awake": "module awake",
    "gnss": "GNSS",
    "board active": "board active",
    "board computing": "board computing",
    "board light-sleep": "board in light sleep",
    "asleep, module edrx": "asleep, module in eDRX",
    "asleep, module idle": "asleep, module in DRX",
    "asleep, module psm": "asleep, module in PSM",
    "asleep, module off": "asleep, module off",
}
STATES = {
    ("module", "connected-tx"): "transmitting",
    ("module", "connected-rx"): "receiving, signalling",
    ("module", "connected-open"): "connection opens",
    ("module", "connected-answer"): "answer awaited",
    ("module", "connected-tail"): "connected, no traffic",
    ("module", "search"): "searching",
    ("module", "boot"): "boots",
    ("module", "awake"): "awake for its host",
    ("module", "idle"): "asleep in DRX",
    ("module", "edrx"): "asleep in eDRX",
    ("module", "psm"): "asleep in PSM",
    ("board", "light-sleep"): "light sleep",
    ("board", "deep-sleep"): "deep sleep",
    ("gnss", "on"): "",
    ("regulator", "on"): "",
}
LOADS = {"gnss": "GNSS"}
CAUSE_NAMES = {"pdp": "data connection (pdp)", "tau": "update of location (tau)"}
CAUSES = {
    "power key": "the board switches the module on",
    "wake pin": "the board wakes the module out of PSM",
    "search": "looking for a cell",
    "attach": "registering with the network",
    "detach": "leaving the network",
    "tau": "tracking-area update",
    "t3412": "periodic tracking-area update, by the module itself",
    "t3324": "active time before PSM",
    "pdp": "data connection opened and closed, and held until the network releases it",
    "mqtt": "MQTT session",
    "http": "HTTP request",
    "tcp": "TCP connection",
    "udp": "UDP datagrams",
    "lwm2m": "LwM2M session",
    "downlink": "the network has something for the module",
    "gnss": "looking for satellites",
    "board active": "the board boots, and waits awake",
    "board computing": "the board loads its code and computes",
    "board light-sleep": "the board waits for the module or for satellites",
    "board deep-sleep": "the board sleeps between wakes",
    "module awake for its host": "the module listens to the board",
    "module off": "leakage of the module that is off",
    "module idle": "registered, paging in DRX",
    "module edrx": "registered, paging in eDRX",
    "module psm": "registered, unreachable in PSM",
    "regulator": "the regulator's own current",
}
WAYS = {
    "least possible": "knows the future: no firmware can do each job once in each of its windows "
    "with less",
    "always connected": "usual firmware: board and module never sleep; one connection, kept by "
    "pings",
    "module off between reports": "usual firmware: every job wakes the board; the module is "
    "switched on and attaches for each report",
    "PSM, a wake per job": "usual firmware: every job wakes the board; between reports the module "
    "is in PSM, where the network grants it",
    "this run": "what this firmware has used",
}


def number(value: float, digits: int = 3) -> str:
    """Rounded to significant digits and without an exponent: 8.37, 0.079, 1230, 12,300."""
    if not value:
        return "0"
    if 0 < value < 0.001:
        return "< 0.001"
    decimals = _decimals(value, digits)
    value = round(value, decimals)
    text = f"{value:,.{max(0, _decimals(value, digits))}f}"
    return text if abs(value) >= 10_000 else text.replace(",", "")


def _decimals(value: float, digits: int) -> int:
    return digits - 1 - math.floor(math.log10(abs(value)))


def short(value: float) -> str:
    """As `number`, without zeros at the end: 30, 0.3."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(n: int, noun: str) -> str:
    """So many of something: 1 wake, 8 wakes."""
    return f"{n} {noun}{'s' * (n != 1)}"


def ratio(value: float) -> str:
    """How many times something is: 1.05, 12.3, 239."""
    return f"{value:.2f}" if value < 10 else number(value)


def percent(share: float) -> str:
    """A share of the whole, 0 to 1."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "100 %" if share >= 0.9995 else f"{100 * share:.1f} %"


def ampere(value: float) -> str:
    """A current with its unit, such as 10 \N{MICRO SIGN}A."""
    for factor, unit in ((1, "A"), (1e-3, "mA")):
        if value >= factor * 0.999:
            return f"{short(value / factor)} {unit}"
    return f"{short(value / 1e-6)} \N{MICRO SIGN}A"


def time_unit(span_us: int) -> tuple[float, str]:
    """The unit for a span of `span_us` microseconds: how many of them it has, and its name."""
    factor, unit = next((f, unit) for least, f, unit in UNITS_S if span_us >= least * US_PER_S)
    return factor * 1e6, unit


def duration(us: int) -> str:
    """A time span in the unit that fits."""
    factor, unit = time_unit(us)
    return f"{short(us / factor)} {unit}"


def life(years: float) -> str:
    """How long a battery lasts, in the unit that fits."""
    if math.isinf(years):
        return "for ever"
    return f"{years:.1f} years" if years >= 2 else f"{years * 365.25:.0f} days"


def state(load: str, name: str) -> str:
    """A load in one of its states, such as "module: asleep in PSM"."""
    said = STATES.get((load, name), name)
    load = LOADS.get(load, load)
    return f"{load}: {said}" if said else load
