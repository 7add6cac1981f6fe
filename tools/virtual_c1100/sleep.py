"""PSM and eDRX: what the DTE asks for, what the network grants, when the module sleeps.

Manual 3.8.1, 3.8.2; 3GPP TS 27.007 clauses 7.38 to 7.41; TS 24.301 clauses 5.3.5 and 5.3.11.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.timeline import Timer
from tools.virtual_c1100 import timers
from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import Call, CmeFailure, Command, Failure
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.faults import Faults
from tools.virtual_c1100.network import Network
from tools.virtual_c1100.profile import GSM, LTE_M, NB_IOT

ACT_TYPES = {GSM: timers.GERAN, LTE_M: timers.WB_S1, NB_IOT: timers.NB_S1}
BITS8 = Text(8, 8, optional=True)
DOWNLINK_SIZE = 100  # of what ends PSM early (fault psm-cut)
DEFAULT_CYCLE = "0101"  # of AT+CEDRXS without a value: inferred


@dataclass
class PsmRequest:
    """AT+CPSMS. The times before anybody has set them are the module's: inferred."""

    on: bool = False
    rau: str = ""  # GERAN's: accepted and shown, without effect
    ready: str = ""
    t3412: str = "00100001"
    t3324: str = "00000101"


@dataclass
class EdrxRequest:
    """AT+CEDRXS: the wanted cycle by <AcT-type>; `urc` is mode 2."""

    cycles: dict[int, str] = field(default_factory=dict)
    urc: bool = False


@dataclass(frozen=True)
class Edrx:
    """What the network has granted."""

    act_type: int
    requested: str
    cycle: str
    window: str

    def __str__(self) -> str:
        return f'{self.act_type},"{self.requested}","{self.cycle}","{self.window}"'


class Sleep:
    """Timers of EMM idle mode and the commands around them.

    enter() -- the module goes into PSM; leave(cause) -- it wakes by itself
    held() -- it must not sleep until `look_again` is called; busy() -- it must not sleep just now
    """

    def __init__(self, core: Core, network: Network, faults: Faults) -> None:
        self._core = core
        self._network = network
        self._radio = network.radio
        self._faults = faults
        self.enter: Callable[[], None] = lambda: None
        self.leave: Callable[[str], None] = lambda cause: None
        self.held: Callable[[], bool] = lambda: False
        self.busy: Callable[[], bool] = lambda: False
        self.psm = PsmRequest()
        self.edrx = EdrxRequest()
        self.granted: Edrx | None = None
        self._t3324: Timer | None = None
        self._t3412: Timer | None = None
        self._over = False  # T3324 has expired, and nothing has happened since
        self._tau_due = False
        self._asleep = False
        self._heard_us = 0
        self._called = False  # it was the DTE that has woken it
        network.on_accept = self._negotiate
        network.on_change.append(self._coverage)
        self._radio.on_connect = self._connected
        self._radio.on_release = self._released
        types = [t for act, t in ACT_TYPES.items() if act in core.profile.hardware.rats]
        self._types = sorted(types)
        self.commands = (
            Command("+CPSMS", "M 3.8.1, S", self._set_psm,
                    (Int(0, 2), BITS8, BITS8, BITS8, BITS8), self._show_psm,
                    test='+CPSMS: (0-2),,,("00000000"-"11111111"),("00000000"-"11111111")'),
            Command("+CEDRXS", "M 3.8.2, S", self._set_edrx,
                    (Int(0, 3), Int(1, 5, optional=True), Text(4, 4, optional=True)),
                    self._show_edrx,
                    test=f"+CEDRXS: (0-3),({','.join(map(str, self._types))}),"
                         '("0000"-"1111")'),
            Command("+CEDRXRDP", "M 3.8.2, S", run=self._show_granted),
            Command("+CNMPSD", "S 27.007", run=self._no_more_data, test=self._test_no_more_data),
        )  # fmt: skip

    # The module's life ----------------------------------------------------------------------

    def boot(self) -> None:
        """Power-off or reboot: eDRX settings are gone, those of PSM are stored (see Quirks)."""
        self._stop()
        self._asleep = self._tau_due = False
        self.edrx = EdrxRequest()
        if not self._core.profile.quirks.psm_stored:
            self.psm = PsmRequest()
        self._forget_grants()
        self.granted = None

    def woken(self, cause: str) -> None:
        """The firmware runs again after PSM: tell, find the cell, do the update that is due."""
        self._asleep = False
        if self._called:
            self.heard()  # its UART has been dead until now
        self._urc("^EXITPSMMODE")
        act = self._network.act
        if act is None:  # the cell was lost on the way into PSM
            self._network.search()
        else:
            self._radio.resync(act, cause, lambda: self._camped(cause))

    def heard(self) -> None:
        """The DTE has sent something, or has woken the module: it keeps awake for a while."""
        self._heard_us = self._core.timeline.now_us
        self._called = self._asleep

    def fallen(self) -> None:
        """The module is in PSM. T3412 may have expired on the way there."""
        self._called = False
        if self._tau_due:
            self.leave("t3412")

    def look_again(self) -> None:
        """What held the module awake may have ended."""
        if self._over:
            self._try()

    # Requests -------------------------------------------------------------------------------

    def _set_psm(self, call: Call) -> None:
        mode, *values = call.args
        if not all(v is None or timers.is_bits(v, 8) for v in values):
            raise CmeFailure(50)
        before = vars(self.psm).copy()
        if mode == 2:
            self.psm = PsmRequest()
        else:
            self.psm.on = mode == 1
            for name, value in zip(("rau", "ready", "t3412", "t3324"), values, strict=True):
                setattr(self.psm, name, getattr(self.psm, name) if value is None else value)
        # 24.301 clause 5.5.3.2.2: a change of what it asks for is a reason for an update.
        if vars(self.psm) != before and (self.psm.on or before["on"]):
            self._network.tau("psm request")

    def _show_psm(self, call: Call) -> None:
        psm = self.psm
        shown = [f'"{v}"' if v else "" for v in (psm.rau, psm.ready)]
        call.info(f'+CPSMS: {int(psm.on)},{",".join(shown)},"{psm.t3412}","{psm.t3324}"')

    def _set_edrx(self, call: Call) -> None:
        mode, act_type, cycle = call.args
        if act_type not in (None, *self._types) or not (cycle is None or timers.is_bits(cycle, 4)):
            raise CmeFailure(50)
        if mode == 3 and act_type is not None:
            raise CmeFailure(50)  # field (SARA-R4): takes no other parameter
        before = dict(self.edrx.cycles)
        for wanted in self._types if act_type is None else (act_type,):
            if mode in (0, 3):
                self.edrx.cycles.pop(wanted, None)
            else:
                self.edrx.cycles[wanted] = cycle or before.get(wanted, DEFAULT_CYCLE)
        self.edrx.urc = mode == 2
        if self.edrx.cycles != before:
            self._network.tau("edrx request")

    def _show_edrx(self, call: Call) -> None:
        for act_type, cycle in sorted(self.edrx.cycles.items()):
            call.info(f'+CEDRXS: {act_type},"{cycle}"')

    def _show_granted(self, call: Call) -> None:
        call.info(f"+CEDRXRDP: {self.granted or 0}")

    def _no_more_data(self, call: Call) -> None:
        """27.007: the application expects to send and receive no more data."""
        self._test_no_more_data(call)
        if self._core.profile.grants.release == "honoured":
            self._radio.last_word()

    def _test_no_more_data(self, _call: Call) -> None:
        if self._core.profile.grants.release == "refused":
            raise Failure

    # Grants ---------------------------------------------------------------------------------

    def _negotiate(self, act: int) -> None:
        """Attach or update accepted: what the network gives of what was asked for."""
        grants, faults = self._core.profile.grants, self._faults.active
        self._forget_grants()
        if self.psm.on and act != GSM:
            granted = grants.timers(self.psm.t3324, self.psm.t3412)
            self._network.timers = granted if faults.psm_granted is None else faults.psm_granted
        before, self.granted = self.granted, None
        act_type = ACT_TYPES[act]
        wanted = self.edrx.cycles.get(act_type)
        if wanted and grants.edrx and not faults.edrx_refused:
            self.granted = Edrx(act_type, wanted, grants.edrx_cycle or wanted, grants.window)
            self._radio.edrx = (
                timers.edrx_cycle_s(self.granted.cycle, act_type),
                timers.window_s(self.granted.window, act_type),
            )
        if self.edrx.urc and self.granted != before:
            self._urc(f"+CEDRXP: {self.granted or act_type}")

    def _forget_grants(self) -> None:
        self._network.timers = ("", "")
        self._radio.edrx = None

    # Idle mode ------------------------------------------------------------------------------

    def _connected(self) -> None:
        self._stop()

    def _released(self) -> None:
        """RRC connection released: the timers of idle mode start (manual 3.8.1, 6 and 7)."""
        if not self._network.attached:
            return
        if self.psm.on or self._network.shows_timers:
            self._urc("^DATADISCONN")
        periodic = self._network.timers[1]
        usual = self._core.profile.grants.usual_t3412_s
        seconds = timers.t3412_s(periodic) if periodic else usual
        if seconds is not None:
            self._t3412 = self._later(seconds, self._update_due)
        self._start_active_time()

    def _start_active_time(self) -> None:
        active = self._network.timers[0]
        seconds = timers.t3324_s(active) if active else None
        if seconds is not None and not self._faults.active.psm_never:
            self._t3324 = self._later(seconds, self._active_time_over)

    def _active_time_over(self) -> None:
        self._over = True
        self._try()

    def _try(self) -> None:
        if self.held():
            return
        at_idle = self._core.profile.latency.at_idle
        rest = at_idle if self.busy() else at_idle - self._since_heard_s()
        if rest > 0:
            self._core.later(rest, self.look_again)
            return
        self._over = False
        self._asleep = True
        self._urc("^ENTERPSMMODE")
        self.enter()

    def _since_heard_s(self) -> float:
        return (self._core.timeline.now_us - self._heard_us) / 1e6

    def _update_due(self) -> None:
        if self._asleep:
            self._tau_due = True
            self.leave("t3412")
        elif self._radio.act is None or self._radio.connected:
            self._tau_due = True
        else:
            self._update()

    def _camped(self, cause: str) -> None:
        """The cell has been found again after PSM."""
        if not self._network.cell.covered:
            self._network.search()
            return
        if self._tau_due:
            self._update()
        elif cause == "downlink":
            self._radio.receive(DOWNLINK_SIZE, cause, lambda: None)
        else:
            self._start_active_time()
        self._network.back()

    def _update(self) -> None:
        self._tau_due = False
        self._network.tau("t3412")

    def _coverage(self, attached: bool) -> None:
        if not attached:
            self._stop()
            self._tau_due = False

    def _stop(self) -> None:
        self._over = False
        for timer in (self._t3324, self._t3412):
            if timer:
                timer.cancel()

    def _later(self, seconds: float, fn: Callable[[], None]) -> Timer:
        # Not the core's timers: these two run on while the processor sleeps.
        return self._core.timeline.call_later(round(seconds * 1e6), fn)

    def _urc(self, text: str) -> None:
        if not (self._faults.active.psm_silent and "PSMMODE" in text):
            self._core.urc(text)
