"""PSM (manual 3.8.1): what is asked for, what the network grants, and sleeping itself. The same of
eDRX is in edrx.py, and the end of a connection in release.py.

granted = await modem.power.psm(tau_s=3600, active_s=10)
await modem.power.release()   # the connection ends now, and not once nobody has used it for long
await modem.power.wait_psm()
...                           # the module's UART is dead
await modem.wake()            # or the next command, which wakes it
"""

import asyncio
import time
from collections import namedtuple

from micropython import const

from . import at, dialect, timers
from .channel import ASLEEP

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from .edrx import Granted as Edrx

_ASK_S = const(3)  # between questions for what the network has granted

# Seconds; None where the network has granted nothing, which refuses PSM.
Granted = namedtuple("Granted", ("active_s", "tau_s"))


def power(modem) -> "Power":
    """modem.power, made once."""
    modem.power = made = Power(modem, modem._channel)
    return made


class Power:
    """modem.power"""

    def __init__(self, modem, channel) -> None:
        self._modem = modem
        self._channel = channel
        self.requested = None  # Granted, as last asked for
        self.tells = False  # the module tells what is granted, and of each release
        # Whether it has AT+CNMPSD: None until it was asked. Who knows from before may say so.
        self.knows_release: bool | None = None
        self._released = None  # ticks_ms of the last RRC release
        self._active_s = None  # granted active time
        channel.on(dialect.RELEASED, self._on_release)

    async def psm(
        self, tau_s: float | None, active_s: float, timeout_s: float = 30
    ) -> Granted | None:
        """Ask for power saving mode (manual 3.8.1).

        tau_s     -- seconds from one periodic tracking-area update to the next; None for none
        active_s  -- seconds that the module stays reachable after its last activity
        timeout_s -- seconds to wait for the network's answer

        Returns what was granted, which may differ; None when the network grants no PSM. Raises
        BadArgument when the times cannot be expressed, NotSupported when nothing could wake the
        module again.
        """
        await self.ask_psm(tau_s, active_s)
        begin = time.ticks_ms()
        while True:
            try:
                found = await self.granted()
            except at.BadAnswer:
                found = None  # it may tell better the next time
            if found is not None:
                return found
            if time.ticks_diff(time.ticks_ms(), begin) > timeout_s * 1000:
                return None
            await asyncio.sleep_ms(_ASK_S * 1000)

    async def ask_psm(self, tau_s: float | None, active_s: float) -> None:
        """psm() without waiting for an answer: granted() has it later. Raises likewise."""
        if tau_s is None and not self._modem.can_wake:
            raise at.NotSupported("nothing could wake the module: wire its power key or wake pin")
        t3412 = timers.encode_t3412(tau_s)
        t3324 = timers.encode_t3324(active_s)
        self.tells = await self._modem.keeps(dialect.EPS_REPORT, 4)
        await self._channel.run(dialect.PSM_ON, t3412, t3324)
        self._modem.asks_psm = True
        self.requested = Granted(timers.decode_t3324(t3324), timers.decode_t3412(t3412))

    async def granted(self) -> Granted | None:
        """What the network has granted by now (manual 3.8.1 step 5); None without PSM, and where
        the module does not tell. Raises BadAnswer.
        """
        self._active_s = None
        try:
            values = await self._channel.ask(dialect.EPS_STATE)
        except at.CommandError:
            return None
        active, tau = values[7:9]  # the other way round
        granted = _granted(dialect.EPS_STATE, active, tau)
        self._active_s = granted.active_s
        return None if granted.active_s is None else granted

    def is_as_asked(self, found) -> bool:
        """Whether a registration (C1100.registration()) tells that what was asked for is granted:
        then granted() need not be asked.
        """
        try:
            granted = _granted(dialect.EPS_STATE, *found.sleep)
        except (at.BadAnswer, TypeError):  # it tells less, or nonsense
            return False
        if granted != self.requested or granted.active_s is None:
            return False
        self._active_s = granted.active_s
        return True

    async def settings(self) -> Granted | None:
        """What the module is set to ask for (manual 3.8.1 step 3); None when PSM is off."""
        mode, _, _, tau, active = (await self._channel.ask(dialect.PSM_STATE))[:5]
        return _granted(dialect.PSM_STATE, active, tau) if mode == 1 else None

    async def psm_off(self) -> None:
        """No power saving mode any more."""
        await self._channel.run(dialect.PSM_OFF)
        self._modem.asks_psm = False
        self.requested = self._active_s = None

    async def wait_psm(self, timeout_s: float = 120) -> bool:
        """Wait until the module sleeps (manual 3.8.1 step 7).

        Returns True when the module or its status pin has told, False when it is assumed, because
        the active time since the last RRC release is over and no word came. Raises Timeout.
        """
        begin = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), begin) < timeout_s * 1000:
            if self._channel.mode == ASLEEP:
                return True
            if self._modem.looks_off:
                self._modem.fell_asleep()
                return True
            if self._active_is_over():
                self._modem.fell_asleep()
                return False
            await asyncio.sleep_ms(100)
        raise at.Timeout("the module does not enter PSM: is there still traffic?")

    def _active_is_over(self) -> bool:
        if self._released is None or self._active_s is None or self._modem.has_status:
            return False
        since = time.ticks_diff(time.ticks_ms(), self._released)
        return since > self._active_s * 1000 + dialect.PSM_SLACK_MS

    def _on_release(self, _values: list) -> None:
        self._released = time.ticks_ms()

    async def can_release(self) -> bool:
        """Whether the module knows AT+CNMPSD (TS 27.007); it is asked once. Raises Timeout."""
        from . import release

        return await release.can_release(self, self._channel)

    async def release(self, timeout_s: float = 5, ask: bool = True) -> float | None:
        """No more data is expected for now: ask for the release of the connection, which else
        costs as much as receiving until the network's inactivity timer ends it (AT+CNMPSD).

        timeout_s -- seconds to wait for the word of it; network or module may ignore what is asked
        ask       -- False only takes the time until the network releases it by itself

        Returns the seconds until ^DATADISCONN, 0 when the connection has ended since the last
        command; None when that did not come. The PDP context stays, and with new data there is a
        connection again. Raises NotSupported, Timeout.
        """
        released = self._released
        if released is not None:
            since_ms = time.ticks_diff(time.ticks_ms(), released)
            if 0 <= since_ms < self._modem.unused_ms:
                return 0.0
        from .release import release

        return await release(self, self._modem, self._channel, timeout_s, ask)

    async def edrx(self, cycle_s: float, rat: int) -> "Edrx | None":
        """Ask for extended discontinuous reception (manual 3.8.2).

        cycle_s -- seconds between the moments at which the module can be reached
        rat     -- timers.WB_S1 (Cat-M1), timers.NB_S1 (NB-IoT) or timers.GERAN

        Returns what is granted by now, an edrx.Granted; None when nothing is; edrx_granted() asks
        again. Raises BadArgument, NotSupported when the variant lacks this radio.
        """
        from . import edrx

        await edrx.ask(self._channel, cycle_s, rat)
        return await edrx.granted(self._channel)

    async def edrx_granted(self) -> "Edrx | None":
        """Cycle and paging time window that the network has granted (manual 3.8.2 step 3), an
        edrx.Granted; None when it has granted none, and where the module does not tell. Raises
        BadAnswer.
        """
        from . import edrx

        return await edrx.granted(self._channel)

    async def edrx_off(self) -> None:
        """No extended discontinuous reception any more, and its parameters forgotten."""
        await self._channel.run(dialect.EDRX_OFF)


def _granted(form, active: str | None, tau: str | None) -> Granted:
    return Granted(
        decoded(form, timers.decode_t3324, active), decoded(form, timers.decode_t3412, tau)
    )


def decoded(form, decode, bits: str | None, *args):
    """The value of bits in an answer; None where there are none. Raises BadAnswer."""
    try:
        return None if bits is None else decode(bits, *args)
    except at.BadArgument as error:
        raise at.BadAnswer(str(error), form.send)
