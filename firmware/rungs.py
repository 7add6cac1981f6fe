"""The rungs of the ladder (recovery.py), and the climbing. Loaded once something fails."""

import asyncio

from micropython import const

from c1100 import (
    BadArgument,
    C1100Error,
    NoModule,
    NotRegistered,
    NotSupported,
    Overflow,
    Refused,
    RegistrationDenied,
    SimError,
)

from . import log

_CUT_MS = const(5000)  # until the module's capacitors are empty
_LEAST_MS = const(15000)  # of a wake, that a rung is begun: back into the network, and deliver

# Not up to the module: no rung would help. A broker or server that cannot be reached belongs here
# too. A module whose IP stack hangs looks the same, and so does one that is deaf to the network;
# but each wake that fails ends with the module switched off, if that is possible at all.
_FINAL = (
    BadArgument,
    NotSupported,
    Overflow,
    Refused,
    RegistrationDenied,
    NotRegistered,
)
_SIM_SILENT = ("BUSY", "UNKNOWN")  # what a module says that has lost its SIM, not the SIM itself


async def _again(modem, _cut) -> None:
    await modem.wake()  # in case it has fallen asleep; trying again is what follows each rung


async def _radio(modem, _cut) -> None:
    await modem.radio(False)
    await asyncio.sleep_ms(2000)
    await modem.radio(True)


async def _restart(modem, _cut) -> None:
    await modem.restart()


async def _power(modem, _cut) -> None:
    await modem.power_cycle()


async def _supply(modem, cut) -> None:
    cut.on()
    try:
        await asyncio.sleep_ms(_CUT_MS)
    finally:
        cut.off()
    await modem.power_on()


# name, what it does to the module, the longest time of that in s. Resynchronising needs no rung:
# the channel does it by itself before the next command. The ladder, the ways back into the network
# and what is tried again end with the wake: at about 50 mA, 300 s are 15 C (4.2 mAh).
LADDER = (
    ("again", _again, 40),
    ("radio", _radio, 40),
    ("restart", _restart, 60),
    ("power", _power, 60),
    ("supply", _supply, 60),
)


class Climber:
    """ladder, modem, cut, key -- as in Recovery"""

    def __init__(self, ladder, modem, cut, key: bool) -> None:
        self._ladder = ladder
        self._modem = modem
        self._cut = cut
        self._key = key
        vain = ("" if key else "power", "supply" if cut is None else "")
        self._rungs = [rung for rung in LADDER if rung[0] not in vain]
        self._rung = 0  # a node climbs once in a wake: what did not help will not help again

    async def climb(self, error: C1100Error, ready) -> None:
        """Do the next rung that the module takes part in; if there is none, raise the error."""
        if is_final(error):
            raise error
        ladder = self._ladder
        while True:
            self._skip_what_is_vain(error)
            if self._rung >= len(self._rungs) or ladder.time_left() < _LEAST_MS:
                raise error
            name, remedy, limit_s = self._rungs[self._rung]
            self._rung += 1
            ladder.events.append(name)
            log.warning("recovery: %s after %s: %s", name, type(error).__name__, error)
            try:
                limit_ms = min(limit_s * 1000, ladder.time_left())
                await ladder.in_time(remedy, limit_ms, self._modem, self._cut)
                if ready is not None:
                    await ladder.in_time(ready, ladder.time_left())
                return
            except C1100Error as failure:
                # It was registered before: that it is not any more is no reason to stop here.
                if is_final(failure) and not isinstance(failure, NotRegistered):
                    raise
                error = failure

    def _skip_what_is_vain(self, error: C1100Error) -> None:
        if isinstance(error, NoModule):
            # Its power key has been tried: nothing but the supply is left.
            self._rung = max(self._rung, len(self._rungs) - (self._cut is not None))
        elif not self._key and self._rungs[self._rung :] == [LADDER[-1]]:
            self._rung += 1  # it answers; who knows whether it starts with its supply


def is_final(error: C1100Error) -> bool:
    """Whether an error is not up to the module: no rung would help."""
    if isinstance(error, SimError):
        return error.state not in _SIM_SILENT
    if isinstance(error, _FINAL) or getattr(error, "code", None) is None:
        return isinstance(error, _FINAL)
    from . import backoff

    return backoff.cause(error) is not None
