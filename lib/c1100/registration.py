"""Registration: what the network says of this node, and waiting for it."""

import asyncio

from micropython import const

from . import at, dialect

_DENIED = const(3)
_REGISTERED = (1, 5)
_ROAMING = const(5)
_SEARCHING = const(2)
_RECHECK_S = const(15)  # a registration URC may get lost: ask now and then
_LOOK_MS = const(300)  # between questions for the network where the board dozes


class Registration:
    """What the network says of this node (TS 27.007 10.1.22).

    stat -- 0 not registered, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming, 8 emergency only
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
        return self.stat in _REGISTERED

    @property
    def roaming(self) -> bool:
        return self.stat == _ROAMING

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
        self._changed = asyncio.Event()  # a registration URC has come
        channel.on("+CEREG", self._on_registration)
        channel.on("+CGREG", self._on_registration)

    async def state(self) -> Registration:
        """C1100.registration()"""
        eps = Registration((await self._channel.ask(dialect.EPS_STATE))[1:])
        if eps.registered:
            return eps
        gprs = Registration((await self._channel.ask(dialect.GPRS_STATE))[1:])
        # EPS tells more: it is the answer unless GPRS has got further.
        return gprs if gprs.registered or (gprs.searching and not eps.searching) else eps

    async def register(self, timeout_s: float = 180) -> Registration:
        """Wait until the network has accepted the module.

        timeout_s -- seconds

        Raises RegistrationDenied at once when every domain refuses, or at the end when one did;
        NotRegistered when no network was found.
        """
        begin = self._patience.mark()
        self.was_registered = True
        while True:
            self._changed.clear()
            eps = Registration((await self._channel.ask(dialect.EPS_STATE))[1:])
            if eps.registered:
                return eps
            gprs = Registration((await self._channel.ask(dialect.GPRS_STATE))[1:])
            if gprs.registered:
                return gprs
            self.was_registered = False
            left = int(timeout_s * 1000) - self._patience.since(begin)
            refused = eps.denied or gprs.denied
            if refused and (left <= 0 or not (eps.searching or gprs.searching)):
                raise at.RegistrationDenied(
                    "the network refuses this SIM: check subscription, roaming and APN"
                )
            if left <= 0:
                raise at.NotRegistered("no network in %d s: check antenna and bands" % timeout_s)
            if self._patience.dozes:
                await self._patience.wait(min(left, _LOOK_MS))
                continue
            try:
                await asyncio.wait_for_ms(self._changed.wait(), min(left, _RECHECK_S * 1000))
            except asyncio.TimeoutError:
                continue

    def _on_registration(self, _values: list) -> None:
        self._changed.set()
