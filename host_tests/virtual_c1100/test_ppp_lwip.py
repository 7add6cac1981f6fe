"""PPP against lwIP, which a board's network.PPP is made of: its own framing, options, timers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw

from host_tests.lwip.client import Lwip, LwipClient
from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from host_tests.virtual_c1100.rig import Rig
from host_tests.virtual_c1100.test_ppp import dialled
from tools.virtual_c1100 import ppp_dns

UP = ("10.0.2.15", "10.0.2.2", "10.0.2.3", "1500")  # address, gateway, DNS server, MTU
USER, LOST, AUTH, DEAD = 5, 6, 7, 9  # PPPERR_USER, _CONNECT, _AUTHFAIL, _PEERDEAD of ppp.h
NAME = "server.example"


@pytest.fixture
def lwip():
    with Lwip() as process:
        yield process


@pytest.fixture(scope="module")
def server():
    with HttpServer() as serving:
        yield serving


def body(n: int) -> bytes:
    return bytes(i % 256 for i in range(n))


def again(rig: Rig) -> None:
    rig.wait(1)
    rig.take()
    rig.send(b"ATD*99#\r")
    assert rig.until(b"1\r").startswith(b"1\r")


def test_large_page_is_the_same_byte_for_byte(lwip, server) -> None:
    rig = dialled()
    client = LwipClient(lwip, rig)
    client.open()
    assert (client.status, client.up) == ([0], UP)
    assert client.get(UP[1], server.address[1], "/bytes/200000") == body(200_000)
    client.close()
    assert client.status == [0, USER]
    client.step(1)
    assert client.heard.endswith(b"~3\r")  # NO CARRIER
    assert rig.ask(b"AT+CSQ\r") == b"+CSQ: 22,99\r\n0\r"
    assert rig.module.peers() == []


def test_names_are_looked_up_at_the_server_that_ipcp_has_told(lwip, server) -> None:
    client = LwipClient(lwip, dialled(routes={(NAME, 80): server.address}))
    client.open()
    for name in (NAME, NAME.upper(), "localhost"):
        assert client.get(name, server.address[1], "/").endswith(PAGE), name
    client.say("get other.example 80 /")
    client.until(lambda: client.ended == 1)  # no such name


def test_password_is_refused_and_another_one_taken(lwip, server) -> None:
    rig = dialled(ppp_login=("node", "secret"))
    client = LwipClient(lwip, rig)
    client.open("node", "wrong")
    assert client.status == [AUTH]
    again(rig)
    client.open("node", "secret")
    assert (client.status, client.up) == ([AUTH, 0], UP)
    assert client.get(UP[1], server.address[1], "/").endswith(PAGE)


def test_who_says_no_name_gets_no_link(lwip) -> None:
    rig = dialled(ppp_login=("node", "secret"))
    client = LwipClient(lwip, rig)
    client.say("open")
    client.until(lambda: client.heard.endswith(b"3\r"))
    assert client.status == []


def test_call_that_the_network_ends_is_dialled_again(lwip, server) -> None:
    rig = dialled()
    client = LwipClient(lwip, rig)
    for times in (1, 2, 3):
        client.open()
        assert client.get(UP[1], server.address[1], "/bytes/3000") == body(3000)
        rig.module.ppp.drop()
        client.until(lambda: client.status[-1] != 0)
        assert client.status == [0, LOST] * times
        again(rig)


def test_escape_and_back_and_the_page_goes_on(lwip, server) -> None:
    """F36"""
    rig = dialled()
    client = LwipClient(lwip, rig)
    client.open()
    client.say(f"get {UP[1]} {server.address[1]} /bytes/60000")
    client.until(lambda: len(client.body) > 20000)
    rig.wait(1.1)
    assert rig.ask(b"+++", 1.2).endswith(b"0\r")
    assert rig.ask(b"AT+CSQ\r") == b"+CSQ: 22,99\r\n0\r"
    assert rig.ask(b"ATO\r") == b"1\r"
    client.until(lambda: client.ended == 0)
    assert client.body.endswith(b"\r\n\r\n" + body(60000))
    rig.wait(1.1)
    assert rig.ask(b"+++", 1.2).endswith(b"0\r")
    assert rig.ask(b"ATH\r") == b"0\r"
    assert rig.module.peers() == []


def test_silence_of_the_network_is_noticed(lwip) -> None:
    """LCP's echoes: what has become of a link that nothing is heard of."""
    rig = dialled()
    client = LwipClient(lwip, rig)
    client.open()
    client.until(lambda: rig.now > 60, 120)  # they are answered
    assert client.status == [0]
    rig.module.reboot()
    client.until(lambda: client.status[-1] != 0)
    assert client.status == [0, DEAD]


@given(st.binary(max_size=80), st.booleans())
def test_whatever_is_asked_of_the_name_server(text: bytes, question: bool) -> None:
    head = b"\x01\x02\x01\0\0\1\0\0\0\0\0\0" if question else b""
    asked = bytes(IP(src=UP[0], dst=UP[2]) / UDP(sport=4000, dport=53) / Raw(head + text))
    if not ppp_dns.asks(asked, UP[2]):
        assert len(head + text) < 12
        return
    if said := ppp_dns.answer(asked, lambda name: True, UP[1]):
        read = IP(said)
        assert (read.src, read.dst, read[UDP].dport) == (UP[2], UP[0], 4000)
        assert read.len == len(said)
