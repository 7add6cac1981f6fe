"""A session with the module: into the network, deliver, and the cheapest way out of it.

Loaded only in wakes that need the module; those that only sample never load the driver.
"""

import asyncio
import time

from micropython import const

from c1100 import C1100, C1100Error

from . import log, recovery, unload, uplinks
from .state import MODULE

_EARLY_S = const(2)  # a wake may come: what is due then does not wait for the next
_CLOSING_MS = const(40000)  # of a wake, for the way out of the session
_OFF_MS = const(15000)  # until the module is off
_KEY_MS = const(25000)  # until it has heard its key, at the most
_OF_DELIVERY = (
    "aside",
    "commands",
    "delivery",
    "downlink",
    "orders",
    "results",
    "uplinks.broker",
    "uplinks.refusal",
    "uplinks.status",  # it holds the one before
    "uplinks.trust",
)
# And of the driver: what takes the module into the network,
_OF_ARRIVAL = ("start", "search", "sim", "switch", "cclk")
# a session of the module's MQTT.
_OF_MQTT = ("mqtt", "topics", "inbox", "messages", "mqtt_filters", "mqtt_refused", "mqtt_shown")


class Session:
    """node -- app.Node; names -- of the jobs that are due

    What a session opens it closes, whatever becomes of it: the interpreter may live on.
    """

    def __init__(self, node, names: list) -> None:
        self._node = node
        self._names = names
        self._began = time.time_ns()
        self._asked_psm = False
        self._granted = None  # of PSM, once it is known
        self._answers = False  # the module does, for all that is known
        self._flies = False  # it is in flight mode
        self._act = None  # AcT of the network
        self._attach_s = 0  # from the power key to registration; 0: not measured
        self._is_noted = False  # that it is
        board = node.board
        self._wires = {name: board.output(name) for name in ("pwrkey", "wake")}
        self._wires["status"] = board.input("status")
        self._wires["doze"] = board.light_sleep if node.settings["sleep.doze"] else None
        cut = board.output("cut")
        from .delivery import Delivery

        self._last = node.state.reported
        known = node.prospects()
        self._key, self._tail_s, self._lingers_s, self._preferred = known[:4]
        self._cycle_s, self._waited, self._usual_s = known[4:]
        if not self._key and not node.state.failures:
            cut = None  # who knows whether the module starts with its supply
        self._uart = board.uart()  # last: what fails before it has opened nothing
        self.modem = node.modem = C1100(self._uart, **self._wires)
        self._delivery = [Delivery(node, self.modem, self._forgets)]  # until all is delivered
        self._ladder = recovery.Recovery(self.modem, self._time_left, cut, self._key)

    def _time_left(self) -> int:
        return self._node.time_left() - _CLOSING_MS

    async def run(self) -> None:
        """All that is due. What was sampled is kept whatever happens; errors are told."""
        node = self._node
        ladder = self._ladder
        told = 0
        settled = False
        failed = "Timeout"  # if nothing says why
        try:
            try:
                await ladder.run(self._start)
                if "position" in self._names:
                    await self._locate()
                if "report" in self._names:
                    await ladder.run(self._attach)
                    await self._measure()
                    if node.settings["health.period_s"]:
                        await self._look_at_health()
                    unload("arrival")
                    self.modem.forget(*_OF_ARRIVAL)
                    await asyncio.sleep_ms(0)  # the watchdog's turn, before flash is written
            finally:
                told = len(ladder.events)
                node.samples += _events(ladder.events)
                node.keep_samples()
            if "report" in self._names:
                await asyncio.sleep_ms(0)
                await self._deliver()
                self._unload()
            await asyncio.sleep_ms(0)  # the watchdog's turn, before more code is loaded
            settled = await self._settle()
        except C1100Error as error:
            failed = type(error).__name__
            log.error("wake failed: %s: %s", failed, error)
            self._unload()
            from . import backoff

            settled = backoff.settle(node, self.modem, error)
            if node.hold_s:
                failed = "RegistrationDenied"  # whatever was refused
        finally:
            try:
                try:
                    if node.settings["health.period_s"]:
                        self._note(failed)
                    node.keep(_events(ladder.events[told:]))  # for the next report
                finally:
                    if not settled:
                        await self._switch_off()
            finally:
                await self._close()

    async def _look_at_health(self) -> None:
        from . import tally

        node = self._node
        node.waiting = len(node.outbox)
        try:
            if tally.is_due(node.begin_s + _EARLY_S, node.settings["health.period_s"]):
                from . import health

                node.keep_samples()  # made before
                await health.keep(node, self._act)
                del health
                unload("health")  # the report needs the room
                node.rest()
        except Exception as error:  # it must not cost the report
            log.crash(error)

    def _note(self, failed: str) -> None:
        from . import tally

        node = self._node
        if "report" not in self._names or "report" in node.done:
            failed = ""
        try:
            tally.session(node, failed, self._attach_s, node.now() - node.begin_s)
        except Exception as error:  # a count that cannot be kept costs nothing else
            log.crash(error)

    async def _deliver(self) -> None:
        # Apart: what stands on the stack of run() is held until something else stands there.
        await self._ladder.run(self._delivery[0].run, self._attach)

    def _unload(self) -> None:
        """Delivery is done: its heap is for the plan."""
        self._delivery.clear()  # del would leave it on the heap
        unload("arrival", *_OF_DELIVERY)
        unload(*["uplinks." + name for name in uplinks.UPLINKS])
        self.modem.forget(*_OF_MQTT)

    # Into the network, and out of it: their code is loaded for it ------------------------------

    @property
    def _was_off(self) -> bool:
        return MODULE[self._node.state.module] in ("unknown", "off")

    async def _start(self) -> None:
        from . import arrival

        await arrival.start(self)

    async def _locate(self) -> None:
        from . import arrival

        await arrival.locate(self)

    async def _attach(self) -> None:
        from . import arrival

        await arrival.attach(self)

    async def _measure(self) -> None:
        from . import arrival

        await arrival.measure(self)

    async def _forgets(self) -> bool:
        from . import departure

        return await departure.forgets(self)

    async def _settle(self) -> bool:
        from . import departure

        return await departure.settle(self)

    async def _switch_off(self) -> None:
        state = self._node.state
        state.tau = 0
        state.module = MODULE.index("off")
        try:
            await asyncio.wait_for_ms(self._off(), _OFF_MS)
            return
        except (C1100Error, asyncio.TimeoutError) as error:
            log.warning("module not off: %s: %s", type(error).__name__, error)
        # Whatever still waits for its answer ends now, and a driver that knows nothing tries.
        self.modem.close()
        self.modem = C1100(self._uart, **self._wires)
        try:
            await asyncio.wait_for_ms(self._off(), _KEY_MS)
        except (C1100Error, asyncio.TimeoutError) as error:
            log.error("module stays on: %s: %s", type(error).__name__, error)

    async def _off(self) -> None:
        if self._key:
            await self.modem.power_off()
        else:  # nothing would switch it on again: the UART ends this
            await self.modem.radio(False)
            self.modem.rest()

    async def _close(self) -> None:
        self.modem.close()
        await asyncio.sleep_ms(0)  # its tasks end before they lose their UART
        self._uart.deinit()


def _events(names: list) -> list:
    return [("event", None, name) for name in names]
