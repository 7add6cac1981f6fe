"""Basic commands, identification and settings: V.250, 3GPP TS 27.007, and field additions."""

import calendar
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import Call, Command, Failure
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.faults import Faults
from tools.virtual_c1100.interpreter import Session
from tools.virtual_c1100.sim import Sim

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)


@dataclass
class Stored:
    """What AT&W keeps over power-off: inferred from V.250 clause 6.1.1 and its kind."""

    session: Session
    baud: int


@dataclass(frozen=True)
class Machine:
    """What these commands do to the module as a whole."""

    session: Callable[[], Session]
    get_baud: Callable[[], int]
    set_baud: Callable[[int], None]
    reboot: Callable[[], None]
    power_off: Callable[[], None]
    set_functionality: Callable[[int], None]


class Identity:
    """ATE, ATV, ATI, AT+CGSN ... and the stored profile."""

    def __init__(self, core: Core, sim: Sim, faults: Faults, machine: Machine) -> None:
        self._core = core
        self._sim = sim
        self._faults = faults
        self._machine = machine
        self._clock_offset_s = 0
        self.functionality = 1
        self.stored = self._factory()
        profile = core.profile
        model = f"C1100 {profile.variant}"
        about = (profile.manufacturer, model, profile.revision, f"IMEI: {profile.imei}")
        onoff = (Int(0, 1, default=0),)
        flag = self._flag
        self.commands = (
            Command("", "S", run=lambda call: None),  # AT alone
            Command("E", "S", self._echo, onoff),
            Command("V", "M 3.1", flag("verbose"), onoff),
            Command("Q", "S", flag("quiet"), onoff),
            Command("I", "S F", lambda call: _lines(call, *about), (Int(0, 9),)),
            Command("Z", "S", self._restore, (Int(0, 1),)),
            Command("&F", "S F", self._reset_session, (Int(0, 1),)),
            Command("&W", "S F", self._store, (Int(0, 1),)),
            Command("S", "S", self._set_register, (Int(0, 99), Int(0, 255)), self._register),
            Command("+GMI", "S", run=lambda call: call.info(profile.manufacturer)),
            Command("+CGMI", "S F", run=lambda call: call.info(profile.manufacturer)),
            Command("+GMM", "S", run=lambda call: call.info(model)),
            Command("+CGMM", "S F", run=lambda call: call.info(model)),
            Command("+GMR", "S", run=lambda call: call.info(profile.revision)),
            Command("+CGMR", "S F", run=lambda call: call.info(profile.revision)),
            Command("+GSN", "S", run=lambda call: call.info(profile.imei)),
            Command("+CGSN", "S F", self._cgsn, (Int(0, 3, default=1),), run=self._serial),
            Command("+CIMI", "S F", run=self._imsi),
            Command("+ICCID", "F", run=self._iccid, read=self._iccid),
            Command("+CCLK", "S F", self._set_clock, (Text(20, 17),), self._clock),
            Command("+CMEE", "S F", self._set_cmee, (Int(0, 2, default=0),), self._cmee,
                    test="+CMEE: (0-2)"),
            Command("+IPR", "S F", self._set_baud, (Int(0, 921600),),
                    lambda call: call.info(f"+IPR: {machine.get_baud()}"),
                    test=f"+IPR: (),({','.join(map(str, BAUDS))})"),
            Command("+CFUN", "M 3.5.1, S", self._cfun, (Int(0, 4), Int(0, 1, default=0)),
                    lambda call: call.info(f"+CFUN: {self.functionality}"),
                    test="+CFUN: (0,1,4),(0,1)"),
            Command("$QCPWRDN", "F", run=self._power_down),
        )  # fmt: skip

    def _factory(self) -> Stored:
        profile = self._core.profile
        return Stored(Session(cmee=profile.quirks.cmee), profile.baud)

    def boot(self) -> Stored:
        """The settings with which the module starts."""
        self.functionality = 1
        return replace(self.stored, session=_copy(self.stored.session))

    def unix_time(self) -> int:
        """Seconds since 1970 by the module's clock."""
        seconds = self._core.timeline.now_us // 1_000_000
        return self._core.profile.start_s + seconds + self._clock_offset_s

    # Settings -------------------------------------------------------------------------------

    def _flag(self, name: str) -> Callable[[Call], None]:
        return lambda call: setattr(self._machine.session(), name, bool(call.args[0]))

    def _echo(self, call: Call) -> None:
        if call.args[0] or not self._faults.active.echo_stuck:
            self._machine.session().echo = bool(call.args[0])

    def _cmee(self, call: Call) -> None:
        call.info(f"+CMEE: {self._machine.session().cmee}")

    def _set_cmee(self, call: Call) -> None:
        self._machine.session().cmee = call.args[0]

    def _register(self, call: Call) -> None:
        number = int(call.raw)
        if number not in self._machine.session().registers:
            raise Failure
        call.info(f"{self._machine.session().registers[number]:03}")

    def _set_register(self, call: Call) -> None:
        number, value = call.args
        if number not in self._machine.session().registers or value > 127:
            raise Failure
        self._machine.session().registers[number] = value

    def _reset_session(self, call: Call) -> None:
        self._load(self._factory().session)

    def _restore(self, call: Call) -> None:
        self._load(self.stored.session)

    def _load(self, wanted: Session) -> None:
        vars(self._machine.session()).update(vars(_copy(wanted)))

    def _store(self, call: Call) -> None:
        self.stored = Stored(_copy(self._machine.session()), self._machine.get_baud())

    def _set_baud(self, call: Call) -> None:
        """The result still comes at the old rate (V.250 clause 6.2.10)."""
        baud = call.args[0] or 115200  # 0 is automatic in V.250; the module's choice: inferred
        if baud not in BAUDS:
            raise Failure
        call.when_sent(lambda: self._machine.set_baud(baud))

    def _cfun(self, call: Call) -> None:
        level, reset = call.args
        if level not in (0, 1, 4):
            raise Failure
        if reset:
            call.when_sent(self._machine.reboot)
            return
        self.functionality = level
        self._machine.set_functionality(level)

    def _power_down(self, call: Call) -> None:
        call.when_sent(self._machine.power_off)

    # Identification -------------------------------------------------------------------------

    def _serial(self, call: Call) -> None:
        call.info(self._core.profile.imei)

    def _cgsn(self, call: Call) -> None:
        """27.007 clause 5.4: 1 IMEI, 2 IMEISV, 3 software version number."""
        imei = self._core.profile.imei
        values = {0: imei, 1: imei, 2: imei[:14] + "01", 3: "01"}
        text = values[call.args[0]]
        call.info(text if call.args[0] == 0 else f'+CGSN: "{text}"')

    def _imsi(self, call: Call) -> None:
        self._sim.require_ready()
        call.info(self._core.profile.sim.imsi)

    def _iccid(self, call: Call) -> None:
        self._sim.require_card()
        call.info(f'+ICCID: "{self._core.profile.sim.iccid}"')  # in quotes: field

    def _clock(self, call: Call) -> None:
        now = time.gmtime(self.unix_time())
        call.info(time.strftime('+CCLK: "%y/%m/%d,%H:%M:%S+00"', now))

    def _set_clock(self, call: Call) -> None:
        try:
            parsed = time.strptime(call.args[0][:17] + " UTC", "%y/%m/%d,%H:%M:%S %Z")
        except ValueError:
            raise Failure from None
        self._clock_offset_s += calendar.timegm(parsed) - self.unix_time()


def _copy(session: Session) -> Session:
    return replace(session, registers=dict(session.registers))


def _lines(call: Call, *lines: str) -> None:
    for line in lines:
        call.info(line)
