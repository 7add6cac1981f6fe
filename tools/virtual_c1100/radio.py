"""The radio: searching, camping, RRC connection, inactivity release, paging.

    radio.on_state = lambda state, cause: ...   # told at the virtual time of each change
    radio.send(200, "mqtt", then)               # connects if need be; then() when it is out

What is sent and received here is time on the air, not bytes: these take their way over real
sockets, when the radio says that they may (over_air.py). 3GPP TS 36.331, 36.304, 24.301.
"""

import enum
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.timeline import Timer
from tools.virtual_c1100 import measured
from tools.virtual_c1100.air import Air
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.measured import Luck
from tools.virtual_c1100.profile import GSM, LTE_M, NB_IOT


class State(enum.StrEnum):
    """What the module draws current for."""

    OFF = "off"
    BOOT = "boot"
    SEARCH = "search"
    TX = "connected-tx"
    RX = "connected-rx"
    OPEN = "connected-open"  # a context or a connection opens; only where it was measured
    ANSWER = "connected-answer"  # the other end is to answer, likewise
    TAIL = "connected-tail"
    IDLE = "idle"
    EDRX = "edrx"
    PSM = "psm"


@dataclass(eq=False)
class Transfer:
    """Something on the air, or waiting for it. `open` until it is done or can never happen."""

    cause: str
    phases: list[tuple[State, float]]  # seconds at coverage level 0
    done: Callable[[], None]
    lost: Callable[[], None]  # the connection to the network went instead
    again: list[tuple[State, float]] = field(default_factory=list)  # once more, if it gets lost
    whole: bool = False  # the set-up of the connection is in its phases
    brief: bool = False  # no reason for the network to keep the connection
    final: bool = False  # the network releases the connection right after it, whatever was before
    open: bool = True


class Radio:
    """One radio. `act` is the <AcT> of the cell on which it camps, None without one.

    on_connect() -- an RRC connection has begun; on_release() -- it has ended, the cell is kept
    edrx -- cycle and paging time window in seconds when granted
    luck -- of the session, in a network that was measured; drawn -- that of each so far, with its
            coverage level
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.link = core.profile.radio
        self.on_state: Callable[[str, str], None] = lambda state, cause: None
        self.on_connect: Callable[[], None] = lambda: None
        self.on_release: Callable[[], None] = lambda: None
        self.edrx: tuple[float, float] | None = None
        self.luck = Luck()
        self.drawn: list[tuple[int, Luck]] = []
        self._draws = core.profile.network == measured.NAME
        self._rng = random.Random(f"luck {core.profile.seed}")
        self._fresh = False  # it has been drawn for a connection that has not begun
        self._expected: tuple[State, Timer] | None = None
        self.state, self.cause = State.OFF, ""
        self.act: int | None = None
        self.connected = False
        self._queue: deque[Transfer] = deque()
        self._paged: list[Transfer] = []
        self._running: Transfer | None = None
        self._traffic = False  # anything but brief signalling since the connection began
        self._timer: Timer | None = None
        self._page: Timer | None = None

    # Without a connection -------------------------------------------------------------------

    def leave(self, state: State, cause: str) -> None:
        """Off the air in `state`: off, boot, search, idle without a cell, psm."""
        self._stop_timers()
        self._expect_no_more()
        self.act, self.connected, self._traffic = None, False, False
        dropped = [*([self._running] if self._running else []), *self._queue, *self._paged]
        self._running = None
        self._queue.clear()
        self._paged.clear()
        self._enter(state, cause)
        for transfer in dropped:
            transfer.open = False
        for transfer in dropped:
            transfer.lost()

    def power_off(self, state: State, cause: str) -> None:
        """As `leave`, but nobody is left to be told of what was under way."""
        for transfer in (self._running, *self._queue, *self._paged):
            if transfer:
                transfer.lost = _nothing
        self.leave(state, cause)

    def resync(self, act: int, cause: str, done: Callable[[], None]) -> None:
        """Find the known cell again; then idle, or at work with what has come up meanwhile."""
        self.act = act
        phases = [(State.SEARCH, self.air().resync)]
        self._running = Transfer(cause, phases, done, lost=_nothing, whole=True)
        self._phase()

    @property
    def connect_factor(self) -> float:
        """How much longer than usual it takes here, and this time, to get into the network."""
        if not self._draws:
            return self.link.factor
        return measured.connect_factor(
            self.link.coverage, self._core.profile.cell.rsrp_dbm, self.luck
        )

    def air(self, act: int | None = None) -> Air:
        """The figures of the technology in use, or of `act`."""
        used = (self.act or GSM) if act is None else act
        return {LTE_M: self.link.lte_m, NB_IOT: self.link.nb_iot, GSM: self.link.gsm}[used]

    @property
    def at_work(self) -> bool:
        """Something is on the air, or waits for it."""
        return bool(self._running or self._queue or self._paged)

    def next_page_us(self) -> int:
        """When the network can next reach a module that is idle (36.304 clauses 7.1 and 7.3)."""
        now, drx = self._core.timeline.now_us, round(self.air().cycle * 1e6)
        if self.edrx is None:
            return -(-now // drx) * drx
        cycle, window = (round(s * 1e6) for s in self.edrx)
        start = now // cycle * cycle
        occasion = start - (start - now) // drx * drx
        return occasion if occasion < start + window else start + cycle

    # On the air -----------------------------------------------------------------------------

    def send(self, size: int, cause: str, done: Callable[[], None]) -> Transfer:
        """Send `size` bytes. Without a cell, or when it is lost, `done()` comes nevertheless:
        what is sent then reaches nobody.
        """
        slower = self.link.uplink_factor / self.link.factor
        seconds = (size + self.link.overhead) * 8 / self.air().uplink_bps * slower
        transfer = self._data(State.TX, seconds, cause, done, lost=done)
        if self.act is None:
            transfer.open = False
            done()
        else:
            self._add(transfer)
        return transfer

    def receive(self, size: int, cause: str, done: Callable[[], None]) -> Transfer:
        """The network has `size` bytes for the module: in idle it is paged first."""
        seconds = (size + self.link.overhead) * 8 / self.air().downlink_bps
        transfer = self._data(State.RX, seconds, cause, done, lost=_nothing)
        if self.connected or self._running or self._queue:
            self._add(transfer)
            return transfer
        self._paged.append(transfer)
        if self._page is None:
            self._page = self._core.timeline.call_at(self.next_page_us(), self._answer_page)
        return transfer

    def signal(
        self,
        seconds: float,
        cause: str,
        done: Callable[[], None],
        brief: bool = False,
        final: bool = False,
    ) -> Transfer:
        """A procedure with the core network of `seconds` in all (coverage level 0).

        brief, final -- what the network makes of the connection, see `Transfer`
        """
        sent = seconds * self.air().tx_share
        phases = [(State.RX, seconds - sent), (State.TX, sent)]
        transfer = Transfer(
            cause, phases, done, lost=_nothing, whole=True, brief=brief, final=final
        )
        self._add(transfer)
        return transfer

    def last_word(self) -> None:
        """No more data is expected: the network releases the connection, if there is one, behind
        what is under way.
        """
        if self.connected:
            self.signal(self.link.last_word, "last word", _nothing, brief=True, final=True)

    def expect(self, seconds: float, opens: bool) -> None:
        """The other end, or the network as something `opens`, takes so long to answer. Only where
        it was measured that this is another current than that of a connection without traffic.
        """
        if self._draws and seconds:
            self._expect_no_more()
            state = State.OPEN if opens else State.ANSWER
            self._expected = state, self._later(seconds, self._answered)

    def _answered(self) -> None:
        if self.state is self._expect_no_more():
            self._enter(State.TAIL, self.cause)

    def _expect_no_more(self) -> State | None:
        """Returns what it was."""
        if self._expected is None:
            return None
        state, timer = self._expected
        timer.cancel()
        self._expected = None
        return state

    def _draw(self) -> None:
        if self._draws:
            self.luck = Luck(*(self._rng.random() for _ in Luck._fields))
            self.drawn.append((self.link.coverage, self.luck))

    def _data(
        self,
        state: State,
        seconds: float,
        cause: str,
        done: Callable[[], None],
        lost: Callable[[], None],
    ) -> Transfer:
        """A packet of data: unlike signalling it may get lost, and goes again after a time-out."""
        retry = (State.TAIL, self.link.retry / self.link.factor)
        again = [retry, (state, seconds)]
        return Transfer(cause, [(state, seconds)], done, lost, again)

    def _add(self, transfer: Transfer) -> None:
        self._queue.append(transfer)
        if self._running is None:
            self._next()

    def _answer_page(self) -> None:
        self._page = None
        self._next()

    def _next(self) -> None:
        """Begin with what is waiting; the connection's end is no longer near."""
        self._stop_timers()
        self._queue.extend(self._paged)
        self._paged.clear()
        transfer = self._running = self._queue.popleft()
        if not self.connected:
            self.connected, self._traffic = True, False
            if not self._fresh:
                self._draw()
            self._fresh = False
            if not transfer.whole:
                setup = self.air().setup
                sent = setup * self.air().tx_share
                transfer.phases[:0] = [(State.RX, setup - sent), (State.TX, sent)]
            self.on_connect()
        self._traffic = self._traffic or not transfer.brief
        self._phase()

    def _phase(self) -> None:
        transfer = self._running
        assert transfer is not None
        if transfer.phases:
            state, seconds = transfer.phases.pop(0)
            self._enter(state, transfer.cause)
            self._timer = self._later(seconds * self.link.factor, self._phase)
            return
        if transfer.again and self.link.loss and self._core.rng.random() < self.link.loss:
            transfer.phases.extend(transfer.again)
            self._phase()
            return
        self._running = None
        transfer.open = False
        transfer.done()
        if self._running or self.act is None:
            return  # done() has begun something else, or has left the air
        if self._queue:
            self._next()
        elif not self.connected:
            self._idle(transfer.cause)
        elif self._traffic and not transfer.final:
            state = self._expected[0] if self._expected else State.TAIL
            self._enter(state, transfer.cause)
            self._timer = self._later(self.link.inactivity, self.release)
        else:
            self.release()

    def release(self) -> None:
        """The network ends the RRC connection."""
        self._stop_timers()
        self._expect_no_more()
        self.connected = False
        self._idle("release")
        self.on_release()

    def _idle(self, cause: str) -> None:
        self._enter(State.EDRX if self.edrx else State.IDLE, cause)

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._page):
            if timer:
                timer.cancel()
        self._timer = self._page = None

    def _later(self, seconds: float, fn: Callable[[], None]) -> Timer:
        return self._core.timeline.call_later(round(seconds * 1e6), fn)

    def _enter(self, state: State, cause: str) -> None:
        if (state, cause) != (self.state, self.cause):
            if state is State.BOOT and self.state is not State.BOOT:
                self._draw()
                self._fresh = True
            self.state, self.cause = state, cause
            self.on_state(state.value, cause)


def _nothing() -> None:
    """What is lost is lost."""
