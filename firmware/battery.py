"""The battery: what its voltage says by its chemistry, and how often the jobs run then.

Loaded only where ``battery.kind`` is not ``none``. The level is high, normal, low or dead. It
falls as soon as the voltage at rest does, and rises again only by a margin more: that of an ADC,
of a day in the cold, and of a cell that recovers once it has nothing to do. While the module
transmits an empty, old or cold cell gives less than its internal resistance explains: that counts
as low.

Voltages of the curves are those of one cell at rest at 20 degrees, rounded from data sheets of
common cells (Saft LS 26500, Panasonic CR123A and NCR18650B, Energizer E91, A123 ANR26650); they
differ by some 50 mV from maker to maker.
"""

from collections import namedtuple

from micropython import const

from . import ConfigError

# V of a cell with 60, 20 and 5 % left: below these it is normal, low, dead
# margin_v -- by that much more it rises; ohms -- inside a fresh cell; most_v -- no cell has more
Kind = namedtuple("Kind", ("falls", "margin_v", "ohms", "most_v"))
KINDS = {
    "li-socl2": Kind((3.63, 3.56, 3.40), 0.05, 1.0, 3.9),
    "li-mno2": Kind((2.95, 2.80, 2.60), 0.06, 0.5, 3.6),
    "liion": Kind((3.85, 3.65, 3.40), 0.06, 0.1, 4.4),
    "alkaline": Kind((1.33, 1.17, 1.00), 0.04, 0.3, 1.8),
    "lifepo4": Kind((3.30, 3.23, 3.05), 0.04, 0.05, 3.8),
}
LEVELS = ("", "high", "normal", "low", "dead")  # "": not known yet
LOW = const(3)
DEAD = const(4)
JOBS = ("sample", "report", "position")
_TX_A = 0.2  # of a module that transmits, about
_LEAST_PART = 0.3  # of most_v: less is no cell, but a wire
_READS = const(5)


def factors(settings: dict, level: int) -> dict:
    """job: by how many times its period is longer at a level; 0: never. A job without an entry
    is as configured. Raises ConfigError.
    """
    found = {}
    for job in JOBS:
        words = settings["battery." + job].split(",")
        if len(words) != len(LEVELS) - 1 or not all(word.isdigit() for word in words):
            raise ConfigError(
                "battery.%s: %s is not allowed; allowed is four whole numbers, at high, normal, "
                "low, dead, such as 1,1,4,0" % (job, settings["battery." + job])
            )
        if level:
            found[job] = int(words[level - 1])
    if level:
        found["sample"] = max(found["sample"], 1)  # else nobody would see that it is back
    return found


def level_of(kind: Kind, volts: float, before: int) -> int:
    """The level that a cell at rest is at. before -- the level until now, 0: not known"""

    def at(margin_v: float) -> int:
        level = 1
        for least in kind.falls:
            level += volts < least + margin_v
        return level

    falls, rises = at(0), at(kind.margin_v)
    if not before or falls >= before:
        return falls
    return min(rises, before)


def volts(node) -> float | None:
    """Of the battery, the middle of some readings; None where none is wired. Raises ValueError
    for what no such battery has.
    """
    settings = node.settings
    found = []
    for _ in range(_READS):
        read = node.board.volts("battery")
        if read is None:
            return None
        found.append(read * settings["battery.divider"])
    found.sort()
    middle = found[_READS // 2]
    most = KINDS[settings["battery.kind"]].most_v * settings["battery.cells"]
    if not most * _LEAST_PART <= middle <= most:  # nor what is not a number
        raise ValueError("%.2f V, which no such battery has" % middle)
    return middle


def measured(node, found: float) -> list:
    """The voltage before the module has anything to do. Returns what is to be told of it."""
    settings, state = node.settings, node.state
    before = state.level
    kind = KINDS[settings["battery.kind"]]
    # What was low because it sags is not that before it transmits again.
    level = level_of(kind, found / settings["battery.cells"], before)
    if state.sags:
        level = max(level, LOW)
    return _take(node, level, found)


def loaded(node) -> list:
    """Measure while the module transmits. Returns the samples."""
    try:
        found = volts(node)
    except ValueError:
        return []  # the sensor has told
    if found is None:
        return []
    settings, state = node.settings, node.state
    kind = KINDS[settings["battery.kind"]]
    cells = settings["battery.cells"]
    node.load_v = found
    # What a fresh cell would be at if it gave this: below `low` it is old, or cold.
    level = level_of(kind, found / cells + _TX_A * kind.ohms, LOW if state.sags else 0)
    state.sags = level >= LOW
    samples = [("battery_load", "V", round(found, 3))]
    if state.sags and state.level < LOW:
        samples += _take(node, LOW, found)
    return samples


def delivering(node) -> None:
    """The far side has just confirmed something: the module is connected, whether it was before
    or not. Only what has become low is told: a record for each report costs a message.
    """
    samples = loaded(node)
    if len(samples) > 1:
        node.keep(samples)


def _take(node, level: int, found: float) -> list:
    state = node.state
    if level == state.level:
        return []
    was, state.level = state.level, level
    node.rest()  # its plan is another one
    if level == DEAD:
        state.last_word = True
        node.is_urgent = True
    if not was and level < LOW:
        return []  # nothing has changed, it is known now
    return [("event", None, "battery %s: %.2f V" % (LEVELS[level], found))]
