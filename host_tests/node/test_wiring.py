"""Whatever is wired, the node reports for ever: it never leaves the module in a state that nothing
wired can end.

    make wirings        all combinations, 50 wakes each; the suite has a part of them
"""

import itertools
import os
import time

import pytest

from host_tests.node.conftest import PERIOD_S, Node
from host_tests.node.test_commands import KEY, Talk
from host_tests.patience import LIMIT_S
from tools.demo.subscriber import Subscriber, records
from tools.virtual_c1100.module import Power

TOPIC = "nodes/n1/telemetry"
PINS = {"pwrkey": 4, "wake": 5, "status": 18, "cut": 6}
WIRED = [
    tuple(name for name, is_wired in zip(PINS, bits, strict=True) if is_wired)
    for bits in itertools.product((False, True), repeat=len(PINS))
]
SLEEPS = ("auto", "off", "psm", "edrx", "idle")
UPLINKS = ("mqtt", "http", "tcp")
# What goes wrong in one wake: the module says nothing, refuses all, or what the uplink asks.
FAILURES = ("mute", "error", "error:uplink")
SENDS = {"mqtt": "+LSMQTTPUB", "http": "+LSHTTPPOST", "tcp": "+LSIPSEND"}
IS_WHOLE = os.environ.get("WIRINGS") == "all"
WAKES = 50 if IS_WHOLE else 20
FAILS_AT = 8

ALL = list(itertools.product(WIRED, SLEEPS, UPLINKS))
# Each way of wiring with two ways to sleep; each way to sleep and uplink with and without a key.
SOME = [
    (wired, SLEEPS[(i + 2 * again) % len(SLEEPS)], UPLINKS[(i + again) % len(UPLINKS)])
    for again in range(2)
    for i, wired in enumerate(WIRED)
    if not again or "pwrkey" not in wired
]
CASES = ALL if IS_WHOLE else SOME


def supplied(node: Node) -> Node:
    """Its module is on, as the board is: without a power key somebody has seen to that."""
    node.module.power_on()
    return node


def fail(node: Node, uplink: str, failure: str) -> None:
    """The next wake fails; the one after it need not."""
    name, _, at_uplink = failure.partition(":")
    node.module.faults.add(name, SENDS[uplink] if at_uplink else "")
    before = len(node.said("wake failed"))
    node.live(len(node.said("sleeping")) + 1)
    node.module.faults.clear()
    assert len(node.said("wake failed")) == before + 1


@pytest.mark.parametrize(
    ("wired", "sleep", "uplink"),
    [
        pytest.param(wired, sleep, uplink, id=f"{'+'.join(wired) or 'no-pin'}-{sleep}-{uplink}")
        for wired, sleep, uplink in CASES
    ],
)
def test_every_record_arrives(node, broker, lines, web_server, wired, sleep, uplink):
    host, port = web_server.address
    n = node(
        pins={name: PINS[name] for name in wired},
        sleep={"module": sleep, "edrx_s": 82},
        uplink={"first": uplink},
        http={"url": f"http://{host}:{port}/telemetry"},
        tcp={"host": lines.host, "port": lines.port},
    )
    if "pwrkey" not in wired:
        supplied(n)
    with Subscriber(broker, TOPIC) as subscriber:

        def arrived() -> set[str]:
            if uplink == "mqtt":
                subscriber.settle()
                found = subscriber.records
            elif uplink == "tcp":
                found = lines.records
            else:
                found = [record for seen in web_server.seen for record in records(seen.body)]
            return {record.decode() for record in found}

        n.live(FAILS_AT)
        fail(n, uplink, FAILURES[ALL.index((wired, sleep, uplink)) % len(FAILURES)])
        n.live(WAKES)
        n.bench.run(
            until=lambda: n.asleep and set(n.said("sampled")) <= arrived(),
            limit_s=n.bench.timeline.now_us / 1e6 + 2 * PERIOD_S,
        )
    assert len(n.said("sampled")) >= WAKES - 2
    assert len(n.said("wake failed")) == 1


# The smallest configuration: `id` and `mqtt.host` ---------------------------------------------


@pytest.fixture
def smallest(node, broker):
    """smallest(**config) -> Node with the two keys that README names"""

    def make(**config) -> Node:
        alone = dict.fromkeys(("apn", "sample", "report", "pins"))
        return supplied(node(**alone, **config))

    return make


def test_the_smallest_configuration_reports_for_ever(smallest, broker):
    n = smallest()
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(50)
        assert n.deliver(subscriber) == n.said("sampled")
    assert n.said("wake failed") == []
    assert len(n.said("delivered")) >= 50


@pytest.mark.parametrize("failure", FAILURES)
def test_the_smallest_configuration_after_a_failed_wake(smallest, broker, failure):
    n = smallest()
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(2)
        fail(n, "mqtt", failure)
        n.live(5)
        assert n.deliver(subscriber) == n.said("sampled")


@pytest.mark.parametrize(
    ("body", "results"),
    [
        ({"do": "set", "key": "sample.period_s", "value": 450}, ["trying", "kept"]),
        ({"do": "set", "key": "sleep.module", "value": "off"}, ["trying", "kept"]),
        ({"do": "set", "key": "mqtt.host", "value": "no.such.example"}, ["trying", "taken back"]),
        ({"do": "reboot"}, ["done"]),
    ],
    ids=["set", "set-off", "set-wrong", "reboot"],
)
def test_the_smallest_configuration_after_a_command(smallest, broker, body, results):
    n = smallest(secrets={"commands": {"key": KEY.hex()}})
    talk = Talk(broker)
    try:
        with Subscriber(broker, TOPIC) as subscriber:
            talk.order("c1", **body)
            n.live(8)
            assert n.deliver(subscriber) == n.said("sampled")
        assert talk.result("c1")["result"] == results[-1]
        assert [r["result"] for r in talk.results if r["id"] == "c1"] == results
    finally:
        talk.close()


@pytest.mark.parametrize("moment", ["node", "sampled", "registered", "delivered"])
def test_the_smallest_configuration_after_ctrl_c_as_deploy_types_it(smallest, broker, moment):
    n = smallest(console_pty=True)
    with Subscriber(broker, TOPIC) as subscriber:
        n.bench.run(until=lambda: n.said(moment), limit_s=PERIOD_S)
        tty = os.open(n.bench.tty, os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(tty, b"\x03")
            limit = time.monotonic() + LIMIT_S
            n.bench.run(
                until=lambda: n.said("KeyboardInterrupt") or time.monotonic() > limit,
                attended=True,
            )
        finally:
            os.close(tty)
        assert n.said("KeyboardInterrupt")
        n.bench.press_reset()
        n.live(3)
        assert n.deliver(subscriber) == n.said("sampled")
    assert n.said("wake failed") == []
    assert n.module.power is Power.ON


# What is said of it --------------------------------------------------------------------------


def test_the_log_begins_with_what_the_wiring_rules_out(smallest):
    n = smallest()
    n.live(2)
    said = [text for _, text in n.bench.console]
    assert said[0] == (
        "wiring: no pins.pwrkey, no pins.wake: module never off nor in psm, but idle: "
        "about 54 mAh a day, not 28 (estimate: report each 900 s, attach 15 s)"
    )
    assert len(n.said("wiring:")) == 1
    assert said[0] in (n.flash / "log.0").read_text()
