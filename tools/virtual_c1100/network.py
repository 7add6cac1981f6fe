"""Signal, registration and operator (manual 3.1; 3GPP TS 27.007 clauses 7.2, 7.3, 8.5, 10.1)."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import LATER, Call, CmeFailure, Command, Failure
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.profile import GSM, LTE_M, NB_IOT, NO_RSSI
from tools.virtual_c1100.radio import Radio, State
from tools.virtual_c1100.refusals import TIMED, Refusal, cme
from tools.virtual_c1100.sim import Sim

OFFLINE, HOME, SEARCHING, DENIED, UNKNOWN, ROAMING, EMERGENCY = 0, 1, 2, 3, 4, 5, 8
EPS, GPRS = "+CEREG", "+CGREG"
# AT+MODODR, field: 2 automatic, 3 GSM, 5 LTE only, 8 GSM and LTE
SEARCH_MODES = {2: (LTE_M, NB_IOT, GSM), 3: (GSM,), 5: (LTE_M, NB_IOT), 8: (LTE_M, NB_IOT, GSM)}
# AT+LTEOPMOD, field: 1 Cat-M1, 2 NB-IoT, 3 both
LTE_MODES = {1: (LTE_M,), 2: (NB_IOT,), 3: (LTE_M, NB_IOT)}
SCAN_TEXT = '+COPS: (2,"{name}","{name}","{plmn}",{act}),,(0-4),(0-2)'


@dataclass
class Report:
    """One of +CEREG and +CGREG: what was asked for, and what the network says."""

    mode: int = 0
    stat: int = OFFLINE


class Network:
    """Registration that takes time, and the calls with which a test changes the network.

    `on_change(attached)` is called when the module comes onto the network or loses it,
    `on_accept(act)` when the network has accepted an attach or a tracking-area update.
    timers -- granted active time and periodic TAU, as they are told; "" is none
    """

    def __init__(self, core: Core, sim: Sim, radio: Radio) -> None:
        self._core = core
        self._sim = sim
        self.radio = radio
        self.on_accept: Callable[[int], None] = lambda act: None
        self.timers: tuple[str, str] = ("", "")
        self._pause_s = 0.0
        self.cell = core.profile.cell
        self.on_change: list[Callable[[bool], None]] = []
        self._search_mode, self._lte_mode = 2, 3
        self._denial, self._no_context = Refusal(core), Refusal(core)
        self.boot()
        commands = [
            Command("+CSQ", "M 3.1", run=self._signal, read=self._signal),
            Command("+CGATT", "S F", self._attach, (Int(0, 1),),
                    lambda call: call.info(f"+CGATT: {int(self.attached)}"), test="+CGATT: (0,1)"),
            Command("+COPS", "M 3.1", self._select,
                    (Int(0, 4), Int(0, 2, optional=True), Text(16, optional=True),
                     Int(0, 9, optional=True)),
                    self._operator, test=self._scan),
            Command("+LTEOPMOD", "F", self._set_lte_mode, (Int(1, 3),),
                    lambda call: call.info(f"+LTEOPMOD: {self._lte_mode}")),
            Command("+PSRAT", "F", run=self._rat, read=self._rat),
        ]  # fmt: skip
        if core.profile.quirks.cell_info:
            commands.append(Command("+LSCELLINFO", "F", run=self._cell_info))
        modes = [self._mode_command(name) for name in ("+MODODR", "+MODODREX")]
        reports = [self._report_command(name) for name in (EPS, GPRS)]
        self.commands = (*commands, *modes, *reports)

    def boot(self) -> None:
        """Settings of the session are gone; the search begins when the SIM is ready."""
        self.act: int | None = None  # <AcT> of the cell in use
        self.reports = {EPS: Report(), GPRS: Report()}
        self._format = 2
        self._radio = True
        self._wanted = True
        self._selection = 0
        self._search = None
        self._asleep = False

    def sleep(self) -> None:
        """PSM: registered, but nothing on the air is seen."""
        self._asleep = True

    def wake(self) -> None:
        """The firmware starts again after PSM: its settings are lost, the registration is not."""
        self._asleep = False
        self._format = 2
        for report in self.reports.values():
            report.mode = 0

    def back(self) -> None:
        """The cell has been found again after PSM."""
        for fn in self.on_change:
            fn(True)

    @property
    def shows_timers(self) -> bool:
        """The DTE has asked for them with AT+CEREG=4 or 5."""
        return self.reports[EPS].mode >= 4

    @property
    def attached(self) -> bool:
        """Registered, at home or roaming."""
        return self.act is not None

    @property
    def detached(self) -> bool:
        """Not registered because the DTE wants it so."""
        return not (self._radio and self._wanted)

    # What happens to the module -------------------------------------------------------------

    def search(self) -> None:
        """Look for a network if SIM, radio and settings allow it."""
        if self._asleep:
            return
        if self._search:
            self._search.cancel()
            self._search = None
        if not (self._sim.ready and self._radio and self._wanted):
            told = self.attached and self.cell.covered
            self._set(OFFLINE, None)
            if told:
                self.radio.signal(self.radio.link.detach, "detach", self._off_air, brief=True)
            else:
                self._off_air()
            return
        self._set(SEARCHING, None)
        self.radio.leave(State.SEARCH, "search")
        self._pause_s = self.radio.link.first_pause
        # The usual time holds attach, which the radio does by itself.
        act = self._best()
        seconds = self._core.profile.latency.registration - self._attach_s(act)
        self._search = self._core.later(seconds * self.radio.connect_factor, self._found)

    def tau(self, cause: str) -> None:
        """A tracking-area update, if registered (24.301 clause 5.5.3)."""
        if self.act is not None and not self._asleep:
            self.radio.signal(self.radio.air().tau, cause, self._updated, brief=True)

    def uplink(
        self, size: int, cause: str, delay_s: float, then: Callable[[], None], opens: bool = False
    ) -> None:
        """`then()` when `size` bytes have reached the other end: the time on the air and
        `delay_s` behind the base station. Comes too when there is no network.

        opens -- it opens a context or a connection
        """

        def sent() -> None:
            self.radio.expect(delay_s, opens)
            self._core.later(delay_s, then)

        self.radio.send(size, cause, sent)

    def _off_air(self) -> None:
        self.radio.leave(State.IDLE, "radio off")

    def _attach_s(self, act: int | None) -> float:
        return min(self.radio.air(act).attach, self._core.profile.latency.registration)

    def set_radio(self, on: bool) -> None:
        """AT+CFUN: radio on or off."""
        self._radio = on
        self.search()

    def _found(self) -> None:
        self._search = None
        act = self._best()
        if act is None:  # restore() or a setting starts a new search at once
            self._search = self._core.later(self.radio.link.search_time, self._rest)
            return
        self.radio.act = act
        self.radio.signal(self._attach_s(act), "attach", lambda: self._answered(act))

    def _rest(self) -> None:
        """Nothing found: a pause that doubles, then the next scan (inferred)."""
        self.radio.leave(State.IDLE, "no service")
        self._search = self._core.later(self._pause_s, self._scan_again)
        self._pause_s = min(2 * self._pause_s, self.radio.link.longest_pause)

    def _scan_again(self) -> None:
        self.radio.leave(State.SEARCH, "search")
        self._found()

    def _answered(self, act: int) -> None:
        """The network accepts or rejects the attach."""
        cause = self.cell.denied_cause
        if self._denial.holds(cause):
            self._set(DENIED, None, self._domain(act))
            self.radio.leave(State.IDLE, "denied")
            if cause in TIMED and self.cell.backoff_s:
                self._search = self._core.later(self.cell.backoff_s, self._scan_again)
        else:
            self.on_accept(act)
            self._set(ROAMING if self.cell.roaming else HOME, act)

    def refuses_context(self) -> CmeFailure | None:
        """It is asked for a context: how the command ends if it refuses (numbers inferred)."""
        cause = self.cell.denied_context
        if cause is None or not self._no_context.holds(cause):
            return None
        return CmeFailure(cme(cause))

    def _updated(self) -> None:
        """The network accepts or rejects a tracking-area update."""
        act = self.act
        if act is None:
            return
        if self.cell.denied_cause is not None:
            self._answered(act)
            return
        self.on_accept(act)
        # Manual 3.8.1 step 4: told after each attach and update, with the times granted.
        if self.shows_timers and self._domain(act) == EPS:
            self._report(EPS)

    def _best(self) -> int | None:
        if not self.cell.covered:
            return None
        allowed = set(SEARCH_MODES[self._search_mode]) & {GSM, *LTE_MODES[self._lte_mode]}
        usable = [a for a in self.cell.acts if a in allowed]
        return next((a for a in self._core.profile.hardware.rats if a in usable), None)

    @staticmethod
    def _domain(act: int | None) -> str:
        return GPRS if act == GSM else EPS

    def _set(self, stat: int, act: int | None, domain: str = "") -> None:
        was = self.attached
        self.act = act
        domain = domain or (self._domain(act) if act is not None else "")
        for name, report in self.reports.items():
            # The domain that is not in use has nothing to report (field: NB-IoT only +CEREG).
            new = stat if domain in ("", name) and (domain or self._used(name)) else OFFLINE
            if new != report.stat:
                report.stat = new
                self._report(name)
        if was != self.attached:
            for fn in self.on_change:
                fn(self.attached)

    def _report(self, name: str) -> None:
        report = self.reports[name]
        if report.mode:
            self._core.urc(f"{name}: {self._describe(report, report.mode)}")

    def _used(self, name: str) -> bool:
        return name == EPS or GSM in self._core.profile.hardware.rats

    def _describe(self, report: Report, mode: int) -> str:
        """27.007 clauses 10.1.20 and 10.1.22: fields behind <stat>, empty ones as commas."""
        text = str(report.stat)
        registered = report.stat in (HOME, ROAMING)
        if mode >= 2 and registered:
            text += f',"{self.cell.tac}","{self.cell.cell_id}",{self.act}'
        if mode in (3, 5) and report.stat == DENIED:
            area = ",,,," if report is self.reports[EPS] else ",,,,,"  # there is <rac> in GPRS
            text += f"{area}0,{self.cell.denied_cause}"
        if mode in (4, 5) and registered and any(self.timers):
            text += ",,," + ",".join(f'"{bits}"' if bits else "" for bits in self.timers)
        return text

    # What a test does to the network --------------------------------------------------------

    def lose(self) -> None:
        """Coverage ends now; the module searches."""
        self.cell.covered = False
        if self._sim.ready and self._radio:
            self.search()

    def degrade(self, level: int, rssi: int | None = None, rsrp: int | None = None) -> None:
        """Another coverage level, 0 to 2, and perhaps another <rssi> of +CSQ, another RSRP."""
        self.radio.link.coverage = level
        if rssi is not None:
            self.cell.rssi, self.cell.rsrp = rssi, rsrp

    def restore(self) -> None:
        """Coverage is back; the module finds it after its registration time."""
        self.cell.covered = True
        self.search()

    def deny(self, cause: int = 11) -> None:
        """From the next search on the network rejects the module (EMM cause, 24.301 9.9.3.9)."""
        self.cell.denied_cause = cause
        self.search()

    def allow(self) -> None:
        """The network takes the module again, and gives it contexts."""
        self.cell.denied_cause = self.cell.denied_context = None
        self.search()

    def flap(self, stat: int) -> None:
        """The network reports another state of the registration, nothing else changes."""
        name = self._domain(self.act)
        self.reports[name].stat = stat
        self._report(name)

    # Commands -------------------------------------------------------------------------------

    def _signal(self, call: Call) -> None:
        call.info(f"+CSQ: {self.cell.rssi if self.cell.covered and self._radio else 99},99")

    def _attach(self, call: Call) -> None:
        self._sim.require_ready()
        if bool(call.args[0]) != self.attached:
            self._wanted = bool(call.args[0])
            self.search()

    def _operator(self, call: Call) -> None:
        if not self.attached:
            call.info(f"+COPS: {self._selection}")
            return
        name = self.cell.plmn if self._format == 2 else self.cell.operator
        call.info(f'+COPS: {self._selection},{self._format},"{name}",{self.act}')

    def _select(self, call: Call) -> None:
        """27.007 clause 7.3: 0 automatic, 1 manual, 2 deregister, 3 only the format, 4 both."""
        mode, form, name, _ = call.args
        if mode == 3:
            if form is None:
                raise CmeFailure(50)
            self._format = form
            return
        self._sim.require_ready()
        if mode in (1, 4) and name not in (self.cell.plmn, self.cell.operator):
            raise CmeFailure(30)
        self._selection = mode
        wanted = mode != 2
        if wanted != self._wanted or not self.attached:
            self._wanted = wanted
            self.search()

    def _scan(self, call: Call):
        """AT+COPS=?: takes its time (27.007 clause 7.3; duration: field libraries allow 180 s)."""
        cell = self.cell
        act = self._best()

        def done() -> None:
            if act is not None:
                call.info(SCAN_TEXT.format(name=cell.operator, plmn=cell.plmn, act=act))
            call.finish()

        self._core.later(self._core.profile.latency.cops_scan, done)
        return LATER

    def _mode_command(self, name: str) -> Command:
        def write(call: Call) -> None:
            if call.args[0] not in SEARCH_MODES:
                raise Failure
            self._search_mode = call.args[0]
            if self.act is None or self._best() != self.act:
                self.search()

        def read(call: Call) -> None:
            call.info(f"{name}: {self._search_mode}")

        return Command(name, "M 3.3.3, F", write, (Int(0, 9),), read)

    def _set_lte_mode(self, call: Call) -> None:
        if self._core.profile.hardware.rats == (NB_IOT,) and call.args[0] != 2:
            raise Failure  # inferred: the NB variants have nothing else
        self._lte_mode = call.args[0]
        if self.act is None or self._best() != self.act:
            self.search()

    def _report_command(self, name: str) -> Command:
        def write(call: Call) -> None:
            self.reports[name].mode = call.args[0]

        def read(call: Call) -> None:
            report = self.reports[name]
            call.info(f"{name}: {report.mode},{self._describe(report, report.mode)}")

        top = 5 if name == EPS else 3
        return Command(name, "M 3.1, S", write, (Int(0, top, default=0),), read,
                       test=f"{name}: (0-{top})")  # fmt: skip

    def _cell_info(self, call: Call) -> None:
        """Field names as seen; values inferred."""
        if not self.attached:
            raise Failure
        cell = self.cell
        category = {LTE_M: "M1", NB_IOT: "NB1", GSM: "GSM"}[self.act or 0]
        band = 8
        for line in (
            f"GCELLID:{int(cell.cell_id, 16)}", f"TAC:{int(cell.tac, 16)}",
            f"MCC:{cell.plmn[:3]}", f"MNC:{cell.plmn[3:]}", f"CAT:{category}", f"BAND:{band}",
            *self._levels(),
        ):  # fmt: skip
            call.info(line)

    def _levels(self) -> list[str]:
        """EGPRS has no reference signal; what is not known is left out (inferred). RSSI is that of
        +CSQ. RSRQ and SINR: near the medians of the sessions of measured.py at such an RSRP.
        """
        rssi, rsrp = self.cell.rssi, self.cell.rsrp_dbm
        wide = [] if rssi == NO_RSSI else [f"RSSI:{2 * rssi - 113}"]
        if self.act == GSM or rsrp is None:
            return wide
        rsrq = -8 - round(0.55 * max(-118 - rsrp, 0))
        sinr = 12 - round(0.55 * max(-105 - rsrp, 0))
        return [f"RSRP:{rsrp}", f"RSRQ:{rsrq}", *wide, f"SINR:{sinr}"]

    def _rat(self, call: Call) -> None:
        # Words inferred; field firmware looks for a 1 in them when registered on LTE.
        names = {LTE_M: "CAT-M1", NB_IOT: "CAT-NB1", GSM: "GSM", None: "NONE"}
        call.info(f"+PSRAT: {names[self.act]}")
