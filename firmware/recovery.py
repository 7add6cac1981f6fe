"""The ladder: what is tried, in order, when the module or the network does not do what it should.

Each rung costs more time and energy than the one before, and ends when the module is where the
failed action begins: registered, if it was. What is not up to the module, such as a refused PIN,
subscription, password or record, is no reason to climb.
"""

import asyncio

from c1100 import C1100Error, Timeout


class Recovery:
    """modem -- the C1100; time_left -- callable: ms until the wake must end
    cut -- Signal that takes the module's supply away while it is on; None where none is wired
    key -- whether the module's power key is wired: a rung without it is none
    """

    def __init__(self, modem, time_left, cut=None, key: bool = True) -> None:
        self.time_left = time_left
        self.events = []  # names of the rungs climbed
        self._given = (modem, cut, key)
        self._climber = None  # once something has failed

    async def run(self, action, ready=None):
        """Run ``await action()``; climb, and try again, until it succeeds or nothing is left.

        ready -- async callable that brings a module that answers to where the action begins: into
                 the network. Each rung ends with it

        Returns what the action returns. Raises its last error, or what ended the climb.
        """
        while True:
            try:
                return await self.in_time(action, self.time_left())
            except C1100Error as error:
                failure = error
            if self._climber is None:
                from .rungs import Climber

                self._climber = Climber(self, *self._given)
            await self._climber.climb(failure, ready)

    async def in_time(self, action, limit_ms: int, *args):
        """Await an action, but no longer than that: one that is given up ends by itself.
        asyncio.wait_for() would wait for all that it still does when it is cancelled, such as
        closing its connection, for as long as that takes.
        """
        if limit_ms <= 0:
            raise Timeout("the wake's time is over")
        known = asyncio.Event()
        outcome: list = [None, None]  # what it returns, its error

        async def run() -> None:
            try:
                outcome[0] = await action(*args)
            except (Exception, asyncio.CancelledError) as error:
                outcome[1] = error
            known.set()

        task = asyncio.create_task(run())
        try:
            await asyncio.wait_for_ms(known.wait(), limit_ms)
        except asyncio.TimeoutError:
            raise Timeout("not done in %d s" % (limit_ms // 1000))
        finally:
            task.cancel()  # nothing if it has ended
        if outcome[1] is not None:
            raise outcome[1]
        return outcome[0]


def __getattr__(name: str):
    if name not in ("LADDER", "is_final"):
        raise AttributeError(name)
    from . import rungs

    return getattr(rungs, name)
