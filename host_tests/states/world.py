"""A world of one virtual C1100 and the lives of the board that drives it, on one virtual clock.

with World() as world:
    world.life(features.mqtt, reset=Reset(7))   # the board is reset at the seventh write
    world.life(features.tcp)                    # and this is what it wakes to

The driver runs on CPython, unmodified. Each life is a C1100 of its own: tasks and objects vanish
with it, as on a real board, and what it leaves is left in the module.
"""

import asyncio
import math
import select
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import host_tests.shim  # noqa: F401 (before lib/ is imported)
from c1100 import C1100
from host_tests.patience import LIMIT_S
from host_tests.states.far_side import FarSide
from host_tests.virtual_time import VirtualTimeLoop
from tools.timeline import Timeline, Timer
from tools.virtual_c1100 import Profile, VirtualC1100

BOOT_S = 1.0  # from a reset until the firmware runs again
LIFE_LIMIT_S = 900.0  # virtual seconds that a life may take
JUMPS = 1_000_000
AWAITS = 50  # that a task may do while it cleans up
IDLE_US = 870  # ten characters at 115200 baud without another one: the line is idle
START_S = (1 << 30) / 1_000 - 5  # of the ticks of a life: they wrap early in it

BEFORE, HALF, AFTER = "before", "half", "after"


@dataclass(frozen=True)
class Reset:
    """The board is reset at its nth write to the UART (from 1), before its bytes leave, when half
    of them have, or when all have; RESET pins are let go of.
    """

    write: int
    cut: str = AFTER


@dataclass(frozen=True)
class Wiring:
    """Which pins the board has, and whether it dozes while it waits."""

    pwrkey: bool = True
    wake: bool = False
    status: bool = False
    doze: bool = False


class WasReset(Exception):
    """What a life ends with whose board was reset."""


class World:
    """One module, on and registered unless `on` is False."""

    def __init__(
        self, profile: Profile | None = None, wiring: Wiring | None = None, *, on: bool = True
    ) -> None:
        self.wiring = wiring or Wiring()
        self.timeline = Timeline()
        self.far = FarSide()
        profile = profile or Profile()
        profile.peer_grace_s = profile.peer_answer_s = 0.0
        self.profile = profile
        self._wire: Wire | None = None
        self.module = VirtualC1100(self.timeline, profile, self._to_board)
        self.writes: list[bytes] = []  # of the last life
        self.presses = 0  # of the power key
        self._graves: list[Any] = []  # of lives whose tasks must not run on
        if on:
            self.module.power_on()
            self.pass_time(10)

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self.module.peers():
            if hasattr(peer, "close"):
                peer.close()
        self.far.close()
        for loop in self._graves:
            bury(loop)

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self.timeline.now_us / 1e6

    # Time -----------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let virtual time pass while no board runs."""
        self.advance(self.timeline.now_us + round(seconds * 1e6))

    def advance(self, end_us: int) -> None:
        """Move the clock; it stands still while the far side owes an answer."""
        while True:
            self.settle()
            due = self.timeline.next_us()
            if due is None or due > end_us:
                break
            self.timeline.advance_to(due)
        self.timeline.advance_to(end_us)

    def next_event(self, end_us: int) -> None:
        """Move the clock to the next event, but not beyond `end_us`."""
        self.settle()
        due = self.timeline.next_us()
        self.timeline.advance_to(end_us if due is None else min(due, end_us))

    def settle(self) -> None:
        """Let both ends of every connection do what they can."""
        limit = time.monotonic() + LIMIT_S
        while peers := self.module.peers():
            by_fd = {peer.fileno(): peer for peer in peers if peer.fileno() >= 0}
            reads = [fd for fd, peer in by_fd.items() if peer.want_read]
            writes = [fd for fd, peer in by_fd.items() if peer.want_write]
            waits = any(peer.pending for peer in peers)
            far = self.far.filenos()
            ready, writable, _ = select.select([*reads, *far], writes, [], 1 if waits else 0)
            self.far.serve([fd for fd in ready if fd not in by_fd])
            for fd in dict.fromkeys((*ready, *writable)):
                if fd in by_fd:
                    by_fd[fd].on_ready()
            if not (ready or writable or waits):
                return
            assert time.monotonic() < limit, "the far side does not answer"

    def leave(self, said: tuple) -> None:
        """Bring the module into a state, as left.py has it; what it says is not heard."""
        for entry in said:
            if isinstance(entry, int):
                self.pass_time(entry)
                continue
            line = entry + "\r" if isinstance(entry, str) else entry.decode("latin-1")
            for name in ("tcp", "udp", "http", "mqtt"):
                host, port = getattr(self.far, name)
                line = line.replace(f"{{{name}.host}}", host)
                line = line.replace(f"{{{name}.port}}", str(port))
            self.module.receive(line.encode("latin-1"))
            self.pass_time(1 if isinstance(entry, str) else 0.1)

    # Lives ----------------------------------------------------------------------------------

    def _to_board(self, data: bytes) -> None:
        if self._wire is not None:
            self._wire.arrived(data)

    def life(
        self,
        work: Callable[[C1100, FarSide], Awaitable[Any]],
        reset: Reset | None = None,
        **options: Any,
    ) -> Any:
        """Boot the board, let it work with a C1100 of its own, and take its supply away.

        Returns what `work` returns; raises what it raises, and WasReset when the board was reset
        in the middle of it.
        """
        loop = Loop(self)
        wire = self._wire = Wire(self, loop, reset)
        self.writes = wire.writes
        asyncio.set_event_loop(loop)

        async def live() -> Any:
            doze = wire.doze if self.wiring.doze else None
            modem = C1100(wire, **self._pins(), doze=doze, **options)
            try:
                return await work(modem, self.far)
            finally:
                modem.close()
                await asyncio.sleep(0)

        task = loop.create_task(live())
        task.add_done_callback(lambda _: loop.stop())
        try:
            loop.run_forever()
            if wire.dead:
                raise WasReset
            assert not loop.faults, loop.faults
            return task.result()
        finally:
            self._end(loop, wire)

    def _pins(self) -> dict:
        wiring = self.wiring
        return {
            "pwrkey": Output(self, "pwrkey") if wiring.pwrkey else None,
            "wake": Output(self, "wake") if wiring.wake else None,
            "status": Status(self.module) if wiring.status else None,
        }

    def _end(self, loop: "Loop", wire: "Wire") -> None:
        wire.dead = True
        self._wire = None
        for name in ("pwrkey", "wake"):
            self.module.set_pin(name, False)
        self._graves.append(loop)
        asyncio.set_event_loop(None)
        self.pass_time(BOOT_S)


def bury(loop: "Loop") -> None:
    """End what a life has left running; it says nothing to the module any more."""
    for task in loop.tasks:
        task._log_destroy_pending = False
        for _ in range(AWAITS):
            try:
                task.get_coro().close()
                break
            except RuntimeError:
                pass  # it awaits something while it cleans up
    loop.close()


class Output:
    """A pin that the board drives."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def on(self) -> None:
        self._world.presses += self._name == "pwrkey"
        self._world.module.set_pin(self._name, True)

    def off(self) -> None:
        self._world.module.set_pin(self._name, False)


class Status:
    """The status pin."""

    def __init__(self, module: VirtualC1100) -> None:
        self._module = module

    def value(self) -> int:
        return int(self._module.get_pin("status"))


class Wire:
    """The board's UART: tells of an idle line, as machine.UART of an ESP32 does."""

    IRQ_RXIDLE = 1

    def __init__(self, world: World, loop: "Loop", reset: Reset | None) -> None:
        self._world = world
        self._loop = loop
        self._reset = reset
        self._received = bytearray()
        self._handler: Callable[[Any], None] | None = None
        self._idle: Timer | None = None
        self.writes: list[bytes] = []
        self.dead = False

    def irq(self, handler: Callable[[Any], None] | None = None, trigger: int = 0) -> None:
        self._handler = handler

    def doze(self, ms: int) -> None:
        """The board's light sleep: nothing of what comes meanwhile is received."""
        self._loop.advance(ms / 1000)
        self._received.clear()

    def arrived(self, data: bytes) -> None:
        self._received += data
        if self._idle:
            self._idle.cancel()
        self._idle = self._world.timeline.call_later(IDLE_US, self._line_idle)

    def _line_idle(self) -> None:
        self._idle = None
        if self._handler and not self.dead:
            self._handler(self)

    def readinto(self, buf) -> int | None:
        if self.dead or not self._received:
            return None
        n = min(len(buf), len(self._received))
        buf[:n] = self._received[:n]
        del self._received[:n]
        return n

    def write(self, data) -> int:
        if self.dead:
            return len(data)
        self.writes.append(bytes(data))
        reset = self._reset
        last = reset is not None and len(self.writes) == reset.write
        sent = bytes(data)
        if reset and last:
            keep = {BEFORE: 0, HALF: (len(sent) + 1) // 2, AFTER: len(sent)}[reset.cut]
            sent = sent[:keep]
        if sent:
            self._world.module.receive(sent)
        if last:
            self.dead = True
            self._loop.stop()
        return len(data)


class Loop(VirtualTimeLoop):
    """An asyncio loop whose clock is the world's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._base = START_S - world.now
        self._end = world.now + LIFE_LIMIT_S
        self._jumps = 0
        super().__init__()
        self._selector = _Selector(self, world, self._selector._real)

    def time(self) -> float:
        return self._base + self._world.now

    def advance(self, seconds: float) -> None:
        """A blocking sleep."""
        self._world.advance(self._world.timeline.now_us + round(seconds * 1e6))


class _Selector:
    def __init__(self, loop: Loop, world: World, real: Any) -> None:
        self._loop = loop
        self._world = world
        self._real = real
        self._jumps = 0

    def select(self, timeout: float | None = None) -> list:
        events = self._real.select(0)
        if events or timeout == 0:
            return events
        assert timeout is not None, f"nothing is scheduled: {self._loop.waiting()}"
        self._jumps += 1
        assert self._jumps < JUMPS, f"the clock jumped {JUMPS} times: {self._loop.waiting()}"
        assert self._world.now < self._loop._end, f"for ever: {self._loop.waiting()}"
        timeline = self._world.timeline
        end_us = timeline.now_us + math.ceil(timeout * 1e6)
        while timeline.now_us < end_us and not self._loop._ready:
            self._world.next_event(end_us)
        return events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
