"""What a node's events, resets and results mean, and what a person can do about them.

The node tells them in short (firmware/node.py, recovery.py, aside.py, boards/base.py); what is not
known here is shown as it was told.
"""

import json
import re
from typing import Any

from tools.calling import COMMAND

_COMMAND = f"{COMMAND} command"

# The causes of firmware/boards: what made the board start.
RESETS = {
    "power": "power came on: battery or supply was connected, or had broken down; if nobody did "
    "that, look at battery and contacts",
    "reset": "its reset pin or button, or a supply that had dipped; if nobody pressed it, look at "
    "battery and wiring",
    "watchdog": f"the watchdog ended a wake that hung; its log says where: {_COMMAND} NODE log",
    "brownout": "the supply fell below what the chip needs: battery empty or cold, or contacts",
    "deepsleep": "a timed wake, nothing is wrong",
    "soft": "it started afresh by itself: after a command, a setting, a deploy or an error",
    "unknown": "the chip does not say why it started; if it is often, look at battery and wiring",
}

# The rungs of firmware/recovery.py, climbed in one wake until the module works again.
RUNGS = {
    "again": "a command to the module failed and was tried again; look at the log if it is often",
    "radio": "the module's radio was switched off and on, trying again did not help; if it is "
    "often, look at antenna and coverage",
    "restart": "the module was restarted, its radio was not to blame; if it is often, look at its "
    "supply",
    "power": "the module was switched off and on with its power key, it did not answer any more; "
    "if it is often, look at its supply",
    "supply": "the module's supply was cut, its power key did not help; if it is often, the "
    "module may be broken",
}

# How an event begins -> what to do about it.
EVENTS = (
    (r"crash: ", "a wake ended in an error that nobody expected, and the node started afresh; its "
     f"log says where: {_COMMAND} NODE log"),
    (r"record \d+ set aside: ", "the far side refused this record three times while it took "
     "others; its text is in the node's file set_aside"),
    (r"record \d+ lost: |\d+ refused records? dropped", "it cannot be had any more"),
    (r"(1 record is|\d+ records are) lost, flash is damaged",
     "what is left is delivered; replace the board if it comes again"),
    (r"battery dead: ", "its last word: the module is off until the voltage is back, and records "
     "wait in the node; change or charge the battery"),
    (r"battery low: ", "it has little left, or is cold, or sags while the module transmits: the "
     "node does less now"),
    (r"battery \S+: ", "it has recovered, or was changed"),  # high or normal
    (r"sensor \S+ failed: ", "its values are missing from now on: look at its wires, and at its "
     "pin in config.json; the node tells when it is back"),
    (r"rule \S+: .* is over$|fence \S+: ", "as its configuration asks to be told"),
    (r"rule \S+: ", "a value is where its configuration has a rule for it"),
    (r"alarm pin$", "the contact at pins.alarm has closed"),
    (r"rules and sensors have more to remember than ", "the node forgets them at each wake: give "
     "them shorter names, or have fewer"),
    (r"sensor \S+ comes and goes: ", "look at its wires and its supply"),
    (r"sensor \S+ is gone: ", "its values are missing from now on: deploy it again, or take its "
     "settings out of config.json"),
    (r"sensor \S+: what it keeps is no JSON ", "what it had counted is lost: see its file in the "
     "node's folder"),
    (r"sensor \S+: ", "it failed at the pin that wakes the node: see its file in the node's "
     "folder"),
    (r"no try for a day: ", "the network refuses this SIM or module for good: only the operator "
     "can help; the node tries once a day"),
    (r"sensor \S+ is back$", "it works again, nothing to do"),
    (r"numbers \d+ to \d+ are left out", "no record is missing: these numbers were never given"),
    (r".* is given up: its wakes cannot be counted", "the setting on trial was taken back, as "
     "flash takes nothing: replace the board if it comes again"),
    (r"flash takes no records: ", "flash is full or worn; records are kept only until the node "
     "sleeps"),
    (r"commands are refused: ", "give the node a new command key with provision"),
    (r"does not fit the schema: ", "docs/schema says what the firmware's own names hold: firmware "
     "of another version, or a sensor of your own with such a name"),
    (r"damaged message: ", "somebody else's message, or a node whose firmware is not this one"),
    (r"(config|secrets)\.json", "the node goes on with its last good configuration: provision it "
     "again"),
    (r".* is damaged: what was on trial is taken back", "give the setting again"),
    (r".* (is damaged|cannot be (read|written|used))\b", "the node goes on without what was in "
     "it; replace the board if it comes again"),
)  # fmt: skip

# The states of a result (firmware/downlink.py, trial.py).
RESULTS = {
    "done": "was done",
    "failed": "failed",
    "refused": "was refused",
    "trying": "is on trial: the node restarts and reports with it",
    "kept": "is kept: the node has reported with it",
    "taken back": "was taken back: the node could not report with it",
}
RESULT = "result: "
_LEFT_OUT = re.compile(r"numbers (\d{1,15}) to (\d{1,15}) are left out, a mark is lost")


def left_out(told: str) -> range:
    """The numbers that an event says no record has ever had."""
    found = _LEFT_OUT.fullmatch(told)
    return range(int(found[1]), int(found[2]) + 1) if found else range(0)


def explained(text: str) -> str:
    """What an event of the list means, "" when it says all itself."""
    kind, colon, rest = text.partition(": ")
    if kind == "reset":
        return RESETS.get(rest, "")
    if kind == "result" and colon:
        return _result(rest)
    told = rest if kind == "event" and colon else text
    if told in RUNGS:
        return RUNGS[told]
    return next((words for begin, words in EVENTS if re.match(begin, told)), "")


def _result(text: str) -> str:
    try:
        result: Any = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    state = result.get("result") if isinstance(result, dict) else None
    if not isinstance(state, str) or state not in RESULTS:
        return ""
    what = result["key"] if isinstance(result.get("key"), str) else "command"
    name = result["id"] if isinstance(result.get("id"), str) else ""
    why = result["why"] if isinstance(result.get("why"), str) else ""
    return f"{what} {name}".strip() + f" {RESULTS[state]}" + (f": {why}" if why else "")
