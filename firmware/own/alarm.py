"""A pin that wakes the node: ``pins.alarm``. What it ends is sampled and reported at once.

A contact that chatters, or stays closed, must not empty the battery: the pin is armed only while
it is quiet, not within ``alarm.gap_s`` of the last alarm, and ``alarm.max_per_day`` times a day.

A sensor whose setting `wakes` is 1 has the pin for itself, and bounds that by its own means:

    woken(node, settings, kept, rang)   when a wake begins; rang: the pin has ended the sleep
    before_sleep(node, settings, kept)  True: a pin that is asserted then ends the sleep, False:
                                        one that is not, None: it does not end it

kept is a dict of the sensor's, which is remembered as JSON.
"""

import json

from micropython import const

from .. import jobs, log
from . import memory

_DAY_S = const(86400)


def began(node, rang: bool) -> None:
    """A wake has begun. rang -- the pin has ended the sleep"""
    name = whose(node.settings["sensors"])
    if name:
        if node.settings["watchdog_s"]:
            node.board.watchdog(node.settings["watchdog_s"] * 1000)
        _ask(node, name, "woken", rang)
    elif rang:
        _rang(node)


def whose(sensors: dict) -> str:
    """The sensor that has the pin; "": none. sensors -- their settings"""
    for name in sensors:
        if sensors[name].get("wakes"):
            return name
    return ""


def _ask(node, name: str, what: str, *args):
    """Let the sensor do its part. Whatever it does is told, and costs nothing else."""
    from . import contained, sensors

    own = memory.load(node)
    may_hang = node.state.unfinished > 1 or own.get("hung")
    if may_hang and name in sensors.hung(node, own, node.begin_s):
        memory.store(node)
        return None
    sensors.mark(node, name)
    try:
        module = contained.call(sensors.load, name)
        given = sensors.complete(name, module, node.settings["sensors"][name])
        kept = own.setdefault("pin", {})
        return contained.call(getattr(module, what), contained.View(node), given, kept, *args)
    except Exception as error:  # whatever somebody's file does
        log.tell("sensor %s: %s: %s (%s)", name, type(error).__name__, error, what)
    finally:
        sensors.mark(node, "")
        try:
            json.loads(json.dumps(own["pin"]))
        except (ValueError, TypeError, KeyError):  # nothing would be remembered, of nobody
            log.tell("sensor %s: what it keeps is no JSON (%s)", name, what)
            own["pin"] = {}
        memory.store(node)
    return None


def _rang(node) -> None:
    """Sample and report are due."""
    now_s = node.now()
    kept = memory.load(node)
    _, day, count = _known(kept)
    today = now_s // _DAY_S
    kept["alarm"] = [now_s, today, count + 1 if day == today else 1]
    memory.store(node)
    log.info("woken by pins.alarm")
    node.samples.append(("event", None, "alarm pin"))
    for job in ("sample", "report"):
        jobs.at_once(node.scheduler, node.state, job)


def before_sleep(node, pause_ms: int) -> tuple:
    """(how long to sleep, whether the pin ends it)"""
    settings = node.settings
    name = whose(settings["sensors"])
    if name:
        waits = None if node.state.is_stuck else _ask(node, name, "before_sleep")
        node.board.waits_for_release = waits is False
        return pause_ms, waits is not None
    last, day, count = _known(memory.load(node))
    now_s = node.now()
    if day == now_s // _DAY_S and count >= settings["alarm.max_per_day"]:
        return pause_ms, False
    passed_s = now_s - last
    if 0 <= passed_s < settings["alarm.gap_s"]:  # a wake just to arm it
        return min(pause_ms, (settings["alarm.gap_s"] - passed_s) * 1000), False
    pin = node.board.input("alarm")
    return pause_ms, pin is not None and not pin.value()


def _known(kept: dict) -> tuple:
    found = kept.get("alarm")
    if isinstance(found, list) and len(found) == 3:
        return tuple(found)
    return -_DAY_S, -1, 0
