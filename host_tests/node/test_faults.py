"""Every fault that the virtual module knows, for two wakes of a node, and then two without it.

However it hits, the node sleeps after each wake, and in the end every record has been delivered,
in order, exactly as it was sampled.
"""

import json

import pytest

from tools.demo.subscriber import Subscriber
from tools.virtual_c1100.faults import FAULTS

LONGEST_WAKE_S = 310  # the firmware gives up after 300


@pytest.mark.parametrize("fault", FAULTS)
def test_node_outlives(node, broker, fault):
    n = node()
    n.module.faults.add(fault)
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.live(2)
        n.module.faults.clear()
        n.live(4)
        subscriber.wait(4, 5)
        arrived = [payload.decode() for payload in subscriber.payloads]
    sampled = n.said("sampled")
    assert len(sampled) == 4
    assert list(dict.fromkeys(arrived)) == sampled, "each at least once, in order"
    assert len(arrived) - len(sampled) <= 2, "a repetition only where a confirmation was lost"
    for awake in n.bench.wakes[:4]:
        assert (awake.end_us - awake.start_us) / 1e6 < LONGEST_WAKE_S
    # At a healthy module the last wake is as short as ever.
    assert n.asleep_by(4) < 20
    numbers = [record["v"] for p in sampled for record in json.loads(p) if record["n"] == "wake"]
    assert numbers == [1, 2, 3, 4]
