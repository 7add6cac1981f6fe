"""The sensors in a node's own folder, each a file ``sensors/NAME.py``:

    SETTINGS = {"dry_v": (2.8, float, 0, 5)}    # optional, as in firmware/config.py
    period_s = 3600                             # optional: seconds between two readings
    warm_up_ms = 200                            # optional: between setup() and read()

    def setup(node, settings): ...              # optional, before each reading
    async def read(node): ...                   # or without async: [(name, unit, value), ...]

Whatever one of them does costs its own values only, and is told: sensors that fail, that are
missing, that never end. The watchdog ends a file that keeps the processor; from the second time on
it is known which one it was, and it is left out for a day.
"""

import asyncio
import os

from micropython import const

from .. import files, log, trial
from ..last_good import ConfigError
from . import has_passed

FOLDER = "sensors"
USUAL = ("over", "period_s", "limit_s")  # settings that each sensor has
LIMIT_S = const(30)
_LONGEST_WARM_UP_MS = const(60000)
_MOST = const(32)  # values of one sensor
_READING = "reading"  # file: the sensor that is being read, while it is asked who hangs
_DAY_S = const(86400)
_HUNG = "has kept the processor until the watchdog bit: tried again in a day"


class Sensor:
    """One file. name -- without folder and suffix; settings -- its own, as config.json has them"""

    def __init__(self, name: str, settings: dict) -> None:
        self.__name__ = name
        self.period_s = settings.get("period_s")
        self.warm_up_ms = 0
        self.limit_ms = settings.get("limit_s", LIMIT_S) * 1000
        self._settings = settings
        self._module = None
        self._why = None  # it cannot be read

    def begin(self, node) -> None:
        """Load it, and let it set up what it reads."""
        try:
            self._module = module = load(self.__name__)
            warm_up_ms = getattr(module, "warm_up_ms", 0)
            if not isinstance(warm_up_ms, int) or not 0 <= warm_up_ms <= _LONGEST_WARM_UP_MS:
                raise ConfigError("warm_up_ms is 0 to %d" % _LONGEST_WARM_UP_MS)
            if hasattr(module, "setup"):
                module.setup(node, complete(self.__name__, module, self._settings))
            self.warm_up_ms = warm_up_ms
        except Exception as error:  # whatever somebody's file does
            self._why = error

    async def read(self, node) -> list:
        """Its values. Raises whatever it raises."""
        if self._why is not None or self._module is None:
            raise self._why or ConfigError("not loaded")
        found = self._module.read(node)
        if hasattr(found, "send"):  # a coroutine
            found = await found
        if isinstance(found, list) and len(found) > _MOST:
            raise ConfigError("%d values, allowed are %d" % (len(found), _MOST))
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


async def read(node, memory: dict) -> list:
    """[(sensor, its values)] of all that are due.

    memory -- of the node's own things; what is remembered of sensors is kept in it
    """
    now_s = node.begin_s
    given = node.settings["sensors"]
    flex_s = node.settings["sample.flex_s"]
    was_read = memory.setdefault("read", {})
    hung = _hung(node, memory, now_s)
    present = names()
    due = []
    for name in present:
        sensor = Sensor(name, given.get(name, {}))
        if name in hung:
            sensor._why = ConfigError(_HUNG)
        elif has_passed(was_read.get(name), now_s, sensor.period(), flex_s):
            _mark(node, name)
            sensor.begin(node)
        else:
            continue
        # A period that only its file knows.
        if name in hung or has_passed(was_read.get(name), now_s, sensor.period(), flex_s):
            due.append(sensor)
    trial.rest()  # what has looked at settings goes again
    from ..sensors import SENSORS

    known = present + list(SENSORS)
    due += [_missing(name) for name in given if name not in known]
    warm_up_ms = max([sensor.warm_up_ms for sensor in due] + [0])
    if warm_up_ms:
        await asyncio.sleep_ms(warm_up_ms)
    found = []
    for sensor in due:
        _mark(node, sensor.__name__)
        found.append((sensor.__name__, await node.sample((sensor,), sensor.limit_ms)))
        was_read[sensor.__name__] = now_s
    _mark(node, "")
    for name in list(was_read):
        if name not in present:
            del was_read[name]
    return found


def _missing(name: str) -> Sensor:
    sensor = Sensor(name, {})
    sensor._why = ConfigError("no file %s/%s.py" % (FOLDER, name))
    return sensor


# Who keeps the processor ------------------------------------------------------------------------


def _mark(node, name: str) -> None:
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


def _hung(node, memory: dict, now_s: int) -> dict:
    """sensor: since when it is left out"""
    hung = memory.setdefault("hung", {})
    try:
        name = (files.read(_READING) or b"").decode()
        if name:
            hung[name] = now_s
            files.remove(_READING)
    except (OSError, ValueError) as error:
        log.tell("%s cannot be read: %s", _READING, error)
    for name in list(hung):
        if has_passed(hung[name], now_s, _DAY_S):
            del hung[name]
    return hung
