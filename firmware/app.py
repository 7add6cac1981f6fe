"""One wake: restore, what is due, persist, sleep.

A wake is a boot: cold start, timed wake and reset take the same path. The driver is loaded only
when a job needs the module.
"""

import asyncio
import gc
import os
import sys
import time
from binascii import crc32
from errno import ENOENT

from micropython import const

from . import (
    boards,
    clock,
    dates,
    energy,
    jobs,
    last_good,
    log,
    state,
    telemetry,
    trial,
)
from .outbox import Full, Outbox
from .sensors import SENSORS
from .sensors import load as load_sensor
from .watch import Watch

_LEAST_SLEEP_MS = const(1000)
_LONGEST_WAKE_MS = const(300000)  # whatever hangs, the node sleeps again
_LONGEST_SLEEP_S = const(86400)
_SAFE_MODE_S = const(600)
_AFTER_SAFE_MODE_MS = const(3600000)
_CRASH_SLEEP_MS = const(60000)
_TRIAL_PAUSE_MS = const(300000)
_SENSOR_MS = const(30000)  # a sensor that does not answer must not cost the wake
_RECORD_BYTES = const(512)  # every uplink takes that much in one message
_PROBLEM_CHARACTERS = const(120)  # of what is wrong with the configuration, in a record
_ANYTHING = (Exception, asyncio.CancelledError)  # MicroPython's is no Exception
_TRACES = ("config.good", "outbox")  # of a node that has been at work
_FAILING = "failing"  # file of failing.py: there is none as long as all sensors work
_LOST_SLEEP_MS = const(300000)  # after a wake that could not even begin
_UNUSABLE_SLEEP_MS = const(3600000)  # until an unusable configuration is looked at again
_PROMPT_MS = const(5000)
_PATIENCE_S = const(60)  # besides the patience with the network
_AT_PROMPT_S = const(3600)


class Node:
    """What a wake works with."""

    def __init__(self, settings: dict, problem: str = "", is_start: bool = False) -> None:
        self.settings = settings
        self.problem = problem  # with config.json or secrets.json; "": none
        self.board = boards.board(settings)
        cause = self.board.reset_cause() if is_start else "deepsleep"
        self.state = state.begin(self.board, cause)
        self.scheduler = jobs.scheduler(settings, self.state, self.now())
        self.modem = None  # once a session has begun
        self.samples = []  # of this wake, until they are kept
        self.sensed = {}  # sensor: why it failed, "" if it did not; until that is kept
        self.faults = []  # of what the node keeps, in this wake
        self.done = []  # jobs, in this wake
        self.crashed = False
        self.on_trial = False  # whether a setting is
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
        return _LONGEST_WAKE_MS - time.ticks_diff(time.ticks_ms(), self._begin)

    def progress(self) -> tuple:
        """What changes while the wake gets on: the watchdog's food."""
        modem = 0 if self.modem is None else self.modem.stats["commands"]
        box = self._outbox
        return (modem,) if box is None else (modem, box.next, box.confirmed)

    def plan(self):
        """The scheduler's plan, seen from now."""
        return self.scheduler.plan(self.now())

    def ran(self, job: str) -> None:
        """A job has been done."""
        self.done.append(job)
        jobs.ran(self.scheduler, self.state, job, max(self.now(), 1))  # 0 is never

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
                samples.append(("event", None, fault[:_PROBLEM_CHARACTERS]))
        sensed, self.sensed = self.sensed, {}
        if sensed and (any(sensed.values()) or _FAILING in os.listdir()):
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
        most = _RECORD_BYTES if at is not None else _RECORD_BYTES - dates.BYTES
        try:
            numbered = [("seq", None, self.outbox.next)] + samples
            payload = telemetry.senml(self.settings["id"], numbered, at)
            if len(payload) <= most or len(samples) == 1:
                record = payload.encode()
                if at is None:
                    record = dates.stamped(record, self.state.starts, shown)
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

    def _append(self, record: bytes) -> None:
        try:
            self.outbox.append(record)
        except OSError as error:
            log.tell("flash takes no records: %s", error)  # it waits in RAM, for this report

    def remember(self) -> None:
        """What the next wake should know of this one's flash."""
        if self._outbox is not None:
            self.state.next_seq = self._outbox.next
        if "report" in self.done:  # all that may have a fault was used
            self.state.still(self.faults)

    def delivered(self, proved: bool) -> None:
        """The report is through. proved -- by a record that was confirmed"""
        self.state.failures = 0
        self.state.hold = 0
        self.scheduler.hold_s = None
        self.ran("report")
        if not proved:
            return
        try:
            trial.keep()
            last_good.delivered()
        except Exception as error:  # the records are through, whatever a file has in it
            log.error("configuration not kept: %s: %s", type(error).__name__, error)

    def crash(self, error: BaseException) -> None:
        """What nobody expected has ended the wake: tell it, and start afresh after it."""
        self.crashed = True
        if isinstance(
            error, last_good.ConfigError
        ):  # a pin that this board has not, or not for that
            log.tell("%s", error)
            self.keep_samples()
            return
        log.crash(error)
        last_good.forget()
        self.keep([("event", None, "crash: " + _named(error))])

    def restart(self, pause_ms: int = _LEAST_SLEEP_MS) -> None:
        """Once this wake is over, start afresh and report at once."""
        self.restart_ms = pause_ms

    def failed(self) -> None:
        """No report: leave the module alone for a while, longer after each failure in a row."""
        self.state.failures += 1
        if self.on_trial:  # settle soon whether the setting is to blame
            self.restart(_TRIAL_PAUSE_MS)
        period_s = self.settings["report.period_s"] * self.scheduler.stretch
        salt = crc32(self.settings["id"].encode()) + self.state.wakes
        pause = jobs.pause_s(period_s, self.state.failures, salt)
        self.state.hold = self.scheduler.hold_s = self.begin_s + pause

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
            jobs.step(self.scheduler, self.state, step)
        self.state.synced = now + step
        return step

    def _date_records(self, step: int) -> None:
        """The clock is about to be set for the first time."""
        try:
            dates.learned(self.state.starts, step)
        except OSError as error:
            log.error("records stay without their time: %s", error)


def main() -> None:
    """Wake, work and sleep for ever.

    Returns to the prompt only when the configuration is unusable, and none ever was usable here:
    a node that has been at work has nobody at its prompt.
    """
    is_start = True  # not once a light sleep has ended
    while True:
        settings = None
        try:
            settings, problem = last_good.settings("", is_start and not boards.is_woken())
            log.begin(settings["log.level"], [settings[key] for key in last_good.SECRETS])
            _live(settings, problem, is_start)
            is_start = False
        except KeyboardInterrupt:
            # Somebody wants the prompt. The watchdog cannot be stopped, but told to wait.
            settings = settings or _defaults()
            if settings["watchdog_s"]:
                boards.board(settings).watchdog(_AT_PROMPT_S * 1000)
            raise
        except last_good.ConfigError as error:
            print("configuration:", error)
            if not _was_at_work():
                return
            _sleep(settings, _UNUSABLE_SLEEP_MS)
        except _ANYTHING as error:  # the node must sleep and try again, whatever went wrong
            log.crash(error)
            _count_trial()
            last_good.forget()
            _sleep(settings, _LOST_SLEEP_MS)


def _was_at_work() -> bool:
    """Whether this node has ever had a configuration that could be used."""
    for name in _TRACES:
        try:
            os.stat(name)
        except OSError as error:
            if error.errno == ENOENT:
                continue
        return True
    return False


def _defaults() -> dict:
    """Settings, where none are known."""
    from . import config

    return {key: rule[0] for key, rule in config.SCHEMA.items()}


def _sleep(settings: dict | None, ms: int) -> None:
    """Deep sleep where nothing that the node has can be relied on."""
    time.sleep_ms(_PROMPT_MS)  # Ctrl-C, which mpremote sends first, ends it
    try:
        boards.board(settings or _defaults()).sleep(ms)
    except Exception as error:  # a pin that this board does not have
        sys.print_exception(error)
        import machine

        machine.deepsleep(ms)


def _live(settings: dict, problem: str, is_start: bool) -> None:
    """One wake, and the sleep after it, which only a short one returns from."""
    node = Node(settings, problem, is_start)
    current = node.state
    if is_start and (current.cause or current.is_stuck):
        from . import start

        start.tell(node)
    for fault in log.told():  # once more, where it is kept
        log.tell("%s", fault)
    if problem:
        log.error("configuration: the last good one instead of %s", problem)
    log.info("node %s start %d wake %d", settings["id"], current.starts, current.wakes)
    stuck = current.is_stuck
    if stuck:
        _safe_mode(current)
    else:
        _wake(node)
    plan = node.plan()
    if node.restart_ms:
        current.sampled = current.reported = current.hold = 0  # due at once
    node.remember()
    state.finish(node.board, current)
    pause = max(min(plan.wait_s, _LONGEST_SLEEP_S) * 1000, _LEAST_SLEEP_MS)
    if stuck:
        pause = max(pause, _AFTER_SAFE_MODE_MS)
    elif node.crashed:
        pause = max(pause, _CRASH_SLEEP_MS)
    elif node.restart_ms:
        pause = node.restart_ms
    log.info("sleeping %d ms", pause)
    log.flush()
    if stuck or node.crashed or node.restart_ms or plan.board == energy.DEEP:
        node.board.sleep(pause)  # the next wake is a boot
    node.board.light_sleep(pause)


def _wake(node: Node) -> None:
    plan = node.plan()
    if plan.wait_s > 0:
        return  # woken early: the next plan says how to go on
    names = [job.name for job in plan.jobs]
    if "report" in names:
        node.on_trial = _count_trial()
    try:
        session = _load_session(node, names)
        work = _work(node, names, session, _watch(node))
        asyncio.run(asyncio.wait_for_ms(work, _LONGEST_WAKE_MS))
    except _ANYTHING as error:
        node.crash(error)
    finally:
        asyncio.new_event_loop()  # nothing of this wake's may go on in the next one
    for name in names:  # a try in each period, whatever came of it
        if name != "report" and name not in node.done:
            node.ran(name)
    if "report" in names and "report" not in node.done:
        node.failed()


def _watch(node: Node) -> Watch | None:
    """The watchdog's keeper; a wake without it is better than none."""
    settings = node.settings
    if not settings["watchdog_s"]:
        return None
    patience_s = settings["register_s"] + _PATIENCE_S
    try:
        return Watch(node.board, settings["watchdog_s"], node.progress, patience_s)
    except Exception as error:
        log.crash(error)
        return None


def _named(error: BaseException) -> str:
    """An error in a record: its kind, and its text only where that is ours, as others may hold any
    value.
    """
    name = type(error).__name__
    if isinstance(error, last_good.ConfigError):
        return str(error)
    if hasattr(error, "command"):  # the driver's, which a wake need not have loaded
        return "%s: %s" % (name, error)
    return "%s %s" % (name, error.errno) if isinstance(error, OSError) else name


def _count_trial() -> bool:
    """Whether a setting is on trial; it has a wake less for it from now on."""
    try:
        return trial.count()
    except Exception as error:
        log.error("trial not counted: %s: %s", type(error).__name__, error)
        return True


def _load_session(node: Node, names: list):
    """The code of a session if one is due; None also where it cannot be loaded: a sample is kept
    without it.
    """
    if "report" not in names and "position" not in names:
        return None
    gc.collect()
    try:
        from . import uplinks
        from .session import Session

        uplinks.load(node.settings["uplink.first"])
        if node.settings["commands.key"]:
            from . import downlink  # noqa: F401 -- while the heap is in one piece
        return Session
    except Exception as error:
        node.crash(error)
        return None


async def _work(node: Node, names: list, session, watch: Watch | None) -> None:
    """Sample whatever the network does; then deliver what waits."""
    watching = None if watch is None else asyncio.create_task(watch.run())
    try:
        if "sample" in names:
            await _sample(node)
        if session is not None:
            await session(node, names).run()
    finally:
        if watching is not None:
            watching.cancel()
        node.keep_samples()
        await asyncio.sleep_ms(0)  # what was cancelled ends


async def _sample(node: Node) -> None:
    samples = node.samples
    samples += [("start", None, node.state.starts), ("wake", None, node.state.wakes)]
    if node.problem:
        samples.append(("event", None, node.problem[:_PROBLEM_CHARACTERS]))
    samples += await node.sample(SENSORS, _SENSOR_MS)
    for name, _, value in samples:
        if name == "battery" and isinstance(value, (int, float)):
            jobs.battery(node.scheduler, node.settings, value)


def _safe_mode(current: state.State) -> None:
    """The node keeps restarting: leave the module alone, and the prompt to whoever comes.

    Ctrl-C, which mpremote sends first, ends it. Afterwards the node sleeps, and tries again.
    """
    log.error("safe mode: %d wakes in a row did not end in sleep", current.unfinished - 1)
    for _ in range(_SAFE_MODE_S):
        time.sleep(1)
