"""docs/schema: what the firmware says fits, and what does not is told, once."""

import json
from pathlib import Path

import jsonschema
import pytest

from host_tests.docs.test_protocol import described
from tools.monitor import schema
from tools.monitor.model import Fleet

RECORD = [{"bn": "n:", "bt": 1795881078, "n": "seq", "v": 8}]
TEXTS = {"reset": "power", "battery_level": "low"}
TEXT = ("reset", "version", "driver", "event", "rat", "trace", "at", "battery_level")


def pack(*more: dict) -> bytes:
    return json.dumps([*RECORD, *more]).encode()


@pytest.mark.parametrize("path", sorted(schema.FOLDER.iterdir()), ids=lambda path: path.name)
def test_each_is_a_schema(path: Path):
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


@pytest.mark.parametrize(("name", "unit"), sorted(described(), key=str))
def test_each_name_has_its_unit_and_kind(name, unit):
    value = {"vs": TEXTS.get(name, "x")} if name in TEXT else {"v": -1 if unit == "dBm" else 1}
    good = {"n": name} | ({"u": unit} if unit else {}) | value
    assert schema.unfit("telemetry", pack(good)) == []
    wrong = ({**good, "u": "lx"}, {"n": name, "vb": True}, {**good, "vb": True}, {"n": name})
    for each in wrong:
        (told, *_) = schema.unfit("telemetry", pack(each))
        assert told.startswith(name), told
    if unit:
        assert schema.unfit("telemetry", pack({"n": name} | value))


@pytest.mark.parametrize(
    "fields",
    [
        {"u": "%RH", "v": 40.5},
        {"v": 1},
        {"vs": "x"},
        {"vb": False},
        {"vd": "AA-_"},
        {"u": "x", "v": 1},
    ],
)
def test_sensors_of_ones_own_may_say_anything(fields):
    assert schema.unfit("telemetry", pack({"n": "own"} | fields)) == []


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"{}", b"3", b'[{"n":"x","v":1}]', b'[{"bn":"n","n":"seq","v":1}]',
     b'[{"n":"seq","v":0}]', b'[{"n":"seq","v":1,"zz":1}]',
     pack({"n": "x", "vd": "a+b"}), pack({"v": 1})],
)  # fmt: skip
def test_what_is_no_pack_of_a_node(payload):
    assert schema.unfit("telemetry", payload) or payload in (b"{}", b"3")


def test_results():
    good = {"result": "done", "start": 1, "wake": 2, "backlog": 0, "id": "a7", "counter": 5}
    assert schema.unfit("result", json.dumps(good).encode()) == []
    for wrong in ({"result": "well"}, {"result": "refused"}, {"id": 5}, {"counter": 0}, {"x": 1}):
        assert schema.unfit("result", json.dumps(good | wrong).encode()), wrong
    for nothing in (b"", b"{", b"\xff"):
        assert schema.unfit("result", nothing) == []


def test_the_monitor_tells_what_does_not_fit_once_and_goes_on():
    fleet = Fleet()
    wrong = pack({"n": "battery", "u": "mV", "v": 3600}, {"n": "wake", "v": -1})
    for seq in range(3):
        fleet.message("nodes/n/telemetry", wrong.replace(b'"v": 8', b'"v": %d' % (8 + seq)), 1.8e9)
    fleet.message("nodes/n/results", b'{"id":"a","result":"odd"}', 1.8e9)
    told = [event for event in fleet.events if "does not fit" in event[2]]
    assert len(told) == 3, told
    assert all(words for *_, words in told)
    assert [("battery" in text, "wake" in text) for _, _, text, _ in told[:2]] == [
        (True, False), (False, True)]  # fmt: skip
    assert fleet.nodes["n"].values["battery"].value == 3600
    assert fleet.nodes["n"].malformed == 0
