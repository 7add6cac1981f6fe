"""How long the receiver looks for satellites, and how often, where none is strong enough.

A search without any hope is given up after ``position.weak_s``, and each one in a row is followed
by a pause that is twice as long, of eight periods at the most. Each fourth of them has its full
time: what a receiver tells of its satellites is not believed for ever. A position that was found
although none was strong proves that it tells nothing of use: from then on only the time counts.
"""

from micropython import const

from . import has_passed, memory

_WHOLE = const(4)  # each of so many in a row has its full time
_MOST_DOUBLINGS = const(3)
_KEY = "weak"  # in memory: [searches in a row without hope, -1: what is told is of no use; when]


def patience_s(node) -> int:
    """For this search: seconds without a strong satellite until it is given up; 0: whatever is
    told of satellites.
    """
    count = _known(node)[0]
    if count < 0:
        return 0
    is_whole = count % _WHOLE == _WHOLE - 1
    return node.settings["position.limit_s" if is_whole else "position.weak_s"]


def is_put_off(node) -> bool:
    """Whether a position need not be looked for yet: nothing moves, or the last tries had no
    hope.
    """
    given = node.settings
    if given["position.still_s"]:
        from . import wake

        if wake.is_still(node):
            return True
    count, at_s = _known(node) if given["position.weak_s"] else (0, 0)
    if count < 2:
        return False
    pause_s = given["position.period_s"] << min(count - 1, _MOST_DOUBLINGS)
    return not has_passed(at_s, node.begin_s, pause_s, given["position.flex_s"])


def weak(node) -> None:
    """A search was without hope."""
    _keep(node, [_known(node)[0] + 1, node.begin_s])


def found(node, is_weak: bool) -> None:
    """A position was found. is_weak -- although no satellite was strong"""
    known = _known(node)
    if is_weak:
        _keep(node, [-1, 0])
    elif known[0] > 0:
        _keep(node, None)


def _known(node) -> list:
    kept = memory.load(node).get(_KEY)
    if isinstance(kept, list) and len(kept) == 2 and all(type(n) is int for n in kept):
        return kept
    return [0, 0]


def _keep(node, kept: list | None) -> None:
    if kept is None:
        del node.own[_KEY]
    else:
        node.own[_KEY] = kept
    memory.store(node)
