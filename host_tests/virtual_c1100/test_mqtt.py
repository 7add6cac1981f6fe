"""MQTT against real brokers: delivery, QoS, retained, session, last will, failures."""

import itertools
from pathlib import Path

import pytest

from host_tests.peers import dead_port
from host_tests.virtual_c1100.rig import Rig
from host_tests.virtual_c1100.watcher import PASSWORD, USER, Watcher
from tools.broker import Address
from tools.virtual_c1100 import Profile, mqtt
from tools.virtual_c1100.trace import Trace

CLIENTS = itertools.count()
SERVER = ("mqtt.example", 1883)


def open_link(
    address: Address, *config: bytes, client: bytes = b"", keepalive: int = 60, expect: int = 1
) -> Rig:
    rig = Rig(Profile(routes={SERVER: tuple(address)}), form="V0E0")
    client = client or b"node%d" % next(CLIENTS)  # a second "node" would end the first
    for line in (b'"clientid","%s"' % client, *config):
        configure(rig, line)
    rig.send(b"AT+LSMQTTCALL=1\r")
    rig.until(b"+MQTTCALL:1\r\n")
    rig.send(b'AT+LSMQTTOPEN="mqtt.example",1883,%d\r' % keepalive)
    rig.until(b"+MQTTOPEN:%d\r\n" % expect)
    return rig


def configure(rig: Rig, *lines: bytes) -> None:
    for line in lines:
        assert rig.ask(b"AT+LSMQTTCFG=" + line + b"\r", 0.05) == b"0\r", line


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("retained", [0, 1])
def test_publish_reaches_an_independent_subscriber(
    broker: Address, qos: int, retained: int
) -> None:
    topic = f"pub/{qos}/{retained}"
    with Watcher(broker, topic) as watcher:
        rig = open_link(broker, b'"topic","%s"' % topic.encode(), b'"qos",%d' % qos,
                        b'"retained",%d' % retained, b'"message",1,"00FF0d0a1A22"')  # fmt: skip
        rig.send(b"AT+LSMQTTPUB=1\r")
        rig.until(b"+MQTTPUB:1\r\n")
        watcher.expect(topic, b"\x00\xff\r\n\x1a\x22")
    if retained:
        with Watcher(broker, topic) as late:
            assert late.expect(topic, b"\x00\xff\r\n\x1a\x22")[3]


def test_message_comes_in_with_every_byte_value(broker: Address) -> None:
    """F24"""
    rig = open_link(broker, b'"topic","in/all"', b'"qos",1')
    rig.send(b"AT+LSMQTTSUB=1\r")
    rig.until(b"+MQTTSUB:1\r\n")
    with Watcher(broker, "none") as watcher:
        watcher.publish("in/all", bytes(range(256)), 1)
        rig.hear()
    rig.wait(1)
    assert rig.take() == b'+MQTTMSG:"in/all",1,0,256,' + bytes(range(256)) + b"\r\n"


def test_unsubscribed_topic_is_silent(broker: Address) -> None:
    rig = open_link(broker, b'"topic","in/off"')
    rig.send(b"AT+LSMQTTSUB=1\r")
    rig.until(b"+MQTTSUB:1\r\n")
    rig.send(b"AT+LSMQTTSUB=0\r")
    rig.until(b"+MQTTSUB:1\r\n")
    with Watcher(broker, "none") as watcher:
        watcher.publish("in/off", b"x", 1)
        rig.linger(0.1)
    rig.wait(1)
    assert rig.take() == b""


def test_kept_session_delivers_what_came_while_away(broker: Address) -> None:
    rig = open_link(broker, b'"session",0', b'"topic","kept"', b'"qos",1', client=b"keeper")
    rig.send(b"AT+LSMQTTSUB=1\r")
    rig.until(b"+MQTTSUB:1\r\n")
    rig.send(b"AT+LSMQTTCLOSE=1\r")
    rig.until(b"+MQTTCLOSE:1\r\n")
    with Watcher(broker, "none") as watcher:
        watcher.publish("kept", b"while away", 1)
    rig.send(b'AT+LSMQTTOPEN="mqtt.example",1883,60\r')
    got = rig.until(b"+MQTTOPEN:1\r\n")
    rig.wait(1)
    got += rig.take()
    if b"+MQTTMSG:" not in got:
        rig.hear()
        rig.wait(1)
        got += rig.take()
    assert b'+MQTTMSG:"kept",1,0,10,while away\r\n' in got


WILL = (b'"topic","will"', b'"message",0,"gone"', b'"qos",1')


def test_will_is_published_when_power_fails_after_one_and_a_half_keepalives(
    broker: Address,
) -> None:
    with Watcher(broker, "will") as watcher:
        rig = open_link(broker, *WILL, keepalive=60)
        rig.module.power_cycle()
        rig.wait(85)
        rig.linger(0.1)
        assert watcher.messages == []
        rig.wait(10)
        watcher.expect("will", b"gone")
        assert rig.module.peers() == []


def test_will_is_not_published_after_a_clean_close(broker: Address) -> None:
    with Watcher(broker, "will") as watcher:
        rig = open_link(broker, *WILL)
        rig.send(b"AT+LSMQTTCLOSE=1\r")
        rig.until(b"+MQTTCLOSE:1\r\n")
        rig.wait(1000)
        rig.linger(0.2)
        assert watcher.messages == []
        assert rig.module.peers() == []


def test_keepalive_keeps_the_link_for_a_virtual_day(broker: Address) -> None:
    with Watcher(broker, "will") as watcher:
        rig = open_link(broker, *WILL, keepalive=600)
        rig.wait(86400)
        assert rig.take() == b""
        assert watcher.messages == []
        assert len(rig.module.peers()) == 1


def test_short_loss_of_coverage_is_survived_and_a_long_one_is_not(broker: Address) -> None:
    with Watcher(broker, "will") as watcher:
        rig = open_link(broker, *WILL, keepalive=60)
        rig.module.network.lose()
        rig.wait(30)
        rig.module.network.restore()
        rig.wait(100)
        assert rig.take() == b""
        rig.module.network.lose()
        rig.wait(91)
        assert rig.take() == b"+MQTTOPEN:0\r\n"
        watcher.expect("will", b"gone")


def test_reboot_and_new_connection_under_the_same_client_id(broker: Address) -> None:
    rig = open_link(broker, client=b"again")
    rig.ask(b"AT+CFUN=1,1\r")
    rig.wait(15)
    rig.ask(b"ATE0V0\r")
    configure(rig, b'"clientid","again"')
    rig.send(b"AT+LSMQTTCALL=1\r")
    rig.until(b"+MQTTCALL:1\r\n")
    rig.send(b'AT+LSMQTTOPEN="mqtt.example",1883,60\r')
    rig.until(b"+MQTTOPEN:1\r\n")
    rig.hear(lambda: len(rig.module.peers()) == 1)  # the broker has closed the old connection


@pytest.mark.parametrize(("password", "opens"), [(PASSWORD, 1), ("wrong", 0)])
def test_user_and_password(locked_broker: Address, password: str, opens: int) -> None:
    open_link(locked_broker, b'"username","%s"' % USER.encode(),
              b'"password","%s"' % password.encode(), expect=opens)  # fmt: skip


def test_nobody_listens() -> None:
    rig = open_link(Address("127.0.0.1", dead_port()), expect=0)
    assert rig.module.peers() == []
    assert rig.ask(b"AT+LSMQTTPUB=1\r") == b"4\r"


def test_nothing_but_routes_and_loopback_is_ever_reached(monkeypatch) -> None:
    monkeypatch.setattr(mqtt, "connect", lambda address: pytest.fail(f"calls {address}"))
    for host in (b"203.0.113.7", b"broker.example", b"0.0.0.0"):
        rig = Rig(form="V0E0")
        configure(rig, b'"clientid","x"')
        rig.ask(b"AT+LSMQTTCALL=1\r", 3)
        rig.send(b'AT+LSMQTTOPEN="%s",1883,60\r' % host)
        rig.until(b"+MQTTOPEN:0\r\n")


def test_bearer_needs_a_network() -> None:
    rig = Rig(form="V0E0")
    rig.module.network.lose()
    rig.send(b"AT+LSMQTTCALL=1\r")
    assert rig.until(b"+MQTTCALL:0\r\n").startswith(b"0\r")


@pytest.mark.parametrize("command", [b"SUB=1", b"SUB=0", b"PUB=1", b"CLOSE=1"])
def test_commands_without_a_connection_are_errors(command: bytes) -> None:
    rig = Rig(form="V0E0")
    configure(rig, b'"clientid","x"', b'"topic","t"')
    assert rig.ask(b"AT+LSMQTT" + command + b"\r") == b"4\r"


def test_wildcards_only_where_they_belong(broker: Address) -> None:
    rig = open_link(broker)
    configure(rig, b'"topic","a/+/#"')
    assert rig.ask(b"AT+LSMQTTPUB=1\r") == b"4\r"
    rig.send(b"AT+LSMQTTSUB=1\r")
    rig.until(b"+MQTTSUB:1\r\n")
    configure(rig, b'"topic","a/#/b"')
    assert rig.ask(b"AT+LSMQTTSUB=1\r") == b"4\r"


def test_field_sequence_of_firmware_f1(broker: Address) -> None:
    """As sent by third-party firmware: CR LF and a NUL behind every command, APN in CALL."""
    profile = Profile(routes={("118.190.136.167", 1883): tuple(broker)})
    profile.quirks.urc_lead = "\r\r\n"
    rig = Rig(profile)
    with Watcher(broker, "soil/up") as watcher:
        payload = b"00112233445566778899aabbccddeeff00112233445566778899aabb"
        for line in (
            b'="topic","soil/down"', b'="message",0,"' + payload + b'"', b'="clientid","soil1"',
            b'="session",0', b'="retained",1', b'="qos",0', b'="username","u"', b'="password","p"',
        ):  # fmt: skip
            assert rig.ask(b"AT+LSMQTTCFG" + line + b"\r\n\0", 1).endswith(b"\r\nOK\r\n")
        assert b"\r\r\n+MQTTCALL:1\r\n" in rig.ask(b'AT+LSMQTTCALL=1,"cmnbiot"\r\n\0', 10)
        opened = rig.ask(b'AT+LSMQTTOPEN="118.190.136.167",1883,60\r\n\0', 10)
        assert b"\r\r\n+MQTTOPEN:1\r\n" in opened
        assert b"\r\nOK\r\n" in rig.ask(b"AT+LSMQTTSUB=1\r\n\0", 2)
        rig.ask(b'AT+LSMQTTCFG="topic","soil/up"\r\n\0', 1)
        assert b"\r\r\n+MQTTPUB:1\r\n" in rig.ask(b"AT+LSMQTTPUB=1\r\n\0", 2)
        watcher.expect("soil/up", payload)
        watcher.publish("soil/up", b"", retain=True)


def test_same_seed_same_trace(broker: Address, tmp_path: Path) -> None:
    def life(name: str) -> str:
        profile = Profile(seed=7, routes={SERVER: tuple(broker)}, faults=["lose-out:0.02"])
        rig = Rig(profile, on=False)
        rig.module.trace = Trace(rig.timeline, (tmp_path / name).open("w"))
        rig.module.power_on()
        rig.wait(10)
        for line in (b'CFG="clientid","same"', b'CFG="topic","t"', b'CFG="qos",1', b"CALL=1",
                     b'OPEN="mqtt.example",1883,30', b"PUB=1", b"CLOSE=1"):  # fmt: skip
            rig.ask(b"AT+LSMQTT" + line + b"\r", 3)
        rig.module.trace.close()
        return (tmp_path / name).read_text()

    first = life("first")
    assert first == life("second")
    assert "MQTTPUB" in first
