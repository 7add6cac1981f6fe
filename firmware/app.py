"""One wake: restore, what is due, persist, sleep.

A wake is a boot: cold start, timed wake and reset take the same path. The driver is loaded only
when a job needs the module.
"""

import asyncio
import gc
import sys

from micropython import const

from . import CHECKED, ConfigError, boards, files, log, state, unload
from .node import LONGEST_WAKE_MS, Node
from .sensors import SENSORS
from .settings import Settings
from .watch import Watch

_LEAST_SLEEP_MS = const(1000)
_LONGEST_SLEEP_S = const(86400)
_AFTER_SAFE_MODE_MS = const(3600000)
_CRASH_SLEEP_MS = const(60000)
_SENSOR_MS = const(30000)  # a sensor that does not answer must not cost the wake
_OF_A_SESSION = ("c1100", "firmware.delivery", "firmware.arrival", "firmware.session")
# Modules of this package that a wake begins and ends with; with all that is in a package that has
# a dot here. Of the others, and of the driver, nothing is left once a session is over.
_STAYS = (
    "  app boards boards. clock coverage energy files jobs log marks node outbox own own."
    " scheduler segment sensors settings state tally telemetry uplinks waiting watch wiring "
)
_ANYTHING = (Exception, asyncio.CancelledError)  # MicroPython's is no Exception
_LOST_SLEEP_MS = const(300000)  # after a wake that could not even begin
_UNUSABLE_SLEEP_MS = const(3600000)  # until an unusable configuration is looked at again
_PATIENCE_S = const(60)  # besides the patience with the network
_AT_PROMPT_S = const(3600)


def main() -> None:
    """Wake, work and sleep for ever.

    Returns to the prompt only when the configuration is unusable, and none ever was usable here:
    a node that has been at work has nobody at its prompt.
    """
    is_start = True  # not once a light sleep has ended
    rang = False  # whether a pin has ended that
    while True:
        settings = None
        try:
            settings, problem = _settings(is_start and not boards.is_woken())
            rang = _live(settings, problem, is_start, rang)
            is_start = False
        except KeyboardInterrupt:
            # Somebody wants the prompt. The watchdog cannot be stopped, but told to wait.
            settings = settings or _trouble().defaults()
            if settings["watchdog_s"]:
                boards.board(settings).watchdog(_AT_PROMPT_S * 1000)
            raise
        except ConfigError as error:
            print("configuration:", error)
            if not _trouble().was_at_work():
                return
            _sleep(settings, _UNUSABLE_SLEEP_MS)
        except _ANYTHING as error:  # the node must sleep and try again, whatever went wrong
            log.crash(error)
            _count_trial()
            files.is_removed(CHECKED)
            _sleep(settings, _LOST_SLEEP_MS)


def _settings(is_start: bool) -> tuple:
    """(settings, problem), as last_good.py finds them. What has looked at them goes again."""
    from . import last_good

    found, problem = last_good.settings("", is_start)
    log.begin(found["log.level"], [found[key] for key in last_good.SECRETS])
    last_good.release()
    unload("last_good", "trial")
    return Settings(found), problem


def _trouble():
    """What is to be done where nothing else can be."""
    gc.collect()
    from . import trouble

    return trouble


def _sleep(settings: dict | None, ms: int) -> None:
    _trouble().sleep(settings, ms)


def _safe_mode(current: state.State) -> None:
    _trouble().safe_mode(current.unfinished - 1)


def _live(settings: dict, problem: str, is_start: bool, rang: bool) -> bool:
    """One wake, and the sleep after it, which only a short one returns from. Returns whether a
    pin has ended that.

    rang -- whether one has ended the sleep before
    """
    node = Node(settings, problem, is_start)
    current = node.state
    if is_start and (current.cause or current.is_stuck):
        from . import start

        start.tell(node)
        unload("start", "wiring_cost", "boards.unfit")
    for fault in log.told():  # once more, where it is kept
        log.tell("%s", fault)
    if problem:
        log.error("configuration: the last good one instead of %s", problem)
    log.info("node %s start %d wake %d", settings["id"], current.starts, current.wakes)
    stuck = current.is_stuck
    if stuck:
        _safe_mode(current)
    else:
        if settings["pins.alarm"] != -1:
            rang = rang or (is_start and node.board.woken_by_ring())
            if rang or settings["sensors"]:
                from .own import alarm

                alarm.began(node, rang)
        _wake(node)
        forget(node)
    if node.is_urgent or node.is_full:
        from . import jobs

        jobs.at_once(node.scheduler, current, "report")
    plan = node.plan()
    if node.restart_ms:
        current.sampled = current.reported = current.hold = 0  # due at once
    node.remember()
    pause = max(min(plan.wait_s, _LONGEST_SLEEP_S) * 1000, _LEAST_SLEEP_MS)
    if stuck:
        pause = max(pause, _AFTER_SAFE_MODE_MS)
    elif node.crashed:
        pause = max(pause, _CRASH_SLEEP_MS)
    elif node.restart_ms:
        pause = node.restart_ms
    armed = False
    if settings["pins.alarm"] != -1:
        from .own import alarm

        pause, armed = alarm.before_sleep(node, pause)
    state.finish(node.board, current)
    log.info("sleeping %d ms", pause)
    log.flush()
    if stuck or node.crashed or node.restart_ms or plan.board == "deep":
        _slept(node.board.sleep, pause, armed)  # the next wake is a boot
    return _slept(node.board.light_sleep, pause, armed)


def _slept(sleep, pause: int, armed: bool) -> bool:
    """Whether a pin has ended it."""
    return bool(sleep(pause, True) if armed else sleep(pause))


def _wake(node: Node) -> None:
    plan = node.plan()
    if plan.wait_s > 0:
        return  # woken early: the next plan says how to go on
    names = [job.name for job in plan.jobs]
    if "position" in names:
        from .own import sky

        if sky.is_put_off(node):
            names.remove("position")
            node.ran("position")
    if "report" in names:
        node.on_trial = _count_trial()
    try:
        doing = work(node, names, _watch(node))
        asyncio.run(asyncio.wait_for_ms(doing, LONGEST_WAKE_MS))
    except _ANYTHING as error:
        node.crash(error)
    finally:
        asyncio.new_event_loop()  # nothing of this wake's may go on in the next one
    for name in names:  # a try in each period, whatever came of it
        if name != "report" and name not in node.done:
            node.ran(name)
    if "report" in names and "report" not in node.done:
        node.failed()


def forget(node: Node) -> None:
    """A session is over: its code leaves the heap, as after a deep sleep."""
    node.modem = None
    if "c1100" not in sys.modules:
        return
    for path in list(sys.modules):
        package, _, name = path.partition(".")
        if package == "c1100":
            del sys.modules[path]
        elif package == "firmware" and not _stays(name):
            unload(name)


def _stays(name: str) -> bool:
    return " %s " % name in _STAYS or " %s. " % name.partition(".")[0] in _STAYS


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


def _count_trial() -> bool:
    """Whether a setting is on trial; it has a wake less for it from now on."""
    try:
        from . import trial

        found = trial.count()
        trial.rest()
        unload("trial")
        return found
    except Exception as error:
        log.error("trial not counted: %s: %s", type(error).__name__, error)
        return True


async def work(node: Node, names: list, watch: Watch | None) -> None:
    """Sample whatever the network does; then deliver what waits."""
    watching = None if watch is None else asyncio.create_task(watch.run())
    try:
        if "sample" in names:
            await _sample(node, "report" in names)
        session = await _session(node, names)
        if session is not None:
            await session.run()
    finally:
        if watching is not None:
            watching.cancel()
        node.keep_samples()
        await asyncio.sleep_ms(0)  # what was cancelled ends


async def _session(node: Node, names: list):
    """A session if one is due; None also where its code cannot be loaded: a sample is kept without
    it. The scheduler's is gone by then. One after the other, while the heap is in one piece, and
    with the watchdog's turn in between: flash may be slow.
    """
    if "report" not in names and "position" not in names:
        return None
    try:
        unload(*["sensors." + name for name in SENSORS if isinstance(name, str)])
        node.prospects()
        for path in _OF_A_SESSION:
            await asyncio.sleep_ms(0)
            gc.collect()
            __import__(path)
        await asyncio.sleep_ms(0)
        return _load_session(node, names)(node, names)
    except Exception as error:
        node.crash(error)
        return None


def _load_session(node: Node, names: list):
    from . import uplinks
    from .session import Session

    uplinks.load(node.settings["uplink.first"])
    if node.settings["commands.key"]:
        from . import downlink  # noqa: F401
    return Session


async def _sample(node: Node, is_report: bool) -> None:
    samples = node.samples
    samples += [("start", None, node.state.starts), ("wake", None, node.state.wakes)]
    if node.problem:
        samples.append(("event", None, node.problem))
    found = await node.sample(SENSORS, _SENSOR_MS)
    for name, _, value in found:
        if name == "battery" and isinstance(value, (int, float)):
            samples += node.battery(value)
    if node.has_own:
        from .own import wake

        await wake.sample(node, found, is_report)
    else:
        samples += found
