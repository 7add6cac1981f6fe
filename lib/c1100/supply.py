"""Power key, status pin and wake pin: how the module is started."""

from micropython import const

from . import at, dialect
from .channel import PROBE_MS, UNKNOWN
from .patience import Patience

_LOOK_MS = const(250)  # between looks at the status pin of a module that starts


class Supply:
    """What C1100 has of a module's supply; the arguments are C1100's."""

    def __init__(self, channel, pwrkey, wake, status, doze) -> None:
        self._channel = channel
        self._pwrkey = pwrkey
        self._wake = wake
        self._status = status
        self.patience = Patience(channel, doze)
        self.was_awake = False  # when power_on() last looked, the module was running already
        if status is not None:
            channel.powered = lambda: self.is_powered

    @property
    def can_wake(self) -> bool:
        """Whether the board has a wire that wakes the module out of PSM."""
        return self._pwrkey is not None or self._wake is not None

    @property
    def is_powered(self) -> bool:
        """Whether the status pin says that the module is on."""
        return self._status is not None and bool(self._status.value())

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
        heard = channel.ring.received
        self.was_awake = await self._answers_already()
        if self.was_awake:
            return
        if self._pwrkey is None:
            raise at.NoModule("no answer, and no power key is wired: check supply, UART and rate")
        if self.is_powered or channel.ring.received != heard:
            # It had its time to start, and answers nothing: it hangs.
            from .switch import press_until_off

            await press_until_off(self)
        for press in range(3):
            # Each press is longer: a key line with a large capacitor eats part of it.
            await self.press(dialect.KEY_ON_MS + 500 * press)
            self._channel.forgotten()
            if await self.boots() or (not press and await self._gets_through()):
                return
        channel.mode = UNKNOWN
        raise at.NoModule("no answer after the power key: check supply, key, UART and rate")

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
            if self.is_powered:
                return await self.boots() or await self._gets_through()
            return self._pwrkey is None and await self.boots()  # its wake pin has been asserted
        heard = channel.ring.received
        if await channel.probe():
            return True
        if channel.ring.received == heard and self._pwrkey is not None:
            return False
        return await self._gets_through() or await self.boots()

    async def _gets_through(self) -> bool:
        from .escape import gets_through

        if not await gets_through(self._channel):
            return False
        self.was_awake = True
        return True

    async def boots(self) -> bool:
        """Whether the module answers within its start-up time."""
        begin = self.patience.mark()
        patience_ms = 0 if self.patience.dozes else PROBE_MS  # ask once between two dozes
        while True:
            waited = self.patience.since(begin)
            if waited >= dialect.BOOT_MS:
                return False
            if self._status is None or self.is_powered:
                if await self._channel.probe(patience_ms):
                    return True
            elif waited > dialect.STATUS_MS:
                return False  # the press was too short
            if self._status is not None or self.patience.dozes:
                await self.patience.wait(_LOOK_MS)

    async def press(self, ms: int) -> None:
        """Press the power key for so long."""
        self._pwrkey.on()
        try:
            await self.patience.wait(ms)
        finally:
            self._pwrkey.off()
