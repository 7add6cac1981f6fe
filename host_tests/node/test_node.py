"""What a node does when things go wrong: it sleeps, it wakes, and it loses no record."""

import json
import re

import pytest

from host_tests.patience import LIMIT_S
from host_tests.peers import dead_port
from tools.broker import mosquitto
from tools.demo.subscriber import Subscriber
from tools.deploy.project import ROOT
from tools.virtual_board.runner import BoardStopped
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.faults import Rule
from tools.virtual_c1100.profile import SimCard

TOPIC = "nodes/n1/telemetry"
VERSION = re.search(r'^VERSION = "(.*)"', (ROOT / "firmware/version.py").read_text(), re.M)[1]


def wakes_of(payloads: list[bytes]) -> list[int]:
    """The wake numbers in SenML packs."""
    return [record["v"] for p in payloads for record in json.loads(p) if record["n"] == "wake"]


def test_reports_and_sleeps_for_its_period(node, broker):
    with Subscriber(broker, TOPIC) as subscriber:
        # A UART that dozes loses what the module says unasked, and so does one that sleeps.
        n = node(sleep={"doze": 0, "module": "off"})
        n.live(3)
        subscriber.wait(3, LIMIT_S)
    assert wakes_of(subscriber.records) == [1, 2, 3]
    assert [p.decode() for p in subscriber.records] == n.said("sampled")
    starts = [awake.start_us / 1e6 for awake in n.bench.wakes]
    assert starts[2] - starts[1] == pytest.approx(900, abs=1)
    assert n.bench.lost_bytes == 0
    assert not (n.flash / "outbox").joinpath("00000001.seg").exists()


def test_records_wait_for_a_broker_that_is_down(node, broker):
    n = node(mqtt={"host": "127.0.0.1", "port": dead_port()})
    n.live(3)
    assert n.said("delivered") == []
    n.configure(mqtt={"host": broker.host, "port": broker.port})
    with Subscriber(broker, TOPIC) as subscriber:
        assert n.deliver(subscriber) == n.said("sampled")
    assert wakes_of(subscriber.records)[:2] == [1, 2]


def test_records_survive_a_loss_of_supply(node, broker):
    n = node(mqtt={"host": "127.0.0.1", "port": dead_port()})
    n.live(2)
    n.bench.cut_power(30)
    n.configure(mqtt={"host": broker.host, "port": broker.port})
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(3)
        assert n.deliver(subscriber) == n.said("sampled")
    fields = [field for record in subscriber.records for field in json.loads(record)]
    assert {field["v"] for field in fields if field["n"] == "start"} == {1, 2}


@pytest.mark.parametrize("fault", ["mute", "error", "key-dead"])
def test_a_dead_module_costs_one_wake_and_not_the_node(node, broker, fault):
    n = node()
    n.module.faults.add(fault)
    n.live(1)
    assert n.asleep_by(1) < 120
    assert len(n.said("sampled")) == 1
    n.module.faults.clear()
    with Subscriber(broker, TOPIC) as subscriber:
        assert n.deliver(subscriber) == n.said("sampled")
    assert wakes_of(subscriber.records)[0] == 1


def test_no_network_ends_in_sleep_with_the_sample_kept(node):
    profile = Profile()
    profile.cell.covered = False
    n = node(profile, register_s=60)
    n.live(2)
    assert n.asleep_by(1) < 90
    assert len(n.said("sampled")) == 2
    assert n.said("wake failed: NotRegistered: no network in 60 s")


def test_a_wrong_pin_costs_one_try_in_the_nodes_life(node):
    profile = Profile(sim=SimCard(pin="1234"))
    n = node(profile, {"pin": "9999"})
    n.live(8)
    assert len(n.said("wake failed: PinRefused: the PIN was refused")) == 1
    assert len(n.said("wake failed: SimError: the SIM asks for a PIN")) >= 2
    assert not any("9999" in line for _, line in n.bench.console)
    (n.flash / "secrets.json").write_text('{"pin": "1234"}')
    n.live(24)
    assert n.said("delivered")


class Unanswered(Rule):
    """A command that does what it says, and never says so."""

    def fits(self, name: str, kind: str) -> bool:
        return name == self.command and kind == "write"


@pytest.mark.parametrize(("pin", "tries"), [("1234", 3), ("9999", 1)])
def test_a_pin_whose_answer_is_lost_never_blocks_the_sim(node, pin, tries):
    n = node(Profile(sim=SimCard(pin="1234")), {"pin": pin})
    n.module.faults.active.rules.append(
        Unanswered("+CPIN", lambda plan: setattr(plan, "mute", True))
    )
    n.live(30)
    assert n.module.sim.pin_tries == tries
    assert (len(n.said("delivered")) >= 30) is (pin == "1234")
    (n.flash / "secrets.json").write_text('{"pin": "1234"}')
    n.module.faults.clear()
    delivered = len(n.said("delivered"))
    n.bench.run(until=lambda: len(n.said("delivered")) > delivered, limit_s=10**6)
    assert n.module.sim.pin_tries == 3


def test_login_at_the_broker(node):
    with mosquitto({"n1": "open-sesame"}) as address:
        mqtt = {"host": address.host, "port": address.port, "user": "n1"}
        refused = node(secrets={"mqtt": {"password": "wrong"}}, mqtt=mqtt)
        refused.live(1)
        assert refused.said("delivered") == []
        accepted = node(secrets={"mqtt": {"password": "open-sesame"}}, mqtt=mqtt)
        accepted.live(1)
        assert accepted.said("delivered")


def test_an_unusable_configuration_is_named_and_leaves_the_prompt(node):
    n = node(sample={"period_s": 5})
    with pytest.raises(BoardStopped):
        n.bench.run(until=60)
    assert n.said("configuration:") == [
        "config.json: sample.period_s: 5 is not allowed; "
        "allowed is a whole number from 10 to 604800"
    ]


def test_a_node_that_never_gets_to_sleep_ends_in_safe_mode_and_tries_again(node, broker):
    n = node()
    for start in range(5):
        n.bench.run(until=lambda start=start: len(n.bench.wakes) > start, limit_s=1000)
        n.bench.run(until=n.bench.timeline.now_us / 1e6 + 0.5)
        n.bench.cut_power(1)
    assert not n.said("sleeping")
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(2)
        subscriber.wait(1, LIMIT_S)
    assert n.said("safe mode:") == ["5 wakes in a row did not end in sleep"]
    assert n.said("delivered")


def test_sessions_that_fail_climb_the_ladder_and_tell_of_it(node, broker):
    n = node()
    n.module.faults.add("error", "+LSMQTTCALL")
    n.live(1)
    assert [line.split(" ")[0] for line in n.said("recovery:")] == [
        "again",
        "radio",
        "restart",
        "power",
    ]
    assert n.asleep_by(1) < 300
    n.module.faults.clear()
    with Subscriber(broker, TOPIC) as subscriber:
        assert n.deliver(subscriber) == n.said("sampled")
    events = [r["vs"] for p in subscriber.records for r in json.loads(p) if r["n"] == "event"]
    assert events == ["again", "radio", "restart", "power"]


def test_psm_keeps_the_registration_from_wake_to_wake(node, broker):
    with Subscriber(broker, TOPIC) as subscriber:
        n = node(sleep={"module": "psm", "tau_s": 86400, "active_s": 10})
        n.live(4)
        subscriber.wait(4, LIMIT_S)
    assert wakes_of(subscriber.records) == [1, 2, 3, 4]
    assert n.said("psm") == ["granted 10 86400"] * 4
    off = node(sleep={"module": "off"})
    off.live(2)
    assert n.asleep_by(3) < off.asleep_by(2)


def test_network_that_refuses_psm_has_the_module_switched_off(node, broker):
    profile = Profile()
    profile.grants.psm = False
    n = node(profile, sleep={"module": "psm"})
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(2)
        subscriber.wait(2, LIMIT_S)
    assert wakes_of(subscriber.records) == [1, 2]
    assert n.said("psm") == ["refused"]
    assert n.module.power.value in ("stopping", "off")


def test_the_same_seed_gives_the_same_life(node):
    lives = []
    for _ in range(2):
        n = node()
        n.live(3)
        lives.append(n.bench.console)
    assert lives[0] == lives[1]


def test_a_wake_that_hangs_ends_by_the_watchdog_and_tells_of_it(node, broker):
    n = node(source=True)
    sensor = n.flash / "firmware" / "sensors" / "temperature.py"
    good = sensor.read_text()
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        sensor.write_text("async def read(node):\n    while True:\n        pass\n")
        n.bench.run(until=lambda: any(w.end == "watchdog reset" for w in n.bench.wakes))
        sensor.write_text(good)
        n.live(2)
        assert n.deliver(subscriber) == n.said("sampled")
    fields = [field for record in subscriber.records for field in json.loads(record)]
    assert [field["vs"] for field in fields if field["n"] == "reset"] == ["power", "watchdog"]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("import nothing_like_it\n", "ImportError"),
        ("async def read(node:\n", "SyntaxError"),
        (
            "import asyncio\nasync def read(node):\n    await asyncio.Event().wait()\n",
            "TimeoutError",
        ),
        ("def read(node):\n    return []\n", "TypeError"),
    ],
)
def test_a_broken_sensor_costs_no_other_and_is_told_once(node, broker, broken, why):
    n = node(source=True, log={"level": "warning"})
    sensor = n.flash / "firmware" / "sensors" / "battery.py"
    good = sensor.read_text()
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        sensor.write_text(broken)
        n.live(3)
        sensor.write_text(good)
        n.live(5)
        assert n.deliver(subscriber) == n.said("sampled")
    packs = [json.loads(record) for record in subscriber.records]
    values = {field["v"]: pack for pack in packs for field in pack if field["n"] == "wake"}
    fields = {wake: {f["n"]: f.get("v", f.get("vs")) for f in values[wake]} for wake in values}
    assert all("temperature" in fields[wake] for wake in range(1, 6))
    assert ["battery" in fields[wake] for wake in range(1, 6)] == [True, False, False, True, True]
    events = {wake: had["event"] for wake, had in fields.items() if "event" in had}
    assert events == {2: f"sensor battery failed: {why}", 4: "sensor battery is back"}
    assert [had.get("version") for _, had in sorted(fields.items())][:2] == [VERSION, None]
    log = (n.flash / "log.0").read_text().split("\n")
    assert log[1].endswith(f"W firmware {VERSION}, started by power")


@pytest.mark.parametrize("key", ["pwrkey", "wake", "status", "cut", "ring", "battery"])
def test_a_pin_that_there_is_not_is_told_by_its_key(node, broker, key):
    n = node()
    config = json.loads((n.flash / "config.json").read_text())
    pins = {"pwrkey": 4, "wake": 5, "status": 18, "battery": 34}
    n.configure(pins=pins | {key: 99})
    says = f"pins.{key}: this chip has no pin 99"
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(3)
        assert n.said(says) and not n.said("Traceback")
        n.configure(pins=config["pins"])
        n.live(5)
        assert n.deliver(subscriber) == n.said("sampled")
    events = [f["vs"] for p in subscriber.records for f in json.loads(p) if f["n"] == "event"]
    want = {"ring": [], "battery": [f"sensor battery failed: {says}", "sensor battery is back"]}
    assert events == want.get(key, [says])


def test_a_module_that_only_its_supply_revives(node, broker):
    n = node(pins={"pwrkey": 4, "wake": 5, "status": 18, "cut": 6})
    module = n.module
    module.faults.add("key-dead")
    module.faults.add("mute")
    cut = module.power_cycle

    def supply_back() -> None:
        module.faults.clear()
        cut()

    module.power_cycle = supply_back  # stands for a firmware that only a loss of supply revives
    with Subscriber(broker, TOPIC) as subscriber:
        n.live(1)
        assert n.deliver(subscriber) == n.said("sampled")
    assert [line.split(" ")[0] for line in n.said("recovery:")][-1] == "supply"
