"""Wires a meter to a bench: who tells it what, and what that leaves out.

watch = Watch(meter)
bench = Bench(Board(flash, computing=speed(meter.board)),
              watch.module(lambda timeline, send: VirtualC1100(...)),
              on_event=watch.event, on_board_state=watch.board_state)
bench.run(...)
watch.finish("a day in lockstep", battery="ls26500").save(folder)
"""

from collections.abc import Callable
from dataclasses import replace

from tools.events import Event
from tools.power.currents import Link
from tools.power.meter import Meter
from tools.power.profiles import Profile
from tools.power.run import Run
from tools.timeline import Timeline
from tools.virtual_board.board import Computing
from tools.virtual_c1100 import measured
from tools.virtual_c1100.module import VirtualC1100
from tools.virtual_c1100.profile import GSM, LTE_M, NB_IOT

RAT = {LTE_M: "lte-m", NB_IOT: "nb-iot", GSM: "gsm"}
WOKEN = "node "  # how the firmware greets each wake
BY_ITSELF = ("t3412", "downlink")  # causes of a boot without the host

NOTES = (
    "Modelled: every state of radio and RRC connection as the virtual module and its network take "
    "it, with the inactivity tail, paging as an average, repetitions by coverage level; power "
    "key, boot, PSM; GNSS; the board from its reset on, with its boot time.",
    "The module's processor counts as awake (11 mA in the C1100's class) until "
    "{awake_s:g} s after the last byte from the board, and while the wake pin is asserted "
    "(inferred from SARA-R4).",
    "The radio transmits at full power: the dearest case; the network usually asks for less.",
    "Not modelled: sensors' own consumption, temperature, the supply's losses while the radio is "
    "on.",
)
COMPUTING = (
    "Computing: the instructions of MicroPython's virtual machine are counted, {instruction} each "
    "whatever it calls, and the bytes of code that are loaded, {load} unless it is frozen. Not "
    "modelled: waiting for the flash."
)
NO_COMPUTING = "Not modelled: the firmware's computing time (the board waits in no time)."


def speed(board: Profile, frozen: bool = False) -> Computing:
    """How fast a board computes, from its profile. frozen -- it need not load its code"""
    ns = {name: round(board.figures[name].value * 1000) for name in ("instruction", "load")}
    return Computing(ns["instruction"], 0 if frozen else ns["load"])


class Watch:
    """Listens to one bench. `timeline` and the virtual module are known once it is made."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self._timeline: Timeline | None = None
        self._module: VirtualC1100 | None = None
        self._held = False  # by the wake pin
        self._heard_us: int | None = None  # last byte from the board; None: long ago

    def module(
        self, make: Callable[[Timeline, Callable[[bytes], None]], VirtualC1100]
    ) -> Callable[[Timeline, Callable[[bytes], None]], VirtualC1100]:
        """The maker of the module for the bench: as `make`, but watched."""

        def watched(timeline: Timeline, send: Callable[[bytes], None]) -> VirtualC1100:
            module = make(timeline, send)
            self._timeline, self._module = timeline, module
            module.on_state = self._module_state
            module.gnss.on_running = self._gnss
            return module

        return watched

    def begin(self) -> None:
        """Count from now on."""
        self.meter.close(self._now())
        self.meter.start(self._now())

    def finish(self, title: str, battery: str) -> Run:
        """End here. Returns the run for a report."""
        self.meter.close(self._now())
        counted = ("board", "computing") in self.meter.account.by_state
        figures = self.meter.board.figures
        notes = [
            note.format(awake_s=self._awake_us() / 1e6, **figures)
            for note in (*NOTES, COMPUTING if counted else NO_COMPUTING)
        ]
        return Run.of(self.meter, title, battery, notes)

    def board_state(self, state: str) -> None:
        """The board has changed its state."""
        self.meter.board_state(self._now(), state)

    def event(self, event: Event) -> None:
        """Something has happened on the bench: bytes to the module, its wake pin, a wake."""
        if event.kind == "board":
            self._host(heard=True)
        elif event.kind == "pin" and event.detail.startswith("wake "):
            self._host(held=event.detail == "wake on")
        elif event.kind == "console" and event.detail.startswith(WOKEN):
            self.meter.woken(self._now())

    def _module_state(self, state: str, cause: str) -> None:
        self._host()
        if state in ("off", "boot", "psm"):
            for_host = state == "boot" and cause not in BY_ITSELF
            self._heard_us = self._now() if for_host else None
            self.meter.module_awake(self._now(), self._held or for_host)
            self.meter.gnss(self._now(), False)
        self.meter.module_state(self._now(), state, cause, self._link())

    def _gnss(self, on: bool) -> None:
        self._host()
        self.meter.gnss(self._now(), on)

    def _now(self) -> int:
        # Until the bench has made the module, it stands at the beginning.
        now = self._timeline.now_us if self._timeline else 0
        self._rest(now)
        return now

    def _host(self, heard: bool = False, held: bool | None = None) -> None:
        now = self._now()
        if heard:
            self._heard_us = now
        if held is not None:
            if self._held and not held:
                self._heard_us = now
            self._held = held
        self.meter.module_awake(now, self._held or self._heard_us is not None)

    def _rest(self, now: int) -> None:
        """The processor has gone to sleep in the meantime, if it has not been spoken to."""
        if self._heard_us is not None and now >= self._heard_us + self._awake_us():
            asleep_us, self._heard_us = self._heard_us + self._awake_us(), None
            if not self._held:
                self.meter.module_awake(asleep_us, False)

    def _awake_us(self) -> int:
        return round(self._module.profile.latency.at_idle * 1e6) if self._module else 0

    def _link(self) -> Link:
        assert self._module is not None
        radio = self._module.radio
        rat = None if radio.act is None else RAT[radio.act]
        link = Link(rat, radio.air().cycle, radio.edrx)
        profile = self._module.profile
        if profile.network != measured.NAME:
            return link
        return replace(
            link, level=radio.link.coverage, rsrp=profile.cell.rsrp_dbm, luck=(radio.luck,)
        )
