"""What is a node's own: the sensors in its folder, rules, fences. Loaded only where there are any.

``sensors/NAME.py`` beside ``main.py`` is read at each sample, without being named anywhere;
docs/own-node.md says what it holds. Sections ``rules``, ``fences`` and ``dead_bands`` of
config.json say when a value is worth a record, or a report at once.
"""

from micropython import const

_EARLY_S = const(2)


def has_passed(since_s: int | None, now_s: int, wanted_s: int, flex_s: int = 0) -> bool:
    """Whether so many seconds have passed. Asked at a sample or position, which comes a little
    early or late: where the next one would be a whole period late, the one that is meant may come
    by 2 s and its flex_s early, by half of what is wanted at the most.

    Also where nobody can tell: since_s is None, or the clock was set back.
    """
    early_s = min(_EARLY_S + flex_s, wanted_s // 2)
    return since_s is None or not 0 <= now_s - since_s < wanted_s - early_s
