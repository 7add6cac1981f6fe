"""Power key, status pin and wake pin: how the module is started, stopped and started again."""

import asyncio

from micropython import const

from . import at, dialect
from .channel import OFF, PROBE_MS, UNKNOWN
from .patience import Patience

_LOOK_MS = const(250)  # between looks at the status pin of a module that starts


class Supply:
    """What C1100 has of a module's supply; the arguments are C1100's."""

    def __init__(self, channel, pwrkey, wake, status, doze) -> None:
        self._channel = channel
        self._pwrkey = pwrkey
        self._wake = wake
        self._status = status
        self._patience = Patience(channel, doze)
        self.was_awake = False  # when power_on() last looked, the module was running already
        if status is not None:
            channel.powered = self._is_powered

    @property
    def can_wake(self) -> bool:
        """Whether the board has a wire that wakes the module out of PSM."""
        return self._pwrkey is not None or self._wake is not None

    @property
    def has_status(self) -> bool:
        """Whether the status pin is wired."""
        return self._status is not None

    @property
    def looks_off(self) -> bool:
        """Whether the status pin says that the module is off, or in PSM."""
        return self._status is not None and not self._status.value()

    async def power_on(self) -> None:
        """Press the power key unless the module is running, and wait until it answers.

        A module that answers is never switched off by this, nor one that is still starting: the
        status pin, or an AT, is asked first. One that is powered and hangs is switched off and on.
        Raises NoModule.
        """
        channel = self._channel
        channel.start()
        if self._wake is not None:
            self._wake.on()
        heard = channel.received
        self.was_awake = await self._answers_already()
        if self.was_awake:
            return
        if self._pwrkey is None:
            raise at.NoModule("no answer, and no power key is wired: check supply, UART and rate")
        if self._is_powered() or channel.received != heard:
            # It had its time to start, and answers nothing: it hangs.
            await self._press_until_off()
        for press in range(3):
            # Each press is longer: a key line with a large capacitor eats part of it.
            await self._press(self._pwrkey, dialect.KEY_ON_MS + 500 * press)
            self._channel.forgotten()
            if await self._boots() or (not press and await self._gets_through()):
                return
        channel.mode = UNKNOWN
        raise at.NoModule("no answer after the power key: check supply, key, UART and rate")

    async def power_off(self, force: bool = False) -> None:
        """Switch the module off cleanly (AT$QCPWRDN), or by its key where that does not help;
        returns when it is off, or after 10 s where nothing tells.

        force -- also without a power key: something else will switch the module on again

        Raises NotSupported without a power key unless told force; Timeout, CommandError.
        """
        if self._pwrkey is None and not force:
            raise at.NotSupported("nothing could switch the module on again: wire its power key")
        obeys = True
        try:
            await self._channel.run(dialect.POWER_OFF)
        except at.Rebooted:
            pass  # its status pin was faster than its answer
        except (at.CommandError, at.Timeout) as error:
            # One that says nothing may be off already, and the key would start it.
            obeys = False
            runs = self._is_powered() or isinstance(error, at.CommandError)
            if self._pwrkey is None or not runs:
                raise
        self._channel.mode = OFF
        self._channel.forgotten()
        if obeys:
            await self._await_off()
        if self._pwrkey is not None and (self._is_powered() or not obeys):
            await self._press_until_off()
        if self._is_powered():
            raise at.Timeout("the module stays on", dialect.POWER_OFF.send)

    async def power_cycle(self) -> None:
        """Switch a module that does not answer off by its key, and on again. Raises NoModule."""
        self._channel.start()
        self._channel.mode = UNKNOWN
        if self._pwrkey is not None:
            await self._press_until_off()
        await self.power_on()

    async def restart(self) -> None:
        """Let the module restart by itself (manual 3.5.1 step 3), and wait until it answers."""
        try:
            await self._channel.run(dialect.RESTART)
        except at.Rebooted:
            pass  # that is what was asked for
        self._channel.mode = UNKNOWN
        self._channel.forgotten()
        await asyncio.sleep_ms(dialect.RESTART_MS)
        if not await self._boots():
            raise at.Timeout("no answer after the restart", dialect.RESTART.send)

    def rest(self) -> None:
        """Nothing more is wanted of the module for now: release its wake pin, which keeps it out
        of PSM. wake() and power_on() take it up again.
        """
        if self._wake is not None:
            self._wake.off()

    async def _answers_already(self) -> bool:
        """Whether the module runs. The key would switch off one that is only starting, or that is
        slow to say what it says.
        """
        channel = self._channel
        if self._status is not None:
            if self._is_powered():
                return await self._boots() or await self._gets_through()
            return self._pwrkey is None and await self._boots()  # its wake pin has been asserted
        heard = channel.received
        if await channel.probe():
            return True
        if channel.received == heard and self._pwrkey is not None:
            return False
        return await self._gets_through() or await self._boots()

    async def _gets_through(self) -> bool:
        """The board may have restarted while the module was in PPP or waited for a payload, or
        another firmware has told it to give no result codes: try the ways out of that.
        """
        from .ppp import escape

        channel = self._channel
        await escape(channel)
        if not await channel.probe():
            channel.stream.write(b"ATQ0\r")
            if not await channel.probe():
                return False
        try:
            await channel.transact(dialect.HANG_UP, dialect.HANG_UP.send)
        except at.CommandError:
            pass  # it was no call
        self.was_awake = True
        return True

    def _is_powered(self) -> bool:
        return self._status is not None and bool(self._status.value())

    async def _boots(self) -> bool:
        """Whether the module answers within its start-up time."""
        begin = self._patience.mark()
        patience_ms = 0 if self._patience.dozes else PROBE_MS  # ask once between two dozes
        while True:
            waited = self._patience.since(begin)
            if waited >= dialect.BOOT_MS:
                return False
            if self._status is None or self._is_powered():
                if await self._channel.probe(patience_ms):
                    return True
            elif waited > dialect.STATUS_MS:
                return False  # the press was too short
            if self._status is not None or self._patience.dozes:
                await self._patience.wait(_LOOK_MS)

    async def _press_until_off(self) -> None:
        for press in range(3):
            await self._press(self._pwrkey, dialect.KEY_OFF_MS + 1000 * press)
            if await self._await_off() or self._status is None:
                return  # nobody could tell whether another press would switch it on

    async def _press(self, key, ms: int) -> None:
        key.on()
        try:
            await self._patience.wait(ms)
        finally:
            key.off()

    async def _await_off(self) -> bool:
        """Wait until the module is off: by its status pin, or for as long as that takes."""
        for _ in range(dialect.OFF_MS // 100):
            if self._status is not None and not self._is_powered():
                return True
            await self._patience.wait(100)
        return False
