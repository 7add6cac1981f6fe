"""Every measurement is shown, whatever it is, with its unit in words; events in words, too."""

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import recovery
from firmware.state import CAUSES
from host_tests.monitor.test_model import NOW, pack
from tools.broker import Address
from tools.monitor import units, words
from tools.monitor.feed import Feed
from tools.monitor.history import COLUMNS, Point, plotted
from tools.monitor.model import MOST_NAMES, MOST_TEXT, Fleet
from tools.monitor.sequence import MOST, Sequence

TOPIC = "nodes/n1/telemetry"
# RFC 8428 clause 12.1 (without "//", which is an escaped slash), RFC 8798 clauses 2 and 3,
# RFC 9193 clause 7, and what has been registered since.
REGISTERED = (
    "m kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3 l "
    "m/s m/s2 m3/s l/s W/m2 cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s "
    "1/min beat/min beats S/m B VA VAs var vars J/m kg/m3 deg NTU ms min h MHz kW kVA kvar Ah "
    "Wh kWh varh kvarh kVAh Wh/km KiB GB Mbit/s B/s MB/s mV mA dBm ug/m3 mm/h m/h ppm /100 "
    "/1000 hPa mm cm km km/h ppb ppt VAh mg/l ug/l g/l "
)


def shown(*fields: dict) -> dict:
    """What a view shows of a record."""
    fleet = Fleet()
    fleet.message(TOPIC, pack(*fields), NOW)
    assert not fleet.nodes["n1"].malformed
    (node,) = json.loads(json.dumps(fleet.snapshot(NOW), allow_nan=False))["nodes"]
    return node


@pytest.mark.parametrize("unit", REGISTERED.split())
def test_every_registered_unit_has_its_sign_and_its_meaning(unit):
    assert units.meaning(unit)
    assert len(units.symbol(unit)) < 13
    node = shown({"n": "x", "u": unit, "v": 1})
    assert node["values"]["x"] == {"value": 1, "unit": units.symbol(unit)}
    assert node["about"]["x"]["unit"] == units.meaning(unit)


def test_units_read_as_people_write_them_and_unknown_ones_as_they_are_sent():
    for unit, sign in (
        ("Cel", "°C"), ("%RH", "% RH"), ("dBm", "dBm"), ("V", "V"), ("m3", "m³"), ("Ohm", "Ω"),
        ("1/min", "per min"), ("count", ""), ("/100", "%"), ("ug/m3", "µg/m³"),
        ("furlong", "furlong"), ("celsius", "celsius"), ("", ""), ("\x1b[31m", "?[31m"),
        ("x" * 99, "x" * 23 + "…"),
    ):  # fmt: skip
        assert units.symbol(unit) == sign
    assert units.meaning("furlong") == ""
    assert set(units.UNITS) == set(REGISTERED.split())


ODD = (
    ({"v": 3.61}, 3.61),
    ({"v": 0}, 0),
    ({"v": -0.0}, 0),
    ({"v": 23.299999237060547}, 23.29999924),  # a float of 32 bits
    ({"v": 121.473667}, 121.473667),
    ({"v": 2**53 - 1}, 2**53 - 1),
    ({"v": 2**53}, "9.007199255e+15"),
    ({"v": -(10**400)}, "about -1e400"),
    ({"v": 1e300}, 1e300),
    ({"v": math.nan}, "not a number"),
    ({"v": math.inf}, "infinite"),
    ({"v": -math.inf}, "-infinite"),
    ({"v": 10**400, "bv": 0.5}, "infinite"),
    ({"vs": "dry"}, "dry"),
    ({"vs": ""}, ""),
    ({"vs": "<b>x</b>"}, "<b>x</b>"),
    ({"vs": "a\nb\x1b[31m\u202e"}, "a?b?[31m?"),
    ({"vs": "\ud800"}, "?"),
    ({"vs": "x" * 100_000}, "x" * 119 + "…"),
    ({"vb": True}, "true"),
    ({"vb": False}, "false"),
    ({"vd": "aGVsbG8"}, "5 bytes: 68 65 6c 6c 6f"),
    ({"vd": "aGVsbG8="}, "5 bytes: 68 65 6c 6c 6f"),
    ({"vd": "-_-_"}, "3 bytes: fb ff bf"),
    ({"vd": ""}, "0 bytes: "),
    ({"vd": "A" * 4000}, "3000 bytes: " + "00 " * 15 + "00…"),
    ({"vd": "?"}, "?"),
    ({"vd": "é"}, "é"),
)


@pytest.mark.parametrize(("value", "expected"), ODD, ids=range(len(ODD)))
def test_every_kind_of_value_is_shown_and_costs_the_others_nothing(value, expected):
    node = shown({"n": "x", "u": "V", **value}, {"n": "other", "bv": 0, "v": 7})
    assert node["values"]["x"]["value"] == expected
    assert node["values"]["other"]["value"] == 7


@pytest.mark.parametrize("name", ["event", "reset", "seq", "lat", "lon"])
@pytest.mark.parametrize(("value", "expected"), ODD, ids=range(len(ODD)))
def test_names_that_mean_something_with_values_that_mean_nothing(name, value, expected):
    node = shown({"n": name, **value}, {"n": "other", "bv": 0, "v": 7})
    assert node["values"]["other"]["value"] == 7
    if name in ("lat", "lon"):
        assert node["values"][name]["value"] == expected
        assert node["track"] == []


@pytest.mark.parametrize(
    ("lat", "lon", "is_one"),
    [(90, 180, True), (-90, -180, True), (0, 0, True), (90.1, 0, False), (0, -180.1, False),
     (1e308, 0, False), (math.nan, 0, False), (True, 0, False)],
)  # fmt: skip
def test_only_positions_that_are_ones_go_onto_the_map(lat, lon, is_one):
    label = "vb" if lat is True else "v"
    node = shown({"n": "lat", label: lat}, {"n": "lon", "v": lon})
    assert bool(node["track"]) is is_one
    assert {"lat", "lon"} <= set(node["values"])


def test_a_sum_is_a_value_of_its_own():
    node = shown({"n": "e", "bs": 1, "u": "W", "v": 5, "s": 3599}, {"n": "f", "u": "A", "s": 0})
    assert {name: tuple(value.values()) for name, value in node["values"].items()} == {
        "e": (5, "W"), "e (sum)": (3600, "W·s"), "f (sum)": (1, "A·s")
    }  # fmt: skip


def test_five_hundred_names_are_shown_and_of_more_it_is_said():
    node = shown(*({"n": f"s{n}", "u": "Cel", "v": n} for n in range(500)))
    assert len(node["values"]) == 500
    assert node["unshown"] == 0
    node = shown(*({"n": f"s{n}", "v": n} for n in range(MOST_NAMES + 88)))
    assert (len(node["values"]), node["unshown"]) == (MOST_NAMES, 88)
    node = shown({"n": "n" * 100_000, "v": 1})
    assert [len(name) for name in node["values"]] == [MOST_TEXT]


def test_a_clock_that_is_wrong_does_not_hold_what_is_shown():
    fleet = Fleet()
    for at, value in ((4_000_000_000, 1), (NOW, 2), (NOW + 60, 3)):
        fleet.message(TOPIC, pack({"n": "x", "v": value}, at=int(at)), NOW)
    assert fleet.nodes["n1"].values["x"].value == 3
    fleet.message(TOPIC, b'[{"n":"x","v":4,"t":-1e11},{"n":"event","vs":"e","t":1e300}]', NOW)
    fleet.message(TOPIC, b'[{"n":"event","vs":"e","t":-1e11}]', NOW)
    assert all(0 <= event["at"] <= NOW + 3600 for event in fleet.snapshot(NOW)["events"])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
LABELS = ("bn", "bt", "bu", "bv", "bs", "s", "n", "u", "v", "vs", "vb", "vd", "t")
FIELD = st.dictionaries(st.sampled_from(list(LABELS)), JSON)
NAMED = FIELD.flatmap(
    lambda field: st.sampled_from(["seq", "lat", "lon", "event", "reset", "x"]).map(
        lambda name: {"n": name} | field
    )
)


@given(st.lists(FIELD | NAMED, max_size=6))
def test_nothing_that_is_json_ends_the_monitor(fields):
    fleet = Fleet()
    for _ in range(2):
        fleet.message(TOPIC, json.dumps(fields).encode(), NOW)
    json.dumps(fleet.snapshot(NOW), allow_nan=False)


# Words ------------------------------------------------------------------------------------------


def test_every_reset_and_rung_of_the_firmware_is_told_in_words():
    boards = "".join(path.read_text() for path in Path("firmware/boards").glob("*.py"))
    told = re.findall(r'\("\w+_RESET", "(\w+)"\)', boards)
    assert len(told) >= 5
    assert not set(CAUSES) - {""} - set(words.RESETS)
    assert all(words.explained(f"reset: {name}") for name in told)
    for name, *_ in recovery.LADDER:
        assert "module" in words.explained(f"event: {name}")
    assert words.explained("event: door open") == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("event: crash: OSError 5", "log says where: python -m tools command n1 log"),
        ("event: record 17 set aside: status 400", "refused this record three times"),
        ("event: record 17 lost: it cannot be kept", "cannot be had any more"),
        ("event: 3 refused records dropped", "cannot be had any more"),
        ("event: 12 records are lost, flash is damaged", "replace the board"),
        ("event: 1 record is lost, flash is damaged", "replace the board"),
        ("event: 1 refused record dropped", "cannot be had any more"),
        ("event: sensor battery failed: OSError 5", "look at its wires"),
        ("event: sensor battery comes and goes: told again in a day", "its supply"),
        ("event: flash takes no records: 28", "full or worn"),
        ("event: config.json: apn is no text", "provision it again"),
        ("event: outbox/0001 cannot be read: 5", "goes on without"),
        ("event: state is damaged: ValueError", "goes on without"),
        ("reset: watchdog", "python -m tools command n1 log"),
        ("reset: power", "look at battery"),
        ('result: {"id": "a7", "result": "done"}', "command a7 was done"),
        ('result: {"id": "a7", "result": "kept", "key": "report.period_s"}',
         "report.period_s a7 is kept: the node has reported with it"),
        ('result: {"id": null, "result": "refused", "why": "no key"}',
         "command was refused: no key"),
        ("result: damaged result", ""),
        ('result: {"result": {}}', ""),
        ("result: [1]", ""),
        ("door open", ""),
    ],
)  # fmt: skip
def test_events_say_what_a_person_can_do(text, says):
    found = words.explained(text).replace("NODE", "n1")
    assert says in found
    assert bool(says) is bool(found)


def test_every_event_and_result_of_the_protocol_has_its_words():
    """docs/protocol.md lists them; what is in <> differs from one to the next."""
    page = Path("docs/protocol.md").read_text()
    rows = re.split(r"\n##", page.split("### Events")[1])[0]
    texts = [
        re.sub("<(first|last|number|count)>", "17", text).replace("<", "").replace(">", "")
        for row in re.findall(r"^\| (`.*?) \|", rows, re.M)
        for text in re.findall("`([^`]*)`", row)
        if text != "<what is wrong with a setting>"
    ]
    assert len(texts) > 15
    for text in texts:
        assert words.explained(f"event: {text}"), text
    results = page.split("\n## Results")[1]
    for state in re.findall(r"^\| `([a-z ]+)` \|", results.split("`why` of")[0], re.M)[1:]:
        assert state in words.RESULTS, state


def test_numbers_that_were_never_given_are_not_missing():
    fleet = Fleet()
    for seq in (1, 3, 64):
        fleet.message(TOPIC, pack({"n": "seq", "v": seq}), NOW)
    told = "numbers 4 to 63 are left out, a mark is lost"
    fleet.message(TOPIC, pack({"n": "seq", "v": 65}, {"n": "event", "vs": told}), NOW)
    assert fleet.nodes["n1"].missing == {2}


def test_a_node_in_a_suggested_command_is_one_word():
    fleet = Fleet()
    fleet.message(
        "nodes/a;reboot/telemetry", pack({"n": "reset", "vs": "watchdog"}, node="a;reboot"), NOW
    )
    assert fleet.snapshot(NOW)["events"][0]["words"].endswith("command 'a;reboot' log")


# History ----------------------------------------------------------------------------------------


def points(*seqs: int | None, life: int = 0) -> list[Point]:
    return [Point(100.0 * n, float(n), life, seq) for n, seq in enumerate(seqs)]


def parts(found: dict | None) -> list[list[float]]:
    assert found is not None
    return [[value for _, value in part] for part in found["parts"]]


@pytest.mark.parametrize(
    ("seqs", "missing", "unheard", "expected"),
    [
        ((1,), (), (), [[0]]),
        ((1, 2, 3), (), (), [[0, 1, 2]]),
        ((1, 5, 9), (), (), [[0, 1, 2]]),  # it is not in every record
        ((1, 5, 9), (3,), (), [[0], [1, 2]]),
        ((1, 5, 9), (3, 4, 7), (), [[0], [1], [2]]),
        ((1, 5, 9), (), (7,), [[0, 1], [2]]),
        ((1, 5, 9), (10, 20), (), [[0, 1, 2]]),
        ((None, None), (3,), (), [[0, 1]]),
        ((1, None, 5), (3,), (), [[0, 1], [2]]),
        ((5, 1), (3,), (), [[0], [1]]),  # clocks that were set back
    ],
)
def test_a_record_that_is_missing_is_a_gap(seqs, missing, unheard, expected):
    count = Sequence(missing=set(missing), unheard=set(unheard))
    assert parts(plotted(points(*seqs), count, 0)) == expected


def test_a_node_that_is_silent_or_lives_in_the_past_has_its_last_week():
    feed = Feed(Fleet(), Address("h", 1))
    for days in (9, 6, 0):
        at = 1.7e9 - days * 86400
        feed.fleet.message(TOPIC, pack({"n": "x", "v": days}, at=int(at)), NOW)
    assert parts(feed.history("n1", 7 * 86400)["x"]) == [[6, 0]]
    assert parts(feed.history("n1", math.inf)["x"]) == [[9, 6, 0]]


def test_a_count_that_begins_again_is_a_gap():
    mixed = [Point(0, 1, 0, 7), Point(1, 2, 0, 8), Point(2, 3, 1, 1), Point(3, 4, 1, 2)]
    assert parts(plotted(mixed, Sequence(life=1), 0)) == [[1, 2], [3, 4]]


def test_none_one_and_equal_values():
    assert plotted([], Sequence(), 0) is None
    assert plotted(points(1, 2), Sequence(), 1e9) is None
    one = plotted(points(1), Sequence(), 0)
    assert one is not None
    assert (one["from"], one["to"], one["least"], one["most"], one["last"]) == (0, 0, 0, 0, 0)
    equal = plotted([Point(n, 3.5) for n in range(9)], Sequence(), 0)
    assert equal is not None
    assert (equal["least"], equal["most"], equal["count"]) == (3.5, 3.5, 9)


@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=2000), st.sets(st.integers(1, 2000))
)
def test_a_plot_is_small_and_keeps_the_peaks_and_the_ends(values, missing):
    found = plotted(
        [Point(n, value, 0, n) for n, value in enumerate(values) if n not in missing],
        Sequence(missing=missing), 0,
    )  # fmt: skip
    if found is None:
        return
    kept = [value for part in found["parts"] for _, value in part]
    assert min(kept) == found["least"]
    assert max(kept) == found["most"]
    assert kept[-1] == found["last"]
    assert len(kept) <= max(2 * COLUMNS, 4 * (COLUMNS + len(found["parts"])))


# Counting ---------------------------------------------------------------------------------------


def test_the_state_of_a_count_comes_back():
    count = Sequence()
    for seq in (1, 2, 9, 4, 4, 1, 700):
        count.take(seq, float(seq), seq)
    again = Sequence.of(json.loads(json.dumps(count.state())))
    assert again.resumed
    again.resumed = False
    assert again == count


def test_a_hostile_count_fills_no_memory():
    count = Sequence()
    for n in range(1, 100):
        count.take(n * 10**6, 0.0, 0)
    assert len(count.missing) <= MOST
    assert len(count.missing) + count.forgotten == 98 * 1000


def test_what_was_sent_while_the_connection_was_lost_is_not_missing_and_nobody_is_overdue():
    fleet = Fleet()

    def say(seq: int, at: float) -> None:
        fleet.message(TOPIC, pack({"n": "seq", "v": seq}, at=int(at)), at)

    for seq in (1, 2, 4):
        say(seq, NOW + 60 * seq)
    fleet.listen(NOW + 3600)
    (row,) = fleet.snapshot(NOW + 3630)["nodes"]
    assert not row["overdue"]
    say(9, NOW + 3660)
    say(11, NOW + 3720)
    (row,) = fleet.snapshot(NOW + 3730)["nodes"]
    assert (row["missing"], row["unheard"]) == (2, 4)  # 3 and 10; 5 to 8
    assert fleet.nodes["n1"].rhythm < 120  # the pause was ours
    say(6, NOW + 3725)  # it comes after all
    (row,) = fleet.snapshot(NOW + 3730)["nodes"]
    assert (row["missing"], row["unheard"], row["repeated"]) == (2, 3, 0)
    (row,) = fleet.snapshot(NOW + 7200)["nodes"]
    assert row["overdue"]
