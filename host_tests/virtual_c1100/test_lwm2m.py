"""LwM2M against servers on a real CoAP stack: registration, lifetime, reading, observing."""

import contextlib
import socket
from collections.abc import Iterator

import aiocoap
import pytest

from host_tests.virtual_c1100.lwm2m_server import Future, Lwm2mServer, free_udp_port
from host_tests.virtual_c1100.rig import Rig
from tools.virtual_c1100 import Profile

PRINTED = {3: "5.39.83.206", 4: "5.39.83.205", 5: "5.39.83.204"}  # manual 3.5.2


@pytest.fixture
def server() -> Iterator[Lwm2mServer]:
    with Lwm2mServer() as running:
        yield running


def test_a_server_needs_the_udp_port_alone() -> None:
    port = free_udp_port()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else has it already, which does as well
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        with Lwm2mServer(port) as running:
            assert running.address[1] == port


def configured(*servers: Lwm2mServer, lifetime: int = 3600) -> Rig:
    """A module set up as the manual says, rebooted, on the network again."""
    routes = {(PRINTED[n], 5683): server.address for n, server in enumerate(servers, min(PRINTED))}
    rig = Rig(Profile(routes=routes, lwm2m_lifetime_s=lifetime), form="V0E0")
    for n in list(PRINTED)[: len(servers)]:
        assert rig.ask(b'AT+LWMTM=%d,"%s:5683"\r' % (n, PRINTED[n].encode())) == b"0\r"
    assert rig.ask(b"AT+LWMTM=1\r") == b"0\r"
    rig.wait(5)
    assert all(server.events == [] for server in servers)
    assert rig.ask(b"AT+ CFUN=1,1\r") == b"0\r"
    rig.wait(20)
    return rig


def answer(rig: Rig, future: Future) -> aiocoap.Message:
    while not future.done():
        rig.linger(0.01)
    return future.result()


def test_module_registers_by_itself_after_the_reboot(server: Lwm2mServer) -> None:
    configured(server, lifetime=1234)
    assert server.events == ["register"]
    client = server.client
    assert (client.endpoint, client.lifetime_s) == ("urn:imei:866207050000001", 1234)
    assert client.links == "</1/0>,</3/0>,</4/0>"


def test_three_servers_with_their_ids() -> None:
    with (
        Lwm2mServer() as one,
        Lwm2mServer() as two,
        Lwm2mServer() as three,
    ):
        rig = configured(one, two, three)
        for running, short_id in ((one, b"102"), (two, b"101"), (three, b"1000")):
            assert running.events == ["register"]
            assert answer(rig, running.request(aiocoap.GET, "/1/0/0")).payload == short_id


def test_updates_keep_the_registration_over_virtual_days(server: Lwm2mServer) -> None:
    rig = configured(server, lifetime=3600)
    rig.wait(86400)
    assert server.events.count("register") == 1
    assert server.events.count("update") == 86400 // 3240


def test_lifetime_runs_out_when_the_module_is_off(server: Lwm2mServer) -> None:
    rig = configured(server, lifetime=1)
    rig.module.power_cycle()
    assert rig.module.peers() == []
    server.wait_for("expired")


def test_server_that_forgot_the_module_sees_it_again(server: Lwm2mServer) -> None:
    rig = configured(server)
    server.forget()
    rig.wait(3600)
    assert server.events == ["register", "forgotten", "register"]


def test_switched_off_it_deregisters_and_stays_off(server: Lwm2mServer) -> None:
    rig = configured(server)
    rig.ask(b"AT+LWMTM=0\r")
    rig.wait(5)
    server.wait_for("deregister")
    rig.ask(b"AT+CFUN=1,1\r")
    rig.wait(30)
    assert server.events == ["register", "deregister"]


@pytest.mark.parametrize(
    ("path", "value"),
    [("/3/0/0", b"LONGSUNG"), ("/3/0/1", b"C1100 MGGT"), ("/3/0/2", b"866207050000001"),
     ("/3/0/9", b"80"), ("/4/0/2", b"-69"), ("/4/0/4", b"10.32.226.112"), ("/4/0/10", b"460")],
)  # fmt: skip
def test_objects_3_and_4_can_be_read(server: Lwm2mServer, path: str, value: bytes) -> None:
    rig = configured(server)
    got = answer(rig, server.request(aiocoap.GET, path))
    assert (got.code, got.payload) == (aiocoap.CONTENT, value)


def test_whole_instance_comes_as_tlv(server: Lwm2mServer) -> None:
    rig = configured(server)
    got = answer(rig, server.request(aiocoap.GET, "/4/0"))
    assert got.opt.content_format == 11542
    assert got.payload.startswith(bytes.fromhex("c10006c10106c102bb"))  # 6, 6, -69
    assert b"\xc8\x04\x0d10.32.226.112" in got.payload


@pytest.mark.parametrize(
    ("code", "path", "expected"),
    [
        (aiocoap.GET, "/3/0/99", aiocoap.NOT_FOUND),
        (aiocoap.GET, "/99/0", aiocoap.NOT_FOUND),
        (aiocoap.GET, "/3/1/0", aiocoap.NOT_FOUND),
        (aiocoap.GET, "/3/x/0", aiocoap.NOT_FOUND),
        (aiocoap.GET, "/3/0/4", aiocoap.METHOD_NOT_ALLOWED),
        (aiocoap.PUT, "/3/0/0", aiocoap.METHOD_NOT_ALLOWED),
        (aiocoap.DELETE, "/3/0", aiocoap.METHOD_NOT_ALLOWED),
        (aiocoap.POST, "/3/0/0", aiocoap.METHOD_NOT_ALLOWED),
    ],
)
def test_what_is_not_there_is_refused(
    server: Lwm2mServer, code: aiocoap.Code, path: str, expected: aiocoap.Code
) -> None:
    rig = configured(server)
    assert answer(rig, server.request(code, path)).code == expected


def test_signal_strength_is_observed(server: Lwm2mServer) -> None:
    rig = configured(server)
    assert answer(rig, server.observe("/4/0/2")).payload == b"-69"
    for rssi, value in ((10, b"-93"), (31, b"-51")):
        rig.module.network.cell.rssi = rssi
        rig.wait(11)
        rig.hear(lambda value=value: server.notified[-1:] == [value])
    assert len(server.notified) == 2


def test_execute_reboots_the_module_which_registers_again(server: Lwm2mServer) -> None:
    rig = configured(server)
    assert answer(rig, server.request(aiocoap.POST, "/3/0/4")).code == aiocoap.CHANGED
    rig.wait(30)
    assert server.events == ["register", "register"]
    assert [level for _, _, level in rig.pins][-2:] == [False, True]


def test_loss_of_coverage_and_return(server: Lwm2mServer) -> None:
    rig = configured(server)
    rig.module.network.lose()
    rig.wait(100)
    rig.module.network.restore()
    rig.wait(10)
    assert server.events == ["register", "update"]


def test_server_that_is_not_there_is_tried_again() -> None:
    port = free_udp_port()
    profile = Profile(routes={("5.39.83.206", 5683): ("127.0.0.1", port)}, patience_s=0.1)
    rig = Rig(profile, form="V0E0")
    rig.ask(b'AT+LWMTM=3,"5.39.83.206:5683"\r')
    rig.ask(b"AT+LWMTM=1;+CFUN=1,1\r")
    rig.wait(60)
    with Lwm2mServer(port) as server:
        rig.wait(130)
        assert server.events == ["register"]


def test_settings_survive_and_are_shown() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b'AT+LWMTM=5,"127.0.0.1:5683"\r')
    rig.ask(b"AT+LWMTM=1\r")
    rig.module.power_cycle()
    rig.press(1)
    rig.wait(3)
    rig.ask(b"ATE0V0\r")
    assert rig.ask(b"AT+LWMTM?\r") == b'+LWMTM: 1\r\n+LWMTM: 5,"127.0.0.1:5683"\r\n0\r'


@pytest.mark.parametrize("line", [b"=2", b"=3", b'=3,"nonsense"', b'=1,"1.2.3.4:5"', b'=6,"h:1"'])
def test_settings_that_make_no_sense(line: bytes) -> None:
    assert Rig(form="V0E0").ask(b"AT+LWMTM" + line + b"\r") == b"4\r"
