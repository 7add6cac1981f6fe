"""A session with the module: into the network, deliver, and the cheapest way out of it.

Loaded only in wakes that need the module; those that only sample never load the driver.
"""

import asyncio
import time

from micropython import const

from c1100 import C1100, C1100Error, at, dialect, timers

from . import log, recovery, unload, uplinks
from .state import MODULE, WAITS

_ASK_AGAIN_S = const(86400)  # a network that has refused PSM is asked again
_RESTLESS = const(4)
_DEAD = const(4)  # battery.DEAD
_EARLY_S = const(2)  # a wake may come: what is due then does not wait for the next
_UPDATE_S = const(60)  # about a tracking-area update the module may be awake
_NB_IOT = const(9)  # AcT of +CEREG (27.007 7.29)
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
        board = node.board
        self._wires = {name: board.output(name) for name in ("pwrkey", "wake")}
        self._wires["status"] = board.input("status")
        self._wires["doze"] = board.light_sleep if node.settings["sleep.doze"] else None
        cut = board.output("cut")
        from . import jobs, release, wiring
        from .delivery import Delivery

        self._key = wiring.can_end(node.settings, "off")
        made = node.scheduler
        self._last = node.state.reported
        self._waited = made.poor  # the report has, for a better signal
        self._tail_s = release.Release(node, None).tail_s
        self._preferred = jobs.preferred(made, node.state, node.settings, self._tail_s)
        self._cycle_s = node.settings["sleep.edrx_s"] if "edrx" in made.allowed else 0
        node.rest()
        unload("release")
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
            finally:
                told = len(ladder.events)
                node.samples += _events(ladder.events)
                node.keep_samples()
            if "report" in self._names:
                await self._deliver()
                self._unload()
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
                if node.settings["health.period_s"]:
                    self._note(failed)
                node.keep(_events(ladder.events[told:]))  # for the next report
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
        tally.session(node, failed, self._attach_s, node.now() - node.begin_s)

    async def _deliver(self) -> None:
        # Apart: what stands on the stack of run() is held until something else stands there.
        await self._ladder.run(self._delivery[0].run, self._attach)

    def _unload(self) -> None:
        """Delivery is done: its heap is for the plan."""
        self._delivery.clear()  # del would leave it on the heap
        unload(*_OF_DELIVERY)
        unload(*["uplinks." + name for name in uplinks.UPLINKS])

    # Into the network -----------------------------------------------------------------------

    async def _start(self) -> None:
        await self.modem.power_on()
        self._answers = True
        if MODULE[self._node.state.module] == "psm":
            self._note_rest()

    def _note_rest(self) -> None:
        """A network may grant PSM and a module never enter it, which costs more than any other
        way to spend the time. Found awake so many times in a row, it counts as refused.
        """
        state = self._node.state
        if not self.modem.was_awake:
            state.restless = 0
            return
        if state.tau and state.psm_tau:
            since_s = (self._node.now() - state.tau + _UPDATE_S) % state.psm_tau
            if since_s < 2 * _UPDATE_S + state.psm_active:
                return  # it is awake for its update
        state.restless += 1
        if state.restless >= _RESTLESS:
            log.warning("psm is granted and never entered")
            state.restless = state.psm_active = 0
            state.psm_asked = self._node.now()

    async def _locate(self) -> None:
        """A position, before the module attaches: one that has just started keeps its radio off
        meanwhile, else it would attach, and wait connected while the receiver searches.
        """
        if self._was_off and not self.modem.was_awake:
            try:
                await self.modem.radio(False, sim=True)
                self._flies = True
            except C1100Error as error:
                log.warning("no flight mode: %s", error)
        node = self._node
        found = await node.sample(("position",))
        node.samples += found
        if node.settings["fences"] or node.settings["position.moved_m"]:
            from .own import wake

            wake.located(node, found, "report" in self._names)
        node.ran("position")  # the module is not needed for it any more

    @property
    def _was_off(self) -> bool:
        return MODULE[self._node.state.module] in ("unknown", "off")

    async def _attach(self) -> None:
        """Bring the module into the network. A PIN that was refused once is never sent again."""
        node = self._node
        settings = node.settings
        if not self._answers:
            await self.modem.power_on()
        self._answers = False  # should this fail, it is asked again
        if self._flies:
            await self.modem.radio(True)
            self._flies = False
        if self._wants_psm():
            await self._ask_for_psm()
        elif not self.modem.can_wake:  # whoever had the module before may have asked for it
            await self.modem.keeps(dialect.PSM_OFF)
        if MODULE[node.state.module] == WAITS:
            from . import backoff

            await backoff.attach_again(self.modem)
        pin = guard = None
        if settings["pin"]:
            from . import pin_guard as guard

            pin = guard.allowed(settings["pin"], node.state)
        begin = self.modem.patience.mark()
        try:
            found = await self.modem.attach(
                pin, settings["apn"] or None, settings["register_s"], not self._was_off
            )
        except C1100Error as error:
            if guard is not None and isinstance(error, at.PinRefused):
                guard.refuse(settings["pin"], node.state)
            elif guard is not None and error.command == dialect.PIN_ENTER.send:
                guard.doubt(settings["pin"], node.state)
            from . import backoff

            limit_ms = settings["register_s"] * 1000
            found = await backoff.elsewhere(self.modem, error, begin, limit_ms)
        if guard is not None and pin is not None:
            guard.accept(pin)
        if self._asked_psm and self.modem.power.is_as_asked(found):
            self._granted = self.modem.power.requested
        self._act = found.act
        log.info("registered %s", "roaming" if found.roaming else "home")
        # What has made commands fail may have damaged what was taken for good.
        self.modem.careful = bool(self._ladder.events)
        if self._was_off and not (
            self.modem.was_registered or "position" in self._names or self._ladder.events
        ):
            # Not by ticks: on an STM32 they stand still while it dozes.
            self._attach_s = (time.time_ns() - self._began) / 1000000000
        await self._ask_for_edrx(found)

    def _wants_psm(self) -> bool:
        """Whether PSM would be the cheapest if the network granted what is configured."""
        node = self._node
        state = node.state
        if not self.modem.can_wake:
            return False
        refused = state.psm_asked and not state.psm_active
        if refused and abs(node.now() - state.psm_asked) < _ASK_AGAIN_S:
            return False
        return self._preferred == "psm"

    async def _ask_for_psm(self) -> None:
        """Before registering, so that the network answers with its acceptance (manual 3.8.1)."""
        settings = self._node.settings
        try:
            await self.modem.power.ask_psm(settings["sleep.tau_s"], settings["sleep.active_s"])
            self._asked_psm = True
        except C1100Error as error:
            log.warning("no psm: %s", error)

    async def _ask_for_edrx(self, found) -> None:
        node = self._node
        cycle_s = self._cycle_s
        if not cycle_s or node.state.edrx:
            return
        rat = timers.NB_S1 if found.act == _NB_IOT else timers.WB_S1
        try:
            granted = await self.modem.power.edrx(cycle_s, rat)
        except C1100Error as error:
            log.warning("no edrx: %s", error)
            return
        node.state.edrx = int(granted.cycle_s) if granted else 0

    async def _measure(self) -> None:
        """What only a module in the network knows: signal, time."""
        node = self._node
        signal = await node.sample(("link",))
        unload("sensors.link")
        # Out of PSM it is in the network and not connected: that shows nothing, see Delivery.
        attached = self._was_off and not self.modem.was_registered
        if attached and node.settings["battery.kind"] != "none":
            from . import battery

            node.samples += battery.loaded(node)
        if self._attach_s:
            self._note_attach()
            if not self._asked_psm and self._wants_psm():
                await self._ask_for_psm()  # it knows only now
        if node.samples:  # no record for that alone
            node.samples += signal
        step = await self._delivery[0].set_clock()
        if node.samples and step:
            node.samples.append(("clock_step", "s", step))

    def _note_attach(self) -> None:
        from . import jobs

        node = self._node
        jobs.attached(node.state, node.settings, self._attach_s)
        self._preferred = jobs.preferred(node.scheduler, node.state, node.settings, self._tail_s)
        node.rest()

    # Out of it ------------------------------------------------------------------------------

    async def _learn_grant(self) -> None:
        """What has come of asking for PSM. Raises C1100Error."""
        if not self._asked_psm:
            return
        state = self._node.state
        granted = self._granted or await self.modem.power.granted()
        self._asked_psm = False
        state.psm_asked = self._node.now()
        state.psm_active = 0 if granted is None else int(granted.active_s) + 1
        state.psm_tau = 0 if granted is None else int(granted.tau_s or 0)
        log.info("psm %s", "refused" if granted is None else "granted %s %s" % tuple(granted))

    async def _forgets(self) -> bool:
        """Whether the module will have lost its connections before it is used again, as far as
        that is known without the scheduler. Raises C1100Error.
        """
        await self._learn_grant()
        if self._preferred == "off":
            return self._key
        # One that is awake for longer keeps them with pings.
        settings, state = self._node.settings, self._node.state
        return self._preferred == "psm" and 0 < state.psm_active <= settings["mqtt.keepalive_s"]

    def _cheapest(self, tail_s: float) -> str:
        """How the module is left. tail_s -- until its connection is released"""
        node = self._node
        state = node.state
        is_dead = state.level == _DEAD and node.settings["battery.kind"] != "none"
        if node.restart_ms or self._flies or is_dead:
            return "off"
        if self._waited is not None and "report" in self._names:
            from . import coverage

            coverage.told(state, node.settings, self._waited)
            self._waited = None
        made = node.scheduler
        from . import jobs

        made.network = jobs.network(state, node.settings, tail_s)
        return jobs.sleep(node, not self._attach_s)

    async def _end_connection(self) -> float:
        """Cut off its tail. Returns for how many seconds there still is one."""
        from .release import Release

        tail = Release(self._node, self.modem, self._last)
        await tail.look()
        return 0 if await tail.end() else tail.own_s

    async def _settle(self) -> bool:
        """Leave the module in the state that costs least until it is needed again."""
        node = self._node
        state = node.state
        if self.modem.asleep and not node.restart_ms:  # already: it may stay so
            state.module = MODULE.index("psm")
            state.tau = 0
            return True
        await self._learn_grant()
        tail_s = self._tail_s
        how = self._cheapest(tail_s)
        if how != "off" and "report" in self._names:
            node.rest()
            tail_s = await self._end_connection()
            unload("release")
            if tail_s:
                how = self._cheapest(tail_s)
        log.info("module %s", how)
        if how == "off":
            return False
        state.module = MODULE.index(how)
        # T3412 begins when the network releases the connection.
        since_s = node.now() + int(tail_s)
        state.tau = since_s + state.psm_tau if how == "psm" and state.psm_tau else 0
        self.modem.rest()
        return True

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
