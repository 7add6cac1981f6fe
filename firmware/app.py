"""One wake: restore, sample, report, persist, sleep.

A wake is a boot: cold start, timed wake and reset take the same path.
"""

import asyncio
import sys
import time

from micropython import const

from c1100 import C1100, C1100Error, PinRefused

from . import boards, config, pin_guard, state, telemetry
from .sensors import battery, link, temperature
from .uplinks.mqtt import Uplink

_LEAST_SLEEP_MS = const(1000)
_LONGEST_WAKE_MS = const(300000)  # whatever hangs, the node sleeps again
_SENSORS = (battery, temperature, link)


class Node:
    """What a wake works with."""

    def __init__(self, settings: dict) -> None:
        self.settings = settings
        self.board = boards.board(settings)
        self.state = state.begin(self.board)
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
    except Exception as error:  # the node must sleep and try again, whatever went wrong
        sys.print_exception(error)
    awake = time.ticks_diff(time.ticks_ms(), begin)
    pause = max(settings["period_s"] * 1000 - awake, _LEAST_SLEEP_MS)
    print("sleeping %d ms" % pause)
    node.board.sleep(pause)


async def _wake(node: Node) -> None:
    await asyncio.wait_for_ms(_report(node), _LONGEST_WAKE_MS)


async def _report(node: Node) -> None:
    settings = node.settings
    modem = node.modem
    try:
        registration = await _start(node)
        print("registered", "roaming" if registration.roaming else "home")
        payload = telemetry.senml(settings["id"], await sample(node))
        print("sampled", payload)
        uplink = Uplink(settings, modem)
        await uplink.send(payload)
        print("published %d bytes" % len(payload))
        await uplink.close()
    finally:
        await _switch_off(modem)


async def _start(node: Node):
    """Bring the module into the network. A PIN that was refused once is never sent again."""
    settings = node.settings
    pin = pin_guard.allowed(settings["pin"])
    try:
        return await node.modem.start(pin, settings["apn"] or None, settings["register_s"])
    except PinRefused:
        pin_guard.refuse(settings["pin"])
        raise


async def sample(node: Node) -> list:
    """Read all sensors; a sensor that fails is left out and named on the console."""
    samples = [("start", None, node.state.starts), ("wake", None, node.state.wakes)]
    for sensor in _SENSORS:
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
