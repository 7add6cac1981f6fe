"""The gate before each command: wakes the module, and gives it back what it has forgotten."""

from micropython import const

from . import at, dialect
from .channel import ASLEEP, COMMAND, DATA, OFF, UNKNOWN
from .supply import Supply

TYPE_CHECKING = const(0)  # those who check types take it for true


class Gate(Supply):
    """What C1100 has of the module's sleep and settings; the arguments are C1100's."""

    if TYPE_CHECKING:
        from .switch import wake

    def __init__(self, channel, pwrkey, wake, status, nap_ms: int, doze) -> None:
        Supply.__init__(self, channel, pwrkey, wake, status, doze)
        channel.gate = self._gate
        channel.on(dialect.ENTERED_PSM, self.fell_asleep)
        self._nap_ms = nap_ms
        self._last_use = self._slept = self.patience.mark()
        self.wake_on_use = True  # a command wakes a module that sleeps; else it raises Asleep
        # Commands that the module forgets when it restarts: sent again when that is noticed.
        self._settings = [
            (dialect.NUMERIC, ()),
            (dialect.ECHO_OFF, ()),
            (dialect.ERROR_NUMBERS, ()),
        ]

    def fell_asleep(self, _values: list | None = None) -> None:
        """The module is in PSM: registered, but its UART dead, its sockets and settings gone."""
        self._slept = self.patience.mark()
        self._channel.mode = ASLEEP
        self._channel.forgotten()

    @property
    def asleep(self) -> bool:
        """Whether the module is in PSM, as far as it has told."""
        return self._channel.mode == ASLEEP

    async def keep(self, form: dialect.Form, *args) -> None:
        """Run a setting, and remember it for when the module has forgotten it."""
        await self._channel.run(form, *args)
        self._settings = [entry for entry in self._settings if entry[0] is not form]
        self._settings.append((form, args))

    async def keeps(self, form: dialect.Form, *args) -> bool:
        """keep() of what can be done without; whether the module has taken it."""
        for _ in range(2):
            try:
                await self.keep(form, *args)
                return True
            except at.CommandError:
                return False
            except at.Timeout:
                pass  # its answer was lost, or it was
        return False

    def _gate(self):
        """What is to be awaited before a command; None when the module is as it was."""
        channel = self._channel
        idle = self.patience.since(self._last_use)
        self._last_use = self.patience.mark()
        # Below 0: longer than ticks can tell.
        long = self._nap_ms > 0 and not 0 <= idle <= self._nap_ms
        if long or channel.settings_lost or channel.mode != COMMAND:
            return self._open(long)
        return None

    async def _open(self, long: bool) -> None:
        """Wake the module, find out what state it is in, give it back its settings."""
        channel = self._channel
        if channel.mode == DATA:
            raise at.NotConnected("the module is in data mode: hang up first")
        if channel.mode == OFF:
            raise at.Asleep("the module is switched off: call start()")
        if channel.mode == ASLEEP:
            if not self.wake_on_use:
                raise at.Asleep("the module is in PSM: call wake()")
            await self.wake()
        if channel.mode == COMMAND and long:
            channel.mode = UNKNOWN
        if channel.mode != COMMAND and not await channel.probe():
            raise at.Timeout("the module does not answer")
        if channel.settings_lost:
            await self._restore()

    async def _restore(self) -> None:
        """A setting that the module refuses, or does not answer, is lived without."""
        channel = self._channel
        channel.settings_lost = False
        try:
            for form, args in self._settings:
                await self._set(form, args)
        except at.C1100Error:
            channel.settings_lost = True
            raise

    async def _set(self, form: dialect.Form, args: tuple) -> bool:
        channel = self._channel
        for _ in range(2):
            try:
                await channel.transact(form, at.render(form.send, args))
                return True
            except at.CommandError:
                return False
            except at.Timeout:
                if channel.mode == UNKNOWN:  # it answers nothing else either
                    raise
        return False
