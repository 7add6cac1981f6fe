"""What a start tells: version and reset cause, what the wiring rules out, and which pins there are
not. Loaded at a start only.
"""

from . import log, version
from .state import CAUSES


def tell(node) -> None:
    """On the log. node -- app.Node"""
    if node.state.wakes == 1:
        _tell_wiring(node.settings)
    # Not once more in the next wake, where this one has no record to tell it.
    is_now = node.state.wakes == 1 or node.board.reset_cause() != "deepsleep"
    if is_now and node.settings["health.period_s"]:
        from . import tally

        tally.add("R", CAUSES[node.state.cause] or CAUSES[-1], node.now())
    log.warning("%s, started by %s", version.text(), CAUSES[node.state.cause])
    for text in getattr(node.board, "faults", list)():  # a board's file need not know
        log.error("%s", text)


def _tell_wiring(settings: dict) -> None:
    from .wiring_cost import told

    text = told(settings)
    if text:
        log.warning("wiring: %s", text)
