"""Rules: what a value must be for a record, or for a report at once.

    "rules": {"frost": {"of": "temperature", "below": 2, "hysteresis": 0.5, "do": "report"}}

above, below -- the value is beyond that. It is over when it is back by `hysteresis` more.
change       -- the value has changed by so much since this rule last did something
rate         -- it changes by more than that in an hour, from one sample to the next

A rule does something once, and again when it was over meanwhile; not before it has held for
`for_s`, not within `gap_s` of the last time, and not more often than `max_per_day`. What is put
off by these is done when they allow it, if it still holds then. A sample that comes up to 2 s and
`sample.flex_s` early counts for `for_s` and `gap_s` as if it came in time.
"""

from micropython import const

from . import has_passed
from .over import amount

KINDS = ("above", "below", "change", "rate")
ACTIONS = ("report", "record", "event")
# field: as in firmware/config.py; None: must be there. One of KINDS must be there, too.
FIELDS = {
    "of": (None, str, 1, 64),
    "above": (0.0, float, -1e12, 1e12),
    "below": (0.0, float, -1e12, 1e12),
    "change": (0.0, float, 1e-6, 1e12),
    "rate": (0.0, float, 1e-6, 1e12),
    "hysteresis": (0.0, float, 0, 1e12),
    "for_s": (0, int, 0, 604800),
    "do": ("report", ACTIONS),
    "max_per_day": (24, int, 1, 1440),
    "gap_s": (0, int, 0, 86400),
}
_DAY_S = const(86400)
_HOUR_S = const(3600)
# What is remembered of a rule: since when it holds (None: it does not), whether it is done, the
# value and moment to compare with, when it last did something, the day and how often on it.
_HOLDS, _DONE, _VALUE, _AT, _LAST, _DAY, _COUNT = range(7)


def judge(rules: dict, kept: dict, samples: list, now_s: int, flex_s: int = 0) -> tuple:
    """(texts of events, whether a record is wanted, whether a report at once is)

    kept    -- what is remembered: rule: see above
    samples -- of this moment, (name, unit, value)
    flex_s  -- by how much samples may come later or earlier
    """
    values = {}
    for name, _, value in samples:
        number = amount(value)
        if number is not None:
            values[name] = number
    texts = []
    record = report = False
    for name in sorted(rules):
        rule = rules[name]
        if rule["of"] not in values:
            continue  # its sensor was not read, or failed, which is told elsewhere
        if not _is_memory(kept.get(name)):
            kept[name] = [None, False, None, 0, None, 0, 0]
        does, ends = _step(rule, kept[name], values[rule["of"]], now_s, flex_s)
        how = rule.get("do", ACTIONS[0])
        if does:
            record = True
            report = report or how == "report"
        if (does or ends) and how != "record":
            record = True
            texts.append(_told(name, rule, values[rule["of"]], does))
    return texts, record, report


def _is_memory(before) -> bool:
    return isinstance(before, list) and len(before) == _COUNT + 1


def _step(rule: dict, state: list, value: float, now_s: int, flex_s: int) -> tuple:
    """(whether the rule does something now, whether it is over)"""
    does = ends = False
    holds = _holds(rule, state, value, now_s)
    if not holds:
        ends, state[_DONE] = state[_DONE], False
        state[_HOLDS] = None
    else:
        if state[_HOLDS] is None or state[_HOLDS] > now_s:
            state[_HOLDS] = now_s
        long_enough = has_passed(state[_HOLDS], now_s, rule.get("for_s", 0), flex_s)
        if long_enough and not state[_DONE] and _may(rule, state, now_s, flex_s):
            does = True
            state[_DONE] = "change" not in rule
            state[_LAST] = now_s
            state[_COUNT] += 1
    if "rate" in rule or does or state[_VALUE] is None:
        state[_VALUE], state[_AT] = value, now_s
    return does, ends


def _holds(rule: dict, state: list, value: float, now_s: int) -> bool:
    slack = rule.get("hysteresis", 0) if state[_DONE] else 0
    if "above" in rule:
        return value > rule["above"] - slack
    if "below" in rule:
        return value < rule["below"] + slack
    if state[_VALUE] is None:
        return False
    moved = abs(value - state[_VALUE])
    if "change" in rule:
        return moved >= rule["change"]
    passed_s = now_s - state[_AT]
    return passed_s > 0 and moved * _HOUR_S / passed_s > rule["rate"] - slack


def _may(rule: dict, state: list, now_s: int, flex_s: int) -> bool:
    """Whether it has not done too much already."""
    day = now_s // _DAY_S
    if state[_DAY] != day:
        state[_DAY] = day
        state[_COUNT] = 0
    if state[_COUNT] >= rule.get("max_per_day", FIELDS["max_per_day"][0]):
        return False
    return has_passed(state[_LAST], now_s, rule.get("gap_s", 0), flex_s)


def _told(name: str, rule: dict, value: float, does: bool) -> str:
    if not does:
        return "rule %s: %s %s is over" % (name, rule["of"], value)
    kind = next(kind for kind in KINDS if kind in rule)
    return "rule %s: %s %s %s %s" % (name, rule["of"], value, kind, rule[kind])
