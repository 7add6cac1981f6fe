"""The C1100 itself: power key, init flow, SIM, registration; opens the other features."""

import asyncio
import time
from collections import namedtuple

from micropython import const

from . import at, dialect
from .channel import ASLEEP, COMMAND, DATA, OFF, PROBE_MS, UNKNOWN, Channel

_DENIED = const(3)
_REGISTERED = (1, 5)
_ROAMING = const(5)
_SEARCHING = const(2)
_SIM_TRANSIENT = (10, 13, 14, 100)  # what +CPIN? may say while the SIM is still being read
_RECHECK_S = const(15)  # a registration URC may get lost: ask now and then
_POWER_LOOK_MS = const(250)  # between looks at the status pin of a module that starts
_SIM_LOOK_MS = const(500)  # between questions for the SIM
_NETWORK_LOOK_MS = const(300)  # between questions for the network where the board dozes

# rssi in dBm, ber as the RXQUAL class 0..7; None where the module does not know
Signal = namedtuple("Signal", ("rssi", "ber"))
# name as text or as the five or six digits of the PLMN; act: TS 27.007 7.3 <AcT>, None if unknown
Operator = namedtuple("Operator", ("name", "act"))


class Registration:
    """What the network says of this node (TS 27.007 10.1.22).

    stat -- 0 not registered, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming, 8 emergency only
    tac, cell -- as hexadecimal text, act -- <AcT>; None where the module was not asked to tell
    """

    def __init__(self, values: list) -> None:
        values = values + [None] * (4 - len(values))
        self.stat = values[0]
        self.tac = values[1]
        self.cell = values[2]
        self.act = values[3]

    @property
    def registered(self) -> bool:
        return self.stat in _REGISTERED

    @property
    def roaming(self) -> bool:
        return self.stat == _ROAMING

    @property
    def denied(self) -> bool:
        return self.stat == _DENIED

    @property
    def searching(self) -> bool:
        return self.stat == _SEARCHING


class C1100:
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
        self._channel = Channel(stream)
        self._channel.gate = self._gate
        self._pwrkey = pwrkey
        self._wake = wake
        self._status = status
        self._nap_ms = nap_ms
        self._sleep = doze
        self._dozed = 0  # ms
        self.apn = None
        # Features, once they are used
        self._ip = None
        self._power = None
        self._http = None
        self._gnss = None
        self._last_use = time.ticks_ms()
        self.wake_on_use = True  # a command wakes a module that sleeps; else it raises Asleep
        self.was_awake = False  # when power_on() last looked, the module was running already
        self.was_registered = False  # when it was first asked by the last register()
        # Commands that the module forgets when it restarts: sent again when that is noticed.
        self._settings = [
            (dialect.NUMERIC, ()),
            (dialect.ECHO_OFF, ()),
            (dialect.ERROR_NUMBERS, ()),
        ]
        self._changed = asyncio.Event()  # a registration URC has come
        self._channel.on("+CEREG", self._on_registration)
        self._channel.on("+CGREG", self._on_registration)
        self._channel.on("^ENTERPSMMODE", self.fell_asleep)
        if status is not None:
            self._channel.powered = self._is_powered

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

    def on(self, name: str, callback) -> None:
        """Call ``callback(params)`` for every URC with this prefix (Channel.on)."""
        self._channel.on(name, callback)

    def off(self, name: str, callback) -> None:
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
        values = await self._channel.ask(dialect.OPERATOR)
        if len(values) < 3 or values[2] is None:
            return None
        return Operator(str(values[2]), values[3] if len(values) > 3 else None)

    async def registration(self) -> Registration:
        """Registration in the EPS domain, or in the GPRS domain if only that one has it."""
        eps = Registration((await self._channel.ask(dialect.EPS_STATE))[1:])
        if eps.registered:
            return eps
        gprs = Registration((await self._channel.ask(dialect.GPRS_STATE))[1:])
        # EPS tells more: it is the answer unless GPRS has got further.
        return gprs if gprs.registered or (gprs.searching and not eps.searching) else eps

    async def clock(self) -> str:
        """The module's clock, ``yy/MM/dd,hh:mm:ss±zz``: local time, and its zone in quarters of
        an hour (TS 27.007 8.15). 70, 80 or 00 as the year where it does not know.
        """
        return (await self._channel.ask(dialect.CLOCK))[0]

    async def imei(self) -> str:
        """The module's 15-digit serial number (TS 27.007 5.4)."""
        return (await self._channel.ask(dialect.IMEI))[0]

    def close(self) -> None:
        """Stop using the stream. Sockets and sessions count as lost; the module is not told."""
        for callback in list(self._channel.on_restart):
            callback()
        self._channel.close()

    async def variant(self):
        """Which of the four variants this is (manual, cover); see variants.Variant.

        Raises NotSupported when the module names none of them.
        """
        from .variants import parse

        return parse((await self._channel.ask(dialect.MODEL))[0])

    async def explain(self, error: at.CommandError, feature: str) -> None:
        """Raise NotSupported when a command failed because this variant lacks the feature, else
        the error itself.
        """
        try:
            variant = await self.variant()
        except at.C1100Error:  # it does not say which variant it is
            raise error
        variant.require(feature)
        raise error

    # Sleep ----------------------------------------------------------------------------------

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

    def fell_asleep(self, _values: list | None = None) -> None:
        """The module is in PSM: registered, but its UART dead, its sockets and settings gone."""
        self._channel.mode = ASLEEP
        self._forget()
        for callback in list(self._channel.on_restart):
            callback()

    @property
    def asleep(self) -> bool:
        """Whether the module is in PSM, as far as it has told."""
        return self._channel.mode == ASLEEP

    async def wake(self) -> None:
        """Wake the module out of PSM, by wake pin or power key, and wait until it answers.

        Settings that it has forgotten are restored with the next command. Raises NoModule.
        """
        if self._channel.mode == ASLEEP:
            self._channel.mode = UNKNOWN
        await self.power_on()

    def rest(self) -> None:
        """Nothing more is wanted of the module for now: release its wake pin, which keeps it out
        of PSM. wake() and power_on() take it up again.
        """
        if self._wake is not None:
            self._wake.off()

    # Start-up -------------------------------------------------------------------------------

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
        await self.power_on()
        return await self.attach(pin, apn, timeout_s)

    async def attach(
        self, pin: str | None = None, apn: str | None = None, timeout_s: float = 180
    ) -> Registration:
        """start() of a module that answers already: after power_on(), and whatever it has to be
        told before it attaches.
        """
        self.apn = apn
        await self._unlock(pin)
        await self.signal()
        # With PSM the network's answer tells what it has granted.
        asked = self._power is not None and self._power.requested is not None
        await self.keep(dialect.EPS_REPORT, 4 if asked else 1)
        await self.keep(dialect.GPRS_REPORT, 1)
        await self.operator()
        return await self.register(timeout_s)

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
        self.was_awake = await self._answers_already()
        if self.was_awake:
            return
        if self._pwrkey is None:
            if await self._leaves_data_mode():
                return
            raise at.NoModule("no answer, and no power key is wired: check supply, UART and rate")
        if self._is_powered():
            # It had its time to start and answers nothing: it hangs.
            await self._press_until_off()
        for press in range(3):
            # Each press is longer: a key line with a large capacitor eats part of it.
            await self._press(self._pwrkey, dialect.KEY_ON_MS + 500 * press)
            self._forget()
            if await self._boots() or (not press and await self._leaves_data_mode()):
                return
        channel.mode = UNKNOWN
        raise at.NoModule("no answer after the power key: check supply, key, UART and rate")

    async def power_off(self) -> None:
        """Switch the module off cleanly (AT$QCPWRDN); returns when it is off, or after 10 s."""
        try:
            await self._channel.run(dialect.POWER_OFF)
        except at.Rebooted:
            pass  # its status pin was faster than its answer
        self._channel.mode = OFF
        self._forget()
        await self._await_off()

    async def power_cycle(self) -> None:
        """Switch a module that does not answer off by its key, and on again. Raises NoModule."""
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
        self._forget()
        await asyncio.sleep_ms(dialect.RESTART_MS)
        if not await self._boots():
            raise at.Timeout("no answer after the restart", dialect.RESTART.send)

    async def radio(self, on: bool, sim: bool = False) -> None:
        """Switch the radio on or off (TS 27.007 8.2); off leaves the network.

        sim -- off keeps the SIM powered (flight mode), and the GNSS receiver usable
        """
        await self._channel.run(dialect.RADIO, 1 if on else 4 if sim else 0)

    async def _answers_already(self) -> bool:
        if self._status is None:
            return await self._channel.probe()
        # Powered but silent: it may still be starting, and the key would switch it off.
        return self._is_powered() and (await self._boots() or await self._leaves_data_mode())

    async def _leaves_data_mode(self) -> bool:
        """The board may have restarted while the module was in PPP: try the way out of it."""
        from .ppp import escape

        await escape(self._channel)
        if not await self._channel.probe():
            return False
        await self._channel.transact(dialect.HANG_UP, dialect.HANG_UP.send)
        return True

    def _is_powered(self) -> bool:
        return self._status is not None and bool(self._status.value())

    async def _boots(self) -> bool:
        """Whether the module answers within its start-up time."""
        begin = self._mark()
        patience_ms = 0 if self._sleep else PROBE_MS  # ask once between two dozes
        while True:
            waited = self._since(begin)
            if waited >= dialect.BOOT_MS:
                return False
            if self._status is None or self._is_powered():
                if await self._channel.probe(patience_ms):
                    return True
            elif waited > dialect.STATUS_MS:
                return False  # the press was too short
            if self._status is not None or self._sleep:
                await self._doze(_POWER_LOOK_MS)

    async def _press_until_off(self) -> None:
        for press in range(3):
            await self._press(self._pwrkey, dialect.KEY_OFF_MS + 1000 * press)
            if await self._await_off():
                return

    async def _press(self, key, ms: int) -> None:
        key.on()
        try:
            await self._doze(ms)
        finally:
            key.off()

    async def _await_off(self) -> bool:
        """Wait until the module is off: by its status pin, or for as long as that takes."""
        for _ in range(dialect.OFF_MS // 100):
            if self._status is not None and not self._is_powered():
                return True
            await self._doze(100)
        return False

    async def _doze(self, ms: int) -> None:
        """Wait while nothing that the module says matters."""
        if self._sleep is None:
            await asyncio.sleep_ms(ms)
            return
        self._sleep(ms)
        self._dozed += ms
        self._channel.reopen()
        await asyncio.sleep_ms(0)  # the other tasks' turn

    def _mark(self) -> tuple:
        """Now, for _since()."""
        return time.ticks_ms(), self._dozed

    def _since(self, mark: tuple) -> int:
        """ms since _mark(). There are boards whose ticks stand still while they doze."""
        return max(time.ticks_diff(time.ticks_ms(), mark[0]), self._dozed - mark[1])

    def _forget(self) -> None:
        """The module has restarted, or will: what it was told is gone."""
        channel = self._channel
        channel.settings_lost = True
        channel.numeric = channel.quiet = False

    async def _unlock(self, pin: str | None) -> None:
        """Wait for the SIM, and give it its PIN (manual 3.2.1)."""
        begin = self._mark()
        while True:
            try:
                state = (await self._channel.ask(dialect.PIN_STATE))[0]
            except at.CmeError as error:
                if error.code not in _SIM_TRANSIENT:
                    raise at.SimError("FAILURE", str(error))
                state = "NO SIM" if error.code == 10 else "BUSY"
            except at.CommandError:
                state = "BUSY"  # ERROR without a number: the SIM is not ready yet
            if state == "READY":
                return
            if state == "SIM PIN":
                if pin is None:
                    raise at.SimError(state, "the SIM asks for a PIN: give start() one")
                await self._enter_pin(pin)
                pin = None
            elif state not in ("NO SIM", "BUSY"):
                raise at.SimError(state, "the SIM asks for %s: unblock it in a phone" % state)
            if self._since(begin) > dialect.SIM_READY_MS:
                raise at.SimError(
                    state, "no SIM, or it does not answer: check the card and holder"
                )
            await self._doze(_SIM_LOOK_MS)

    async def _enter_pin(self, pin: str) -> None:
        try:
            await self._channel.run(dialect.PIN_ENTER, pin)
        except at.CommandError as error:
            if isinstance(error, at.CmeError) and error.code == 14:
                return  # SIM busy: the state is asked again, the PIN is not
            raise at.PinRefused("SIM PIN", "the PIN was refused: %s" % error)

    async def register(self, timeout_s: float = 180) -> Registration:
        """Wait until the network has accepted the module.

        timeout_s -- seconds

        Raises RegistrationDenied at once when every domain refuses, or at the end when one did;
        NotRegistered when no network was found.
        """
        begin = self._mark()
        self.was_registered = True
        while True:
            self._changed.clear()
            eps = Registration((await self._channel.ask(dialect.EPS_STATE))[1:])
            if eps.registered:
                return eps
            gprs = Registration((await self._channel.ask(dialect.GPRS_STATE))[1:])
            if gprs.registered:
                return gprs
            self.was_registered = False
            left = int(timeout_s * 1000) - self._since(begin)
            refused = eps.denied or gprs.denied
            if refused and (left <= 0 or not (eps.searching or gprs.searching)):
                raise at.RegistrationDenied(
                    "the network refuses this SIM: check subscription, roaming and APN"
                )
            if left <= 0:
                raise at.NotRegistered("no network in %d s: check antenna and bands" % timeout_s)
            if self._sleep:
                await self._doze(min(left, _NETWORK_LOOK_MS))
                continue
            try:
                await asyncio.wait_for_ms(self._changed.wait(), min(left, _RECHECK_S * 1000))
            except asyncio.TimeoutError:
                continue

    def _on_registration(self, _values: list) -> None:
        self._changed.set()

    # The gate before each command -----------------------------------------------------------

    async def keep(self, form: dialect.Form, *args) -> None:
        """Run a setting, and remember it for when the module has forgotten it."""
        await self._channel.run(form, *args)
        self._settings = [entry for entry in self._settings if entry[0] is not form]
        self._settings.append((form, args))

    async def _gate(self) -> None:
        """Wake the module, find out what state it is in, give it back its settings."""
        channel = self._channel
        now = time.ticks_ms()
        idle = time.ticks_diff(now, self._last_use)
        self._last_use = now
        if channel.mode == DATA:
            raise at.NotConnected("the module is in data mode: hang up first")
        if channel.mode == OFF:
            raise at.Asleep("the module is switched off: call start()")
        if channel.mode == ASLEEP:
            if not self.wake_on_use:
                raise at.Asleep("the module is in PSM: call wake()")
            await self.wake()
        if channel.mode == COMMAND and self._nap_ms and idle > self._nap_ms:
            channel.mode = UNKNOWN
        if channel.mode != COMMAND and not await channel.probe():
            raise at.Timeout("the module does not answer")
        if channel.settings_lost:
            await self._restore()

    async def _restore(self) -> None:
        channel = self._channel
        channel.settings_lost = False
        try:
            for form, args in self._settings:
                await channel.transact(form, at.render(form.send, args))
                channel.numeric = channel.numeric or form is dialect.NUMERIC
                channel.quiet = channel.quiet or form is dialect.ECHO_OFF
        except at.C1100Error:
            channel.settings_lost = True
            raise

    # Features, loaded when they are first used ----------------------------------------------

    @property
    def _sockets(self):
        if self._ip is None:
            from .sockets import Sockets

            self._ip = Sockets(self._channel)
        return self._ip

    def pdp(self, apn: str):
        """``async with modem.pdp(apn):`` -- a PDP context for sockets (manual 3.3.1.1)."""
        from .sockets import Context

        return Context(self._sockets, apn)

    async def tcp(self, host: str, port: int, local_port: int = 0, rxbuf: int = 4096):
        """Open a TCP connection (manual 3.3.1.1); see sockets.open, connection.Socket."""
        return await self._sockets.open(host, port, 0, local_port, rxbuf)

    async def udp(self, host: str, port: int, local_port: int = 0, rxbuf: int = 4096):
        """Open a UDP socket (manual 3.3.1.1, UDP as seen in the field); see connection.Socket."""
        return await self._sockets.open(host, port, 1, local_port, rxbuf)

    async def ppp(
        self,
        apn: str,
        user: str = "",
        password: str = "",
        factory=None,
        timeout_s: float = 60,
    ):
        """Dial up (manual 3.3.3) and hand the stream to network.PPP; see ppp.Ppp.

        factory -- instead of network.PPP: callable(stream) -> an object of the same kind

        Until hang_up() commands raise NotConnected.
        """
        from .ppp import Ppp

        ppp = Ppp(self._channel)
        await ppp.dial(apn, user, password, factory, timeout_s)
        return ppp

    def passthrough(self, sock, **options):
        """``async with modem.passthrough(sock) as pipe:`` transparent sending (manual 3.3.2)."""
        from .passthrough import Passthrough

        return Passthrough(self._channel, sock, **options)

    @property
    def power(self):
        """PSM and eDRX (manual 3.8); see power.Power."""
        if self._power is None:
            from .power import Power

            self._power = Power(self, self._channel)
        return self._power

    @property
    def http(self):
        """HTTP requests (manual 3.7); see http.Http."""
        if self._http is None:
            from .http import Http

            self._http = Http(self._channel)
        return self._http

    @property
    def gnss(self):
        """The GNSS receiver (manual 3.4); see gnss.Gnss."""
        if self._gnss is None:
            from .gnss import Gnss

            doze = self._doze if self._sleep else None
            self._gnss = Gnss(self._channel, self.explain, doze)
        return self._gnss

    @property
    def lwm2m(self):
        """The module's LwM2M client (manual 3.5); see lwm2m.Lwm2m."""
        from .lwm2m import Lwm2m

        return Lwm2m(self._channel, self.restart)

    def mqtt(self, client_id: str, host: str, port: int = 1883, **options):
        """An MQTT client on the module's own stack (manual 3.6); see mqtt.MQTT."""
        from .mqtt import MQTT

        return MQTT(self._channel, client_id, host, port, apn=self.apn, **options)
