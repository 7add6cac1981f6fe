"""The ladder: what is tried, in order, when the module or the network does not do what it should.

Each rung costs more time and energy than the one before. What is not up to the module, such as a
refused PIN or subscription, is no reason to climb.
"""

import asyncio

from micropython import const

from c1100 import (
    BadArgument,
    C1100Error,
    NoModule,
    NotRegistered,
    RegistrationDenied,
    SimError,
    Timeout,
)

from . import log

_CUT_MS = const(5000)  # until the module's capacitors are empty

# Not up to the module: no rung would help.
_FINAL = (BadArgument, SimError, RegistrationDenied, NotRegistered)


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
    await asyncio.sleep_ms(_CUT_MS)
    cut.off()
    await modem.power_on()


# name, what it does to the module, its longest time in s. Resynchronising needs no rung: the
# channel does it by itself before the next command. At the most a rung costs its time at about
# 50 mA, so the whole ladder about 13 C (3.6 mAh), besides what is tried again.
LADDER = (
    ("again", _again, 40),
    ("radio", _radio, 40),
    ("restart", _restart, 60),
    ("power", _power, 60),
    ("supply", _supply, 60),
)


class Recovery:
    """modem -- the C1100; time_left -- callable: ms until the wake must end
    cut -- Signal that takes the module's supply away while it is on; None where none is wired
    """

    def __init__(self, modem, time_left, cut=None) -> None:
        self._modem = modem
        self._time_left = time_left
        self._cut = cut
        self._rungs = LADDER if cut is not None else LADDER[:-1]
        self._rung = 0  # a node climbs once in a wake: what did not help will not help again
        self.events = []  # names of the rungs climbed

    async def run(self, action):
        """Run ``await action()``; climb, and try again, until it succeeds or nothing is left.

        Returns what the action returns. Raises its last error.
        """
        while True:
            try:
                return await action()
            except _FINAL:
                raise
            except C1100Error as error:
                self._skip_what_is_vain(error)
                if not await self._climb(error):
                    raise

    def _skip_what_is_vain(self, error: C1100Error) -> None:
        if isinstance(error, NoModule):
            # Its power key has been tried: nothing but the supply is left.
            self._rung = max(self._rung, len(LADDER) - 1)

    async def _climb(self, error: C1100Error) -> bool:
        """Do the next rung that the module takes part in. False when there is none left."""
        while self._rung < len(self._rungs) and self._time_left() > 0:
            name, remedy, limit_s = self._rungs[self._rung]
            self._rung += 1
            self.events.append(name)
            log.warning("recovery: %s after %s: %s", name, type(error).__name__, error)
            limit_ms = min(limit_s * 1000, self._time_left())
            try:
                await asyncio.wait_for_ms(remedy(self._modem, self._cut), limit_ms)
                return True
            except asyncio.TimeoutError:
                error = Timeout("%s did not end in %d s" % (name, limit_s))
            except C1100Error as failure:
                error = failure
                self._skip_what_is_vain(error)
        return False
