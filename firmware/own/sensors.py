"""The sensors in a node's own folder, each a file ``sensors/NAME.py``:

    SETTINGS = {"dry_v": (2.8, float, 0, 5)}    # optional, as in firmware/config.py
    period_s = 3600                             # optional: seconds between two readings
    warm_up_ms = 200                            # optional: between setup() and read()

    def setup(node, settings): ...              # optional, before each reading
    async def read(node): ...                   # or without async: [(name, unit, value), ...]

Whatever one of them does costs its own values only, and is told: sensors that fail, that are
missing, that never end, that hold the heap (contained.py). The watchdog ends a file that keeps the
processor; from the second time on it is known which one it was, and it is left out for a day.
"""

import asyncio
import gc
import os

from micropython import const

from .. import ConfigError, files, log, trial
from . import contained, has_passed

FOLDER = "sensors"
USUAL = ("over", "period_s", "limit_s", "wakes")  # settings that each sensor has
LIMIT_S = const(30)
_LONGEST_WARM_UP_MS = const(60000)
_MOST = const(32)  # values of one sensor
_SESSION_MS = const(180000)  # of a wake, that sensors leave to the report
_READING = "reading"  # file: the sensor that is being read, while it is asked who hangs
_CHECKING = "checking"  # file: the one whose table of settings is being read
_DAY_S = const(86400)
_HUNG = "has kept the processor until the watchdog bit: tried again in a day"
# What every record has, or may have.
_OURS = (
    "seq", "start", "wake", "reset", "version", "driver", "signal", "rsrp", "rsrq", "sinr",
    "battery_load", "clock_step",
)  # fmt: skip
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NAME = _LETTERS + "-:./_"


class Sensor:
    """One file. name -- without folder and suffix; settings -- its own, as config.json has them"""

    def __init__(self, name: str, settings: dict) -> None:
        self.__name__ = name
        self.period_s = settings.get("period_s")
        self.warm_up_ms = 0
        self._path = FOLDER + "." + name
        self.limit_ms = settings.get("limit_s", LIMIT_S) * 1000
        self._settings = settings
        self._module = None
        self._why = None  # it cannot be read
        self._heap = 0  # bytes that it has taken to be loaded and set up

    def begin(self, node) -> None:
        """Load it, and let it set up what it reads."""
        before = contained.heap()
        try:
            self._begin(node)
        except Exception as error:  # whatever somebody's file does
            self._why = error
        try:
            contained.limit(before, self._path)
        except ConfigError as error:
            self._module = None
            self._why = error
        self._heap = contained.heap() - before

    def _begin(self, node) -> None:
        self._module = module = contained.call(load, self.__name__)
        warm_up_ms = getattr(module, "warm_up_ms", 0)
        if not isinstance(warm_up_ms, int) or not 0 <= warm_up_ms <= _LONGEST_WARM_UP_MS:
            raise ConfigError("warm_up_ms is 0 to %d" % _LONGEST_WARM_UP_MS)
        if hasattr(module, "setup"):
            settings = complete(self.__name__, module, self._settings)
            contained.call(module.setup, contained.View(node), settings)
        self.warm_up_ms = warm_up_ms

    async def read(self, node) -> list:
        """Its values. Raises whatever it raises."""
        if self._why is not None or self._module is None:
            raise self._why or ConfigError("not loaded")
        before = contained.heap() - self._heap
        try:
            found = contained.call(self._module.read, contained.View(node))
            if hasattr(found, "send"):  # a coroutine
                left_ms = min(self.limit_ms, node.time_left() - _SESSION_MS)
                if left_ms <= 0:
                    raise ConfigError("the others have left no time")
                found = await contained.ended(found, left_ms, _feed(node))
            if isinstance(found, list) and len(found) > _MOST:
                count = len(found)
                found = None  # what it holds is nothing that is kept
                raise ConfigError("%d values, allowed are %d" % (count, _MOST))
        finally:
            self._module = None
            contained.limit(before, self._path)
        return found

    def period(self) -> int:
        """Seconds between two readings; 0: at each sample."""
        if self.period_s is not None:
            return self.period_s
        found = getattr(self._module, "period_s", 0)
        return found if isinstance(found, int) else 0


def names() -> list:
    """The sensors that there are, in the order in which they are read."""
    found = set()
    for name in _listed():
        stem, _, suffix = name.rpartition(".")
        if suffix in ("py", "mpy") and stem and stem[0] != "_":
            found.add(stem)
    return sorted(found)


def _listed() -> list:
    try:
        return os.listdir(FOLDER)
    except OSError:  # the node has none
        return []


def load(name: str):
    """The module of a sensor. Raises whatever it raises."""
    module = __import__(FOLDER + "." + name, None, None, ("read",))
    if not hasattr(module, "read"):
        raise ConfigError("it has no read(node)")
    return module


def complete(name: str, module, given: dict) -> dict:
    """A sensor's own settings with all that was left out. Raises ConfigError."""
    table = getattr(module, "SETTINGS", {})
    settings = {}
    for key in table:
        settings[key] = table[key][0]
        if key in given or settings[key] is None:
            from .checking import row  # with the table of all settings: most sensors need none

            settings[key] = row("sensors.%s.%s" % (name, key), given.get(key), table[key])
    for key in given:
        if key not in table and key not in USUAL:
            raise ConfigError("there is no setting sensors.%s.%s" % (name, key))
    return settings


def _feed(node):
    """What keeps the watchdog quiet while nothing but a sensor runs."""
    if not node.settings["watchdog_s"]:
        return lambda: None
    return node.board.watchdog(node.settings["watchdog_s"] * 1000).feed


async def read(node, memory: dict, known: tuple | list = ()) -> list:
    """[(sensor, its values)] of all that are due.

    memory -- of the node's own things; what is remembered of sensors is kept in it
    known  -- what others have read, in the same form
    """
    now_s = node.begin_s
    given = node.settings["sensors"]
    flex_s = node.settings["sample.flex_s"]
    was_read = memory.setdefault("read", {})
    left_out = hung(node, memory, now_s)
    present = names()
    due = []
    gc.collect()
    for name in present:
        sensor = Sensor(name, given.get(name, {}))
        if name in left_out:
            sensor._why = ConfigError(_HUNG)
        elif has_passed(was_read.get(name), now_s, sensor.period(), flex_s):
            mark(node, name)
            sensor.begin(node)
        else:
            continue
        # A period that only its file knows.
        if name in left_out or has_passed(was_read.get(name), now_s, sensor.period(), flex_s):
            due.append(sensor)
    trial.rest()  # what has looked at settings goes again
    from ..sensors import SENSORS

    others = present + list(SENSORS)
    due += [_missing(name) for name in given if name not in others]
    warm_up_ms = max([sensor.warm_up_ms for sensor in due] + [0])
    if warm_up_ms:
        await asyncio.sleep_ms(warm_up_ms)
    found = []
    taken = set(_OURS)
    for _, values in known:
        taken.update([name for name, _, _ in values])
    for sensor in due:
        name = sensor.__name__
        mark(node, name)
        values = await node.sample((sensor,))
        why = _sort_out(values, taken)
        if why and not node.sensed.get(name):
            node.sensed[name] = why
        found.append((name, values))
        was_read[name] = now_s
    mark(node, "")
    for name in list(was_read):
        if name not in present:
            del was_read[name]
            if name not in given:
                log.tell("sensor %s is gone: no file %s/%s.py", name, FOLDER, name)
    return found


def _sort_out(values: list, taken: set) -> str:
    """Remove values with a name that none can have (RFC 8428 4.5.1), or another has; add those
    of the others to `taken`. Returns what is wrong, "" if nothing is.
    """
    why = ""
    for sample in list(values):
        name = sample[0]
        is_name = name[0] in _LETTERS and all(c in _NAME for c in name)
        if is_name and (name not in taken or name == "event"):
            taken.add(name)
            continue
        values.remove(sample)
        text = "%s is another's value" if is_name else "%s is no name"
        why = why or text % repr(name)[:32]
    return why


def _missing(name: str) -> Sensor:
    sensor = Sensor(name, {})
    sensor._why = ConfigError("no file %s/%s.py" % (FOLDER, name))
    return sensor


# Who keeps the processor ------------------------------------------------------------------------


def mark(node, name: str) -> None:
    """Remember which sensor is at work: only when the last wake has not ended, so that flash is
    not written for nothing.
    """
    if node.state.unfinished < 2:
        return
    try:
        if name:
            files.replace(_READING, name.encode())
        else:
            files.remove(_READING)
    except OSError as error:
        log.tell("%s cannot be written: %s", _READING, error)


def tried(name: str, settings: dict):
    """The module of a sensor, while a start looks at its settings: nothing watches that yet.
    Raises whatever it raises.
    """
    if files.read(_CHECKING) == name.encode():
        raise ConfigError(_HUNG)  # the wake of this start leaves it out
    if settings["watchdog_s"]:
        from .. import boards

        try:
            boards.board(settings).watchdog(settings["watchdog_s"] * 1000)
        except (ImportError, AttributeError):  # no board: a test on the host
            pass
    files.replace(_CHECKING, name.encode())
    try:
        return contained.call(load, name)
    finally:
        files.remove(_CHECKING)


def hung(node, memory: dict, now_s: int) -> dict:
    """sensor: since when it is left out"""
    found = memory.setdefault("hung", {})
    for file in (_READING, _CHECKING):
        try:
            name = (files.read(file) or b"").decode()
            if name:
                found[name] = now_s
                files.remove(file)
        except (OSError, ValueError) as error:
            log.tell("%s cannot be read: %s", file, error)
    for name in list(found):
        if has_passed(found[name], now_s, _DAY_S):
            del found[name]
    return found
