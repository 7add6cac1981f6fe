"""A node whose configuration cannot be used, and what it keeps of its life in the log."""

from tools.demo.subscriber import Subscriber

PROBLEM = "configuration: the last good one instead of"


def test_a_node_starts_with_the_last_good_configuration(node, broker):
    n = node()
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.live(1)
        n.configure(mqtt={"host": broker.host, "port": 0})
        n.live(3)
        assert n.deliver(subscriber) == n.said("sampled")
        told = [record for record in subscriber.records if b"mqtt.port: 0 is not" in record]
    assert told
    assert any("mqtt.port: 0 is not allowed" in text for text in n.said(PROBLEM))
    wrong = len(n.said(PROBLEM))
    n.configure(mqtt={"host": broker.host, "port": broker.port})
    n.live(len(n.said("sleeping")) + 2)
    assert len(n.said(PROBLEM)) == wrong


def test_a_file_that_is_gone_or_damaged_is_no_end(node, broker):
    n = node(secrets={"commands": {"key": "ab" * 16}})
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.live(1)
        (n.flash / "config.json").write_bytes(b"\xff" * 700)
        (n.flash / "secrets.json").write_text('{"commands": {"key": "' + "ab" * 15)
        n.live(2)
        assert n.deliver(subscriber) == n.said("sampled")
    (n.flash / "config.json").unlink()
    n.live(len(n.said("sleeping")) + 1)
    assert "config.json is missing" in n.said(PROBLEM)[-1]
    assert not any("abab" in text for _, text in n.bench.console)


def test_the_log_is_kept_and_has_no_secret(node, broker):
    secrets = {"pin": "4711", "mqtt": {"password": "swordfish"}, "commands": {"key": "5e" * 16}}
    n = node(
        secrets=secrets,
        log={"level": "info"},
        mqtt={"host": broker.host, "port": broker.port, "user": "n1"},
    )
    n.live(3)
    kept = (n.flash / "log.0").read_text()
    assert kept.count(" I sleeping ") == 3
    assert "delivered 1 record by mqtt" in kept
    said = kept + "".join(text for _, text in n.bench.console)
    for secret in ("4711", "swordfish", "5e5e"):
        assert secret not in said


def test_a_node_without_a_log_writes_none(node):
    n = node(log={"level": "off"})
    n.live(1)
    assert not [path for path in n.flash.iterdir() if path.name.startswith("log")]
