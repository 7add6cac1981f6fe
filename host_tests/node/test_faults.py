"""Every fault that the virtual module knows, for two wakes of a node, and then two without it.

However it hits, the node sleeps after each wake, and in the end every record has been delivered,
in order, exactly as it was sampled.
"""

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
        assert n.deliver(subscriber) == n.said("sampled"), "each at least once, in order"
        repeated = len(subscriber.records) - len(set(subscriber.records))
        assert repeated <= 2, "a repetition only where a confirmation was lost"
        for awake in n.bench.wakes:
            assert (awake.end_us - awake.start_us) / 1e6 < LONGEST_WAKE_S
        # At a healthy module the last wakes are as short as ever.
        lived = len(n.bench.wakes)
        n.bench.run(until=lambda: n.asleep and len(n.bench.wakes) >= lived + 2)
    assert n.asleep_by(lived + 2) < 20
