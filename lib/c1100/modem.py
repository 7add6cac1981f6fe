"""The C1100 itself: commands, what is asked of it, and its way into the network."""

from micropython import const

from . import apart, dialect
from .channel import Channel
from .gate import Gate
from .registration import Registration, domains

TYPE_CHECKING = const(0)  # those who check types take it for true
if TYPE_CHECKING:
    from collections.abc import Callable

    from .gnss import Gnss
    from .http import Http
    from .lwm2m import Lwm2m
    from .power import Power
    from .sockets import Sockets

# Methods of C1100 that are elsewhere, a flow of the manual in the file that is named after it
# (apart.py): most wakes need few of them.
_APART = (
    " command off operator registration imei variant =asking  signal =signal  cell =cell"
    "  start radio =start  register =search"
    "  power_off power_cycle restart wake looks_off() has_status() =switch"
    "  _sockets() tcp udp =sockets  pdp =pdp  passthrough =passthrough"
    "  open_connection =streams  tls =tls  mqtts =mqtts  mqtt =mqtt  ppp =ppp"
    "  power() =power  http() =http  gnss() =gnss  lwm2m() =lwm2m "
)

_LINE_BYTES = const(1280)  # the longest line: a message in hexadecimal digits, with its topic


class C1100(Gate):
    """One module on one UART.

    stream -- machine.UART (timeout=0) or any stream whose readinto() does not block
    pwrkey -- machine.Signal or Pin with on() and off(): on presses the power key
    wake   -- likewise: on keeps the module's UART awake
    status -- machine.Signal or Pin with value(): 1 while the module is powered
    nap_ms -- the module's UART may fall asleep after so many ms of silence and eat the first
              characters: an AT is sacrificed then. 0 if it never does.
    doze   -- callable(ms), such as machine.lightsleep: the board sleeps with its state kept while
              the module starts, looks for a network or for satellites. Other tasks stand still
              meanwhile, and what comes over the UART is lost: the module is asked instead. None:
              the board stays awake and listens.
    """

    apn: str | None = None  # for the PDP context and the MQTT session
    careful = False  # the line to the module may lose bytes: mqtt.MQTT looks twice
    asks_psm = False  # PSM was asked for
    was_registered = False  # when the last attach() or register() first asked
    silent_cell = 0  # times in a row that AT+LSCELLINFO told nothing; 3: it is not asked again
    tells = True  # the module reports changes of its registration by itself
    registration_changed = None  # event: it has, since register() first waited

    if TYPE_CHECKING:
        from .asking import command, imei, off, operator, registration, variant
        from .cell import cell
        from .mqtt import mqtt
        from .mqtts import mqtts
        from .passthrough import passthrough
        from .pdp import pdp
        from .ppp import ppp
        from .search import register
        from .signal import signal
        from .sockets import tcp, udp
        from .start import radio, start
        from .streams import open_connection
        from .switch import power_cycle, power_off, restart, wake
        from .tls import tls

        _sockets: Sockets
        power: Power
        http: Http
        gnss: Gnss
        lwm2m: Lwm2m
        looks_off: bool
        has_status: bool
    else:

        def __getattr__(self, name: str):
            return apart.find(self, C1100, _APART, name)

    def __init__(
        self, stream, pwrkey=None, wake=None, status=None, nap_ms: int = 0, doze=None
    ) -> None:
        channel = Channel(stream, _LINE_BYTES)
        Gate.__init__(self, channel, pwrkey, wake, status, nap_ms, doze)

    def forget(self, *modules: str) -> None:
        """Modules of the driver leave the heap to others, such as ``start`` once that is done:
        what is called again is loaded again. Nothing of their features may be in use.
        """
        apart.forget(C1100, _APART, *modules)

    @property
    def stats(self) -> dict:
        """Counters: commands, timeouts, late answers, unknown lines, reboots, dropped URCs."""
        stats = self._channel.stats
        stats["overflows"] = self._channel.ring.overflows
        return stats

    # Commands -------------------------------------------------------------------------------

    def on(self, name: str, callback: "Callable[[list], object]") -> None:
        """Call ``callback(params)`` for every URC with this prefix (Channel.on)."""
        self._channel.on(name, callback)

    async def clock(self) -> str:
        """The module's clock, ``yy/MM/dd,hh:mm:ss±zz``: local time, and its zone in quarters of
        an hour (TS 27.007 8.15). 70, 80 or 00 as the year where it does not know.
        """
        return (await self._channel.ask(dialect.CLOCK))[0]

    def close(self) -> None:
        """Let go of the stream: another C1100 may have it now, and this one can be forgotten.

        Sockets and sessions count as lost; the module is not told. Later commands raise
        NotConnected.
        """
        for callback in list(self._channel.on_restart):
            callback()
        self._channel.close()

    # Into the network -----------------------------------------------------------------------

    async def attach(
        self,
        pin: str | None = None,
        apn: str | None = None,
        timeout_s: float = 180,
        likely: bool = False,
    ) -> Registration:
        """start() of a module that answers already: after power_on(), and whatever it has to be
        told before it attaches. Nothing is asked for that nobody uses.

        likely -- it was left in the network: if it is there still, nothing else matters
        """
        self.apn = apn
        if likely:
            found, _ = await domains(self._channel)
            self.was_registered = bool(found) and found[-1].registered
            if self.was_registered:
                return found[-1]
        from .start import enter

        return await enter(self, pin, timeout_s)
