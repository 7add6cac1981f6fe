"""How commands stand, from what the broker has retained; whatever is in it."""

import json
import time
from types import SimpleNamespace

import pytest

from tools.command import words
from tools.command.standing import KEPT, Standing, at_time

KEY = b"k" * 16
NOW = 1_800_000_000.0


def standing(*said: tuple[str, bytes]) -> Standing:
    made = Standing()
    for below, payload in said:
        made.message(below, payload, True, NOW)
    return made


def command(name: str, counter: int, what=None, key: bytes = KEY) -> tuple[str, bytes]:
    return f"commands/{name}", words.signed("n", key, what or {"do": "ping"}, counter, name)


def result(name: str, counter: int, word: str = "done", **more) -> tuple[str, bytes]:
    told = {"id": name, "counter": counter, "result": word, **more}
    return f"results/{name}", json.dumps(told).encode()


def test_the_queue_is_in_the_order_of_the_counters():
    made = standing(command("a", 7), command("b", 5), command("c", 6))
    assert [each.name for each in made.queue] == ["b", "c", "a"]
    assert "in front of it: ping, ping" in made.told("a")
    assert "in front" not in made.told("b")
    made.message("commands/b", b"", False, NOW)
    made.message("commands/c", b"-", False, NOW)
    assert [each.name for each in made.queue] == ["a"]


def test_what_has_its_result_does_not_wait():
    made = standing(command("a", 7), command("b", 8), result("a", 7))
    assert [each.name for each in made.queue] == ["b"]
    assert made.left_over() == ["commands/a"]


def test_marks_and_old_results_are_left_over():
    said = [result(f"r{i}", i) for i in range(KEPT + 5)]
    made = standing(*said, ("commands/x", b"-"))
    assert made.left_over() == ["commands/x", *[f"results/r{i}" for i in range(5)]]


def test_the_next_counter_is_greater_than_what_is_known():
    ms = int(NOW * 1000)
    assert standing().next_counter("n", KEY, NOW) == ms + 1
    assert standing(command("a", ms + 5000)).next_counter("n", KEY, NOW) == ms + 5001
    assert standing(result("a", ms + 5000)).next_counter("n", KEY, NOW) == ms + 5001
    single = words.signed("n", KEY, {"do": "ping"}, ms + 70, "s")
    assert standing(("commands", single)).next_counter("n", KEY, NOW) == ms + 71


def test_a_counter_that_anybody_could_have_written_is_not_believed():
    """One command with the greatest counter, and the node takes no other one ever again."""
    far = 2**53 - 2
    for said in (command("a", far, key=b"other" * 4), result("a", far), result("a", 2**70)):
        assert standing(said).next_counter("n", KEY, NOW) == int(NOW * 1000) + 1


NOT_KEPT = "its reports since then are not kept"


def test_when_the_node_is_due():
    made = standing()
    assert made.heard(NOW) == "when the node last reported is not known"
    made = standing(
        result("a", 1, time=1_799_999_000, due=1_799_999_900),
        result("b", 2),
        result("c", 3, "withdrawn", time=1_799_999_800),  # an operator has said so
    )
    told = at_time(1_799_999_000), at_time(1_799_999_900)
    assert made.heard(NOW - 500) == "the node last reported {}, due {}".format(*told)
    # It may have reported since: that is not kept.
    assert made.heard(NOW) == f"the node last answered {told[0]}; {NOT_KEPT}"
    made.message("telemetry", b"[]", True, NOW)
    assert at_time(1_799_999_000) in made.heard(NOW)
    made.message("telemetry", b"[]", False, NOW)
    assert made.heard(NOW) == f"the node last reported {at_time(NOW)}, due {at_time(NOW + 900)}"
    answered = standing(result("a", 1, time=5)).heard(NOW)
    assert answered == f"the node last answered {at_time(5)}; {NOT_KEPT}"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    """It is noon: a minute ago is the same day, whenever the test runs."""
    noon = time.mktime((2027, 1, 15, 12, 0, 0, 0, 0, -1))
    clock = SimpleNamespace(
        time=lambda: noon,
        localtime=lambda unix=noon: time.localtime(unix),
        strftime=time.strftime,
    )
    monkeypatch.setattr("tools.command.standing.time", clock)
    return noon


def test_times_of_today_have_no_date(now):
    assert len(at_time(now)) == 8
    assert at_time(now - 13 * 3600)[4] == at_time(now - 3 * 86400)[4] == "-"
    assert at_time(10**30) == "?"


def test_the_list(now):
    sent = int((now - 60) * 1000)
    made = standing(
        command("bb", sent + 1, {"do": "set", "key": "mqtt.port", "value": 5}),
        command("a", sent),
        result("r", sent - 5, "kept", do="set", key="report.period_s", time=int(now)),
        result("q", sent - 9, "failed", do="fix", why="no sky"),
        ("commands", words.signed("n", KEY, {"do": "reboot"}, sent - 7, "old")),
    )
    lines = [line.split() for line in made.listing()]
    assert [line[0] for line in lines] == ["id", "q", "old", "r", "a", "bb"]
    assert lines[1][3:] == ["failed", "why=no", "sky"] or "failed" in lines[1]
    assert lines[3][2:5] == ["set", "report.period_s", "kept"]
    assert lines[4][2:] == ["ping", "waits"]
    assert lines[5][2:] == ["set", "mqtt.port=5", "waits"]
    assert "single place" in " ".join(lines[2])
    assert standing().listing() == []


HOSTILE = (
    b"x", b"\xff\xfe", b"[" * 5000, b"[]", b"5", b'"a"', b"{}", b'{"counter":true}',
    b'{"id":5,"counter":"1","body":7,"mac":[]}', b'{"counter":1e999}', b'{"counter":-1}',
    b'{"body":"{\\"do\\":5}"}', b'{"body":"[]"}', b'{"body":"{\\"do\\":\\"set\\"}"}',
    b'{"body":"{\\"do\\":\\"\\ud800\\"}"}', b'{"mac":"\\ud800","counter":1,"body":"","id":"a"}',
    b'{"result":"\\u001b[2J","do":[1],"time":1e30,"due":"x","key":{}}', b'{"id":null}',
    b'{"result":null,"lines":5,"time":99999999999999}', b"\x00" * 70000,
)  # fmt: skip


@pytest.mark.parametrize("payload", HOSTILE)
def test_whatever_a_stranger_has_left_there(payload):
    for below in (
        "commands",
        "commands/x",
        "commands/a/b",
        "results/x",
        "results",
        "telemetry",
        "",
    ):
        made = standing((below, payload))
        assert made.next_counter("n", KEY, NOW) == int(NOW * 1000) + 1
        said = "\n".join([*made.listing(), made.told("x"), made.heard(), *made.left_over()])
        assert "\x1b" not in said


def test_what_is_long_or_much_leaves_the_list_readable(now):
    sent = int((now - 60) * 1000)
    many = [command(f"c{n}", sent + n) for n in range(20)]
    long = "x" * 70000
    made = standing(
        *many,
        result(long, sent - 1, long, do=long, why=long, time=int(now)),
        result("l", sent - 2, "done", do=long, key=long, time=9_007_199_254_740_000),
    )
    lines = made.listing()
    assert max(map(len, lines)) < 1000
    assert lines[-1].index("ping") < 60
    assert "ping, ping and 14 more" in made.told("c19")
    assert at_time(9_007_199_254_740_000) == "?"
