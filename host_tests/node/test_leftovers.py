"""Wake after wake in one interpreter: no session leaves anything behind, however it ends.

A short wait is a light sleep, after which the program goes on. What is left of a wake is counted
at the beginning of the next one: tasks, callbacks, the heap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest

from host_tests.node.conftest import Node
from host_tests.node.test_commands import KEY
from tools.virtual_c1100.faults import FAULTS

SENSOR = """
import gc
import machine
import sys
from asyncio import core

async def read(node):
    gc.collect()
    tasks = len(core._task_queue._tasks)  # of the lockstep bench's queue
    uart = machine._port.lines.get(1)
    irq = uart is not None and uart.handler is not None
    print("left", tasks, int(irq), len(sys.modules), gc.mem_alloc())
    return []
"""
SLEEPS = {
    "off": {"module": "off"},
    "psm": {"module": "psm", "active_s": 2, "release_s": 1},
    "edrx": {"module": "edrx", "edrx_s": 20, "release_s": 1},
    "idle": {"module": "idle"},
}
COMMANDS = {"commands": {"key": KEY.hex()}}
SESSIONS = 100
PERIOD_S = 10
DRIFT = 512  # bytes: numbers that have grown, a dict that had to grow once more
STEPS = 12  # what a kind of trouble brings once for all: forms of its commands, a pool of names


def faults_of(start: str) -> list[str]:
    """All faults whose name begins so."""
    return [name for name in FAULTS if name.startswith(start)]


def each(*commands: str) -> list[str]:
    """What may happen to each of these commands."""
    return [f"{kind}:{command}" for command in commands for kind in ("error", "mute", "reboot")]


@dataclass(frozen=True)
class Left:
    """What was there at the beginning of a wake."""

    tasks: int
    irq: int
    modules: int
    heap: int


class Restless:
    """A node whose wakes are so close that its board never sleeps deeply."""

    def __init__(self, node: Node) -> None:
        self.node = node
        sensor = node.flash / "firmware/sensors/temperature.py"
        sensor.write_text(SENSOR)

    def until(self, condition: Callable[[], bool], limit_s: float = 40000) -> None:
        now_s = self.node.bench.timeline.now_us / 1e6
        self.node.bench.run(until=condition, limit_s=now_s + limit_s)

    def sessions(self, count: int) -> None:
        """Until so many more have delivered."""
        wanted = len(self.node.said("delivered")) + count
        self.until(lambda: len(self.node.said("delivered")) >= wanted and self._rests)

    def session(self) -> None:
        """The next one, however it ends, and until the board sleeps."""
        ended = self._ended
        self.until(lambda: self._ended > ended and self._rests)

    def under(self, fault: str) -> None:
        """One session with a fault, however it ends, and one that delivers."""
        self.node.module.faults.add(fault)
        self.session()
        self.node.module.faults.clear()
        delivered = len(self.node.said("delivered"))
        self.until(lambda: len(self.node.said("delivered")) > delivered and self._rests)

    @property
    def _ended(self) -> int:
        return len(self.node.said("module ") + self.node.said("wake failed"))

    @property
    def _rests(self) -> bool:
        return self.node.bench.console[-1][1].startswith("sleeping")

    @property
    def left(self) -> list[Left]:
        """What each wake has found."""
        return [Left(*map(int, text.split())) for text in self.node.said("left")]

    def is_flat_since(self, wake: int) -> None:
        """No wake since then, counted from 0, has left anything but code that was loaded."""
        grown = self._grown_since(wake)
        assert sum(grown) <= DRIFT, [(at, n) for at, n in enumerate(grown) if n]

    def has_steps_since(self, wake: int) -> None:
        """Likewise, but what is new may have been loaded, once: with what each failure leaves
        there would be a new highest heap each time.
        """
        self._grown_since(wake)
        highest: dict[int, int] = {}
        steps = []
        for found in self.left[wake:]:
            high = highest.setdefault(found.modules, found.heap)
            if found.heap > high + 256:
                steps.append(found.heap - high)
                highest[found.modules] = found.heap
        assert len(steps) <= STEPS, steps

    def _grown_since(self, wake: int) -> list[int]:
        said = [text for _, text in self.node.bench.console]
        assert len(self.node.bench.wakes) == 1, ("the board has restarted", said[-60:])
        left = self.left[wake:]
        assert len(left) > 10
        assert {found.tasks for found in left} == {left[0].tasks}
        assert {found.irq for found in left} == {0}
        return [b.heap - a.heap for a, b in pairwise(left) if a.modules == b.modules]


@pytest.fixture
def restless(node, lines, web_server):
    """restless(uplink, sleep, secrets=..., **config) -> Restless"""
    host, port = web_server.address
    settings = {
        "mqtt": {},
        "http": {"http": {"url": f"http://{host}:{port}/telemetry"}},
        "tcp": {"tcp": {"host": lines.host, "port": lines.port}},
    }

    def make(uplink: str, sleep: str = "idle", **config) -> Restless:
        rhythm = {"period_s": PERIOD_S}
        settings[uplink] |= {"uplink": {"first": uplink}, "sleep": SLEEPS[sleep]}
        settings[uplink] |= {"sample": rhythm, "report": rhythm, "register_s": 30} | config
        return Restless(node(**settings[uplink]))

    return make


@pytest.mark.parametrize("uplink", ["mqtt", "http", "tcp"])
def test_a_hundred_sessions_of_each_uplink(restless, uplink):
    r = restless(uplink)
    r.sessions(SESSIONS)
    r.is_flat_since(3)


@pytest.mark.parametrize("sleep", ["off", "psm", "edrx"])
def test_each_kind_of_sleep(restless, sleep):
    r = restless("mqtt", sleep)
    r.sessions(25)
    r.is_flat_since(6)


def test_a_session_for_a_position_alone(restless):
    r = restless("mqtt", report={"period_s": 600}, position={"period_s": PERIOD_S})
    r.sessions(1)
    begin = len(r.left)
    for _ in range(20):
        r.session()
    assert r.node.said("delivered") == ["1 record by mqtt"]
    r.is_flat_since(begin + 3)


def test_a_session_that_listens(restless):
    r = restless("mqtt", secrets=COMMANDS, commands={"listen_s": 1})
    r.sessions(20)
    r.is_flat_since(3)


# Whatever the module may do wrong (habits of others apart), and each uplink's own commands
# that fail, are not answered, or are cut short by a restart.
KINDS = {
    "mqtt": (
        *(name for name, (ids, *_) in FAULTS.items() if ids != "habit"),
        *each("+LSMQTTCALL", "+LSMQTTOPEN", "+LSMQTTPUB", "+LSMQTTCLOSE"),
    ),
    "http": (*faults_of("http-"), *each("+LSHTTPURL", "+LSHTTPPOST")),
    "tcp": (
        *("room-late", "free-count", "says", "payload-short", "payload-long", "urc-lost"),
        *each("+LSIPCALL", "+LSIPOPEN", "+LSIPSEND", "+LSIPPUSH", "+LSIPCLOSE"),
    ),
}


@pytest.mark.parametrize("uplink", KINDS)
def test_each_kind_of_failure(restless, uplink):
    r = restless(uplink)
    r.sessions(3)
    for fault in KINDS[uplink]:
        r.under(fault)
    network = r.node.module.network
    for begins, ends in ((network.lose, network.restore), (network.deny, network.allow)):
        begins()
        r.session()
        ends()
        r.sessions(1)
    r.has_steps_since(2)
