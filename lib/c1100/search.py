"""Waiting until the network has accepted the module (manual 3.1). Loaded only where it has not."""

import asyncio

from micropython import const

from . import at, dialect
from .registration import Registration, domains

_RECHECK_MS = const(15000)  # a registration URC may get lost: ask now and then
_POLL_MS = const(2000)  # what will not stay so, or would not be told
_LOOK_MS = const(300)  # where the board dozes
_DENIED_MS = const(10000)  # that every network refuses has to last so long
_DEAF_MS = const(20000)  # that no domain can be asked, likewise

# What an earlier life may have left that keeps a module from looking for a network: after how
# many ms without a search it is asked for, the question, the answers that are no fault, and what
# mends the others.
_OBSTACLES = (
    (0, dialect.RADIO_STATE, (1,), dialect.RADIO, (1,)),  # flight mode
    (0, dialect.OPERATOR, (0, 1, 3, 4), dialect.OPERATOR_ANY, ()),  # 2: deregistered
    (10000, dialect.ATTACHED, (1,), dialect.ATTACH, ()),
)


async def register(modem, timeout_s: float = 180) -> Registration:
    """modem.register(): wait until the network has accepted the module.

    timeout_s -- seconds

    A domain that the module's radio lacks may refuse to be asked. What an earlier life left
    switched off is switched on. Returns the registration.Registration. Raises RegistrationDenied
    when every domain refuses and goes on doing so for 10 s, or when one does that for a cause for
    which no other would take the module now, or at the end when one does; NotRegistered when no
    network was found.
    """
    patience = modem.patience
    begin = patience.mark()
    changed = _listen(modem)
    found, error = await domains(modem._channel)
    modem.was_registered = bool(found) and found[-1].registered
    denied, refused, deaf, idle = [_Lasting(patience) for _ in range(4)]
    obstacles = list(_OBSTACLES)
    while True:
        if found and found[-1].registered:
            return found[-1]
        left = int(timeout_s * 1000) - patience.since(begin)
        if deaf.ms(_is_deaf(found, error)) >= (_DEAF_MS if left > 0 else 0) or (
            not found and isinstance(error, at.Timeout)
        ):
            raise error
        refusals = [domain for domain in found if domain.denied]
        searches = [domain for domain in found if domain.searching]
        denied_ms = denied.ms(found and len(refusals) == len(found))
        refused_ms = -1 if refused is None else refused.ms(refusals and not searches)
        is_over = refusals and (left <= 0 or denied_ms >= _DENIED_MS)
        if is_over or refused_ms >= _DENIED_MS:
            from . import causes

            denial = await causes.denial(modem)
            if is_over or causes.is_settled(denial):
                raise denial
            refused = None  # it is not asked again
            continue
        if left <= 0:
            raise at.NotRegistered("no network in %d s: check antenna and bands" % timeout_s)
        idle_ms = idle.ms(not refusals and not searches)
        while obstacles and idle_ms >= obstacles[0][0]:
            await _clear(modem._channel, *obstacles.pop(0)[1:])
        passes = not found or max(denied_ms, refused_ms) >= 0
        most_ms = min(left, _POLL_MS) if passes else left
        await _change(modem, changed, most_ms, patience.since(begin) < patience.early_ms)
        changed.clear()
        found, error = await domains(modem._channel)


def _listen(modem) -> asyncio.Event:
    """What is set when a registration URC comes."""
    changed = modem.registration_changed
    if changed is None:
        changed = modem.registration_changed = asyncio.Event()
        for name in ("EPS_STATE", "GPRS_STATE"):
            modem.on(dialect.prefix(name), lambda _values: changed.set())
    changed.clear()
    return changed


async def _change(modem, changed, ms: int, is_early: bool) -> None:
    """Wait until the registration may have changed, at most so long."""
    if modem.patience.dozes:
        await modem.patience.wait(min(ms, _POLL_MS if is_early else _LOOK_MS))
        return
    try:
        step_ms = _RECHECK_MS if modem.tells else _POLL_MS
        await asyncio.wait_for_ms(changed.wait(), min(ms, step_ms))
    except asyncio.TimeoutError:
        pass  # the line that tells may have been lost: ask


async def radio_on(channel) -> bool:
    """Switch the radio on, and with it the SIM. Returns whether it was off."""
    return await _clear(channel, *_OBSTACLES[0][1:])


async def _clear(channel, question, fine: tuple, remedy, args: tuple) -> bool:
    """Mend what keeps the module out of the network, if it does; whether it did."""
    try:
        if (await channel.ask(question))[0] in fine:
            return False
        await channel.run(remedy, *args)
    except (at.CommandError, at.BadAnswer, at.Timeout):
        return False  # what it cannot be asked is not known to be the fault
    return True


class _Lasting:
    """How long something has been so."""

    def __init__(self, patience) -> None:
        self._patience = patience
        self._mark = None

    def ms(self, holds) -> int:
        """ms since it was first so without a break; -1 when it is not."""
        if not holds:
            self._mark = None
            return -1
        if self._mark is None:
            self._mark = self._patience.mark()
        return self._patience.since(self._mark)


def _is_deaf(found: list, error) -> bool:
    """Whether the module can be asked for no domain; or not for EPS, which it has, while nothing
    happens in GPRS, which it may lack.
    """
    if not found or error is None:
        return not found
    return error.command == dialect.EPS_STATE.send and not (found[0].searching or found[0].denied)
