"""One wake: restore, sample, report, persist, sleep.

A wake is a boot: cold start, timed wake and reset take the same path.
"""

import asyncio
import sys
import time

from micropython import const

from c1100 import C1100, C1100Error, PinRefused

from . import boards, config, pin_guard, state, telemetry
from .outbox import Outbox
from .sensors import battery, link, temperature
from .uplinks.mqtt import Uplink

_LEAST_SLEEP_MS = const(1000)
_LONGEST_WAKE_MS = const(300000)  # whatever hangs, the node sleeps again
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


def main() -> None:
    """Do one wake and sleep. Returns to the prompt only when the configuration is unusable."""
    begin = time.ticks_ms()
    try:
        settings = config.load()
    except config.ConfigError as error:
        print("configuration:", error)
        return
    node = Node(settings)
    print("node %s start %d wake %d" % (settings["id"], node.state.starts, node.state.wakes))
    try:
        asyncio.run(_wake(node))
    except C1100Error as error:
        print("wake failed: %s: %s" % (type(error).__name__, error))
    except Exception as error:  # the node must sleep and try again, whatever went wrong
        sys.print_exception(error)
    awake = time.ticks_diff(time.ticks_ms(), begin)
    pause = max(settings["period_s"] * 1000 - awake, _LEAST_SLEEP_MS)
    print("sleeping %d ms" % pause)
    node.board.sleep(pause)


async def _wake(node: Node) -> None:
    await asyncio.wait_for_ms(_report(node), _LONGEST_WAKE_MS)


async def _report(node: Node) -> None:
    """Sample whatever the network does; then deliver what waits, oldest first."""
    samples = [("start", None, node.state.starts), ("wake", None, node.state.wakes)]
    samples += await sample(node, _SENSORS)
    try:
        try:
            await _start(node)
            samples += await sample(node, _MODEM_SENSORS)
        finally:
            payload = telemetry.senml(node.settings["id"], samples)
            print("sampled", payload)
            node.outbox.append(payload.encode())
        await _deliver(node)
    finally:
        await _switch_off(node.modem)


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
    await uplink.close()


async def sample(node: Node, sensors: tuple) -> list:
    """Read sensors; one that fails is left out and named on the console."""
    samples = []
    for sensor in sensors:
        try:
            samples += await sensor.read(node)
        except (C1100Error, OSError) as error:
            print("sensor failed:", error)
    return samples


async def _switch_off(modem: C1100) -> None:
    try:
        await modem.power_off()
    except C1100Error as error:
        print("module stays on:", error)
