"""The bench: virtual board and virtual module on one virtual clock.

The firmware's interpreter says how long it would wait; the bench moves the clock to the next event
that concerns it and answers with the time and the bytes that have arrived. While a real network
peer of the module owes an answer, the clock stands still. Computing takes no time, unless the
board has a speed (`Board.computing`). The same seed gives the same log, byte for byte.

    with Bench(Board(flash_folder(path)), lambda timeline, send: VirtualC1100(...)) as bench:
        bench.run(until=3600)
        bench.console, bench.readings, bench.wakes
"""

import time
from collections.abc import Callable

from tools import cpus
from tools.events import Event
from tools.network import Network
from tools.timeline import Timeline
from tools.virtual_board import sensors
from tools.virtual_board.battery import Battery
from tools.virtual_board.board import Board
from tools.virtual_board.chip import Module, Wiring
from tools.virtual_board.runner import BOOT_MS, Awake, BoardStopped, Runner

STUCK_S = 10.0  # that the interpreter computes without a word
ATTENDED_POLL_S = 0.02


class Bench:
    """A board and a module on one clock.

    module -- makes the module from (timeline, send); None leaves the UART open
    seed -- of the sensor values
    on_event -- called with every `Event`, in order
    on_board_state -- called with the board's state when it changes, see `Runner`
    console_pty -- make `tty`, a serial port for mpremote; see `run(attended=True)`
    boot_ms -- virtual milliseconds from a reset to boot.py
    stuck_s -- seconds of computing without a word from the firmware: then it counts as hanging
    """

    def __init__(
        self,
        board: Board,
        module: Callable[[Timeline, Callable[[bytes], None]], Module] | None = None,
        *,
        wiring: Wiring | None = None,
        seed: int = 1,
        on_event: Callable[[Event], None] | None = None,
        on_board_state: Callable[[str], None] | None = None,
        console_pty: bool = False,
        boot_ms: int = BOOT_MS,
        stuck_s: float = STUCK_S,
    ) -> None:
        self.timeline = Timeline()
        self._stuck_s = stuck_s
        self._attended = False
        self._runner = Runner(
            self.timeline,
            board,
            module,
            lockstep=True,
            wiring=wiring,
            seed=seed,
            on_event=on_event,
            on_state=on_board_state,
            console_pty=console_pty,
            boot_ms=boot_ms,
        )
        chip = self._runner.chip
        self.network = Network(chip.module.peers) if chip.module else None

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the board's process and give back the PTY."""
        self._runner.close()

    @property
    def module(self) -> Module | None:
        """The module, as the constructor's argument made it."""
        return self._runner.chip.module

    @property
    def tty(self) -> str:
        """Path of the serial port for mpremote; empty without `console_pty`."""
        return self._runner.console.name

    @property
    def console(self) -> list[tuple[int, str]]:
        """Every line that the board has printed, with its virtual time in microseconds."""
        return self._runner.lines

    @property
    def battery(self) -> Battery | None:
        """What the battery's pin measures, if it is not the one with a course of its own."""
        return self._runner.chip.battery

    @battery.setter
    def battery(self, battery: Battery | None) -> None:
        self._runner.chip.battery = battery

    @property
    def readings(self) -> list[sensors.Reading]:
        """Every sensor value that the board has read."""
        return self._runner.chip.readings

    @property
    def at_prompt(self) -> bool:
        """Whether boot.py and main.py have ended."""
        self._runner.flush_console()
        return self._runner.at_prompt

    @property
    def wakes(self) -> list[Awake]:
        """Every life of the board so far; the last may not have ended."""
        return self._runner.wakes

    @property
    def lost_bytes(self) -> int:
        """Bytes of the module that the board did not receive."""
        return self._runner.chip.lost_bytes

    def cut_power(self, off_s: float) -> None:
        """Take the board's supply away for `off_s` virtual seconds."""
        self._runner.cut_power(off_s)

    def press_reset(self) -> None:
        """Press the board's reset button: RTC memory is kept."""
        self._runner.press_reset()

    def hold(self, wire: str, held: bool) -> None:
        """Let something besides the board assert "wake", "pwrkey" or "cut", or let go of it."""
        self._runner.chip.hold(wire, held)

    def event(self, kind: str, detail: str) -> None:
        """Put something into the log at the present virtual time."""
        self._runner.event(kind, detail)

    def run(
        self, until: float | Callable[[], bool], *, attended: bool = False, limit_s: float = 1e9
    ) -> None:
        """Let the node live until a virtual time in seconds, or until `until()` is true.

        `attended`: somebody types at `tty`; time runs no faster than in reality, and the prompt
        is a fine place to be. Raises BoardStopped when the node cannot go on by itself, or when
        `until()` is still false at the virtual time `limit_s`.
        """
        cpu = None if attended else cpus.current()
        if cpu is not None:
            self._runner.use_cpu(cpu)
        with cpus.only(cpu):
            self._run(until, attended, limit_s)

    def _run(self, until: float | Callable[[], bool], attended: bool, limit_s: float) -> None:
        timed = not callable(until)
        end_us = round((limit_s if callable(until) else until) * 1_000_000)
        self._attended = attended
        pace = time.monotonic() - self.timeline.now_us / 1e6
        while timed or not until():
            runner = self._runner
            if runner.life is not None and runner.waiting is None and runner.busy_us is None:
                self._listen()
                continue
            if self.timeline.now_us >= end_us:
                if timed:
                    return
                raise BoardStopped(f"it has not happened within {limit_s:g} virtual seconds")
            allowed_us = end_us
            if attended:
                self._runner.attend(ATTENDED_POLL_S / 10)
                allowed_us = min(end_us, int((time.monotonic() - pace) * 1e6))
            self._pass_time(max(allowed_us, self.timeline.now_us))

    def _listen(self) -> None:
        """The interpreter runs; how long it has computed follows."""
        runner = self._runner
        if self._attended:
            runner.listen(ATTENDED_POLL_S, attended=True)
        elif runner.at_prompt:
            self._abandoned("boot.py and main.py have ended, and the board is at its prompt")
        elif not runner.hear(self._stuck_s):
            self._abandoned(f"the firmware has neither waited nor slept for {self._stuck_s:g} s")

    def _pass_time(self, allowed_us: int) -> None:
        """The board waits, computes, sleeps or is off: let it go on when it is due, else move the
        clock.
        """
        runner = self._runner
        if self.network and not self.network.settle():
            self.event("network", "no answer in time")
        until_us, uarts = runner.waiting or (-1, 0)
        now = self.timeline.now_us
        if runner.busy_us is not None:
            if runner.busy_us <= now:
                runner.proceed()
                return
            until_us = runner.busy_us
        if runner.waiting and (0 <= until_us <= now or runner.chip.due(uarts)):
            runner.resume()
            return
        stop_us = min(until_us, allowed_us) if until_us >= 0 else allowed_us
        due = self.timeline.next_us()
        if due is None and until_us < 0 and not self._attended:
            state = "the firmware waits" if runner.waiting else "the board sleeps"
            raise BoardStopped(f"nothing will ever happen again: {state} without a time limit")
        self.timeline.advance_to(stop_us if due is None else min(stop_us, due))

    def _abandoned(self, why: str) -> None:
        """Nobody will help the node: its watchdog does, if it has one, else this is the end."""
        runner = self._runner
        runner.flush_console()
        if runner.chip.watchdog is None:
            raise BoardStopped(why + runner.last_words())
        self.event("stuck", why)
        self.timeline.advance_to(runner.chip.watchdog.at_us)
