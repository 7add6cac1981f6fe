"""The clock has been set: what is remembered of it moves along, so that no time has passed
because of that. Loaded only then.
"""

from . import memory

# section: where a moment is in what is remembered of each; None: it is one
_MOMENTS = (("rules", (0, 3, 4)), ("fences", (1,)), ("read", None), ("hung", None))


def shift(node, step: int) -> None:
    """Move all moments by so many seconds."""
    kept = memory.load(node)
    _move(kept, ("record", "fixed"), step)
    _move(kept.get("alarm"), (0,), step)
    for section, places in _MOMENTS:
        of = kept.get(section, {})
        if places is None:
            _move(of, of, step)
        else:
            for name in of:
                _move(of[name], places, step)
    memory.store(node)


def _move(of, places, step: int) -> None:
    for place in places:
        try:
            if of[place] is not None:
                of[place] += step
        except (TypeError, LookupError):  # nothing is remembered, or what nobody has written
            pass
