"""Three wrong PINs block a SIM for good, and a node wakes often: one refusal is remembered.

So are two PINs in a row whose answer was lost: each may have been a wrong one.
"""

from binascii import crc32

from . import files, log
from .state import PIN_REFUSED

_FILE = "pin_refused"
_LOST = b"?"  # behind the mark of a PIN: its answer was lost


def allowed(pin: str, state) -> str | None:
    """The configured PIN, or None when there is none or the SIM has refused this one.

    state -- of the node, which remembers what no file could
    """
    if not pin or state.told & PIN_REFUSED:
        return None
    try:
        return None if files.load(_FILE) == _mark(pin) else pin
    except OSError as error:
        # Both copies: of this PIN or of one before it. One try more is left.
        log.tell("%s cannot be read: %s", _FILE, error)
        return pin


def refuse(pin: str, state) -> None:
    """Remember that the SIM has refused this PIN, until another one is configured."""
    _store(_mark(pin), state)


def doubt(pin: str, state) -> None:
    """It is not known what the SIM makes of this PIN: it has cost a try, or not."""
    try:
        lost = files.load(_FILE) == _mark(pin) + _LOST
    except OSError:
        lost = True
    if lost:
        refuse(pin, state)
    else:
        _store(_mark(pin) + _LOST, state)


def accept(pin: str) -> None:
    """The SIM is open: what was in doubt is not any more."""
    try:
        if files.load(_FILE) == _mark(pin) + _LOST:
            files.store(_FILE, b"")
    except OSError as error:
        log.tell("%s cannot be used: %s", _FILE, error)


def _store(mark: bytes, state) -> None:
    try:
        files.store(_FILE, mark)
    except OSError as error:
        log.tell("%s cannot be written: %s", _FILE, error)
        state.told |= PIN_REFUSED  # until the next cold start


def _mark(pin: str) -> bytes:
    # Enough to tell whether the configuration has changed; the PIN itself stays in secrets.json.
    return b"%d" % crc32(pin.encode())
