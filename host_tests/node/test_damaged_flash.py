"""A node on the bench whose flash has been damaged between two wakes."""

import json

from tools.demo.subscriber import Subscriber
from tools.virtual_c1100 import Profile


def events(records: list[bytes]) -> list[str]:
    return [part["vs"] for each in records for part in json.loads(each) if part["n"] == "event"]


def test_no_file_stops_the_node(node, broker):
    """All of them at once: each is damaged, or a folder stands in its place."""
    n = node(secrets={"pin": "1234", "commands": {"key": "ab" * 16}}, log={"level": "info"})
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.live(2)
        seqs = [json.loads(line)[0]["v"] for line in n.said("sampled")]
        for name, data in {
            "outbox/notes.seg": b"do not touch",
            "outbox/confirmed": b"rubbish",
            "pin_refused": b"\xff\xfe",
            "pin_refused.2": b"\xff\xfe",
            "starts": b"\xff",
            "starts.2": b"",
            "config.trial": b'{"name":"c","key":"apn","value":"x","left":"3","state":"trying"}',
            "config.good": b"\x00" * 300,
            "log.1": b"#\xff",
        }.items():
            (n.flash / name).write_bytes(data)
        for name in ("outbox/00000009.seg", "outbox.next", "commands.counter", "log.0"):
            (n.flash / name).unlink(missing_ok=True)
            (n.flash / name / "inside").mkdir(parents=True)
        n.live(4)
        assert n.deliver(subscriber) == n.said("sampled")
        told = events(subscriber.records)
    later = [json.loads(line)[0]["v"] for line in n.said("sampled")]
    assert later == sorted(set(later))
    assert later[: len(seqs)] == seqs
    assert any("config.trial is damaged" in event for event in told)
    assert (n.flash / "log.1").read_bytes().count(b" I sleeping ") >= 2
    assert [wake.end for wake in n.bench.wakes if "deep sleep" not in wake.end] == []


def test_a_record_that_is_damaged_costs_no_other(node, broker):
    profile = Profile()
    n = node(profile=profile, sample={"period_s": 300})
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.live(2)
        profile.cell.covered = False
        n.live(len(n.said("sleeping")) + 12)
        (segment,) = (n.flash / "outbox").glob("*.seg")
        block = bytearray(segment.read_bytes())
        block[40] ^= 1  # in the first record
        segment.write_bytes(bytes(block))
        profile.cell.covered = True
        arrived = []
        while not any(" lost, flash is damaged" in event for event in events(subscriber.records)):
            n.live(len(n.said("sleeping")) + 4)
            subscriber.settle()
            assert len(n.bench.wakes) < 100
        arrived = [record.decode() for record in dict.fromkeys(subscriber.records)]
    missing = [line for line in n.said("sampled") if line not in arrived]
    lost, *waiting = missing
    assert f'"v":{int(segment.stem, 16)}' in lost
    assert len(waiting) < 4
    assert "1 record is lost, flash is damaged" in events(subscriber.records)
    assert all(line in n.said("sampled") for line in arrived)


def test_what_is_no_json_is_told_with_its_place(node, broker):
    n = node()
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.live(1)
        config = (n.flash / "config.json").read_text()
        (n.flash / "config.json").write_text(config.rstrip("}\n ") + '}, "report": {"x": }}')
        n.live(3)
        assert n.deliver(subscriber) == n.said("sampled")
        assert any("is not valid JSON: line" in event for event in events(subscriber.records))
