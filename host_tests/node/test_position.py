"""Positions: in the report that is due with them, and without a connection that waits for them."""

import json

import pytest

from host_tests.node.conftest import PERIOD_S
from tools.demo.subscriber import Subscriber
from tools.virtual_c1100 import Profile

TOPIC = "nodes/n1/telemetry"


def states(n) -> list[tuple[float, str, str, bool]]:
    """What the module does from now on: time, state, cause, whether the receiver runs."""
    seen = []

    def changed(state: str, cause: str) -> None:
        seen.append((n.bench.timeline.now_us / 1e6, state, cause, n.module.gnss.running))

    n.module.on_state = changed
    return seen


def positions(subscriber: Subscriber) -> list[float]:
    """The latitudes that have arrived."""
    packs = [json.loads(record) for record in subscriber.records]
    return [field["v"] for pack in packs for field in pack if field["n"] == "lat"]


@pytest.mark.parametrize("doze", [0, 1])
def test_a_position_comes_with_the_report_and_costs_no_connection(node, broker, doze):
    n = node(position={"period_s": PERIOD_S}, sleep={"module": "off", "doze": doze})
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        seen = states(n)
        n.live(2)
        assert n.deliver(subscriber) == n.said("sampled")
    assert [round(latitude, 3) for latitude in positions(subscriber)] == [31.23, 31.23]
    while_it_looks = {state for _, state, _, looking in seen if looking}
    assert while_it_looks <= {"idle"}  # the radio is off
    assert [state for _, state, _, _ in seen].count("search") == 1
    assert n.asleep_by(2) < 20


def test_a_position_alone_never_attaches(node):
    n = node(
        position={"period_s": PERIOD_S}, report={"period_s": 20 * PERIOD_S},
        sleep={"module": "off"},
    )  # fmt: skip
    n.live(1)
    n.bench.run(until=n.bench.timeline.now_us / 1e6 + 10)  # until the module is off
    seen = states(n)
    n.live(3)
    assert {state for _, state, _, _ in seen} <= {"boot", "idle", "search", "off"}
    assert sum('"lat"' in text for text in n.said("sampled")) == 3
    assert len(n.said("registered")) == 1


def test_a_module_in_psm_stays_registered_while_it_looks_for_satellites(node, broker):
    n = node(position={"period_s": PERIOD_S}, sleep={"module": "psm"})
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        seen = states(n)
        n.live(3)
        assert n.deliver(subscriber) == n.said("sampled")
    assert len(positions(subscriber)) >= 3
    assert "detach" not in {cause for _, _, cause, _ in seen}
    assert "psm" in {state for _, state, _, _ in seen}


def test_no_sky_costs_its_limit_and_not_the_report(node, broker):
    profile = Profile()
    profile.track.sky = False
    n = node(profile, position={"period_s": PERIOD_S, "limit_s": 30})
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(2)
        assert n.deliver(subscriber) == n.said("sampled")
    assert not positions(subscriber)
    assert n.said("sensor failed: Timeout: no position in 30 s")
    assert n.asleep_by(1) < 60
