"""Commands over a real broker to a node on the bench: executed once, answered, and refused."""

import json
import queue

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from host_tests.patience import LIMIT_S
from tools import command, installed
from tools.demo.subscriber import Subscriber

KEY = bytes(range(16))


class Talk:
    """What the operator sends to the node `n1`, and what comes back."""

    def __init__(self, broker, tls=None):
        self.counter = 100
        self.said = {}  # topic -> what was said there since it was cleared
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self._answers = queue.Queue()  # of the broker, to what we subscribe to
        self.client.on_message = self._arrived
        self.client.on_subscribe = lambda client, userdata, mid, *_: self._answers.put(mid)
        if tls is not None:
            self.client.tls_set_context(tls)
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        self.client.subscribe("nodes/n1/+/+", 1)
        self._answers.get(timeout=LIMIT_S)
        self.heard = Subscriber(broker, "nodes/n1/results", tls)

    def settle(self):
        """Until all is here that the broker has for us by now: it answers behind that."""
        _, asked = self.client.subscribe("nodes/-/nothing", 1)
        while self._answers.get(timeout=LIMIT_S) != asked:
            pass

    @property
    def results(self):
        self.heard.settle()
        return [json.loads(payload) for payload in self.heard.payloads]

    def order(self, name, **body):
        self.counter += 1
        self.send(command.signed("n1", KEY, body, self.counter, name))

    def queue(self, name, **body):
        """On a topic of its own."""
        self.counter += 1
        message = command.signed("n1", KEY, body, self.counter, name)
        self.client.publish(f"nodes/n1/commands/{name}", message, 1, True).wait_for_publish(
            LIMIT_S
        )

    @property
    def waiting(self):
        """Ids of the commands that wait."""
        self.settle()
        return sorted(topic[18:] for topic in self.said if topic.startswith("nodes/n1/commands/"))

    def told(self, name):
        """The results that were retained for this id, in their order."""
        self.settle()
        return [json.loads(p) for p in self.said.get(f"nodes/n1/results/{name}", [])]

    def _arrived(self, client, userdata, message):
        if message.payload:
            self.said.setdefault(message.topic, []).append(message.payload)
        else:
            self.said.pop(message.topic, None)

    def send(self, payload):
        self.client.publish("nodes/n1/commands", payload, 1, retain=True).wait_for_publish(LIMIT_S)

    def result(self, name):
        """The last result of this id."""
        return [result for result in self.results if result["id"] == name][-1]

    def close(self):
        self.send(b"")
        self.settle()
        for topic in list(self.said):
            self.client.publish(topic, b"", 1, retain=True).wait_for_publish(LIMIT_S)
        self.heard.close()
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def talk(broker):
    made = Talk(broker)
    yield made
    made.close()


@pytest.fixture
def n(node):
    return node(secrets={"commands": {"key": KEY.hex()}}, log={"level": "info"})


def test_ping_is_answered_once_though_it_is_retained(n, talk):
    talk.order("p1", do="ping")
    n.live(3)
    result = talk.result("p1")
    assert result["result"] == "done"
    assert (result["start"], result["backlog"]) == (1, 0)
    assert len(talk.results) == 1
    assert n.said("command p1: ping") == [""]


def test_a_setting_is_tried_and_kept_when_the_node_reports_with_it(n, talk, broker):
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        talk.order("s1", do="set", key="sample.period_s", value=450)
        n.live(3)
        assert [r["result"] for r in talk.results if r["id"] == "s1"] == ["trying", "kept"]
        assert n.deliver(subscriber) == n.said("sampled")
    assert json.loads((n.flash / "config.json").read_text())["sample"]["period_s"] == 450
    assert not (n.flash / "config.trial").exists()


def test_a_setting_that_keeps_the_node_from_reporting_is_taken_back(n, talk, broker):
    before = json.loads((n.flash / "config.json").read_text())
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        talk.order("s1", do="set", key="mqtt.host", value="192.0.2.1")
        n.bench.run(
            until=lambda: n.asleep and [r["result"] for r in talk.results][-1:] == ["taken back"],
            limit_s=40000,
        )
        assert "did not report" in talk.result("s1")["why"]
        assert n.deliver(subscriber) == n.said("sampled")
    assert json.loads((n.flash / "config.json").read_text()) == before


def test_a_setting_that_is_not_allowed_changes_nothing(n, talk):
    before = (n.flash / "config.json").read_bytes()
    talk.order("s1", do="set", key="mqtt.port", value=0)
    n.live(2)
    result = talk.result("s1")
    assert result["result"] == "failed"
    assert "mqtt.port: 0 is not allowed" in result["why"]
    assert (n.flash / "config.json").read_bytes() == before
    assert not (n.flash / "config.trial").exists()


def test_report_now(n, talk, broker):
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        talk.order("r1", do="report")
        n.live(1)
        assert talk.result("r1")["result"] == "done"
        assert len(n.said("sampled")) == 2
        assert n.deliver(subscriber) == n.said("sampled")


def test_reboot(n, talk):
    talk.order("b1", do="reboot")
    n.live(3)
    assert talk.result("b1")["result"] == "done"
    sleeps = [int(text.split()[0]) for text in n.said("sleeping")]
    assert sleeps[0] == 1000
    assert min(sleeps[1:]) > 60000


def test_the_log_comes_in_pages(n, talk):
    n.live(2)
    talk.order("l1", do="log")
    n.live(3)
    first = talk.result("l1")
    assert first["lines"][-1].endswith("command l1: log")
    assert first["more"] > 0
    talk.order("l2", do="log", skip=2)
    n.live(4)
    assert talk.result("l2")["lines"]
    assert len(json.dumps(first)) <= 512


def test_fix(n, talk):
    talk.order("f1", do="fix")
    n.live(1)
    result = talk.result("f1")
    assert result["result"] == "done", result
    assert -90 <= result["lat"] <= 90


def test_whoever_has_not_the_key_is_refused_logged_and_answered(n, talk, broker):
    talk.order("g0", do="ping")
    n.live(1)
    for name, payload, why in (
        ("w1", command.signed("n1", bytes(16), {"do": "reboot"}, 500, "w1"), "not signed"),
        ("w2", command.signed("n2", KEY, {"do": "reboot"}, 500, "w2"), "not signed"),
        (None, command.signed("n1", KEY, {"do": "reboot"}, 500, "w3")[:-9], "malformed"),
        (None, b"\x00\r\nOK\r\n" * 40, "malformed"),
        (None, b"x" * 2000, "too long"),
        ("u1", command.signed("n1", KEY, {"do": "erase"}, 501, "u1"), "unknown"),
    ):
        talk.send(payload)
        n.live(len(n.said("sleeping")) + 1)
        result = talk.result(name)
        assert result["result"] == "refused"
        assert why in result["why"]
    assert "1000 ms" not in n.said("sleeping")
    assert len([line for line in n.said("command") if "refused" in line]) == 6
    kept = (n.flash / "log.0").read_text()
    assert kept.count("refused: ") == 6
    assert KEY.hex() not in kept


def test_a_command_that_is_played_back_is_refused(n, talk):
    talk.order("r1", do="report")
    old = command.signed("n1", KEY, {"do": "report"}, talk.counter, "r1")
    n.live(1)
    assert talk.result("r1")["result"] == "done"
    talk.order("p1", do="ping")
    n.live(2)
    sampled = len(n.said("sampled"))
    talk.send(old)
    n.live(3)
    assert talk.result("r1")["why"] == "replay"
    assert len(n.said("sampled")) == sampled + 1


def test_without_a_key_nobody_listens(node, talk):
    n = node()
    talk.order("p1", do="ping")
    n.live(2)
    assert talk.results == []


def test_commands_wait_in_their_order_through_every_restart(n, talk):
    talk.queue("a", do="ping")
    talk.queue("b", do="set", key="sample.period_s", value=450)
    talk.queue("c", do="set", key="sample.period_s", value=600)
    talk.queue("d", do="reboot")
    talk.order("old", do="ping")  # as given by an older tool
    talk.queue("e", do="set", key="mqtt.port", value=0)
    talk.queue("f", do="report")
    n.bench.run(until=lambda: n.asleep and bool(talk.told("f")), limit_s=40000)
    order = [(result["id"], result["result"]) for result in talk.results]
    assert order == [
        ("a", "done"),
        ("b", "trying"),
        ("b", "kept"),
        ("c", "trying"),
        ("c", "kept"),
        ("d", "done"),
        ("old", "done"),
        ("e", "failed"),
        ("f", "done"),
    ]
    assert [result["result"] for result in talk.told("b")] == ["trying", "kept"]
    last = talk.told("f")[-1]
    assert last["due"] - last["time"] == 900
    assert last["do"] == "report"
    assert talk.waiting == []
    assert json.loads((n.flash / "config.json").read_text())["sample"]["period_s"] == 600
    n.live(len(n.said("sleeping")) + 3)
    # What an older tool may have left in the single place is found once more, and cleared.
    assert [(r["id"], r.get("why")) for r in talk.results[9:]] == [("old", "replay")]


def test_a_session_that_ends_while_it_answers(n, talk):
    """The module is silent at a publish: of the result, of its copy, or at clearing."""
    n.live(1)
    for broken in (2, 3, 4):  # the first one in a session is of telemetry
        first, second = f"a{broken}", f"b{broken}"
        talk.queue(first, do="ping")
        talk.queue(second, do="ping")
        publishes = []

        def silent(plan, publishes=publishes, broken=broken):
            publishes.append(plan)
            plan.mute = len(publishes) == broken

        n.module.faults.rule("+LSMQTTPUB", silent, 20)
        n.bench.run(until=lambda name=second: n.asleep and bool(talk.told(name)), limit_s=40000)
        assert len(publishes) > broken
        assert n.said(f"command {first}: ping") == n.said(f"command {second}: ping") == [""]
        assert {r["result"] for r in talk.told(first)} == {"done"}
        assert [r["result"] for r in talk.told(second)] == ["done"]
        assert talk.waiting == []


def test_a_queue_longer_than_the_module_holds_at_once(n, talk):
    """30 long ones: twice what the driver has room for, four sessions' worth."""
    for number in range(30):
        # The broker tells them in the order of their names, which is another one.
        talk.queue(f"q{number * 7 % 30:02d}", do="set", key="apn", value="x y" + "." * 200)
    n.bench.run(until=lambda: n.asleep and len(talk.results) >= 30, limit_s=40000)
    assert [result["counter"] for result in talk.results] == list(range(101, 131))
    assert {result["result"] for result in talk.results} == {"failed"}
    assert talk.waiting == []
    assert n.said("command")[:1] == ["q00: set"]


def test_more_commands_than_anybody_should_give(n, talk):
    """The broker's answer to a publish stands behind all of them: the embedded one's does not."""
    installed.require("mosquitto")
    for number in range(200):
        talk.queue(f"q{200 - number:03d}", do="ping")
    n.bench.run(until=lambda: n.asleep and len(talk.results) >= 10, limit_s=40000)
    counters = [result["counter"] for result in talk.results]
    assert counters == list(range(101, 101 + len(counters)))
    assert {result["result"] for result in talk.results} == {"done"}
