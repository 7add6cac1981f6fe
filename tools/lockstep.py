"""The bench: virtual board and virtual module on one virtual clock.

The firmware's interpreter says how long it would wait; the bench moves the clock to the next event
that concerns it and answers with the time and the bytes that have arrived. While a real network
peer of the module owes an answer, the clock stands still. Firmware computation takes no time.
The same seed gives the same log, byte for byte.

    with Bench(Board(flash_folder(path)), lambda timeline, send: VirtualC1100(...)) as bench:
        bench.run(until=3600)
        bench.console, bench.chip.readings, bench.wakes
"""

import select
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.events import Event
from tools.network import Network
from tools.timeline import Timeline, Timer
from tools.virtual_board import link as wire
from tools.virtual_board.board import Board, Cause, Life, Wake
from tools.virtual_board.chip import Chip, Module, Wiring
from tools.virtual_board.console import Console
from tools.virtual_board.process import BoardError

STUCK_S = 10.0  # real seconds without a word from the interpreter
BOOT_MS = 300  # from a reset to boot.py; inferred from boards of the ESP32 class
ATTENDED_POLL_S = 0.02
STOPS = {kind for kind, (_, answered) in wire.KINDS.items() if answered} | {
    wire.DEEPSLEEP,
    wire.RESET,
    wire.ENDED,
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
    machine_s: float = 0.0


class Bench:
    """A board and a module on one clock.

    module -- makes the module from (timeline, send); None leaves the UART open
    seed -- of the sensor values
    on_event -- called with every `Event`, in order
    console_pty -- make `tty`, a serial port for mpremote; see `run(attended=True)`
    boot_ms -- virtual milliseconds from a reset to boot.py
    stuck_s -- real seconds without a word from the firmware after which it counts as hanging
    """

    def __init__(
        self,
        board: Board,
        module: Callable[[Timeline, Callable[[bytes], None]], Module] | None = None,
        *,
        wiring: Wiring | None = None,
        seed: int = 1,
        on_event: Callable[[Event], None] | None = None,
        console_pty: bool = False,
        boot_ms: int = BOOT_MS,
        stuck_s: float = STUCK_S,
    ) -> None:
        self.timeline = Timeline()
        self.board = board
        self.console: list[tuple[int, str]] = []
        self.wakes: list[Awake] = []
        self._on_event = on_event
        self._boot_us = boot_ms * 1000
        self._stuck_s = stuck_s
        self.chip = Chip(
            self.timeline, wiring or Wiring(), seed, self.event, self._bitten, self._woken
        )
        self._console = Console(self._console_line, console_pty)
        self.tty = self._console.name
        self._attended = False
        self._start_timer: Timer | None = None
        self._life: Life | None = None
        self._life_us = 0
        self._began = 0.0
        self._printed = b""
        self._messages: list[tuple[bytes, tuple[int, ...], bytes]] = []
        self._waiting: tuple[int, int] | None = None  # until (us, -1: for ever), UARTs (bits)
        self._at_prompt = False
        self.network: Network | None = None
        if module:
            self.chip.module = module(self.timeline, self.chip.from_module)
            self.chip.module.on_pin = self.chip.module_pin
            self.network = Network(self.chip.module.peers)
        self._restart(Cause.POWER_ON)

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the board's process and give back the PTY."""
        self._end_life("bench closed")
        self._console.close()
        self.board.close()

    @property
    def module(self) -> Module | None:
        """The module, as the constructor's argument made it."""
        return self.chip.module

    # Running --------------------------------------------------------------------------------

    def run(
        self, until: float | Callable[[], bool], *, attended: bool = False, limit_s: float = 1e9
    ) -> None:
        """Let the node live until a virtual time in seconds, or until `until()` is true.

        `attended`: somebody types at `tty`; time runs no faster than in reality, and the prompt
        is a fine place to be. Raises BoardStopped when the node cannot go on by itself, or when
        `until()` is still false at the virtual time `limit_s`.
        """
        timed = not callable(until)
        end_us = int((limit_s if callable(until) else until) * 1_000_000)
        self._attended = attended
        pace = time.monotonic() - self.timeline.now_us / 1e6
        while timed or not until():
            if self._life is not None and self._waiting is None:
                self._listen()
                continue
            if self.timeline.now_us >= end_us:
                if timed:
                    return
                raise BoardStopped(f"it has not happened within {limit_s:g} virtual seconds")
            allowed_us = end_us
            if attended:
                allowed_us = min(end_us, int((time.monotonic() - pace) * 1e6))
                self._attend()
            self._pass_time(max(allowed_us, self.timeline.now_us))

    def cut_power(self, off_s: float) -> None:
        """Take the board's supply away for `off_s` virtual seconds."""
        self._end_life("power cut")
        self.chip.stop()
        self._start_later(int(off_s * 1e6), lambda: self._restart(Cause.POWER_ON))

    def event(self, kind: str, detail: str) -> None:
        """Put something into the log at the present virtual time."""
        if self._on_event:
            self._on_event(Event(self.timeline.now_us, kind, detail))

    # The clock ------------------------------------------------------------------------------

    def _pass_time(self, allowed_us: int) -> None:
        """The board waits, sleeps or is off: answer it when it is due, else move the clock."""
        if self.network and not self.network.settle():
            self.event("network", "no answer in time")
        until_us, uarts = self._waiting or (-1, 0)
        now = self.timeline.now_us
        if self._waiting and (0 <= until_us <= now or self.chip.due(uarts)):
            self._resume()
            return
        times = [allowed_us]
        if until_us >= 0:
            times.append(until_us)
        if (due := self.timeline.next_us()) is not None:
            times.append(due)
        elif until_us < 0 and not self._attended:
            state = "the firmware waits" if self._waiting else "the board sleeps"
            raise BoardStopped(f"nothing will ever happen again: {state} without a time limit")
        self.timeline.advance_to(min(times))

    def _resume(self, interrupt: bytes = b"") -> None:
        """Answer the interpreter's wait: the time, and everything that has happened meanwhile."""
        assert self._life is not None
        self._waiting = None
        self.chip.light_sleep = False
        passed = struct.pack("<q", self.timeline.now_us - self._life_us)
        self._life.link.answer(passed + self.chip.take() + interrupt)

    # Lives ----------------------------------------------------------------------------------

    def _start_later(self, delay_us: int, fn: Callable[[], None]) -> None:
        if self._start_timer:
            self._start_timer.cancel()
        self._start_timer = self.timeline.call_later(delay_us, fn)

    def _restart(self, cause: Cause, wake: Wake = Wake.NONE) -> None:
        """The chip comes out of reset; the interpreter follows after the boot time."""
        if cause is Cause.POWER_ON:
            self.chip.power_on()
        self._start_later(self._boot_us, lambda: self._boot(cause, wake))

    def _boot(self, cause: Cause, wake: Wake = Wake.NONE, raw: bool = False) -> None:
        now = self.timeline.now_us
        self._began = time.perf_counter()
        self._life_us, self._at_prompt, self._waiting = now, False, None
        self.wakes.append(Awake(cause, now))
        self.event("boot", cause.name.lower().replace("_", " "))
        self.chip.start()
        self._life = self.board.start(
            cause,
            wake=wake,
            lockstep=True,
            rtc_memory=self.chip.rtc_memory,
            rtc_us=self.chip.rtc_us(),
            raw=raw,
        )
        self._console.restarted(self._life, cause, raw)

    def _end_life(self, how: str) -> int:
        """End the interpreter, if one runs. Returns its exit code."""
        life, self._life = self._life, None
        self._waiting = None
        self._messages.clear()
        if life is None:
            return 0
        status = life.end()
        while data := life.printed():
            self._printed += data
        self._flush_console()
        life.close()
        self.wakes[-1].end_us, self.wakes[-1].end = self.timeline.now_us, how
        self.wakes[-1].machine_s = time.perf_counter() - self._began
        self.event("end", how)
        return status

    def _bitten(self) -> None:
        self._end_life("watchdog reset")
        self.chip.stop()
        self._restart(Cause.WATCHDOG)

    def _woken(self) -> None:
        self._restart(Cause.DEEPSLEEP, Wake.PIN)

    def _deepsleep(self, ms: int) -> None:
        self._end_life("deep sleep" if ms < 0 else f"deep sleep for {ms} ms")
        self.chip.stop(deep_sleep=True)
        if ms >= 0:
            self._start_later(ms * 1000, lambda: self._restart(Cause.DEEPSLEEP, Wake.TIMER))

    def _reset(self, soft: int) -> None:
        self._end_life("soft reset" if soft else "reset")
        self.chip.stop(pins=not soft)
        if soft:
            self._boot(Cause.SOFT_RESET)
        else:
            self._restart(Cause.HARD_RESET)

    # The interpreter ------------------------------------------------------------------------

    def _listen(self) -> None:
        """The interpreter runs: take in what it says, until it waits."""
        life = self._life
        assert life is not None
        if self._at_prompt and not self._attended:
            self._abandoned("boot.py and main.py have ended, and the board is at its prompt")
            return
        sources = [life.link, life.stdout, self.board.launcher]
        if self._attended and self._console.host is not None:
            sources.append(self._console.host)
        patience = ATTENDED_POLL_S if self._attended else self._stuck_s
        ready, _, _ = select.select(sources, [], [], patience)
        life.flush()
        if self._console.host in ready:
            self._console.from_host(life, self._interrupt)
        if life.stdout in ready:
            self._printed += life.printed()
            if self._attended:
                self._flush_console()
        if life.link in ready and life.link.receive():
            self._handle(life)
        elif life.process.poll() is not None:
            self._ended_by_itself()
        elif not ready and not self._attended:
            self._abandoned(f"the firmware has neither waited nor slept for {self._stuck_s:g} s")

    def _handle(self, life: Life) -> None:
        """Work on the messages once there is one that the interpreter stops at.

        What it printed before has arrived by then, so the log has the same order in every run.
        """
        self._messages.extend(iter(life.link.next, None))
        stops = [n for n, (kind, _, _) in enumerate(self._messages) if kind in STOPS]
        if not stops:
            return
        self._printed += life.printed()
        self._flush_console()
        messages, self._messages = (
            self._messages[: stops[-1] + 1],
            self._messages[stops[-1] + 1 :],
        )
        for kind, fields, rest in messages:
            if kind == wire.WAIT:
                us, uarts, light = fields
                self._waiting = (self.timeline.now_us + us if us >= 0 else -1, uarts)
                self.chip.light_sleep = bool(light)
            elif kind == wire.DEEPSLEEP:
                self._deepsleep(*fields)
            elif kind == wire.RESET:
                self._reset(*fields)
            elif kind == wire.ENDED:
                self._at_prompt = True
            elif (answer := self.chip.handle(kind, fields, rest)) is not None:
                life.link.answer(answer)

    def _ended_by_itself(self) -> None:
        """The process has gone: Ctrl-D at the prompt is a soft reset, anything else a crash."""
        at_prompt = self._at_prompt
        status = self._end_life("soft reset" if at_prompt else "crash")
        if not at_prompt or status != 0:
            raise BoardStopped(f"the interpreter ended with code {status}{self._last_words()}")
        self.chip.stop(pins=False)
        self._boot(Cause.SOFT_RESET, raw=self._console.was_raw())

    def _abandoned(self, why: str) -> None:
        """Nobody will help the node: its watchdog does, if it has one, else this is the end."""
        self._flush_console()
        if self.chip.watchdog is None:
            raise BoardStopped(why + self._last_words())
        self.event("stuck", why)
        self.timeline.advance_to(self.chip.watchdog.at_us)

    def _last_words(self) -> str:
        lines = [text for _, text in self.console[-12:]]
        return "; its last words:\n  " + "\n  ".join(lines) if lines else "; it printed nothing"

    # The console ----------------------------------------------------------------------------

    def _attend(self) -> None:
        """The board waits or sleeps: see whether the host has typed something."""
        host = self._console.host
        if host is None:
            time.sleep(ATTENDED_POLL_S)
        elif select.select([host], [], [], ATTENDED_POLL_S / 10)[0] and self._life is not None:
            self._console.from_host(self._life, self._interrupt)

    def _interrupt(self) -> bool:
        """A Ctrl-C from the host. Returns False when it is only a byte."""
        assert self._life is not None
        if not self._life.process.catches_interrupt():
            return False
        if self._waiting:
            self._resume(wire.EVENT_INTERRUPT)
        else:
            self._life.process.interrupt()
        return True

    def _flush_console(self) -> None:
        data, self._printed = self._printed, b""
        if data:
            self._console.from_board(data)

    def _console_line(self, text: str) -> None:
        self.console.append((self.timeline.now_us, text))
        self.event("console", text)
