"""What a start tells: version and reset cause, what the wiring rules out, and which pins there are
not. Loaded at a start only.
"""

from . import log, version
from .state import CAUSES


def tell(node) -> None:
    """On the log. node -- app.Node"""
    if node.state.wakes == 1:
        _tell_wiring(node.settings)
    log.warning("%s, started by %s", version.text(), CAUSES[node.state.cause])
    for text in getattr(node.board, "faults", list)():  # a board's file need not know
        log.error("%s", text)


def _tell_wiring(settings: dict) -> None:
    from .wiring_cost import told

    text = told(settings)
    if text:
        log.warning("wiring: %s", text)
