"""Whatever is raised wherever in a wake: the node samples, keeps what it can, tells of it and
sleeps; and once it is over, everything arrives.
"""

from itertools import pairwise

import pytest

from host_tests.node.conftest import Node
from tools.demo.subscriber import Subscriber

TOPIC = "nodes/n1/telemetry"
PERIOD_S = 900
LONGEST_WAKE_S = 30  # nothing here hangs
OS, MEMORY = "OSError(84)", "MemoryError()"
ERRORS = (OS, MEMORY)
ALL = (
    *ERRORS,
    "ValueError('x')",
    "RuntimeError('x')",
    "KeyError('x')",
    "asyncio.CancelledError()",
)
# What is broken: module and name; whether this wake's sample is kept, its record delivered, and a
# crash told in a record; the errors.
PLACES = (
    ("firmware.sensors.battery", "read", True, True, False, ERRORS),
    ("firmware.sensors.link", "read", True, True, False, ERRORS),
    ("firmware.session", "Session.__init__", True, False, True, ERRORS),
    ("firmware.session", "Session._start", True, False, True, ERRORS),
    ("firmware.session", "Session._attach", True, False, True, ERRORS),
    ("firmware.session", "Session._measure", True, False, True, ERRORS),
    ("firmware.session", "Session._settle", True, True, True, ALL),
    ("firmware.session", "Session._switch_off", True, True, True, ERRORS),
    ("firmware.delivery", "Delivery.set_clock", True, False, True, ERRORS),
    ("firmware.delivery", "Delivery.run", True, False, True, ALL),
    ("firmware.uplinks.mqtt", "Uplink.__init__", True, False, True, ERRORS),
    ("firmware.uplinks.mqtt", "Uplink.send", True, False, True, ERRORS),
    ("firmware.uplinks.mqtt", "Uplink.close", True, True, True, ERRORS),
    ("firmware.downlink", "Downlink.run", True, True, None, ERRORS),
    ("firmware.outbox", "Outbox.__init__", False, False, None, ERRORS),
    ("firmware.outbox", "Outbox.append", False, False, None, (MEMORY,)),
    ("firmware.outbox", "Outbox.ack", True, False, True, ERRORS),
    ("firmware.outbox", "Outbox.peek", True, False, True, ERRORS),
    ("firmware.telemetry", "senml", False, False, None, ERRORS),
    ("firmware.recovery", "Recovery.run", True, False, True, ERRORS),
    ("firmware.app", "Watch", True, True, False, ERRORS),
    ("firmware.app", "Node.progress", True, True, False, ERRORS),
    ("firmware.app", "Node.delivered", True, True, True, ERRORS),
    ("firmware.app", "Node.plan", False, False, False, ERRORS),
    ("firmware.app", "Node.__init__", False, False, False, ERRORS),
    ("firmware.uplinks", "load", True, False, True, ERRORS),
    ("firmware.state", "finish", True, True, False, ERRORS),
    ("firmware.trial", "keep", True, True, False, ERRORS),
    ("firmware.trial", "count", True, True, False, ERRORS),
    ("firmware.last_good", "settings", False, False, False, ERRORS),
    ("firmware.last_good", "delivered", True, True, False, ERRORS),
    ("firmware.boards", "board", False, False, False, ERRORS),
    ("firmware.boards.unix", "Board.uart", True, False, True, ERRORS),
    ("firmware.boards.unix", "Board.output", True, False, True, ERRORS),
    ("firmware.boards.unix", "Board.watchdog", True, True, False, ERRORS),
    ("c1100.modem", "C1100.__init__", True, False, True, ERRORS),
    ("c1100.modem", "C1100.close", True, True, True, ERRORS),
    ("c1100.channel", "Channel.transact", True, False, True, ERRORS),
    ("c1100.channel", "Channel._read", True, False, None, ERRORS),
)
# What a node does not come by whose module is left to PSM: that is not switched off, and forgets
# its session with a broker, which needs no goodbye.
WAYS = {"Session._switch_off": "off", "Uplink.close": "idle"}
# Whenever it is loaded: much is unloaded in a wake, and comes again.
MAIN = """
import asyncio, builtins, gc, sys
gc.threshold(32768)
def broken(*args, **kinds):
    print("broken")
    raise {error}
def load(*args):
    found = loads(*args)
    owner = sys.modules.get("{module}")
    for name in {owners}:
        owner = getattr(owner, name, None)
    if owner is not None:
        owner.{name} = broken
    return found
loads = builtins.__import__
builtins.__import__ = load
from firmware import app
app.main()
"""


class Breaking:
    """A node of which something is broken, from one start to another."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._main = node.flash / "main.py"
        self._good = self._main.read_text()

    def wake(self, start: str) -> list[str]:
        """Until a wake is over that has said that. Returns what it has said."""
        bench = self.node.bench
        before = len(bench.console)
        limit_s = bench.timeline.now_us / 1e6 + 20 * PERIOD_S
        while True:
            lives, lines = len(bench.wakes), len(bench.console)
            bench.run(until=lambda n=lives: self.node.asleep and len(bench.wakes) > n,
                      limit_s=limit_s)  # fmt: skip
            said = [text for _, text in bench.console[lines:]]
            if any(text.startswith(start) for text in said):
                assert self.node.asleep_by(len(bench.wakes)) < LONGEST_WAKE_S
                assert bench.wakes[-1].end.startswith("deep sleep"), bench.console[before:]
                return said

    def breaks(self, module: str, what: str, error: str) -> None:
        *owners, name = what.split(".")
        self._main.write_text(MAIN.format(module=module, owners=owners, name=name, error=error))

    def mends(self) -> None:
        self._main.write_text(self._good)


def sampled(said: list[str], part: str) -> bool:
    """Whether a record has this in it."""
    return any(text.startswith("sampled") and part in text for text in said)


@pytest.mark.parametrize(
    ("module", "what", "kept", "delivered", "told", "errors"),
    PLACES,
    ids=[f"{module}.{what}" for module, what, *_ in PLACES],
)
def test_raised_anywhere(node, broker, module, what, kept, delivered, told, errors):
    sleep = {"module": WAYS.get(what, "auto")}
    n = node(secrets={"commands": {"key": "00" * 16}}, commands={"listen_s": 1}, sleep=sleep)
    made = Breaking(n)
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        for error in errors:
            made.breaks(module, what, error)
            said = made.wake("broken")
            assert sampled(said, '"wake"') is kept, said
            assert any(text.startswith("delivered") for text in said) is delivered, said
            if told is not None:
                assert sampled(said, "crash: " + error.split("(")[0].split(".")[-1]) is told, said
            made.mends()
            made.wake("delivered")
        assert n.deliver(subscriber) == n.said("sampled")


UNUSABLE = {
    "empty": b"",
    "cut": b'{"id": "n1", "mq',
    "bytes": bytes(range(256)),
    "list": b"[]",
    "values": b'{"id": "n1", "sample": {"period_s": 5}}',
}
HOUR_S = 3600


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("name", ["config", "secrets"])
def test_a_node_that_was_at_work_never_stays_at_its_prompt(node, broker, name, text):
    """Nobody is there. What cannot be read may be another time, or somebody comes and mends it."""
    n = node(secrets={"mqtt": {"password": "open-sesame"}})
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        good = (n.flash / f"{name}.json").read_bytes()
        for suffix in ("json", "good"):
            (n.flash / f"{name}.{suffix}").write_bytes(text)
        lives = len(n.bench.wakes)
        n.bench.run(
            until=lambda: n.asleep and len(n.bench.wakes) >= lives + 5, limit_s=10 * HOUR_S
        )
        *spans, _ = [b.start_us - a.end_us for a, b in pairwise(n.bench.wakes[lives - 1 :])]
        assert spans[1:] == [HOUR_S * 10**6 + 300_000] * (len(spans) - 1)
        assert all(n.asleep_by(wake) < 10 for wake in range(lives + 1, lives + 5))
        assert len(n.said(f"configuration: {name}.json")) >= 3
        (n.flash / f"{name}.json").write_bytes(good)
        n.bench.run(until=lambda: len(n.said("delivered")) >= 2, limit_s=20 * HOUR_S)
        assert n.deliver(subscriber) == n.said("sampled")


CODE = (
    "firmware/app.mpy",
    "firmware/outbox.mpy",
    "firmware/boards/unix.mpy",
    "firmware/session.mpy",
)


@pytest.mark.parametrize("code", CODE)
def test_code_that_cannot_be_loaded(node, broker, code):
    """Without the loader's help: a file that ends early keeps MicroPython's busy for ever."""
    n = node()
    path = n.flash / code
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        good = path.read_bytes()
        path.write_bytes(b"")
        lives = len(n.bench.wakes)
        n.bench.run(
            until=lambda: n.asleep and len(n.bench.wakes) >= lives + 2, limit_s=10 * HOUR_S
        )
        assert n.asleep_by(lives + 2) < 70
        path.write_bytes(good)
        assert n.deliver(subscriber) == n.said("sampled")
