"""The health record of a node: when there is one, what it says, what a crash adds."""

import json

from host_tests.node.test_crashes import Breaking
from tools.demo.subscriber import Subscriber
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.module import Power

DAY_S = 86400
KEY = "ab" * 16
PASSWORD = "open-sesame"
SECRETS = {"commands": {"key": KEY}, "mqtt": {"password": PASSWORD}}


def health(n) -> list[dict]:
    """What each health record says: name -> value. One is split where it is too long."""
    found: list[dict] = []
    for text in n.said("sampled"):
        values = {part["n"]: part.get("v", part.get("vs")) for part in json.loads(text)}
        if "uptime" in values:
            found.append(values)
        elif found and "start" not in values:
            found[-1] |= values
    return found


def test_a_damaged_count_does_not_keep_the_module_on(node):
    """The report fails, and the tally becomes too long in the same session."""
    n = node(Profile(network="measured"), health={"period_s": DAY_S}, register_s=15)
    n.live(2)
    tally = n.flash / "tally"
    kept = tally.read_bytes()
    line = b"S - 62 20 300 0 0 1 12 77 0 0\n"
    kept = kept[:4] + bytes([kept[4] ^ 0x80]) + kept[5:]  # a digit of when a record is due
    tally.write_bytes(kept + line * ((3060 - len(kept)) // len(line)))
    n.module.profile.cell.denied_cause = 13
    n.module.power_cycle()
    n.live(3)
    n.bench.run(until=n.bench.timeline.now_us / 1e6 + 60)
    assert n.module.power is Power.OFF
    assert not any("Error" in text for _, text in n.bench.console)
    assert tally.stat().st_size < 1000


def test_once_a_day_and_after_each_restart(node, broker):
    with Subscriber(broker, "nodes/n1/#") as subscriber:
        n = node(
            health={"period_s": DAY_S},
            sample={"period_s": 3600},
            report={"period_s": 7200},
        )
        n.live(2)
        assert len(health(n)) == 1  # after the start
        n.bench.run(until=lambda: n.asleep and len(health(n)) > 1, limit_s=1.3 * DAY_S)
        n.bench.press_reset()
        n.bench.run(until=lambda: n.asleep and len(health(n)) > 2, limit_s=2 * DAY_S)
        assert n.deliver(subscriber) == n.said("sampled")
    first, day, reset = health(n)
    assert first["restarts_power"] == 1
    assert first["wakes"] == 1
    assert "charge" not in first  # of nothing yet
    assert DAY_S - 60 < day["uptime"] < DAY_S + 7260
    assert 20 <= day["wakes"] <= 30
    assert 1 <= day["connect"] <= day["connect_worst"] <= 30
    assert day["rat"] in ("NB-IoT", "LTE-M")
    assert (day["rsrp"], day["band"]) == (-89, 8)
    assert 1000 < day["sent"] < 20000
    assert day["dropped"] == day["refused"] == 0
    assert 1 <= day["backlog_most"] <= 3
    assert 60 < day["flash_writes"] < 400
    assert 0.0005 < day["charge_day"] < 0.06
    assert abs(day["charge"] - day["charge_day"]) < 0.1 * day["charge_day"]
    assert reset["restarts_reset"] == 1
    assert reset["restarts_power"] == 1
    assert reset["uptime"] < 7260
    assert max(map(len, subscriber.payloads)) <= 512


def test_reports_that_fail_are_counted_by_what_is_to_blame(node, broker):
    profile = Profile()
    n = node(profile, health={"period_s": DAY_S})
    n.live(1)
    n.configure(mqtt={"host": "127.0.0.1", "port": 1})
    n.bench.press_reset()
    n.bench.run(until=lambda: n.asleep and len(n.said("wake failed")) >= 2, limit_s=40000)
    n.configure(mqtt={"host": broker.host, "port": broker.port})
    n.bench.press_reset()
    n.bench.run(until=lambda: n.asleep and len(health(n)) >= 3, limit_s=200000)
    assert health(n)[-1]["failed_refused"] >= 2
    assert health(n)[-1]["restarts_reset"] == 2


def test_a_crash_is_told_in_one_record_once_and_without_secrets(node, broker):
    n = node(
        Profile(),
        secrets=SECRETS,
        health={"period_s": DAY_S},
        commands={"listen_s": 1},
        mqtt={"host": broker.host, "port": broker.port, "user": "u"},
    )
    made = Breaking(n)
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.live(1)
        made.breaks("firmware.session", "Session._settle", f"ValueError('{PASSWORD}')")
        made.wake("broken")
        made.mends()
        made.wake("delivered")
        assert n.deliver(subscriber) == n.said("sampled")
    crashes = [text for text in n.said("sampled") if "crash: " in text]
    assert len(crashes) == 1
    assert len(crashes[0].encode()) <= 512
    values = {part["n"]: part.get("v", part.get("vs")) for part in json.loads(crashes[0])}
    assert values["event"] == "crash: ValueError"
    assert values["trace"].endswith("ValueError")
    assert "broken" in values["trace"]
    lines = values["at"].split(" | ")
    assert 3 <= len(lines) <= 10, lines
    assert lines[-1].startswith("AT")
    assert {"start", "wake", "failures", "commands"} <= values.keys()
    assert health(n)[-1]["restarts_crash"] == 1
    sent = b"".join(subscriber.payloads)
    for secret in (KEY, PASSWORD):
        assert secret.encode() not in sent
