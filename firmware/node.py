"""What a wake works with: settings, board, state, jobs, and what is sampled until it is kept."""

import asyncio
import time
from binascii import crc32

from micropython import const

from . import CHECKED, ConfigError, boards, clock, files, log, state, telemetry, unload, uplinks
from .outbox import Full, Outbox
from .sensors import load as load_sensor

_LEAST_SLEEP_MS = const(1000)
LONGEST_WAKE_MS = const(300000)  # whatever hangs, the node sleeps again
_TRIAL_PAUSE_MS = const(300000)
_RECORD_BYTES = const(512)  # every uplink takes that much in one message
_TOLD = const(120)  # characters of what is wrong, in a record
_FAILING = "failing"  # file of failing.py: there is none as long as all sensors work


class Node:
    """What a wake works with."""

    # For the health record, since the last session of which tally.py has noted
    sent = 0  # bytes that the far side has confirmed
    received = 0
    refused = 0  # commands
    waiting = 0  # records, before the report
    rest_v = 0.0  # of the battery, 0: not measured; load_v -- while the module transmits
    load_v = 0.0

    hold_s = 0  # the module is to be left alone for so long: the network has refused it

    def __init__(self, settings: dict, problem: str = "", is_start: bool = False) -> None:
        self.settings = settings
        self.problem = problem[:_TOLD]  # with config.json or secrets.json; "": none
        self.board = boards.board(settings)
        cause = self.board.reset_cause() if is_start else "deepsleep"
        self.state = state.begin(self.board, cause)
        self._volts = None  # of the battery, once it is measured
        self._scheduler = None  # while its code is loaded
        self._prospects = None  # of a session
        self._shifted = 0  # the clock, in this wake
        self._ran = []  # (job, when) that the scheduler is to be told
        self.modem = None  # once a session has begun
        self.samples = []  # of this wake, until they are kept
        self.sensed = {}  # sensor: why it failed, "" if it did not; until that is kept
        self.faults = []  # of what the node keeps, in this wake
        self.done = []  # jobs, in this wake
        self.crashed = False
        self.on_trial = False  # whether a setting is
        self.own = None  # what own/memory.py remembers, once it is asked for
        self.is_urgent = False  # what was sampled is to be reported at once
        self.restart_ms = 0  # sleep that long and start afresh, module and all; 0: no
        self.begin_s = self.now()  # of this wake, on the clock as it is set now
        self._begin = time.ticks_ms()
        self._outbox = None

    @property
    def outbox(self) -> Outbox:
        """The records that wait. Opened at its first use, when the session's code is loaded: code
        needs the heap in one piece.
        """
        if self._outbox is None:
            settings = self.settings
            self._outbox = Outbox(
                "outbox",
                settings["outbox.bytes"],
                settings["outbox.policy"],
                self.state.next_seq,
            )
        return self._outbox

    def now(self) -> int:
        """Seconds of the board's clock."""
        return clock.now_s()

    def time_left(self) -> int:
        """ms until the wake must end."""
        return LONGEST_WAKE_MS - time.ticks_diff(time.ticks_ms(), self._begin)

    def progress(self) -> tuple:
        """What changes while the wake gets on: the watchdog's food."""
        modem = 0 if self.modem is None else self.modem.stats["commands"]
        box = self._outbox
        return (modem,) if box is None else (modem, box.next, box.confirmed)

    @property
    def scheduler(self):
        """The scheduler as things stand. Its code is on the heap while a wake begins and ends; in
        between a session needs the room: see rest().
        """
        made = self._scheduler
        if made is None:
            from . import jobs

            made = jobs.scheduler(self.settings, self.state, self.now(), self._shifted)
            jobs.battery(made, self.settings, self._volts)
            for job, at_s in self._ran:
                jobs.ran(made, self.state, job, at_s)
            self._ran.clear()
            self._scheduler = made
        return made

    def prospects(self) -> tuple:
        """What a session has to know beforehand (jobs.prospects). The scheduler is not needed for
        a while then.
        """
        if self._prospects is None:
            from . import jobs

            self._prospects = jobs.prospects(self)
            self.rest()
        return self._prospects

    def rest(self) -> None:
        """The scheduler is not needed for a while."""
        self._scheduler = None
        unload("jobs", "coverage", "waiting", "scheduler", "wiring", "energy")

    def battery(self, volts: float) -> list:
        """It was measured: the periods may be longer. Returns what is to be told of it."""
        self.rest_v = volts
        if self.settings["battery.kind"] != "none":
            from . import battery

            return battery.measured(self, volts)
        self._volts = volts
        self._scheduler = None
        return []

    def plan(self):
        """The scheduler's plan, seen from now."""
        return self.scheduler.plan(self.now())

    def ran(self, job: str) -> None:
        """A job has been done."""
        self.done.append(job)
        self._ran.append((job, max(self.now(), 1)))  # 0 is never
        self._scheduler = None

    async def sample(self, sensors: tuple, limit_ms: int = 0) -> list:
        """Read sensors: names of files in firmware/sensors, or modules. One that fails is left
        out, and told of once.

        limit_ms -- for each of them; 0: it has its own
        """
        samples = []
        for sensor in sensors:
            name = sensor if isinstance(sensor, str) else getattr(sensor, "__name__", "?")
            name = name[name.rfind(".") + 1 :]
            found = None
            why = ""
            try:
                found = (load_sensor(sensor) if isinstance(sensor, str) else sensor).read(self)
                found = await (asyncio.wait_for_ms(found, limit_ms) if limit_ms else found)
                if telemetry.are_samples(found):
                    samples += found
                else:
                    from . import failing

                    why = failing.take(name, found, samples)
            except Exception as error:  # a sensor must not cost the record
                why = _named(error)
                log.warning("sensor failed: %s: %s (%s)", type(error).__name__, error, name)
            if why or found:  # without a value it says nothing, neither that it works
                self.sensed[name] = why
        return samples

    def keep_samples(self) -> None:
        """Put what was sampled in this wake into the outbox, and what the node was told since."""
        samples, self.samples = self.samples, []
        len(self.outbox)  # opened, it may have faults to tell, too
        for fault in log.told():
            self.faults.append(fault)
            if self.state.is_news(fault):
                samples.append(("event", None, fault[:_TOLD]))
        sensed, self.sensed = self.sensed, {}
        if sensed and (any(sensed.values()) or files.is_there(_FAILING)):
            from . import failing

            failing.keep(self, _FAILING, sensed, samples)
        else:
            self.keep(samples, self.begin_s)

    def keep(self, samples: list, at_s: int | None = None) -> bool:
        """Put a record into the outbox, before anything else happens to it. The first one after a
        start tells of that too.

        at_s -- its moment on the board's clock; None: now

        Returns whether it is kept.
        """
        if not samples:
            return False
        cause = self.state.cause
        before = self.outbox.next
        if cause:
            from . import version

            samples = version.start(state.CAUSES[cause]) + samples
        self._keep(samples, at_s)
        if self.outbox.next == before:
            return False
        if cause:
            self.state.cause = 0
            self.board.store(self.state.pack())
        return True

    def _keep(self, samples: list, at_s: int | None) -> None:
        shown = self.now() if at_s is None else at_s
        at = clock.unix(shown)
        try:
            most = _RECORD_BYTES
            stamped = None
            if at is None:
                from . import dates

                most -= dates.BYTES
                stamped = dates.stamped
            numbered = [("seq", None, self.outbox.next)] + samples
            payload = telemetry.senml(self.settings["id"], numbered, at)
            if len(payload) <= most or len(samples) == 1:
                record = self._stored(payload)
                if stamped is not None:
                    record = stamped(record, self.state.starts, shown)
                self._append(record)
                print("sampled", payload)
                return
        except Full as error:
            # The backlog is worth more than this record; its sequence number is not used up.
            log.error("record dropped: %s", error)
            return
        except Exception as error:  # a sample that is no value must not cost the others
            if len(samples) == 1:
                log.error("%s dropped: %s: %s", samples[0][0], type(error).__name__, error)
                return
        half = len(samples) // 2
        self._keep(samples[:half], at_s)
        self._keep(samples[half:], at_s)

    def _stored(self, payload: str) -> bytes:
        """A record as it waits: without the base name, which is the same for all."""
        record = payload.encode()
        record = b"[{" + record[record.find(b'",', 8) + 2 :]
        if self.settings["payload.format"] != uplinks.JSON:
            from . import cbor

            record = cbor.encoded(record)
        return record

    def _append(self, record: bytes) -> None:
        try:
            self.outbox.append(record)
        except OSError as error:
            log.tell("flash takes no records: %s", error)  # it waits in RAM, for this report

    def report_at_once(self) -> None:
        """The next wake comes now and reports, unless the module has to be left alone."""
        self.is_urgent = True

    @property
    def is_full(self) -> bool:
        """Whether so many records wait that they are to be reported, and none has been now."""
        most = self.settings["report.records"]
        if not most or self._outbox is None or "report" in self.done:
            return False
        return len(self._outbox) >= most

    @property
    def has_own(self) -> bool:
        """Whether there are sensors, rules or the like of this node's own: firmware/own."""
        settings = self.settings
        if settings["rules"] or settings["sensors"] or settings["sample.at_least_s"]:
            return True
        return settings["sample.record"] != "each" or files.is_folder("sensors")

    def remember(self) -> None:
        """What the next wake should know of this one's flash."""
        if self._outbox is not None:
            self.state.next_seq = self._outbox.next
        if "report" in self.done:  # all that may have a fault was used
            self.state.still(self.faults)

    def delivered(self, proved: bool) -> None:
        """The report is through. proved -- by a record that was confirmed"""
        self.state.failures = 0
        self.state.last_word = False
        self.state.hold = 0
        self.ran("report")
        if not proved:
            return
        try:
            from . import last_good, trial

            trial.keep()
            last_good.delivered()
            unload("last_good", "trial")
        except Exception as error:  # the records are through, whatever a file has in it
            log.error("configuration not kept: %s: %s", type(error).__name__, error)

    def crash(self, error: BaseException) -> None:
        """What nobody expected has ended the wake: tell it, and start afresh after it."""
        self.crashed = True
        if isinstance(error, ConfigError):  # a pin that this board has not, or not for that
            log.tell("%s", error)
            self.keep_samples()
            return
        log.crash(error)
        files.is_removed(CHECKED)  # what was checked may be wrong after all
        told = []
        if self.settings["health.period_s"]:
            try:
                from . import crashed, tally

                tally.add("R", "crash", self.now())
                told = crashed.samples(self, error)
            except Exception as another:  # it must not cost the event
                log.crash(another)
        self.keep([("event", None, "crash: " + _named(error))] + told)

    def restart(self, pause_ms: int = _LEAST_SLEEP_MS) -> None:
        """Once this wake is over, start afresh and report at once."""
        self.restart_ms = pause_ms

    def failed(self) -> None:
        """No report: leave the module alone for a while, longer after each failure in a row."""
        self.state.failures += 1
        self.state.last_word = False  # one try: there is no charge for more
        if self.on_trial:  # settle soon whether the setting is to blame
            self.restart(max(_TRIAL_PAUSE_MS, self.restart_ms))
        period_s = self.settings["report.period_s"] * self.scheduler.stretch
        salt = crc32(self.settings["id"].encode()) + self.state.wakes
        from . import jobs

        self.state.hold = self.begin_s + jobs.pause_s(period_s, self.state.failures, salt)
        if self.hold_s:
            self.state.hold = self.now() + self.hold_s
        self._scheduler = None

    def set_clock(self, known: int) -> int:
        """A time that was told, as clock.told() gives it. Returns by how many seconds the clock
        was set; 0 also when such a step is not believed yet.
        """
        now = self.now()
        if clock.doubtful(self.state, known, now):
            log.warning("time: %d is not believed before it is told again", known)
            return 0
        if clock.unix(now) is None:
            self._date_records(known - clock.epoch() - now)
        step = clock.correct(self.board, known, now)
        if step:
            since = now - self.state.synced
            if self.state.synced and since > 3600:
                self.state.drift = step * 100000 // since
            log.info("clock set by %d s", step)
            self.begin_s += step
            made = self.scheduler
            from . import jobs

            jobs.step(made, self.state, step)
            self._shifted += step
            if self.own is not None or self.has_own or self.settings["fences"]:
                from .own import stepped

                stepped.shift(self, step)
            if self.modem is not None:
                self.rest()
            if self.settings["health.period_s"]:
                from . import tally

                tally.add("T", step)
        self.state.synced = now + step
        return step

    def _date_records(self, step: int) -> None:
        """The clock is about to be set for the first time."""
        from . import dates

        try:
            dates.learned(self.state.starts, step)
        except OSError as error:
            log.error("records stay without their time: %s", error)


def _named(error: BaseException) -> str:
    """An error in a record: its kind, and its text only where that is ours, as others may hold any
    value.
    """
    name = type(error).__name__
    if isinstance(error, ConfigError):
        return str(error)
    if hasattr(error, "command"):  # the driver's, which a wake need not have loaded
        return "%s: %s" % (name, error)
    return "%s %s" % (name, error.errno) if isinstance(error, OSError) else name
