"""What the monitor makes of messages: good, odd and hostile ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.monitor import senml
from tools.monitor.model import MOST_NAMES, Fleet

NOW = 1_800_000_000.0


def pack(*fields: dict, node: str = "n1", at: int = 1_799_999_900) -> bytes:
    first, *rest = fields
    return json.dumps([{"bn": f"{node}:", "bt": at, **first}, *rest]).encode()


def test_senml_base_values_hold_until_they_change():
    """The first part is RFC 8428 clause 5.1.2's way of writing; the second a joined record."""
    found = senml.resolve(
        b'[{"bn":"a:","bt":1700000000,"bu":"V","n":"x","v":1},{"n":"y","u":"A","v":2,"t":5},'
        b'{"bn":"b:","bt":1700000100,"n":"on","vb":true},{"n":"s","vs":"text"}]',
        NOW,
    )
    assert found == [
        ("a:x", 1, "V", 1700000000),
        ("a:y", 2, "A", 1700000005),
        ("b:on", True, "V", 1700000100),
        ("b:s", "text", "V", 1700000100),
    ]


def test_senml_without_a_time_is_now_and_relative_times_count_from_now():
    (now,) = senml.resolve(b'[{"n":"x","v":1}]', NOW)
    (before,) = senml.resolve(b'[{"n":"x","v":1,"t":-30}]', NOW)
    assert (now.at, before.at) == (NOW, NOW - 30)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"{}", b"[1]", b'[{"n":1,"v":1}]', b'[{"v":"x"}]', b'[{"v":1,"vs":"x"}]',
     b'[{"t":"x","v":1}]', b'[{"bt":[],"v":1}]', b'[{"bn":3,"v":1}]', b"\xff\xfe", b'[{"v":true}]',
     b"[" * 100_000],
)  # fmt: skip
def test_damaged_messages_are_counted_and_do_no_harm(payload):
    fleet = Fleet()
    fleet.message("nodes/n1/telemetry", payload, NOW)
    assert fleet.nodes["n1"].malformed == 1
    assert "damaged message" in fleet.events[-1][2]


@given(st.binary(max_size=200), st.text(max_size=30))
def test_no_message_ends_the_monitor(payload, name):
    fleet = Fleet()
    for topic in (f"nodes/{name}/telemetry", f"nodes/{name}/results", name):
        fleet.message(topic, payload, NOW)
    json.dumps(fleet.snapshot(NOW))


def test_the_latest_values_are_shown_whatever_order_they_come_in():
    fleet = Fleet()
    topic = "nodes/n1/telemetry"
    fleet.message(topic, pack({"n": "battery", "u": "V", "v": 3.6}, at=1_799_999_900), NOW)
    fleet.message(topic, pack({"n": "battery", "u": "V", "v": 3.9}, at=1_799_990_000), NOW)
    (node,) = fleet.snapshot(NOW)["nodes"]
    assert node["values"] == {"battery": {"value": 3.6, "unit": "V"}}
    assert node["id"] == "n1"


def test_sequence_numbers_tell_what_is_missing_and_what_came_twice():
    fleet = Fleet()
    for seq in (4, 5, 8, 8, 6):
        fleet.message("nodes/n1/telemetry", pack({"n": "seq", "v": seq}), NOW)
    node = fleet.nodes["n1"]
    assert node.missing == {7}
    assert node.repeated == 1


def test_a_node_is_overdue_by_its_own_rhythm():
    fleet = Fleet()
    for n in range(4):
        fleet.message("nodes/slow/telemetry", pack({"n": "wake", "v": n}), NOW + 3600 * n)
        fleet.message("nodes/quick/telemetry", pack({"n": "wake", "v": n}), NOW + 10620 + 60 * n)
    rows = {row["id"]: row["overdue"] for row in fleet.snapshot(NOW + 10800 + 600)["nodes"]}
    assert rows == {"quick": True, "slow": False}


def test_events_results_and_positions():
    fleet = Fleet()
    fleet.message(
        "nodes/n1/telemetry",
        pack({"n": "event", "vs": "radio"}, {"n": "lat", "v": 31.2}, {"n": "lon", "v": 121.5}),
        NOW,
    )
    fleet.message("nodes/n1/results", b'{"id": "a7", "result": "done"}', NOW)
    (node,) = fleet.snapshot(NOW)["nodes"]
    assert node["recoveries"] == 1
    assert node["track"] == [[31.2, 121.5]]
    assert [event["text"] for event in fleet.snapshot(NOW)["events"]] == [
        "event: radio",
        'result: {"id": "a7", "result": "done"}',
    ]


def test_a_hostile_node_fills_no_memory():
    fleet = Fleet()
    fields = [{"n": f"name-{n}", "v": n} for n in range(1000)]
    fleet.message("nodes/n1/telemetry", pack(*fields), NOW)
    fleet.message("nodes/n1/telemetry", pack({"n": "seq", "v": 1}), NOW)
    fleet.message("nodes/n1/telemetry", pack({"n": "seq", "v": 10**15}), NOW)
    fleet.message("nodes/n1/telemetry", pack({"n": "event", "vs": "x" * 100_000}), NOW)
    node = fleet.nodes["n1"]
    assert len(node.values) == MOST_NAMES
    assert len(node.missing) <= 1000
    assert len(fleet.events[-1][2]) < 200
