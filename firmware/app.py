"""One wake: restore, sample, report, persist, sleep.

A wake is a boot: cold start, timed wake and reset take the same path.
"""

import asyncio
import sys
import time
from binascii import crc32

from micropython import const

from c1100 import C1100, C1100Error, PinRefused

from . import boards, config, pin_guard, recovery, state, telemetry
from .outbox import Full, Outbox
from .sensors import battery, link, temperature
from .uplinks.mqtt import Uplink

_LEAST_SLEEP_MS = const(1000)
_LONGEST_WAKE_MS = const(300000)  # whatever hangs, the node sleeps again
_SAFE_MODE_S = const(600)
_GRANT_S = const(10)  # patience with the network's answer to a request for PSM
_SENSORS = (battery, temperature)
_MODEM_SENSORS = (link,)


class Node:
    """What a wake works with."""

    def __init__(self, settings: dict) -> None:
        self.settings = settings
        self.board = boards.board(settings)
        self.state = state.begin(self.board)
        self.outbox = Outbox("outbox", settings["outbox.bytes"], settings["outbox.policy"])
        self.modem = C1100(
            self.board.uart(),
            pwrkey=self.board.output("pwrkey"),
            wake=self.board.output("wake"),
            status=self.board.input("status"),
        )
        self._begin = time.ticks_ms()

    def time_left(self) -> int:
        """ms until the wake must end."""
        return _LONGEST_WAKE_MS - time.ticks_diff(time.ticks_ms(), self._begin)

    def salt(self) -> int:
        """A number that differs between nodes and between wakes."""
        return crc32(self.settings["id"].encode()) + self.state.wakes


def main() -> None:
    """Do one wake and sleep.

    Returns to the prompt only when the configuration is unusable, or from safe mode.
    """
    begin = time.ticks_ms()
    try:
        settings = config.load()
    except config.ConfigError as error:
        print("configuration:", error)
        return
    node = Node(settings)
    current = node.state
    print("node %s start %d wake %d" % (settings["id"], current.starts, current.wakes))
    if current.is_stuck:
        _safe_mode(current)
    else:
        _wake(node)
    state.finish(node.board, current, not len(node.outbox))
    pause = recovery.pause_s(settings["period_s"], current.failures, node.salt())
    pause = max(pause * 1000 - time.ticks_diff(time.ticks_ms(), begin), _LEAST_SLEEP_MS)
    print("sleeping %d ms" % pause)
    node.board.sleep(pause)


def _wake(node: Node) -> None:
    try:
        asyncio.run(asyncio.wait_for_ms(_report(node), _LONGEST_WAKE_MS))
    except C1100Error as error:
        print("wake failed: %s: %s" % (type(error).__name__, error))
    except Exception as error:  # the node must sleep and try again, whatever went wrong
        sys.print_exception(error)


def _safe_mode(current: state.State) -> None:
    """The node keeps restarting: leave the module alone, and the prompt to whoever comes.

    Ctrl-C, which mpremote sends first, ends it. Afterwards the node sleeps, and tries again.
    """
    print("safe mode: %d wakes in a row did not end in sleep" % (current.unfinished - 1))
    for _ in range(_SAFE_MODE_S):
        time.sleep(1)


async def _report(node: Node) -> None:
    """Sample whatever the network does; then deliver what waits, oldest first."""
    samples = [("start", None, node.state.starts), ("wake", None, node.state.wakes)]
    samples += await sample(node, _SENSORS)
    ladder = recovery.Recovery(node.modem, node.time_left)
    asleep = False
    try:
        try:
            await ladder.run(lambda: _start(node))
            samples += await sample(node, _MODEM_SENSORS)
        finally:
            if ladder.events:
                samples.append(("recovery", None, len(ladder.events)))
            _keep(node, samples)
        await ladder.run(lambda: _deliver(node))
        asleep = await _let_sleep(node)
    finally:
        if not asleep:
            await _switch_off(node.modem)


def _keep(node: Node, samples: list) -> None:
    """Put a record into the outbox, before anything else happens to it."""
    payload = telemetry.senml(node.settings["id"], samples)
    print("sampled", payload)
    try:
        node.outbox.append(payload.encode())
    except (Full, OSError) as error:
        # The backlog is worth more than this record; its sequence number is not used up.
        print("record dropped:", error)


async def _start(node: Node) -> None:
    """Bring the module into the network. A PIN that was refused once is never sent again."""
    settings = node.settings
    pin = pin_guard.allowed(settings["pin"])
    try:
        registration = await node.modem.start(pin, settings["apn"] or None, settings["register_s"])
    except PinRefused:
        pin_guard.refuse(settings["pin"])
        raise
    print("registered", "roaming" if registration.roaming else "home")


async def _deliver(node: Node) -> None:
    """Send the backlog; a record leaves the outbox only when the far side has confirmed it."""
    uplink = Uplink(node.settings, node.modem)
    while True:
        batch = node.outbox.peek(1)
        if not batch:
            break
        seq, payload = batch[0]
        await uplink.send(payload)
        node.outbox.ack(seq)
        print("published %d bytes" % len(payload))
    try:
        await uplink.close()
    except C1100Error as error:  # everything has been delivered: no reason to try again
        print("session not closed:", error)


async def sample(node: Node, sensors: tuple) -> list:
    """Read sensors; one that fails is left out and named on the console."""
    samples = []
    for sensor in sensors:
        try:
            samples += await sensor.read(node)
        except (C1100Error, OSError) as error:
            print("sensor failed:", error)
    return samples


async def _let_sleep(node: Node) -> bool:
    """Leave the module to power saving mode, if that is configured and the network grants it.

    It enters PSM by itself once its active time is over, and stays registered.
    """
    settings = node.settings
    if settings["sleep.module"] != "psm":
        return False
    try:
        granted = await node.modem.power.psm(
            settings["sleep.tau_s"], settings["sleep.active_s"], _GRANT_S
        )
    except C1100Error as error:
        print("no psm:", error)
        return False
    print("psm", "refused" if granted is None else "granted %s %s" % tuple(granted))
    return granted is not None


async def _switch_off(modem: C1100) -> None:
    try:
        await modem.power_off()
    except C1100Error as error:
        print("module stays on:", error)
