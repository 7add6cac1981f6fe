"""Registration: what the network says of this node (manual 3.1); search.py waits for it."""

import asyncio

from micropython import const

from . import at, dialect

_DENIED = const(3)
_SEARCHING = const(2)
# 9 and 10 are 1 and 5 of a network that would rather not take calls. Not: SMS only (6, 7),
# emergency calls only (8).
_REGISTERED = (1, 5, 9, 10)
_ROAMING = (5, 7, 10)


class Registration:
    """What the network says of this node (TS 27.007 10.1.22).

    stat -- 0 not registered, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming, 6 and 7 SMS only
            (home, roaming), 8 emergency only, 9 and 10 as 1 and 5
    tac, cell -- as hexadecimal text, act -- <AcT>; None where the module was not asked to tell
    sleep -- active time and T3412 that the network has granted, as bits; [] likewise
    """

    def __init__(self, values: list) -> None:
        values = values + [None] * (4 - len(values))
        self.stat = values[0]
        self.tac = values[1]
        self.cell = values[2]
        self.act = values[3]
        self.sleep = values[6:8]

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
        self.channel = channel
        self.patience = patience
        self.was_registered = False  # when it was first asked by the last register()
        self.tells = True  # the module reports changes by itself
        self.changed = asyncio.Event()  # a registration URC has come
        for name in ("EPS_STATE", "GPRS_STATE"):
            channel.on(dialect.prefix(name), self._on_registration)

    async def state(self) -> Registration:
        """C1100.registration()"""
        found, error = await self.domains()
        if error is not None and not found:
            raise error
        best = found[0]
        for other in found[1:]:
            # EPS tells more: it is the answer unless GPRS has got further.
            if other.registered or (other.searching and not best.searching):
                best = other
        return best

    async def domains(self) -> tuple:
        """What EPS and GPRS say, up to the one that is registered, and the last error: a module of
        one radio refuses to be asked for the other.
        """
        found = []
        failed = None
        for form in (dialect.EPS_STATE, dialect.GPRS_STATE):
            try:
                found.append(Registration((await self.channel.ask(form))[1:]))
            except at.NoModule:
                raise
            except (at.CommandError, at.BadAnswer, at.Timeout) as error:
                failed = error
                continue
            if found[-1].registered:
                break
        return found, failed

    async def look(self) -> Registration | None:
        """The registration if the module is in the network, None while it is not."""
        found, _ = await self.domains()
        self.was_registered = bool(found) and found[-1].registered
        return found[-1] if self.was_registered else None

    async def register(self, timeout_s: float) -> Registration:
        """C1100.register()"""
        begin = self.patience.mark()
        self.changed.clear()
        domains = await self.domains()
        found = domains[0]
        self.was_registered = bool(found) and found[-1].registered
        if self.was_registered:
            return found[-1]
        from .search import search

        return await search(self, domains, begin, timeout_s)

    def _on_registration(self, _values: list) -> None:
        self.changed.set()
