"""Errors of the driver that most wakes never meet. at.py has the others, and names for these."""

from .at import C1100Error, CommandError, Timeout


class NoModule(Timeout):
    """The module answers nothing, whatever was done with its power key."""


class CmeError(CommandError):
    """+CME ERROR. ``code`` is the number of TS 27.007 clause 9.2, None if words were not known."""

    def __init__(self, code: int | None, text: str, command: str | None = None) -> None:
        super().__init__(text, command)
        self.code = code


class CmsError(CmeError):
    """+CMS ERROR. ``code`` is the number of TS 27.005 clause 3.2.5."""


class SimError(C1100Error):
    """The SIM cannot be used. ``state`` as +CPIN? gives it: SIM PIN, SIM PUK, NO SIM, ..."""

    def __init__(self, state: str, text: str) -> None:
        super().__init__(text)
        self.state = state


class PinRefused(SimError):
    """The PIN is wrong. It has cost one of three tries; do not try the same one again."""


class RegistrationDenied(C1100Error):
    """The network refused the registration (stat 3): the subscription or the roaming contract.

    cause -- number of the EMM cause (24.301 9.9.3.9), None where the module tells none; causes.py
             knows more of it
    """

    cause: int | None = None


class NotRegistered(Timeout):
    """No network was found in the given time."""


class TooWeak(Timeout):
    """A search for a position was given up: no satellite was strong enough."""


class NotConnected(C1100Error):
    """The PDP context, the socket or the session that was used is not open."""


class NotSupported(C1100Error):
    """This variant of the module lacks what was asked for."""


class Asleep(C1100Error):
    """The module sleeps, and the channel may not wake it."""


class PayloadError(C1100Error):
    """A payload ended early or was not of the announced length. ``got`` and ``want`` in bytes."""

    def __init__(self, got: int, want: int, command: str | None = None) -> None:
        super().__init__("payload of %d bytes announced, %d came" % (want, got), command)
        self.got = got
        self.want = want


def told(name: str, detail: str, command: str | None) -> CmeError:
    """The error of a ``+CME ERROR`` or ``+CMS ERROR`` line, which is its name; detail -- number or
    words behind it.
    """
    from . import cme  # words are only needed once something has gone wrong

    kind = CmeError if name == "+CME ERROR" else CmsError
    if detail.isdigit():
        code = int(detail)
        words = cme.words(code) if kind is CmeError else ""
        return kind(code, "%s %d%s" % (name, code, words and " (%s)" % words), command)
    return kind(cme.code(detail) if kind is CmeError else None, "%s %s" % (name, detail), command)
