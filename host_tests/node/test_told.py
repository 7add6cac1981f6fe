"""What a node is told of the time, and what it makes of it. All values that may be told:
host_tests/unit/test_clock.py and test_uplinks.py.
"""

import json

import pytest

from host_tests.patience import LIMIT_S
from tools.demo.subscriber import Subscriber
from tools.virtual_c1100 import Profile

TOPIC = "nodes/n1/telemetry"
START = Profile.start_s
UNKNOWN = 315_964_800  # 1980, as a module says that has never heard the time


def times(subscriber) -> dict[int, int | None]:
    """wake -> base time of what was sampled in it"""
    packs = [json.loads(record) for record in subscriber.records]
    return {f["v"]: pack[0].get("bt") for pack in packs for f in pack if f["n"] == "wake"}


def is_true(n, told: dict[int, int | None]) -> bool:
    """Whether these are the times of the wakes, as the module's clock runs, which is right."""
    return all(
        at is not None and abs(at - START - n.bench.wakes[wake - 1].start_us / 1e6) < 5
        for wake, at in told.items()
    )


@pytest.mark.parametrize(
    "answer, known",
    [
        ('+CCLK: "24/13/45,25:61:61+00"', False),
        ('+CCLK: "80/01/06,00:00:19+00"', False),
        ("+CCLK: 23/11/15,00:13:50+08", True),
        ('+CCLK: "2023/11/14,22:13:50"', True),
    ],
)
def test_what_the_network_says(node, broker, answer, known):
    with Subscriber(broker, TOPIC) as subscriber:
        n = node()
        n.module.faults.add("answer", f"+CCLK={answer}|0")
        n.live(1)
        subscriber.wait(1, LIMIT_S)
    at = times(subscriber)[1]
    assert at == pytest.approx(START + 20, abs=20) if known else at is None


def test_records_from_before_the_time_was_known_get_it(node, broker):
    profile = Profile()
    profile.cell.covered = False
    n = node(profile, register_s=60)
    n.live(3)
    profile.cell.covered = True
    with Subscriber(broker, TOPIC) as subscriber:
        n.deliver(subscriber)
        told = times(subscriber)
    assert len(told) >= 4
    assert is_true(n, told)


@pytest.mark.parametrize("told", [b"0", b"-1", b"1800000001456", b"1700000000", b"99999999999"])
def test_a_node_keeps_its_rhythm_whatever_a_server_says(node, lines, told):
    lines.time = b" " + told
    n = node(
        Profile(start_s=UNKNOWN),
        uplink={"first": "tcp"},
        tcp={"host": lines.host, "port": lines.port},
    )
    n.bench.run(until=6 * 900.0)
    assert 5 <= len(n.bench.wakes) <= 7
    assert [record.decode() for record in lines.records] == n.said("sampled")
    found = [json.loads(record)[0].get("bt") for record in lines.records]
    good = {b"1800000001456": 1_800_000_001, b"1700000000": 1_700_000_000}.get(told)
    for place, at in enumerate(found):
        if good is None or not place:
            assert at is None
        else:
            assert at == pytest.approx(good + 900 * place, abs=2 * 900)


def test_a_clock_that_was_set_does_not_jump_for_one_who_says_so(node, broker):
    with Subscriber(broker, TOPIC) as subscriber:
        n = node()
        n.live(2)
        n.module.faults.add("answer", '+CCLK*1=+CCLK: "33/01/01,00:00:00+00"|0')
        n.live(4)
        assert n.deliver(subscriber) == n.said("sampled")
    assert is_true(n, times(subscriber))
    assert len(n.said("time: ")) == 1
