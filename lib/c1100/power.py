"""PSM (manual 3.8.1) as a wake asks for it. What the network grants, and sleeping itself, are in
psm.py, eDRX is in edrx.py, and the end of a connection in release.py.

granted = await modem.power.psm(tau_s=3600, active_s=10)
await modem.power.release()   # the connection ends now, and not once nobody has used it for long
await modem.power.wait_psm()
...                           # the module's UART is dead
await modem.wake()            # or the next command, which wakes it
"""

import time
from collections import namedtuple

from micropython import const

from . import apart, at, dialect, timers

TYPE_CHECKING = const(0)  # those who check types take it for true

# What a wake that finds all as it was asked for never calls.
_APART = (
    " psm granted settings psm_off wait_psm =psm  edrx edrx_granted edrx_off =edrx"
    "  can_release release =release "
)

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

    if TYPE_CHECKING:
        from .edrx import edrx, edrx_granted, edrx_off
        from .psm import granted, psm, psm_off, settings, wait_psm
        from .release import can_release, release
    else:

        def __getattr__(self, name: str):
            return apart.find(self, Power, _APART, name)

    def forget(self, *modules: str) -> None:
        """As C1100.forget(), of what power has in modules of its own, such as ``release``."""
        apart.forget(Power, _APART, *modules)

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

    def is_as_asked(self, found) -> bool:
        """Whether a registration (C1100.registration()) tells that what was asked for is granted:
        then granted() need not be asked.
        """
        try:
            granted = read(dialect.EPS_STATE, *found.sleep)
        except (at.BadAnswer, TypeError):  # it tells less, or nonsense
            return False
        if granted != self.requested or granted.active_s is None:
            return False
        self._active_s = granted.active_s
        return True

    def _on_release(self, _values: list) -> None:
        self._released = time.ticks_ms()


def read(form, active: str | None, tau: str | None) -> Granted:
    return Granted(
        decoded(form, timers.decode_t3324, active), decoded(form, timers.decode_t3412, tau)
    )


def decoded(form, decode, bits: str | None, *args):
    """The value of bits in an answer; None where there are none. Raises BadAnswer."""
    try:
        return None if bits is None else decode(bits, *args)
    except at.BadArgument as error:
        raise at.BadAnswer(str(error), form.send)
