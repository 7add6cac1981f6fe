"""GNSS (manual 3.4): start, sentences on the UART, fix, end."""

from collections.abc import Callable

from tools.timeline import Timer
from tools.virtual_c1100 import nmea
from tools.virtual_c1100.commandline import Int
from tools.virtual_c1100.commands import Call, Command, Failure
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.faults import Faults

HOT_S, WARM_S = 2 * 3600.0, 24 * 3600.0  # age of orbits up to which a start is hot or warm
READABLE = 25.0  # dB-Hz at which a satellite's data can be read (of this class: inferred)
UNDER_A_ROOF = 12.0  # dB-Hz at the most (inferred)
NO_LIMIT = 9_999_999  # the manual's number of fixes


class Gnss:
    """The receiver. What it knows of the sky survives a reboot, not the loss of supply.

    AT+GPSCONFIG: accuracy in metres, time-out in seconds, number of fixes, seconds between them,
    and two more whose meaning is unknown (order and meaning inferred; the field has five).
    """

    def __init__(self, core: Core, faults: Faults, unix_time: Callable[[], int]) -> None:
        self._core = core
        self._faults = faults
        self._unix_time = unix_time
        self._knows_sky_at: float | None = None
        self.stream: Callable[[bytes], None] = lambda data: None
        self.on_running: Callable[[bool], None] = lambda on: None
        self.boot()
        self.commands = (
            Command("+GPSMODE", "M 3.4", self._set_mode, (Int(1, 4),),
                    lambda call: call.info(f"+GPSMODE: {self._mode}")),
            Command("+GPSCONFIG", "M 3.4, F", self._configure,
                    (Int(1, 10_000), Int(1, 3600), Int(1, NO_LIMIT), Int(1, 3600), Int(0, 9),
                     Int(0, 9, optional=True))),
            Command("+GPSSTART", "M 3.4", run=self._start),
            Command("+GPSEND", "M 3.4", run=lambda call: self._stop()),
            Command("+NMEAS", "F", self._set_flow, (Int(0, 1),)),
            Command("+GPSNMEA", "F", run=self._last),
        )  # fmt: skip

    def boot(self) -> None:
        """The receiver is off, its settings are those of the factory."""
        self._mode = 1
        self._timeout_s, self._count, self._interval_s = 180, NO_LIMIT, 1
        self._flow = True
        self._timer: Timer | None = None
        self._sentences: list[str] = []
        self._started_s = self._fix_at_s = 0.0
        self._fixes = 0

    def forget_sky(self) -> None:
        """The supply was gone: the next start is cold."""
        self._knows_sky_at = None

    @property
    def running(self) -> bool:
        """The receiver draws its current."""
        return self._timer is not None

    def _now(self) -> float:
        return self._core.timeline.now_us / 1e6

    def _set_mode(self, call: Call) -> None:
        self._mode = call.args[0]

    def _configure(self, call: Call) -> None:
        _, self._timeout_s, self._count, self._interval_s, _, _ = call.args

    def _set_flow(self, call: Call) -> None:
        self._flow = bool(call.args[0])

    def _start(self, call: Call) -> None:
        if not self._core.profile.hardware.gnss or self.running:
            raise Failure
        self._started_s, self._fixes = self._now(), 0
        self._fix_at_s = self._started_s + self._time_to_first_fix()
        self._timer = self._core.later(1.0, self._epoch)
        self.on_running(True)

    def _time_to_first_fix(self) -> float:
        latency = self._core.profile.latency
        if self._knows_sky_at is None:
            return latency.fix_cold
        age = self._now() - self._knows_sky_at
        if age <= HOT_S:
            return latency.fix_hot
        return latency.fix_warm if age <= WARM_S else latency.fix_cold

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
            self.on_running(False)

    def _epoch(self) -> None:
        now, profile = self._now(), self._core.profile
        track, cn0 = profile.track, self._cn0(now)
        if cn0 < READABLE:
            self._fix_at_s = max(self._fix_at_s, now + self._time_to_first_fix())
        fixed = track.sky and now >= self._fix_at_s
        if fixed:
            self._knows_sky_at = now
            self._fixes += 1
        elif now - self._started_s >= self._timeout_s:
            self._stop()
            return
        where = nmea.position(track, now) if fixed else None
        moment = self._unix_time() + now % 1
        self._sentences = nmea.epoch(moment, where, cn0, profile.quirks.gsv)
        if self._flow:
            for sentence in self._sentences:
                self.stream(self._damaged(sentence).encode() + b"\r\n")
        if self._fixes >= self._count:
            self._stop()
        else:
            self._timer = self._core.later(self._interval_s if fixed else 1.0, self._epoch)

    def _cn0(self, now: float) -> float:
        """Of the strongest satellite."""
        track = self._core.profile.track
        cn0 = next((db for since, db in reversed(track.cn0) if since <= now), track.cn0[0][1])
        return cn0 if track.sky else min(cn0, UNDER_A_ROOF)

    def _damaged(self, sentence: str) -> str:
        chance = self._faults.active.nmea_damage
        if not chance or self._core.rng.random() >= chance:
            return sentence
        at = self._core.rng.randrange(1, len(sentence))
        return sentence[:at] + chr(ord(sentence[at]) ^ 1) + sentence[at + 1 :]

    def _last(self, call: Call) -> None:
        if not self.running or not self._sentences:
            raise Failure
        call.info("+GPSNMEA:" + "\r\n".join(self._sentences))
