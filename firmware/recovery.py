"""The ladder: what is tried, in order, when the module or the network does not do what it should.

Each rung costs more time and energy than the one before. What is not up to the module, such as a
refused PIN or subscription, is no reason to climb. How long a node sleeps after a failure grows,
with a spread, so that a thousand nodes do not come back to a broken network together.
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
)

_MOST_DOUBLINGS = const(4)  # of the period, after failures in a row
_SPREAD = const(8)  # a pause varies by one part in so many

# Not up to the module, or its power key has been tried already: no rung would help.
_FINAL = (BadArgument, NoModule, SimError, RegistrationDenied, NotRegistered)


async def _radio(modem) -> None:
    await modem.radio(False)
    await asyncio.sleep_ms(2000)
    await modem.radio(True)


async def _restart(modem) -> None:
    await modem.restart()


async def _power(modem) -> None:
    await modem.power_cycle()


# name, what it does to the module. Resynchronising needs no rung: the channel does it by itself
# before the next command. Trying again is what follows each rung.
LADDER = (
    ("again", None),
    ("radio", _radio),
    ("restart", _restart),
    ("power", _power),
)


class Recovery:
    """modem -- the C1100; time_left -- callable: ms until the wake must end"""

    def __init__(self, modem, time_left) -> None:
        self._modem = modem
        self._time_left = time_left
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
                if not await self._climb(error):
                    raise

    async def _climb(self, error: C1100Error) -> bool:
        """Do the next rung that the module takes part in. False when there is none left."""
        while self._rung < len(LADDER) and self._time_left() > 0:
            name, remedy = LADDER[self._rung]
            self._rung += 1
            self.events.append(name)
            print("recovery: %s after %s: %s" % (name, type(error).__name__, error))
            if remedy is None:
                return True
            try:
                await remedy(self._modem)
                return True
            except C1100Error as failure:  # then the next rung
                error = failure
        return False


def pause_s(period_s: int, failures: int, salt: int) -> int:
    """Seconds to leave the module alone: a period, doubled for each failure in a row after the
    first, four times at the most; up to an eighth less, so that a wake that is planned anyway is
    in time for the next try.

    salt -- any number that differs between nodes and wakes: the pause varies with it
    """
    if not failures:
        return 0
    pause = period_s << min(failures - 1, _MOST_DOUBLINGS)
    span = max(1, pause // _SPREAD)
    return pause - 1 - salt % span
