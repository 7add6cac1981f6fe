"""What a node does about a network that has refused it. Loaded once something has failed.

A refusal of WAIT starts a timer, which a module begins anew that is restarted or tries too early:
it stays on and is left alone, longer after each refusal in a row, and after a day of that it is
off for one. One of FINAL is tried again a day later, one of ELSEWHERE as any failure.
"""

from binascii import crc32

from micropython import const

from c1100 import C1100Error, RegistrationDenied

from . import log
from .state import MODULE, WAITS

_MARGIN_S = const(30)  # the timer began when the network refused, or a little later
_SPREAD_S = const(60)
_LONGEST_S = const(7200)
_MOST_DOUBLINGS = const(3)
_MOST_WAITS = const(16)  # in a row: about a day
_DAY_S = const(86400)
_DEAD = const(4)  # battery.DEAD
_ATTACH_S = const(75)


def cause(error: C1100Error):
    """causes.Cause of what has failed; None where no network has refused it, or not said why."""
    if getattr(error, "cause", None) is None and getattr(error, "code", None) is None:
        return None
    from c1100 import causes

    return causes.of(error)


async def elsewhere(modem, error: C1100Error, begin, limit_ms: int):
    """No attach: go on searching where another network may take the node. Returns the
    registration.Registration; raises the error.

    begin -- of the search, as modem.patience has it; limit_ms -- for all of it
    """
    while True:
        found = cause(error)
        left_ms = limit_ms - modem.patience.since(begin)
        if found is None or found.help != "elsewhere" or left_ms <= 0:
            raise error
        log.info("%s: the search goes on", error)
        try:
            return await modem.register(left_ms / 1000)
        except RegistrationDenied as again:
            error = again


def settle(node, modem, error: C1100Error) -> bool:
    """Leave the module alone for as long as an error asks for. Returns whether it stays on."""
    found = cause(error)
    if found is None or found.help == "elsewhere":
        return False
    state = node.state
    why = "%s (%s cause %d, %s)" % (found.words, found.domain, found.number, found.clause)
    if MODULE[state.module] != WAITS:
        state.failures = 0  # those before were of other kinds
    waits = found.help == "wait" and state.failures < _MOST_WAITS
    if not waits:
        node.hold_s = _DAY_S
        log.tell("no try for a day: the operator must %s: %s", found.do or "help", why)
        return False
    wait_s = min(found.wait_s << min(state.failures, _MOST_DOUBLINGS), _LONGEST_S)
    salt = crc32(node.settings["id"].encode()) + state.wakes
    node.hold_s = wait_s + _MARGIN_S + salt % _SPREAD_S
    log.warning("no try for %d s: %s", node.hold_s, why)
    is_dead = state.level == _DEAD and node.settings["battery.kind"] != "none"
    if node.restart_ms or is_dead:
        return False
    if node.on_trial:  # the next try of the setting
        node.restart(node.hold_s * 1000)
    state.module = MODULE.index(WAITS)
    state.tau = 0
    modem.rest()
    return True


async def attach_again(modem) -> None:
    """The timer has run out: let a module try that does not by itself."""
    try:
        if not (await modem.registration()).registered:
            await modem.command("+CGATT=1", _ATTACH_S)
    except C1100Error as error:
        log.debug("no attach: %s", error)
