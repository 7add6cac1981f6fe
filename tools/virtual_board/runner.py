"""One board on a clock: its lives one after another, its chip, and its console.

Whoever owns the clock calls `listen` while the interpreter runs, and moves the timeline while it
waits, sleeps or boots: `tools/lockstep.py` in virtual time, `realtime.py` in real time.
"""

import os
import select
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.events import Event
from tools.timeline import Timeline, Timer
from tools.virtual_board import link
from tools.virtual_board.board import Board, Cause, Life, Wake
from tools.virtual_board.chip import Chip, Module, Wiring
from tools.virtual_board.console import Console
from tools.virtual_board.devices import Devices
from tools.virtual_board.process import BoardError

BUSY = 20  # times as long as alone an interpreter may take on a machine that is busy
BOOT_MS = 300  # from a reset to boot.py; inferred from boards of the ESP32 class
STOPS = {kind for kind, (_, answered) in link.KINDS.items() if answered} | {
    link.STARTED,
    link.ENDED,
    link.DEEPSLEEP,
    link.RESET,
}


class BoardStopped(BoardError):
    """The node will not go on by itself: it crashed, ended, or hangs."""


@dataclass
class Awake:
    """One life of the board: when and why it began and ended, and what it cost this machine."""

    cause: Cause
    start_us: int
    end_us: int | None = None
    end: str = ""
    computing_us: int = 0  # virtual; counted where the board has a speed
    loading_us: int = 0  # of it, for code
    machine_s: float = 0.0
    started_s: float = 0.0  # of it, until the interpreter was at boot.py


class Runner:
    """Runs `board` on `timeline`; powered on from the beginning.

    module -- the virtual C1100 made from (timeline, send), or None
    lockstep -- the interpreter gets its time from here, else it has the host's clock
    uarts -- in real time: descriptors of ttys, by UART number
    on_event -- called with every `Event`, in order
    on_state -- called with "active", "computing", "light-sleep", "deep-sleep" or "off" when it
        changes; it computes where that takes time (Board.computing)
    console_pty -- make `console.name`, a serial port for mpremote
    boot_ms -- milliseconds of this clock from a reset to boot.py
    """

    def __init__(
        self,
        timeline: Timeline,
        board: Board,
        module: Callable[[Timeline, Callable[[bytes], None]], Module] | None = None,
        *,
        lockstep: bool,
        wiring: Wiring | None = None,
        seed: int = 1,
        uarts: dict[int, int] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_state: Callable[[str], None] | None = None,
        console_pty: bool = False,
        boot_ms: int = BOOT_MS,
    ) -> None:
        self.timeline = timeline
        self.board = board
        self.state = "off"
        self.lines: list[tuple[int, str]] = []
        self.wakes: list[Awake] = []
        self.life: Life | None = None
        self._started = False  # until boot.py begins, nobody may interrupt
        self.waiting: tuple[int, int] | None = None  # until (us, -1: for ever), UARTs (bits)
        self.busy_us: int | None = None  # until when it computes what it has done already
        self.at_prompt = False
        self.console = Console(self._console_line, console_pty)
        self._lockstep = lockstep
        self._uarts = uarts
        self._on_event = on_event
        self._on_state = on_state
        self._boot_us = boot_ms * 1000
        self._start_timer: Timer | None = None
        self._life_us = 0
        self._began = 0.0
        self._printed = b""
        self._messages: list[tuple[bytes, tuple[int, ...], bytes]] = []
        self._due: list[tuple[bytes, tuple[int, ...], bytes]] = []  # of them, to be worked on now
        self.chip = Chip(
            timeline, wiring or Wiring(), seed, self.event, self._bite, self._woken,
            Devices(board.virtual),
        )  # fmt: skip
        if module:
            self.chip.module = module(timeline, self.chip.from_module)
            self.chip.module.on_pin = self.chip.module_pin
        self._restart(Cause.POWER_ON)

    def close(self) -> None:
        """End the board's process and give back the PTY."""
        self._end_life("bench closed")
        self.console.close()
        self.board.close()

    def use_cpu(self, cpu: int) -> None:
        """Let the interpreters run on this CPU, where the caller waits for them (Linux)."""
        self.board.launcher.run_on({cpu})
        if self.life is not None and self.life.process.poll() is None:
            os.sched_setaffinity(self.life.process.pid, {cpu})

    def event(self, kind: str, detail: str) -> None:
        """Put something into the log at the present time."""
        if self._on_event:
            self._on_event(Event(self.timeline.now_us, kind, detail))

    def _enter(self, state: str) -> None:
        if state != self.state:
            self.state = state
            if self._on_state:
                self._on_state(state)

    # Lives ----------------------------------------------------------------------------------

    def cut_power(self, off_s: float) -> None:
        """Take the board's supply away for `off_s` seconds."""
        self._end_life("power cut")
        self.chip.stop()
        self._enter("off")
        self._start_later(int(off_s * 1e6), lambda: self._restart(Cause.POWER_ON))

    def press_reset(self) -> None:
        """Press the reset button, in a wake or in deep sleep: RTC memory is kept."""
        self._end_life("reset button")
        self.chip.stop()
        self._restart(Cause.HARD_RESET)

    def _start_later(self, delay_us: int, fn: Callable[[], None]) -> None:
        if self._start_timer:
            self._start_timer.cancel()
        self._start_timer = self.timeline.call_later(delay_us, fn)

    def _restart(self, cause: Cause, wake: Wake = Wake.NONE) -> None:
        """The chip comes out of reset; the interpreter follows after the boot time."""
        self._enter("active")
        if cause is Cause.POWER_ON:
            self.chip.power_on()
        self._start_later(self._boot_us, lambda: self._boot(cause, wake))

    def _boot(self, cause: Cause, wake: Wake = Wake.NONE, raw: bool = False) -> None:
        now = self.timeline.now_us
        self._began = time.perf_counter()
        self._life_us, self.waiting, self.busy_us = now, None, None
        self._started = self.at_prompt = False
        self.wakes.append(Awake(cause, now))
        self.event("boot", cause.name.lower().replace("_", " "))
        self.chip.start()
        self.life = self.board.start(
            cause,
            wake=wake,
            lockstep=self._lockstep,
            rtc_memory=self.chip.rtc_memory,
            rtc_us=self.chip.rtc_us(),
            raw=raw,
            uarts=self._uarts,
        )
        self.console.restarted(self.life, cause, raw)

    def _end_life(self, how: str) -> int:
        """End the interpreter, if one runs. Returns its exit code."""
        life, self.life = self.life, None
        self.waiting = self.busy_us = None
        self._messages.clear()
        self._due.clear()
        if life is None:
            return 0
        status = life.end()
        while data := life.printed():
            self._printed += data
        self.flush_console()
        life.close()
        awake = self.wakes[-1]
        awake.end_us, awake.end = self.timeline.now_us, how
        awake.machine_s = time.perf_counter() - self._began
        self.event("end", how)
        return status

    def _bite(self) -> None:
        self._end_life("watchdog reset")
        self.chip.stop()
        self._restart(Cause.WATCHDOG)

    def _woken(self) -> None:
        if self.state != "deep-sleep":
            return  # it boots already
        self._restart(Cause.DEEP_SLEEP, Wake.PIN)

    def _deepsleep(self, ms: int) -> None:
        self._end_life("deep sleep" if ms < 0 else f"deep sleep for {ms} ms")
        self.chip.stop(deep_sleep=True)
        self._enter("deep-sleep")
        if ms >= 0:
            self._start_later(ms * 1000, lambda: self._restart(Cause.DEEP_SLEEP, Wake.TIMER))

    def _reset(self, soft: int) -> None:
        self._end_life("soft reset" if soft else "reset")
        self.chip.stop(pins=not soft)
        if soft:
            self._boot(Cause.SOFT_RESET)
        else:
            self._restart(Cause.HARD_RESET)

    # The interpreter ------------------------------------------------------------------------

    def listen(self, patience_s: float, attended: bool) -> bool:
        """The interpreter runs: take in what it says, for at most `patience_s` real seconds.

        `attended`: somebody at the PTY may type, and sees what is printed at once. Returns False
        when nothing happened. Raises BoardStopped when the interpreter has crashed.
        """
        life = self.life
        assert life is not None
        sources = [life.link, life.stdout, self.board.launcher]
        host = self.console.host if attended and self._started else None
        if host is not None:
            sources.append(host)
        ready, _, _ = select.select(sources, [], [], patience_s)
        life.flush()
        if host in ready:
            self.console.from_host(life, self._interrupt)
        if life.stdout in ready:
            self._printed += life.printed()
        if life.link in ready and life.link.receive():
            self._handle(life, everything=attended or not self._lockstep)
        elif life.process.poll() is not None:
            self._ended_by_itself()
        if not ready and attended:
            self._handle(life, everything=True)
        if attended:  # also what came with a message, after which there may be no other for long
            self.flush_console()
        return bool(ready)

    def hear(self, stuck_s: float) -> bool:
        """The interpreter runs, and nobody types: take in what it says next.

        Returns False once it has computed for `stuck_s` seconds without a word: on a machine that
        is busy, that takes longer. Raises BoardStopped when the interpreter has crashed.
        """
        life = self.life
        assert life is not None
        limit = time.monotonic() + BUSY * stuck_s
        begin_s = None
        while not self.listen(min(stuck_s / 4, 0.5), attended=False):
            spent_s = life.process.computed_s()
            begin_s = spent_s if begin_s is None else begin_s
            if spent_s - begin_s >= stuck_s or time.monotonic() > limit:
                self._handle(life, everything=True)
                return False
        return True

    def attend(self, timeout_s: float) -> None:
        """The interpreter waits, sleeps or boots: see for a while whether somebody types."""
        host = self.console.host
        if host is None or self.life is None:
            time.sleep(timeout_s)
        elif select.select([host], [], [], timeout_s)[0]:
            self.console.from_host(self.life, self._interrupt)

    def resume(self, interrupt: bytes = b"") -> None:
        """Answer the interpreter's wait: the time, and everything that has happened meanwhile."""
        assert self.life is not None
        self.waiting = None
        self.chip.light_sleep = False
        self._enter("active")
        passed = struct.pack("<q", self.timeline.now_us - self._life_us)
        self.life.link.answer(passed + self.chip.take() + interrupt)

    def _handle(self, life: Life, everything: bool) -> None:
        """Work on the messages, up to the last at which the interpreter stops or on everything.

        What it printed before that one has arrived, so the log has the same order in every run.
        """
        self._messages.extend(iter(life.link.next, None))
        count = len(self._messages)
        while count and not everything and self._messages[count - 1][0] not in STOPS:
            count -= 1
        if not count:
            return
        self._printed += life.printed()
        self._due, self._messages = self._messages[:count], self._messages[count:]
        self.proceed()

    def proceed(self) -> None:
        """Go on with what the interpreter has done, up to where it has computed for a while."""
        life = self.life
        self.busy_us = None
        while life is not None and life is self.life and self._due:
            kind, fields, rest = self._due.pop(0)
            if kind == link.COMPUTED:
                self._compute(*fields)
                return
            if kind != link.STARTED:  # after which it goes on, and may have printed by now, or not
                self.flush_console()
            if kind == link.WAIT:
                us, uarts, light = fields
                self.waiting = (self.timeline.now_us + us if us >= 0 else -1, uarts)
                self.chip.light_sleep = bool(light)
                self._enter("light-sleep" if light else "active")
            elif kind == link.DEEPSLEEP:
                self._deepsleep(*fields)
            elif kind == link.RESET:
                self._reset(*fields)
            elif kind == link.STARTED:
                self._started = True
                self.wakes[-1].started_s = time.perf_counter() - self._began
            elif kind == link.ENDED:
                self.at_prompt = True
            elif (answer := self.chip.handle(kind, fields, rest)) is not None:
                life.link.answer(answer)

    def _compute(self, us: int, loading_us: int) -> None:
        """What follows happens after so much computing."""
        self.wakes[-1].computing_us += us
        self.wakes[-1].loading_us += loading_us
        self.busy_us = self.timeline.now_us + us
        self._enter("computing")

    def _interrupt(self) -> None:
        """A Ctrl-C from the host."""
        assert self.life is not None
        if self.waiting:
            self.resume(link.EVENT_INTERRUPT)
        else:
            self.life.process.interrupt()

    def _ended_by_itself(self) -> None:
        """The process has gone: Ctrl-D at the prompt is a soft reset, anything else a crash."""
        at_prompt = self.at_prompt
        status = self._end_life("soft reset" if at_prompt else "crash")
        if not at_prompt or status != 0:
            raise BoardStopped(f"the interpreter ended with code {status}{self.last_words()}")
        self.chip.stop(pins=False)
        self._boot(Cause.SOFT_RESET, raw=self.console.was_raw())

    # The console ----------------------------------------------------------------------------

    def flush_console(self) -> None:
        """Pass on what has been printed, at the present time."""
        data, self._printed = self._printed, b""
        if data:
            self.console.from_board(data)

    def last_words(self) -> str:
        """The end of the console, for messages about a node that has stopped."""
        lines = [text for _, text in self.lines[-12:]]
        return "; its last words:\n  " + "\n  ".join(lines) if lines else "; it printed nothing"

    def _console_line(self, text: str) -> None:
        self.lines.append((self.timeline.now_us, text))
        self.event("console", text)
