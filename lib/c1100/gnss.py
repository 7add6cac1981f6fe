"""GNSS: GPS, BeiDou and GLONASS (manual 3.4). Sentences come on the same UART as everything else.

await modem.gnss.start()
fix = await modem.gnss.fix(60)
await modem.gnss.stop()
"""

import asyncio
import time

from micropython import const

from . import at, dialect
from .nmea import Fix, combine, sentence

_LOOK_MS = const(1000)  # between looks at the sentences where the board dozes
_MUTE_MS = const(5000)  # a receiver that says nothing for so long has been told not to


def gnss(modem) -> "Gnss":
    """modem.gnss, made once."""
    doze = modem.patience.wait if modem.patience.dozes else None
    modem.gnss = made = Gnss(modem._channel, doze)
    return made


class Gnss:
    """modem.gnss"""

    def __init__(self, channel, doze=None) -> None:
        self._channel = channel
        self._doze = doze  # C1100's; None where the board stays awake
        self.last: Fix | None = None  # the latest
        self.bad = 0  # sentences whose checksum was wrong
        self._heard = 0  # sentences since start()
        self._still = False  # the module was told not to send them unasked
        self._gga = self._rmc = None
        self._fixed = False  # there is a position since fix() was called
        self._lost = False  # the module restarted, or fell asleep, and the receiver with it
        self._sleepy = False  # it has, so it is not left alone for long
        self._news = asyncio.Event()  # one of the two
        self._begin = ()  # arguments of start(), while the receiver runs
        channel.on_restart.append(self._on_restart)

    async def start(
        self,
        mode: int = 1,
        accuracy_m: int = 20,
        timeout_s: int = 180,
        fixes: int = 9999999,
        interval_s: int = 1,
    ) -> None:
        """Switch the receiver on. Defaults are the manual's example.

        timeout_s -- seconds after which the module gives up its search
        fixes     -- after so many the module stops by itself

        What the arguments mean to the module is inferred from their order. Raises NotSupported
        where the variant has no receiver, CommandError, BadArgument.
        """
        self._begin = mode, accuracy_m, timeout_s, fixes, interval_s
        self._gga = self._rmc = None
        self._channel.sinks["$"] = self._sentence
        self._heard = 0
        run = self._channel.run
        try:
            await run(dialect.GNSS_MODE, mode)
            await run(dialect.GNSS_CONFIG, accuracy_m, timeout_s, fixes, interval_s)
            self._lost = False
            try:
                await run(dialect.GNSS_START)
            except at.CommandError:
                # One that runs takes no start: an earlier life may have left it on.
                await run(dialect.GNSS_STOP)
                await run(dialect.GNSS_START)
        except at.CommandError as error:
            self._channel.sinks.pop("$", None)
            from .variants import explain

            await explain(self._channel, error, "gnss")
        except BaseException:
            self._channel.sinks.pop("$", None)
            raise

    async def fix(self, timeout_s: float) -> Fix:
        """Wait for the next position. Raises Timeout when there is none in so many seconds."""
        self._fixed = False
        if self._doze is not None and await self._holds_its_tongue():
            await self._look(self._doze, timeout_s)
        else:
            await self._listen(int(timeout_s * 1000))
        if self.last is None or not self._fixed:
            raise at.Timeout("no position in %d s: can it see the sky?" % timeout_s)
        return self.last

    async def _holds_its_tongue(self) -> bool:
        """Whether the module can be told not to send sentences unasked."""
        try:
            await self._channel.run(dialect.GNSS_FLOW, 0)
            self._still = True
        except at.CommandError:
            self._still = False
        return self._still

    async def _listen(self, timeout_ms: int) -> None:
        """Wait for a position. A board that was reset while it dozed has left the module told not
        to send sentences: it is told to, when none have come for a while. And whoever has told it
        to sleep when it is left alone: it is woken, and not left alone.
        """
        begin = time.ticks_ms()
        looks = 0
        while True:
            left = timeout_ms - time.ticks_diff(time.ticks_ms(), begin)
            patient = looks and not self._sleepy
            if await self._within(left if patient else min(left, _MUTE_MS)):
                return
            if self._lost:
                self._sleepy = True
                await self.start(*self._begin)
            elif patient or left <= _MUTE_MS:
                return
            elif self._sleepy:
                await self._channel.run(dialect.ATTENTION)
            elif not self._heard:
                try:
                    await self._channel.run(dialect.GNSS_FLOW, 1)
                except at.CommandError:
                    self._still = False  # it does not know the command: nobody can have told it
            looks += 1

    async def _within(self, ms: int) -> bool:
        """Whether there is a position within so long; false too when the receiver is lost."""
        if not self._fixed:
            self._news.clear()
            try:
                await asyncio.wait_for_ms(self._news.wait(), ms)
            except asyncio.TimeoutError:
                pass
        return self._fixed

    def _on_restart(self) -> None:
        if self._begin:
            self._lost = True
            self._news.set()

    async def _look(self, doze, timeout_s: float) -> None:
        """Ask for the latest sentences now and then, and let the board sleep in between."""
        for _ in range(int(timeout_s * 1000 / _LOOK_MS) + 1):
            await doze(_LOOK_MS)
            try:
                lines = await self._channel.run(dialect.GNSS_LAST)
            except at.CommandError:
                continue  # there are none yet
            # The first stands behind the answer's prefix; the others have come to _sentence().
            for line in lines:
                self._sentence(line[line.find("$") :])
            if self._fixed:
                return

    async def stop(self) -> None:
        """Switch the receiver off. Raises CommandError where the module does not take it."""
        self._begin = ()
        try:
            if self._still:
                self._still = False
                await self._channel.run(dialect.GNSS_FLOW, 1)
        finally:
            try:
                await self._channel.run(dialect.GNSS_STOP)
            finally:
                self._channel.sinks.pop("$", None)

    def _sentence(self, line: str) -> None:
        self._heard += 1
        fields = sentence(line)
        if fields is None:
            self.bad += 1
            return
        kind = fields[0][2:]  # behind the talker: GP, GL, GB, GN, ...
        if kind == "GGA":
            self._gga = fields
        elif kind == "RMC":
            self._rmc = fields
        else:
            return
        # Which of the two comes first differs between receivers.
        found = combine(self._gga, self._rmc)
        if found is not None:
            self._gga = self._rmc = None
            self.last = found
            self._fixed = True
            self._news.set()
