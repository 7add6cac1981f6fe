"""RRC states over time, exactly; eDRX and paging of real downlinks; connections through PSM."""

import itertools
from collections.abc import Iterator

import pytest

from host_tests.patience import until
from host_tests.virtual_c1100.rig import Rig, profile_with
from host_tests.virtual_c1100.servers import TcpServer
from host_tests.virtual_c1100.watcher import Watcher
from tools.broker import Address, mosquitto
from tools.virtual_c1100 import timers
from tools.virtual_c1100.profile import load

HOST = ("server.example", 7)
BROKER = ("mqtt.example", 1883)
CLIENTS = itertools.count()
LTE_M_UP, NB_UP, LTE_M_DOWN = 375_000, 16_900, 300_000
OVERHEAD = 60


@pytest.fixture
def server() -> Iterator[TcpServer]:
    with TcpServer() as running:
        yield running


@pytest.fixture(scope="module")
def one_broker() -> Iterator[Address]:
    with mosquitto() as running:
        yield running


def states(rig: Rig) -> list[tuple[float, str, str]]:
    """What the module does from now on: time, state, cause."""
    seen: list[tuple[float, str, str]] = []
    rig.module.on_state = lambda state, cause: seen.append((rig.now, state, cause))
    return seen


def names(seen: list[tuple[float, str, str]]) -> list[tuple[str, str]]:
    return [(state, cause) for _, state, cause in seen]


def spans(seen: list[tuple[float, str, str]]) -> list[float]:
    """How long each state but the last took."""
    return [b[0] - a[0] for a, b in itertools.pairwise(seen)]


def connected(server: TcpServer, *settings: str, **values: object) -> Rig:
    """Socket 1 open, and the module idle again."""
    rig = Rig(
        profile_with(list(settings), routes={HOST: server.address}, **values), form="V0E0"
    )  # fmt: skip
    rig.ask(b"AT+LSIPCALL=1\r", 30)
    assert rig.ask(b'AT+LSIPOPEN=1,0,"server.example",7,0\r', 30).endswith(b"+LSIP:OK\r0\r")
    return rig


def until_readable(rig: Rig) -> None:
    """Let real time pass until what the peer has sent has arrived at this machine's socket."""
    until(
        lambda: any(peer.arrived() for peer in rig.module.sockets.peers() + rig.module.mqtt.links)
    )


def test_from_the_power_key_to_idle() -> None:
    rig = Rig(on=False)
    seen = states(rig)
    rig.press(1)
    rig.wait(60)
    assert names(seen) == [
        ("boot", "power key"),
        ("idle", "booted"),
        ("search", "search"),
        ("connected-rx", "attach"),
        ("connected-tx", "attach"),
        ("connected-tail", "attach"),
        ("idle", "release"),
    ]
    assert seen[0][0] == 0.7
    # Boot, SIM, search and attach (4 s in all, the transmitter on for 2 % of the attach), tail.
    assert spans(seen) == pytest.approx([3, 1, 2.5, 1.47, 0.03, 15])


def test_commands_alone_connect_nothing() -> None:
    rig = Rig(form="V0E0")
    rig.wait(60)
    seen = states(rig)
    rig.ask(b"ATI;+CSQ;+CEREG?;+COPS?;+CCLK?\r", 60)
    assert seen == []


@pytest.mark.parametrize(("size", "variant", "rate", "setup", "share"), [
    (10, "MGGT", LTE_M_UP, 0.2, 0.02), (1400, "MGGT", LTE_M_UP, 0.2, 0.02),
    (10, "NGGT", NB_UP, 0.5, 0.04), (1400, "NGGT", NB_UP, 0.5, 0.04),
])  # fmt: skip
@pytest.mark.parametrize(("level", "factor"), [(0, 1.0), (1, 3.6), (2, 20.6)])
def test_time_on_the_air_by_size_technology_and_coverage(
    server: TcpServer, size: int, variant: str, rate: int, setup: float, share: float,
    level: int, factor: float,
) -> None:  # fmt: skip
    rig = connected(server, variant=variant)
    rig.module.network.degrade(level)
    rig.wait(60)
    rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"x" * size), 2)
    seen = states(rig)
    rig.send(b"AT+LSIPPUSH=1\r", 60)
    server.expect(b"x" * size)
    assert names(seen) == [
        ("connected-rx", "tcp"),
        ("connected-tx", "tcp"),
        ("connected-tail", "tcp"),
        ("idle", "release"),
    ]
    sending = (size + OVERHEAD) * 8 / rate
    assert spans(seen) == pytest.approx(
        [setup * (1 - share) * factor, (setup * share + sending) * factor, 15], abs=2e-6
    )


def test_each_packet_puts_off_the_release(server: TcpServer) -> None:
    rig = connected(server)
    seen = states(rig)
    for _ in range(3):
        rig.ask(b'AT+LSIPSEND=1,"x"\r', 0.1)
        rig.ask(b"AT+LSIPPUSH=1\r", 9.9)
    rig.wait(30)
    assert [state for _, state, _ in seen] == [
        "connected-rx", "connected-tx", "connected-tail",
        "connected-tx", "connected-tail", "connected-tx", "connected-tail", "idle",
    ]  # fmt: skip
    assert spans(seen)[-1] == pytest.approx(15)


def test_inactivity_timer_is_the_networks(server: TcpServer) -> None:
    rig = connected(server, "radio.inactivity=5.0")
    seen = states(rig)
    rig.ask(b'AT+LSIPSEND=1,"x"\r', 0.1)
    rig.ask(b"AT+LSIPPUSH=1\r", 30)
    assert spans(seen)[-1] == pytest.approx(5)


def test_mqtt_publish_and_its_acknowledgement(one_broker: Address) -> None:
    rig = mqtt(one_broker, keepalive=600)
    rig.wait(30)
    seen = states(rig)
    rig.send(b"AT+LSMQTTPUB=1\r")
    assert rig.until(b"+MQTTPUB:1\r\n") == b"0\r+MQTTPUB:1\r\n"
    rig.wait(30)
    assert names(seen) == [
        ("connected-rx", "mqtt"),
        ("connected-tx", "mqtt"),
        ("connected-tail", "mqtt"),
        ("connected-rx", "mqtt"),  # PUBACK, after the latency of the network
        ("connected-tail", "mqtt"),
        ("idle", "release"),
    ]
    sending = 0.004 + (len("t") + len("hello") + 7 + OVERHEAD) * 8 / LTE_M_UP
    puback = (4 + OVERHEAD) * 8 / LTE_M_DOWN
    assert spans(seen) == pytest.approx([0.196, sending, 0.3, puback, 15], abs=5e-6)


def test_keepalive_connects_by_itself(one_broker: Address) -> None:
    rig = mqtt(one_broker, keepalive=600)
    rig.wait(60)
    seen = states(rig)
    rig.wait(1230)
    pings = [at for at, state, _ in seen if state == "idle"]
    assert len(pings) == 2
    assert {cause for _, cause in names(seen)} == {"mqtt", "release"}


def test_search_without_a_network_rests_longer_and_longer() -> None:
    rig = Rig(form="V0E0")
    rig.wait(60)
    seen = states(rig)
    rig.module.network.lose()
    rig.wait(3600)
    assert names(seen) == [("search", "search"), ("idle", "no service")] * (len(seen) // 2)
    scans, rests = spans(seen)[2::2], spans(seen)[1::2]
    assert scans == pytest.approx([20] * len(scans))
    assert rests[:6] == pytest.approx([30, 60, 120, 240, 480, 600])


def test_denied_is_no_search() -> None:
    rig = Rig(form="V0E0")
    seen = states(rig)
    rig.module.network.deny()
    rig.wait(600)
    assert names(seen)[-1] == ("idle", "denied")
    assert seen[-1][0] < 20


def test_coverage_that_ends_in_the_middle_of_a_packet(server: TcpServer) -> None:
    rig = connected(server, variant="NGGT")
    rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"x" * 1400), 1)
    rig.send(b"AT+LSIPPUSH=1\r", 0.7)
    rig.module.network.lose()
    rig.wait(10)
    rig.module.network.restore()
    rig.wait(60)
    server.expect(b"x" * 1400)  # TCP sends it again
    assert rig.take() == b"+LSIP:OK \r0\r"


def test_detach_and_power_off_are_told_to_the_network() -> None:
    rig = Rig(form="V0E0")
    rig.wait(30)
    seen = states(rig)
    rig.ask(b"AT+CFUN=4\r", 5)
    assert names(seen) == [
        ("connected-rx", "detach"), ("connected-tx", "detach"), ("idle", "radio off"),
    ]  # fmt: skip
    rig.ask(b"AT+CFUN=1\r", 60)
    seen.clear()
    rig.ask(b"AT$QCPWRDN\r", 10)
    assert names(seen) == [
        ("connected-rx", "detach"), ("connected-tx", "detach"), ("idle", "release"),
        ("off", "power off"),
    ]  # fmt: skip


def test_the_network_releases_a_connection_with_the_detach(server: TcpServer) -> None:
    """24.301 clause 5.5.2.2.2: no tail of inactivity after it, though there was traffic."""
    rig = connected(server)
    rig.ask(b'AT+LSIPSEND=1,"61"\r', 0.1)
    rig.ask(b"AT+LSIPPUSH=1\r", 3)
    seen = states(rig)
    rig.ask(b"AT$QCPWRDN\r", 10)
    assert names(seen) == [
        ("connected-rx", "detach"), ("connected-tx", "detach"), ("idle", "release"),
        ("off", "power off"),
    ]  # fmt: skip


def test_a_packet_that_gets_lost_is_sent_again_after_a_time_out(server: TcpServer) -> None:
    # The server answers nothing.
    rig = connected(server, "radio.loss=0.4", "radio.retry=1.5", peer_answer_s=0.0)
    seen = states(rig)
    lost = sent = 0
    for _ in range(30):
        seen.clear()
        rig.ask(b'AT+LSIPSEND=1,"6162"\r', 0.1)
        rig.ask(b"AT+LSIPPUSH=1\r", 30)
        packets = [n for n, (_, state, cause) in enumerate(seen) if state == "connected-tx"]
        times = [seen[n][0] for n in packets]
        # The first may be the connection's set-up; each further one is a repetition.
        again = [b - a for a, b in itertools.pairwise(times) if b - a > 1]
        assert all(gap == pytest.approx(1.5 + 62 * 8 / LTE_M_UP, abs=0.01) for gap in again)
        lost, sent = lost + len(again), sent + 1
    assert 8 <= lost <= 35  # 20 on average


# Paging ---------------------------------------------------------------------------------------


def test_downlink_in_idle_comes_with_the_next_paging_occasion(server: TcpServer) -> None:
    rig = connected(server)
    rig.wait(0.37)
    server.send(b"x" * 100)
    until_readable(rig)
    start = rig.now
    seen = states(rig)
    rig.wait(5)
    assert rig.take() == b"+LSIPRTCP=1,100," + b"x" * 100 + b"\r"
    page = -(-start // 1.28) * 1.28
    assert names(seen) == [
        ("connected-rx", "tcp"), ("connected-tx", "tcp"), ("connected-rx", "tcp"),
        ("connected-tail", "tcp"),
    ]  # fmt: skip
    assert seen[0][0] == pytest.approx(page)
    received = (100 + OVERHEAD) * 8 / LTE_M_DOWN
    assert spans(seen) == pytest.approx([0.196, 0.004, received], abs=2e-6)


@pytest.mark.parametrize(("value", "act_type", "variant"), [
    (b"0101", 4, "MGGT"), (b"0011", 4, "MGGT"), (b"0010", 5, "NGGT"), (b"1001", 5, "NGGT"),
])  # fmt: skip
def test_downlink_in_edrx_waits_for_the_next_paging_window(
    server: TcpServer, value: bytes, act_type: int, variant: str
) -> None:
    rig = connected(server, variant=variant)
    rig.ask(b'AT+CEDRXS=1,%d,"%s"\r' % (act_type, value), 30)
    assert rig.module.radio.state == "edrx"
    cycle = timers.edrx_cycle_s(value.decode(), act_type)
    rig.wait(-(-rig.now // cycle) * cycle - rig.now + 6)  # the window is over
    server.send(b"command")
    until_readable(rig)
    start = rig.now
    seen = states(rig)
    rig.until(b"+LSIPRTCP=1,7,command\r", 400)
    assert seen[0] == (pytest.approx(-(-start // cycle) * cycle), "connected-rx", "tcp")
    rig.wait(20)
    assert names(seen)[-1] == ("edrx", "release")


def test_downlink_in_the_paging_window_does_not_wait_for_the_next(server: TcpServer) -> None:
    rig = connected(server)
    rig.ask(b'AT+CEDRXS=1,4,"0101"\r', 30)
    start = -(-rig.now // 81.92) * 81.92
    rig.wait(start - rig.now + 0.5)
    server.send(b"x")
    until_readable(rig)
    seen = states(rig)
    rig.wait(3)
    assert seen[0] == (pytest.approx(start + 1.28), "connected-rx", "tcp")


def test_uplink_does_not_wait_and_brings_the_waiting_downlink(server: TcpServer) -> None:
    rig = connected(server)
    rig.ask(b'AT+CEDRXS=1,4,"1001"\r', 30)
    rig.wait(-(-rig.now // 163.84) * 163.84 - rig.now + 6)
    server.send(b"down")
    until_readable(rig)
    rig.wait(10)
    assert rig.take() == b""
    rig.ask(b'AT+LSIPSEND=1,"up"\r', 0.1)
    assert b"+LSIPRTCP=1,4,down\r" in rig.ask(b"AT+LSIPPUSH=1\r", 2)
    server.expect(b"up")


def test_message_of_the_broker_waits_for_the_window(one_broker: Address) -> None:
    rig = mqtt(one_broker, b'"topic","edrx/t"', keepalive=3600)
    rig.send(b"AT+LSMQTTSUB=1\r")
    rig.until(b"+MQTTSUB:1\r\n")
    rig.ask(b'AT+CEDRXS=1,4,"0101"\r', 30)
    rig.wait(-(-rig.now // 81.92) * 81.92 - rig.now + 6)
    with Watcher(one_broker, "none") as watcher:
        watcher.publish("edrx/t", b"on")
    until_readable(rig)
    start = rig.now
    assert rig.until(b"+MQTTMSG", 100).startswith(b"+MQTTMSG")
    assert rig.now == pytest.approx(-(-start // 81.92) * 81.92 + 0.25, abs=0.06)


def test_edrx_lasts_until_the_radio_is_told_otherwise() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+CEREG=4\r")
    rig.ask(b'AT+CEDRXS=2,4,"0101"\r', 0.1)
    assert rig.until(b"+CEREG: ").startswith(b'+CEDRXP: 4,"0101","0101","0001"\r\n')
    rig.wait(0.1)
    rig.take()
    assert rig.ask(b"AT+CEDRXS=0,4\r", 3).startswith(b"0\r+CEREG: 1,")
    assert rig.ask(b"AT+CEDRXRDP;+CEDRXS?\r") == b"+CEDRXRDP: 0\r\n0\r"
    rig.ask(b'AT+CEDRXS=1,5,"0101"\r', 3)  # not the technology in use
    assert rig.ask(b"AT+CEDRXRDP;+CEDRXS?\r") == b'+CEDRXRDP: 0\r\n+CEDRXS: 5,"0101"\r\n0\r'
    rig.ask(b"AT+CEDRXS=3\r", 3)
    assert rig.ask(b"AT+CEDRXS?\r") == b"0\r"
    rig.wait(30)
    assert rig.module.radio.state == "idle"


@pytest.mark.parametrize(("settings", "told"), [
    (["grants.edrx=false"], b"0"),
    (['grants.edrx_cycle="1001"', 'grants.window="0011"'], b'4,"0101","1001","0011"'),
])  # fmt: skip
def test_network_grants_the_cycle_that_it_wants(settings: list[str], told: bytes) -> None:
    """F29"""
    rig = Rig(profile_with(settings), form="V0E0")
    rig.ask(b'AT+CEDRXS=1,4,"0101"\r', 3)
    assert rig.ask(b"AT+CEDRXRDP\r") == b"+CEDRXRDP: " + told + b"\r\n0\r"


# Connections through PSM ----------------------------------------------------------------------


def mqtt(broker: Address, *config: bytes, keepalive: int) -> Rig:
    """A module connected to the broker, with a will and something to publish."""
    rig = Rig(profile_with([], routes={BROKER: tuple(broker)}), form="V0E0")
    for line in (b'"clientid","radio%d"' % next(CLIENTS), b'"topic","will"',
                 b'"message",0,"gone"'):  # fmt: skip
        rig.ask(b"AT+LSMQTTCFG=" + line + b"\r", 0.1)
    rig.send(b"AT+LSMQTTCALL=1\r")
    rig.until(b"+MQTTCALL:1\r\n")
    rig.send(b'AT+LSMQTTOPEN="mqtt.example",1883,%d\r' % keepalive)
    rig.until(b"+MQTTOPEN:1\r\n")
    for line in (b'"qos",1', b'"topic","t"', b'"message",0,"hello"', *config):
        rig.ask(b"AT+LSMQTTCFG=" + line + b"\r", 0.1)
    return rig


def fall_asleep(rig: Rig, t3412: bytes = b"00100001") -> None:
    rig.ask(b'AT+CPSMS=1,,,"%s","00000001"\r' % t3412, 1)
    rig.until(b"^ENTERPSMMODE\r\n", 100)
    rig.wait(1)
    assert not rig.module.get_pin("status")


def test_broker_drops_a_sleeping_module_when_the_keepalive_is_over(one_broker: Address) -> None:
    """Without DISCONNECT: it publishes the will."""
    rig = mqtt(one_broker, keepalive=60)
    connected_at = rig.now
    fall_asleep(rig)
    with Watcher(one_broker, "will") as watcher:
        rig.wait(connected_at + 80 - rig.now)
        rig.linger(0.1)
        assert watcher.messages == []
        rig.wait(30)
        watcher.expect("will", b"gone")
    assert rig.module.peers() == []


def test_message_during_psm_meets_a_module_that_has_forgotten_its_connection(
    one_broker: Address,
) -> None:
    """It waits in the network until the update, where the module refuses it."""
    rig = mqtt(one_broker, b'"topic","psm/t"', keepalive=20_000)
    rig.send(b"AT+LSMQTTSUB=1\r")
    rig.until(b"+MQTTSUB:1\r\n")
    fall_asleep(rig)
    with Watcher(one_broker, "will") as watcher:
        watcher.publish("psm/t", b"on")
        until_readable(rig)
        rig.wait(3000)
        rig.linger(0.05)
        assert watcher.messages == []
        rig.wait(700)
        watcher.expect("will", b"gone")
    assert rig.module.peers() == []


def test_tcp_peer_hears_nothing_of_psm_until_it_sends(server: TcpServer) -> None:
    rig = connected(server)
    fall_asleep(rig)
    rig.wait(1000)
    server.send(b"x")
    until_readable(rig)
    rig.wait(1000)
    assert len(rig.module.peers()) == 1
    rig.press(1)
    rig.wait(60)
    assert rig.module.peers() == []
    with pytest.raises(ConnectionResetError):
        server.connection.recv(1)
    assert b"+LSIPRTCP" not in rig.take()


def test_tcp_peer_gives_up_after_two_hours(server: TcpServer) -> None:
    rig = connected(server)
    fall_asleep(rig, b"01000001")
    rig.wait(7300)
    assert rig.module.peers() == []
    with pytest.raises(ConnectionResetError):
        server.connection.recv(1)


def test_same_seed_same_states(one_broker: Address) -> None:
    def life() -> list[tuple[float, str, str]]:
        rig = Rig(profile_with([], routes={BROKER: tuple(one_broker)}), on=False)
        seen = states(rig)
        rig.press(1)
        rig.wait(20)
        rig.ask(b"ATE0V0\r")
        rig.ask(b'AT+LSMQTTCFG="clientid","same"\r')
        rig.ask(b"AT+LSMQTTCALL=1\r", 5)
        rig.ask(b'AT+LSMQTTOPEN="mqtt.example",1883,60\r', 5)
        rig.ask(b'AT+CPSMS=1,,,"00000001","00000101"\r', 3600)
        return seen

    first = life()
    assert len(first) > 30
    assert life() == first


# Data -----------------------------------------------------------------------------------------


def test_codes_of_24_008() -> None:
    units = {0: 600, 1: 3600, 2: 36_000, 3: 2, 4: 30, 5: 60, 6: 1_152_000}
    for code in range(256):
        unit, count = divmod(code, 32)
        bits = f"{code:08b}"
        wanted = None if unit == 7 else units[unit] * count
        assert timers.t3412_s(bits) == wanted
        wanted = {0: 2 * count, 2: 360 * count, 7: None}.get(unit, 60 * count)
        assert timers.t3324_s(bits) == wanted
    assert timers.t3412_bits(11_400) == "00010011"
    assert timers.t3412_s(timers.t3412_bits(11_401)) == 12_000
    with pytest.raises(ValueError, match="no T3412"):
        timers.t3412_bits(31 * 1_152_000 + 1)
    assert [timers.window_s("0011", t) for t in (timers.WB_S1, timers.NB_S1)] == [5.12, 10.24]
    assert timers.edrx_cycle_s("1110", timers.NB_S1) == 5242.88
    assert timers.edrx_cycle_s("1110", timers.WB_S1) == 2621.44


def test_profile_file_sets_network_and_link(tmp_path) -> None:
    file = tmp_path / "cell.toml"
    file.write_text(
        "[radio]\ncoverage = 2\nrepetition = [1.0, 2.0, 4.0]\ninactivity = 20.0\n"
        "[radio.nb_iot]\ntau = 2.0\n"
        '[grants]\nleast_t3412_s = 11400\nwindow = "0011"\n'
    )
    profile = load(file)
    assert profile.radio.factor == 4.0
    assert (profile.radio.nb_iot.tau, profile.radio.nb_iot.setup) == (2.0, 0.5)
    assert profile.grants.timers("00000101", "00100001") == ("00000101", "00010011")
    file.write_text("[radio.nb_iot]\nspeed = 1\n")
    with pytest.raises(ValueError, match="no setting 'speed'"):
        load(file)
    file.write_text("radio = 1\n")
    with pytest.raises(ValueError, match="radio is a table"):
        load(file)
