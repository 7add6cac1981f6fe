"""The bearer of AT+LSIP...: profile and call (manual 3.3.1.1 steps 1 to 3, 3.5.1.2 step 3)."""

from collections.abc import Callable

from tools.timeline import Timer
from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import LATER, Call, Command, Failure, Later, Result
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.network import Network

CALL_SIZE = 100  # bytes of signalling for a bearer (inferred)
HOLD_S = 60.0  # a bearer outlives a loss of coverage for so long (inferred)


class Pdp:
    """Up or down. `on_down` is called when it goes, for whatever reason."""

    def __init__(self, core: Core, network: Network) -> None:
        self._core = core
        self._network = network
        self.on_down: list[Callable[[], None]] = []
        self.boot()
        network.on_change.append(self._coverage)
        self.commands = (
            Command("+LSIPPROFILE", "M 3.3.1.1", self._set_profile, (Int(1, 4), Text(64)),
                    self._show_profile),
            Command("+LSIPCALL", "M 3.3.1.1, 3.5.1.2", self._call, (Int(0, 1),), self._show),
        )  # fmt: skip

    def boot(self) -> None:
        """Profile and call are gone."""
        self.up = False
        self._apn = ""
        self._hold: Timer | None = None

    def drop(self) -> None:
        """The network takes the bearer away."""
        if self.up:
            self._down()
            self._core.urc("+LSIPCALL:0")

    def fail(self, call: Call) -> None:
        """End an LSIP call with its kind of error."""
        if self._core.profile.quirks.lsip_error:
            call.info("+LSIP:ERROR", end="\r")
        call.fail(Failure())

    def _down(self) -> None:
        self.up = False
        for fn in self.on_down:
            fn()

    def _coverage(self, attached: bool) -> None:
        if self._hold:
            self._hold.cancel()
            self._hold = None
        if not attached and self.up:
            if self._network.detached:
                self.drop()
            else:
                self._hold = self._core.later(HOLD_S, self.drop)

    def _set_profile(self, call: Call) -> None:
        self._apn = call.args[1]

    def _show_profile(self, call: Call) -> None:
        call.info(f'+LSIPPROFILE: 1,"{self._apn}"')

    def _call(self, call: Call) -> Later | None:
        if call.args[0]:
            if self.up and self._network.attached:
                self._called(call)  # nothing is on the air
                return LATER
            delay = self._core.profile.latency.pdp
            self._network.uplink(CALL_SIZE, "pdp", delay, lambda: self._called(call), opens=True)
            return LATER
        if self.up:
            self._down()
            self._network.uplink(CALL_SIZE, "pdp", 0.0, lambda: None)
        call.info("+LSIPCALL:0", end="\r")
        call.info("+LSIP:OK", end="\r")
        return None

    def _called(self, call: Call) -> None:
        if not self._network.attached:
            self.fail(call)
            return
        refusal = self._network.refuses_context()
        if refusal:
            call.fail(refusal)
            return
        self.up = True
        call.info(f"+LSIPCALL:1, {self._core.profile.local_ip}", end="\r")
        call.info("+LSIP:OK", end="\r")
        call.finish(Result.OK)

    def _show(self, call: Call) -> None:
        form = self._core.profile.quirks.call_query
        ip = self._core.profile.local_ip
        call.info(form.format(ip=ip) if self.up else "+LSIPCALL:0")
