"""The virtual C1100: power states and pins, and what is wired to what inside.

module = VirtualC1100(timeline, Profile(variant="NGGT"), send=uart_of_the_dte)
module.set_pin("pwrkey", True)         # and False a second later: it boots
module.receive(b"ATV0\\r")              # answered through `send` at the virtual time
"""

import enum
from collections.abc import Callable

from tools.network import Peer
from tools.timeline import Timeline, Timer
from tools.virtual_c1100 import measured
from tools.virtual_c1100.coap import Coap
from tools.virtual_c1100.commands import table
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.faults import Faults
from tools.virtual_c1100.gnss import Gnss
from tools.virtual_c1100.http import Http
from tools.virtual_c1100.identity import Identity, Machine
from tools.virtual_c1100.interpreter import Interpreter
from tools.virtual_c1100.lwm2m import Lwm2m
from tools.virtual_c1100.mqtt import Mqtt
from tools.virtual_c1100.network import Network
from tools.virtual_c1100.over_air import Sky
from tools.virtual_c1100.pdp import Pdp
from tools.virtual_c1100.ppp import Ppp
from tools.virtual_c1100.profile import Profile
from tools.virtual_c1100.radio import Radio, State
from tools.virtual_c1100.sim import Sim
from tools.virtual_c1100.sleep import Sleep
from tools.virtual_c1100.sockets import Sockets
from tools.virtual_c1100.trace import Trace
from tools.virtual_c1100.uart import Uart

LEFT_LOOK_S = 0.2  # between looks whether a command of an earlier life has ended
LEFT_LOOKS = 25  # then the next line is what a prompt waits for
CONGESTION = 2048  # bytes waiting for the UART at which the network is not read (inferred)


class Power(enum.Enum):
    """What the module is doing as a whole."""

    OFF = "off"
    BOOTING = "booting"
    ON = "on"
    STOPPING = "stopping"
    PSM = "psm"


class VirtualC1100:
    """One module on a timeline.

    send -- called with bytes at the virtual time at which they have arrived at the DTE
    on_pin -- called with (name, level) when an output pin changes; True is asserted
    on_state -- called with (state, cause) at the virtual time of each change; states: radio.State
    """

    def __init__(
        self, timeline: Timeline, profile: Profile, send: Callable[[bytes], None]
    ) -> None:
        self.timeline = timeline
        self.profile = profile
        self.power = Power.OFF
        self.on_pin: Callable[[str, bool], None] | None = None
        self.on_state: Callable[[str, str], None] | None = None
        self.trace: Trace | None = None
        self._send = send
        self._inputs = {"pwrkey": False, "wake": False, "cut": False}
        self._key_timer: Timer | None = None
        self._deaf = False  # what it says is not heard: commands of an earlier life run
        core = self._core = Core(timeline, profile)
        self.faults = Faults(timeline, core.rng, self.reboot)
        self.uart = Uart(timeline, core.rng, self._to_dte, self._to_module)
        self.uart.baud = profile.baud
        self.uart.filter_in = self.faults.incoming
        self.uart.filter_out = self.faults.outgoing
        self.sim = Sim(core, self.faults)
        self.radio = Radio(core)
        self.radio.on_state = self._state
        self._sky = Sky(self.radio)
        self.network = Network(core, self.sim, self.radio)
        self.sim.on_ready = self.network.search
        self.pdp = Pdp(core, self.network)
        self.sockets = Sockets(core, self.network, self.pdp)
        self.coap = Coap(core, self.sockets)
        self.mqtt = Mqtt(core, self.network)
        self.http = Http(core, self.network)
        self.identity = Identity(core, self.sim, self.faults, self._machine())
        self.gnss = Gnss(core, self.faults, self.identity.unix_time)
        self.lwm2m = Lwm2m(core, self.network, self.identity.unix_time, self.reboot)
        self.ppp = Ppp(core, self.network)
        self.sleep = Sleep(core, self.network, self.faults)
        self.sleep.enter, self.sleep.leave = self._enter_psm, self._wake
        self.sleep.held = lambda: self._inputs["wake"]
        self.sleep.busy = lambda: self.interpreter.busy
        self._families = (
            self.identity,
            self.sim,
            self.network,
            self.sleep,
            self.pdp,
            self.sockets,
            self.coap,
            self.mqtt,
            self.http,
            self.gnss,
            self.lwm2m,
            self.ppp,
        )
        self.interpreter = Interpreter(
            core,
            table(*(family.commands for family in self._families)),
            self._say,
            self.uart.after_transmit,
            self.faults,
        )
        self.ppp.line = self.interpreter
        self.gnss.stream = self.interpreter.stream
        core.urc = self.interpreter.urc
        core.damaged = self.faults.payload
        core.said = self.faults.said
        core.room_late_s = lambda: self.faults.active.room_late_s
        core.congested = lambda: self.uart.backlog + self.interpreter.held > CONGESTION
        for fault in profile.faults:
            self.faults.add(fault)

    def _machine(self) -> Machine:
        return Machine(
            session=lambda: self.interpreter.session,
            get_baud=lambda: self.uart.baud,
            set_baud=lambda baud: setattr(self.uart, "baud", baud),
            reboot=self.reboot,
            power_off=self.power_off,
            set_functionality=self._set_functionality,
        )

    def _set_functionality(self, level: int) -> None:
        if level == 1 and self.network.detached:
            self.faults.remedied("radio")
        self.network.set_radio(level == 1)

    # The DTE's side -------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Bytes that the DTE's UART has sent; they take their time on the line."""
        self.uart.receive(data)

    def set_pin(self, name: str, level: bool) -> None:
        """Drive an input: "pwrkey", "wake", or "cut", which takes the supply away while asserted.

        True is asserted. KeyError for another name.
        """
        if self._inputs[name] == level:
            return
        self._inputs[name] = level
        if name == "pwrkey":
            self._power_key(level)
        elif name == "wake":
            self._wake_pin(level)
        elif level:
            self.power_cycle()

    def get_pin(self, name: str) -> bool:
        """Level of "status" (asserted while the firmware runs) or of an input."""
        return self.power is Power.ON if name == "status" else self._inputs[name]

    def peers(self) -> list[Peer]:
        """The network connections to serve now."""
        peers = (
            *self.mqtt.links,
            *self.sockets.peers(),
            *self.http.peers(),
            *self.lwm2m.links.values(),
        )
        return [*(self._sky.over(peer) for peer in peers), *self.ppp.peers()]

    # Power ----------------------------------------------------------------------------------

    def _power_key(self, pressed: bool) -> None:
        """The key acts when it has been held long enough, once per press."""
        if self._key_timer:
            self._key_timer.cancel()
            self._key_timer = None
        if not pressed or self.faults.active.power_key_dead:
            return
        latency = self.profile.latency
        actions = {
            Power.OFF: (latency.pwrkey_on, self.power_on),
            Power.ON: (latency.pwrkey_off, self.power_off),
            Power.PSM: (latency.pwrkey_on, lambda: self._woken_by_host("power key")),
        }
        if self.power in actions:  # else it boots or stops already: the key is not looked at
            held, action = actions[self.power]
            self._key_timer = self.timeline.call_later(round(held * 1e6), action)

    def power_on(self) -> None:
        """Boot now, as after a long enough press of the power key."""
        if self.power is Power.OFF:
            self._boot("power key")

    def power_off(self) -> None:
        """Leave the network and go off; the UART is dead a little later."""
        if self.power is not Power.ON:
            return
        self.faults.remedied("power")
        told = self.network.attached
        self._stop()
        if told:
            # 24.301 clause 5.5.2.2.2: with it the network releases the connection.
            seconds = self.radio.link.detach
            self.radio.signal(seconds, "detach", lambda: None, brief=True, final=True)
        self._enter(Power.STOPPING)
        # Not the key's timer: letting go of the key does not keep it from stopping.
        self._core.later(self.profile.latency.power_off, lambda: self._off("power off"))

    def power_cycle(self) -> None:
        """The supply is removed and comes back: off at once, and it stays off without the key."""
        if self._key_timer:
            self._key_timer.cancel()
        self.faults.remedied("supply")
        self._stop()
        self.gnss.forget_sky()
        self._off("supply removed")
        if self._inputs["pwrkey"]:
            self._power_key(True)

    def reboot(self) -> None:
        """AT+CFUN=1,1, or a crash of the module's firmware."""
        if self.power is Power.ON:
            self.faults.remedied("restart")
            self._stop()
            self._boot("reboot")

    def _stop(self) -> None:
        self._core.forget()
        self._deaf = False
        self.uart.power_off()
        self.sleep.boot()
        self.sockets.boot()
        self.coap.boot()
        self.pdp.boot()
        self.mqtt.boot()
        self.http.boot()
        self.gnss.boot()
        self.ppp.boot()
        self.lwm2m.boot()
        self.network.boot()

    def _off(self, cause: str) -> None:
        self.radio.power_off(State.OFF, cause)
        self._enter(Power.OFF)

    def _boot(self, cause: str) -> None:
        self.radio.power_off(State.BOOT, cause)
        self._enter(Power.BOOTING)
        if self.faults.active.boot_noise:
            self.uart.transmit(self.faults.active.boot_noise)
        self._core.later(self.profile.latency.boot * self.faults.active.boot_factor, self._booted)

    def _booted(self) -> None:
        stored = self.identity.boot()
        self.uart.baud = stored.baud
        self.interpreter.reset(stored.session)
        self.network.boot()
        self.lwm2m.start()
        self.sim.boot()
        if self.profile.network == measured.NAME:
            # What was measured of a boot goes on until the SIM is ready.
            self.radio.power_off(State.BOOT, "booted")
            self._core.later(self.profile.latency.sim_ready, self._started)
        else:
            self.radio.power_off(State.IDLE, "booted")
        self._enter(Power.ON)
        self._relive()

    def _started(self) -> None:
        if self.radio.state is State.BOOT:
            self.radio.power_off(State.IDLE, "booted")

    # PSM (manual 3.8.1) ---------------------------------------------------------------------

    def _enter_psm(self) -> None:
        """What has been said leaves the UART, then the processor's supply goes."""
        self._core.later(self.profile.latency.psm_entry, self._fall_asleep)

    def _fall_asleep(self) -> None:
        """Registration and bearer stay, all that the processor knows does not."""
        self._core.forget()
        self.uart.power_off()
        self.sockets.boot()
        self.mqtt.boot(bearer=self.mqtt.called)
        self.http.boot()
        self.gnss.boot()
        self.ppp.boot()
        self.lwm2m.boot()
        self.network.sleep()
        self.radio.power_off(State.PSM, "t3324")
        self._enter(Power.PSM)
        if (seconds := self.faults.active.psm_cut_s) is not None:
            self._core.later(seconds, lambda: self._wake("downlink"))
        self.sleep.fallen()
        if self._inputs["wake"]:
            self._woken_by_host("wake pin")

    def _wake_pin(self, asserted: bool) -> None:
        """Asserted it wakes the module and keeps it awake (field)."""
        if not asserted:
            if self.power is Power.ON:
                self.sleep.look_again()
        elif self.power is Power.PSM:
            self._woken_by_host("wake pin")

    def _woken_by_host(self, cause: str) -> None:
        if self.faults.active.deaf_pulses > 0:
            self.faults.active.deaf_pulses -= 1
            return
        self.sleep.heard()
        self._wake(cause)

    def _wake(self, cause: str) -> None:
        if self.power is Power.PSM:
            self.radio.power_off(State.BOOT, cause)
            self._enter(Power.BOOTING)
            boot = self.profile.latency.boot_psm * self.faults.active.boot_factor
            self._core.later(boot, lambda: self._awake(cause))

    def _awake(self, cause: str) -> None:
        stored = self.identity.boot()
        self.uart.baud = stored.baud
        self.interpreter.reset(stored.session)
        self.network.wake()
        self.lwm2m.start()
        self._enter(Power.ON)
        self.sleep.woken(cause)

    def _state(self, state: str, cause: str) -> None:
        if self.on_state:
            self.on_state(state, cause)

    def _enter(self, state: Power) -> None:
        was, self.power = self.power, state
        if self.trace and was is not state:
            self.trace.event(f"module {state.value}")
        if self.on_pin and (was is Power.ON) != (state is Power.ON):
            self.on_pin("status", state is Power.ON)

    # What an earlier life has left (faults.py) ----------------------------------------------

    def _relive(self) -> None:
        """Run the commands of an earlier life, each when the one before has ended; nobody hears
        what is said to them.
        """
        lines, self.faults.active.left = self.faults.active.left, []
        self._deaf = bool(lines)

        waits = 0

        def next_line() -> None:
            nonlocal waits
            if not lines:
                self._deaf = False
                return
            waits = waits + 1 if self.interpreter.busy else 0
            if not waits or waits > LEFT_LOOKS:
                self.interpreter.feed(lines.pop(0).encode() + b"\r")
                waits = 0
            self._core.later(LEFT_LOOK_S, next_line)

        next_line()

    # The UART -------------------------------------------------------------------------------

    def _say(self, data: bytes) -> None:
        if not self._deaf:
            self.uart.transmit(data, self.faults.active.byte_gap_s)

    def _to_dte(self, data: bytes) -> None:
        if self.trace:
            self.trace.bytes("<", data)
        self._send(data)

    def _to_module(self, data: bytes) -> None:
        if self.trace:
            self.trace.bytes(">", data)
        if self.power is Power.ON:
            self.sleep.heard()
            self.interpreter.feed(data)
