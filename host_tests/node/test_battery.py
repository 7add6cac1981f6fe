"""A battery that empties, sags and is cold: last word, silence, return; nothing is lost."""

import json

from tools.demo.subscriber import Subscriber
from tools.virtual_board.battery import Battery

HOUR_US = 3_600_000_000
TOPIC = "nodes/n1/telemetry"


class Course:
    """A battery whose charge, temperature and load a test decides."""

    def __init__(self, n, kind="li-socl2", **changes) -> None:
        self.node = n
        self.used = 0.0
        self.celsius = 20.0
        self.battery = n.bench.battery = Battery(
            kind, lambda: self.used, self.amperes, lambda: self.celsius, **changes
        )

    def amperes(self) -> float:
        return 0.2 if self.node.module.radio.connected else 0.001


def events(n) -> list[str]:
    return [
        part["vs"]
        for text in n.said("sampled")
        for part in json.loads(text)
        if part["n"] == "event" and part["vs"].startswith("battery")
    ]


def sessions(n) -> int:
    return len(n.said("registered"))


def test_it_empties_and_comes_back(node, broker):
    with Subscriber(broker, TOPIC) as subscriber:
        n = node(
            battery={"kind": "li-socl2"},
            sample={"period_s": 300},
            report={"period_s": 900},
            health={"period_s": 86400},
        )
        course = Course(n)
        n.live(2)
        assert events(n) == []
        course.used = 985.0  # 1.5 % is left
        n.bench.run(until=lambda: n.asleep and bool(events(n)), limit_s=30000)
        assert events(n)[-1].startswith("battery dead: ")
        n.bench.run(until=lambda: n.asleep and subscriber_has(subscriber, b"battery dead"),
                    limit_s=40000)  # fmt: skip
        assert not n.module.get_pin("status")
        before, records, made = sessions(n), len(subscriber.records), len(n.said("sampled"))
        silent_s = n.bench.timeline.now_us / 1e6
        n.bench.run(until=silent_s + 12 * 3600)
        assert sessions(n) == before  # silence
        assert not n.module.get_pin("status")
        assert len(subscriber.records) == records
        waiting = len(n.said("sampled")) - made
        assert 30 <= waiting <= 40  # it samples, at a quarter of the pace
        course.used = 300.0  # somebody has changed it
        arrived = n.deliver(subscriber)
        assert arrived == n.said("sampled")  # nothing is lost
        n.bench.run(until=n.bench.timeline.now_us / 1e6 + 3600)
        assert sessions(n) >= before + 4
    told = [event.split(":")[0] for event in events(n)]
    assert told[0] == "battery dead"
    assert told[-1] in ("battery normal", "battery high")


def subscriber_has(subscriber: Subscriber, text: bytes) -> bool:
    subscriber.settle()
    return any(text in record for record in list(subscriber.records))


def test_sag_and_cold(node, broker):
    """A cell that rests well, and gives less while the module transmits: low, not dead."""
    with Subscriber(broker, TOPIC) as subscriber:
        n = node(battery={"kind": "li-socl2"}, sample={"period_s": 300}, report={"period_s": 900})
        course = Course(n)
        n.live(2)
        course.celsius = -25.0
        n.bench.run(until=lambda: n.asleep and bool(events(n)), limit_s=30000)
        assert events(n)[-1].startswith("battery low: ")
        cold = sessions(n)
        n.bench.run(until=n.bench.timeline.now_us / 1e6 + 6 * 3600)
        assert 4 <= sessions(n) - cold <= 8  # a quarter of the pace
        course.celsius = 20.0
        n.bench.run(until=n.bench.timeline.now_us / 1e6 + 3 * 3600)
        assert events(n)[-1].startswith(("battery normal: ", "battery high: "))
        assert not any("dead" in event for event in events(n))
        assert n.deliver(subscriber) == n.said("sampled")
    loads = [
        part["v"]
        for text in n.said("sampled")
        for part in json.loads(text)
        if part["n"] == "battery_load"
    ]
    assert max(loads) > 3.35
    assert min(loads) < 3.1


def test_readings_that_are_none_change_nothing(node, broker):
    n = node(battery={"kind": "liion"}, pins={"pwrkey": 4, "wake": 5, "status": 18, "battery": 36})
    n.live(4)  # nothing is wired at that pin: 0 V
    told = [text for text in n.said("sampled") if "sensor battery failed" in text]
    assert len(told) == 1
    assert len(n.said("delivered")) >= 3
