"""Registration: what the network says of this node, and waiting for it (manual 3.1)."""

import asyncio

from micropython import const

from . import at, dialect

_DENIED = const(3)
_SEARCHING = const(2)
# 9 and 10 are 1 and 5 of a network that would rather not take calls. Not: SMS only (6, 7),
# emergency calls only (8).
_REGISTERED = (1, 5, 9, 10)
_ROAMING = (5, 7, 10)

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


class Registration:
    """What the network says of this node (TS 27.007 10.1.22).

    stat -- 0 not registered, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming, 6 and 7 SMS only
            (home, roaming), 8 emergency only, 9 and 10 as 1 and 5
    tac, cell -- as hexadecimal text, act -- <AcT>; None where the module was not asked to tell
    """

    def __init__(self, values: list) -> None:
        values = values + [None] * (4 - len(values))
        self.stat = values[0]
        self.tac = values[1]
        self.cell = values[2]
        self.act = values[3]

    @property
    def registered(self) -> bool:
        """Data can be sent."""
        return self.stat in _REGISTERED

    @property
    def roaming(self) -> bool:
        return self.stat in _ROAMING

    @property
    def denied(self) -> bool:
        return self.stat == _DENIED

    @property
    def searching(self) -> bool:
        return self.stat == _SEARCHING


class Network:
    """patience -- patience.Patience of the board"""

    def __init__(self, channel, patience) -> None:
        self._channel = channel
        self._patience = patience
        self.was_registered = False  # when it was first asked by the last register()
        self.tells = True  # the module reports changes by itself
        self._changed = asyncio.Event()  # a registration URC has come
        channel.on(dialect.EPS_STATE.answer, self._on_registration)
        channel.on(dialect.GPRS_STATE.answer, self._on_registration)

    async def state(self) -> Registration:
        """C1100.registration()"""
        found, error = await self._domains()
        if error is not None and not found:
            raise error
        best = found[0]
        for other in found[1:]:
            # EPS tells more: it is the answer unless GPRS has got further.
            if other.registered or (other.searching and not best.searching):
                best = other
        return best

    async def _domains(self) -> tuple:
        """What EPS and GPRS say, up to the one that is registered, and the last error: a module of
        one radio refuses to be asked for the other.
        """
        found = []
        failed = None
        for form in (dialect.EPS_STATE, dialect.GPRS_STATE):
            try:
                found.append(Registration((await self._channel.ask(form))[1:]))
            except at.NoModule:
                raise
            except (at.CommandError, at.BadAnswer, at.Timeout) as error:
                failed = error
                continue
            if found[-1].registered:
                break
        return found, failed

    async def register(self, timeout_s: float) -> Registration:
        """C1100.register()"""
        patience = self._patience
        begin = patience.mark()
        denied, deaf, idle = _Lasting(patience), _Lasting(patience), _Lasting(patience)
        obstacles = list(_OBSTACLES)
        self.was_registered = True
        while True:
            self._changed.clear()
            found, error = await self._domains()
            if found and found[-1].registered:
                return found[-1]
            self.was_registered = False
            left = int(timeout_s * 1000) - patience.since(begin)
            if deaf.ms(_is_deaf(found, error)) >= (_DEAF_MS if left > 0 else 0) or (
                not found and isinstance(error, at.Timeout)
            ):
                raise error
            refusals = [domain for domain in found if domain.denied]
            denied_ms = denied.ms(found and len(refusals) == len(found))
            if refusals and (left <= 0 or denied_ms >= _DENIED_MS):
                raise _denial()
            if left <= 0:
                raise at.NotRegistered("no network in %d s: check antenna and bands" % timeout_s)
            idle_ms = idle.ms(not refusals and not [1 for domain in found if domain.searching])
            while obstacles and idle_ms >= obstacles[0][0]:
                await self._clear(*obstacles.pop(0)[1:])
            await self._change(left if found and denied_ms < 0 else min(left, _POLL_MS))

    async def _change(self, ms: int) -> None:
        """Wait until the registration may have changed, at most so long."""
        if self._patience.dozes:
            await self._patience.wait(min(ms, _LOOK_MS))
            return
        try:
            step_ms = _RECHECK_MS if self.tells else _POLL_MS
            await asyncio.wait_for_ms(self._changed.wait(), min(ms, step_ms))
        except asyncio.TimeoutError:
            pass  # the line that tells may have been lost: ask

    def _on_registration(self, _values: list) -> None:
        self._changed.set()

    async def radio_on(self) -> bool:
        """Switch the radio on, and with it the SIM. Returns whether it was off."""
        return await self._clear(*_OBSTACLES[0][1:])

    async def _clear(self, question, fine: tuple, remedy, args: tuple) -> bool:
        """Mend what keeps the module out of the network, if it does; whether it did."""
        try:
            if (await self._channel.ask(question))[0] in fine:
                return False
            await self._channel.run(remedy, *args)
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


def _denial() -> at.RegistrationDenied:
    return at.RegistrationDenied(
        "the network refuses this SIM: check subscription, roaming and APN"
    )
