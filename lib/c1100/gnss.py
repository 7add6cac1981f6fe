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
    modem.gnss = made = Gnss(modem._channel, modem.patience)
    return made


class Gnss:
    """modem.gnss"""

    def __init__(self, channel, patience) -> None:
        self._channel = channel
        self._patience = patience  # C1100's
        self.last: Fix | None = None  # the latest
        self.bad = 0  # sentences whose checksum was wrong
        self._heard = 0  # sentences since start()
        self._still = False  # the module was told not to send them unasked
        self._gga = self._rmc = None
        self._fixed = False  # there is a position since fix() was called
        self._lost = False  # the module restarted, or fell asleep, and the receiver with it
        self._sleepy = False  # it has, so it is not left alone for long
        self._hope = None  # satellites.Hope of a search that is given up early
        self._weak = False  # this one is
        self._news = asyncio.Event()  # one of the three
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

    async def fix(self, timeout_s: float, weak_s: int = 0, weak_db: int = 20) -> Fix:
        """Wait for the next position. Raises Timeout when there is none in so many seconds.

        weak_s  -- give up after so many seconds in which no satellite was received with a C/N0 of
                   weak_db dB-Hz: TooWeak; 0: not before the time is over. A module that does not
                   tell, by GSV sentences, is waited for.
        """
        self._fixed = self._weak = False
        self._hope = None
        if weak_s:
            from .satellites import Hope

            self._hope = Hope(self._patience, weak_s, weak_db)
        if self._patience.dozes and await self._holds_its_tongue():
            await self._look(timeout_s)
        else:
            await self._listen(int(timeout_s * 1000))
        if self.last is not None and self._fixed:
            return self.last
        if self._weak:
            raise at.TooWeak("no satellite of %d dB-Hz in %d s" % (weak_db, weak_s))
        raise at.Timeout("no position in %d s: can it see the sky?" % timeout_s)

    @property
    def is_weak(self) -> bool:
        """Whether the module has told of no strong satellite before it found what fix() gave: what
        it tells of them is no reason to give up.
        """
        return self._hope is not None and self._hope.is_weak

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
        """Whether the search is over within so long; false too when the receiver is lost."""
        if not self._fixed:
            self._news.clear()
            try:
                await asyncio.wait_for_ms(self._news.wait(), ms)
            except asyncio.TimeoutError:
                pass
        return self._fixed or self._weak

    def _on_restart(self) -> None:
        if self._begin:
            self._lost = True
            self._news.set()

    async def _look(self, timeout_s: float) -> None:
        """Ask for the latest sentences now and then, and let the board sleep in between."""
        for _ in range(int(timeout_s * 1000 / _LOOK_MS) + 1):
            await self._patience.wait(_LOOK_MS)
            try:
                lines = await self._channel.run(dialect.GNSS_LAST)
            except at.CommandError:
                continue  # there are none yet
            # The first stands behind the answer's prefix; the others have come to _sentence().
            for line in lines:
                self._sentence(line[line.find("$") :])
            if self._fixed or self._weak:
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
            if kind == "GSV" and self._hope is not None and not self._fixed:
                self._weak = self._hope.is_lost(fields)
                if self._weak:
                    self._news.set()
            return
        # Which of the two comes first differs between receivers.
        found = combine(self._gga, self._rmc)
        if found is not None:
            self._gga = self._rmc = None
            self.last = found
            self._fixed = True
            self._news.set()
