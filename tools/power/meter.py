"""The energy meter: follows the states of module, GNSS and board, exactly, without sampling.

meter = Meter(load("mdm9206", "module"), load("esp32", "board"))
meter.module_state(at_us, "connected-tx", "mqtt", Link("nb-iot"))
meter.board_state(at_us, "deep-sleep")
meter.close(at_us)
meter.account.by_cause["mqtt"].mah
"""

from dataclasses import dataclass

from tools.power.account import Account, Interval
from tools.power.currents import ASLEEP, NO_CELL, Link, board_amperes, module_amperes
from tools.power.profiles import Profile


@dataclass
class _Open:
    """The state in which a load is."""

    since_us: int
    state: str
    cause: str
    na: int


class Meter:
    """Counts charge from `start_us` (microseconds) on. Everything is off at first.

    Times must not go back: ValueError. A wake begins when the board becomes active out of deep
    sleep or off, or when it has woken out of a lighter sleep and says so (`woken`); what happens
    until the next one belongs to it. `intervals` holds everything in
    the order in which it ended, unless `keep` is False; `account` holds the sums.
    """

    def __init__(
        self, module: Profile, board: Profile, *, start_us: int = 0, keep: bool = True
    ) -> None:
        self.module, self.board = module, board
        self._keep = keep
        self._radio: tuple[str, str, Link] = ("off", "", NO_CELL)
        self._host = False
        self._open: dict[str, _Open] = {}
        self.start(start_us)
        self._enter("module", start_us, "off", "module off", module.amperes("off"))
        self._enter("board", start_us, "off", "board off", 0.0)
        self._enter("regulator", start_us, "on", "regulator", board.amperes("regulator"))

    def start(self, at_us: int) -> None:
        """Forget what has been counted, and begin with wake 1 at `at_us` in the present states."""
        self.account = Account()
        self.intervals: list[Interval] = []
        self.wake = 1
        self._greeted = False  # the wake, by the board
        self.begin_us = self.end_us = at_us
        for load in self._open.values():
            load.since_us = at_us

    def module_state(self, at_us: int, state: str, cause: str, link: Link = NO_CELL) -> None:
        """The module's radio has entered `state` (currents.MODULE_STATES) because of `cause`."""
        self._radio = (state, cause, link)
        self._module(at_us)

    def module_awake(self, at_us: int, awake: bool) -> None:
        """The module's processor runs, for its host, also while the radio is idle."""
        if awake != self._host:
            self._host = awake
            self._module(at_us)

    def gnss(self, at_us: int, on: bool) -> None:
        """The GNSS receiver, on top of the module's state."""
        amperes = self.module.amperes("gnss") if on else 0.0
        state, cause = ("on", "gnss") if on else ("off", "receiver off")
        self._enter("gnss", at_us, state, cause, amperes)

    def board_state(self, at_us: int, state: str) -> None:
        """The board has entered `state` (currents.BOARD_STATES)."""
        amperes = board_amperes(self.board, state)
        was = self._open["board"].state
        if state == "active" and was in ("deep-sleep", "off"):
            self._next_wake(at_us)
        self._enter("board", at_us, state, f"board {state}", amperes)

    def woken(self, at_us: int) -> None:
        """The board says that it has woken: a new wake unless it has just started."""
        if self._greeted:
            self._next_wake(at_us)
        self._greeted = True

    def close(self, at_us: int) -> None:
        """Count everything up to `at_us`. The meter goes on if it is told of more."""
        for name, load in self._open.items():
            self._count(name, load, at_us)
        self.end_us = at_us

    def _module(self, at_us: int) -> None:
        state, cause, link = self._radio
        if self._host and state in ("idle", "edrx"):
            state, cause = "awake", "module awake for its host"
        elif state in ASLEEP:
            cause = f"module {state}"
        self._enter("module", at_us, state, cause, module_amperes(self.module, state, link))

    def _next_wake(self, at_us: int) -> None:
        """Split what is under way: the wake that ends here pays for it up to here."""
        if at_us > self.begin_us:
            self.close(at_us)
            self.wake += 1
        self._greeted = False

    def _enter(self, name: str, at_us: int, state: str, cause: str, amperes: float) -> None:
        na = round(amperes * 1e9)
        load = self._open.get(name)
        if load is None:
            self._open[name] = _Open(at_us, state, cause, na)
        elif (state, cause, na) != (load.state, load.cause, load.na):
            self._count(name, load, at_us)
            load.state, load.cause, load.na = state, cause, na

    def _count(self, name: str, load: _Open, at_us: int) -> None:
        if at_us < load.since_us:
            raise ValueError(f"{name}: {at_us} us lies before {load.since_us} us")
        if at_us > load.since_us:
            done = Interval(name, load.since_us, at_us, load.state, load.cause, load.na, self.wake)
            self.account.add(done)
            if self._keep:
                self.intervals.append(done)
        load.since_us = at_us
