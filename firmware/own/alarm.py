"""A pin that wakes the node: ``pins.alarm``. What it ends is sampled and reported at once.

A contact that chatters, or stays closed, must not empty the battery: the pin is armed only while
it is quiet, not within ``alarm.gap_s`` of the last alarm, and ``alarm.max_per_day`` times a day.
"""

from micropython import const

from .. import jobs, log
from . import memory

_DAY_S = const(86400)


def rang(node) -> None:
    """The pin has ended the sleep: sample and report are due."""
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
