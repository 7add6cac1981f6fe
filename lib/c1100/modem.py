"""The C1100 itself: commands, what is asked of it, and its way into the network."""

from collections import namedtuple

from micropython import const

from . import at, dialect
from .channel import Channel
from .features import Features
from .registration import Network, Registration

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

    from .ppp import Ppp
    from .variants import Variant

# rssi in dBm, ber as the RXQUAL class 0..7; None where the module does not know
Signal = namedtuple("Signal", ("rssi", "ber"))
# name as text or as the five or six digits of the PLMN; act: TS 27.007 7.3 <AcT>, None if unknown
Operator = namedtuple("Operator", ("name", "act"))

_LINE_BYTES = const(1280)  # the longest line: a message in hexadecimal digits, with its topic
_NO_SERVICE = (30, 31, 32)  # +CME ERROR of a module that has no network to tell of


class C1100(Features):
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

    def __init__(
        self, stream, pwrkey=None, wake=None, status=None, nap_ms: int = 0, doze=None
    ) -> None:
        channel = Channel(stream, _LINE_BYTES)
        Features.__init__(self, channel, pwrkey, wake, status, nap_ms, doze)
        self._network = Network(channel, self.patience)

    @property
    def stats(self) -> dict:
        """Counters: commands, timeouts, late answers, unknown lines, reboots, dropped URCs."""
        stats = self._channel.stats
        stats["overflows"] = self._channel.ring.overflows
        return stats

    # Commands -------------------------------------------------------------------------------

    async def command(self, command: str, wait: float = 10) -> list:
        """Send any command, such as ``+CSQ``, and return the lines of its information response.

        command -- what follows AT, one line of printable ASCII
        wait    -- seconds until Timeout

        Raises BadArgument, Timeout, CommandError, CmeError, CmsError, Rebooted.
        """
        return await self._channel.raw(command, wait)

    def on(self, name: str, callback: "Callable[[list], object]") -> None:
        """Call ``callback(params)`` for every URC with this prefix (Channel.on)."""
        self._channel.on(name, callback)

    def off(self, name: str, callback: "Callable[[list], object]") -> None:
        """Undo on()."""
        self._channel.off(name, callback)

    async def signal(self) -> Signal:
        """Signal strength and bit error class (manual 3.1 step 4, TS 27.007 8.5)."""
        rssi, ber = (await self._channel.ask(dialect.SIGNAL))[:2]
        return Signal(
            2 * rssi - 113 if 0 <= rssi <= 31 else None,
            ber if ber is not None and 0 <= ber <= 7 else None,
        )

    async def operator(self) -> Operator | None:
        """The operator that the module is registered with, None without one (manual 3.1)."""
        try:
            name, act = (await self._channel.ask(dialect.OPERATOR))[2:4]
        except at.CmeError as error:
            if error.code not in _NO_SERVICE:
                raise
            return None
        return None if name is None else Operator(name, act)

    async def registration(self) -> Registration:
        """Registration in the EPS domain, or in the GPRS domain if only that one has it."""
        return await self._network.state()

    async def clock(self) -> str:
        """The module's clock, ``yy/MM/dd,hh:mm:ss±zz``: local time, and its zone in quarters of
        an hour (TS 27.007 8.15). 70, 80 or 00 as the year where it does not know.
        """
        return (await self._channel.ask(dialect.CLOCK))[0]

    async def imei(self) -> str:
        """The module's 15-digit serial number (TS 27.007 5.4)."""
        return (await self._channel.ask(dialect.IMEI))[0]

    def close(self) -> None:
        """Let go of the stream: another C1100 may have it now, and this one can be forgotten.

        Sockets and sessions count as lost; the module is not told. Later commands raise
        NotConnected.
        """
        for callback in list(self._channel.on_restart):
            callback()
        self._channel.close()

    async def variant(self) -> "Variant":
        """Which of the four variants this is (manual, cover); see variants.Variant.

        Raises NotSupported when the module names none of them.
        """
        from .variants import ask

        return await ask(self._channel)

    # Into the network -----------------------------------------------------------------------

    async def start(
        self, pin: str | None = None, apn: str | None = None, timeout_s: float = 180
    ) -> Registration:
        """Switch the module on if it is off, and bring it into the network (manual 3.1, 3.2).

        pin       -- tried once; a SIM is never blocked by trying again
        apn       -- kept for the PDP context and the MQTT session
        timeout_s -- seconds for the registration

        Returns the registration. Raises Timeout when the module does not answer, SimError,
        RegistrationDenied, NotRegistered.
        """
        from .start import start

        self.apn = apn
        await self.power_on()
        return await start(self, self._channel, self._network, pin, timeout_s, True)

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
            found = await self._network.look()
            if found is not None:
                return found
        from .start import start

        return await start(self, self._channel, self._network, pin, timeout_s)

    async def register(self, timeout_s: float = 180) -> Registration:
        """Wait until the network has accepted the module.

        timeout_s -- seconds

        A domain that the module's radio lacks may refuse to be asked. What an earlier life left
        switched off is switched on. Raises RegistrationDenied when every domain refuses and goes
        on doing so for 10 s, or at the end when one does; NotRegistered when no network was found.
        """
        return await self._network.register(timeout_s)

    @property
    def was_registered(self) -> bool:
        """Whether the module was registered when the last register() first asked."""
        return self._network.was_registered

    async def radio(self, on: bool, sim: bool = False) -> None:
        """Switch the radio on or off (TS 27.007 8.2); off leaves the network.

        sim -- off keeps the SIM powered (flight mode), and the GNSS receiver usable
        """
        await self._channel.run(dialect.RADIO, 1 if on else 4 if sim else 0)

    # What needs all of it --------------------------------------------------------------------

    async def ppp(
        self,
        apn: str,
        user: str = "",
        password: str = "",
        factory: "Callable | None" = None,
        timeout_s: float = 60,
    ) -> "Ppp":
        """Dial up (manual 3.3.3) and hand the stream to network.PPP; see ppp.Ppp.

        factory -- instead of network.PPP: callable(stream) -> an object of the same kind

        Until hang_up() commands raise NotConnected.
        """
        from .ppp import Ppp

        ppp = Ppp(self._channel, self.register)
        await ppp.dial(apn, user, password, factory, timeout_s)
        return ppp
