"""PPP against a client of its own and real servers behind user-mode NAT."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP

from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from host_tests.virtual_c1100.ppp_client import PppClient, crc16
from host_tests.virtual_c1100.rig import Rig
from host_tests.virtual_c1100.servers import UdpServer
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.hdlc import Decoder, encode


def dialled(**values) -> Rig:
    rig = Rig(Profile(**values), form="V0E0")
    assert rig.ask(b'AT+CGDCONT=1,"IP","3GNET"\r') == b"0\r"
    rig.send(b"ATD*99#\r")
    end = rig.now + 5
    while not rig.received.startswith(b"1\r"):
        assert rig.now < end
        rig.wait(0.001)
    del rig.received[:2]
    return rig


def connected(**values) -> tuple[Rig, PppClient]:
    rig = dialled(**values)
    client = PppClient(rig)
    client.open()
    return rig, client


def test_address_is_obtained_and_a_page_fetched() -> None:
    with HttpServer() as server:
        _, client = connected()
        assert (client.address, client.gateway) == (bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2)))
        reply = client.http_get(server.address[1], "/index.html")
        assert reply.startswith(b"HTTP/1.0 200 OK")
        assert reply.endswith(b"\r\n\r\n" + PAGE)


def test_large_page_arrives_whole() -> None:
    with HttpServer() as server:
        _, client = connected(baud=921600)
        reply = client.http_get(server.address[1], "/bytes/50000")
        assert reply.partition(b"\r\n\r\n")[2] == bytes(n % 256 for n in range(50000))


def test_udp_both_ways() -> None:
    with UdpServer() as server:
        rig, client = connected()
        client.udp(server.address[1], b"\x7e\x7d\x00 up")
        rig.wait(0.1)
        assert server.receive() == b"\x7e\x7d\x00 up"
        server.send(b"down \x03\x7e")
        rig.hear()
        answer = client.take(UDP)
        assert (answer[UDP].sport, bytes(answer[UDP].payload)) == (
            server.address[1], b"down \x03\x7e"
        )  # fmt: skip


def test_nothing_leaves_for_any_address_but_the_gateway() -> None:
    rig, client = connected()
    for address in ("203.0.113.1", "10.0.2.3", "10.0.2.1", "255.255.255.255", "127.0.0.1"):
        client.send(0x21, bytes(IP(src="10.0.2.15", dst=address) / ICMP()))
    rig.wait(1)
    assert rig.module.ppp.nat is not None
    assert rig.module.ppp.nat.dropped == 5


@pytest.mark.parametrize(("password", "accepted"), [(b"secret", True), (b"wrong", False)])
def test_pap_accepted_and_refused(password: bytes, accepted: bool) -> None:
    rig = dialled(ppp_login=("node", "secret"))
    client = PppClient(rig, (b"node", password))
    client.configure()
    client.until(lambda: client.auth_accepted is not None)
    assert (client.auth_asked, client.auth_accepted) == (True, accepted)
    if accepted:
        client.until(lambda: client.ipcp_open)
        return
    client.until(lambda: client.terminated)
    rig.wait(1)
    assert (client.text() + rig.take()).endswith(b"3\r")
    assert rig.ask(b"AT\r") == b"0\r"


def test_client_that_terminates_gets_no_carrier_and_command_mode() -> None:
    rig, client = connected()
    client.send(0xC021, b"\x05\x09\x00\x04")
    client.until(lambda: client.terminated)
    rig.wait(0.1)
    assert (client.text() + rig.take()).endswith(b"3\r")
    assert rig.ask(b"AT+CSQ\r") == b"+CSQ: 22,99\r\n0\r"


def test_escape_with_guard_times_resume_and_hang_up() -> None:
    """F36"""
    with HttpServer() as server:
        rig, client = connected()
        rig.wait(1.1)
        assert rig.ask(b"+++", 1.2) == b"0\r"
        assert rig.ask(b"AT+CSQ\r") == b"+CSQ: 22,99\r\n0\r"
        assert rig.ask(b"ATO\r") == b"1\r"
        assert client.http_get(server.address[1], "/").endswith(PAGE)
        rig.wait(1.1)
        assert rig.ask(b"+++", 1.2).endswith(b"0\r")
        assert rig.ask(b"ATH\r") == b"0\r"
        assert rig.ask(b"ATO\r") == b"3\r"
        assert rig.module.peers() == []


@pytest.mark.parametrize("parts", [(b"+++", b"x"), (b"++", b"+x"), (b"++++",), (b"++",)])
def test_plus_signs_without_silence_around_them_are_data(parts: tuple[bytes, ...]) -> None:
    """F36"""
    rig, client = connected()
    rig.wait(1.1)
    for part in parts:
        rig.send(part, 0.2)
    rig.wait(3)
    assert rig.take() == b""
    client.send(0xC021, b"\x09\x05\x00\x08\0\0\0\0")  # echo request: the link still stands
    rig.wait(0.2)
    assert b"\x7e" in rig.take()


def test_escape_right_behind_data_is_data() -> None:
    rig, client = connected()
    client.send(0xC021, b"\x09\x05\x00\x08\0\0\0\0")
    rig.wait(0.3)
    rig.take()
    assert rig.ask(b"+++", 3) == b""


def test_network_ends_the_call() -> None:
    rig, client = connected()
    rig.module.ppp.drop()
    client.until(lambda: client.terminated)
    rig.wait(0.5)
    assert (client.text() + rig.take()).endswith(b"3\r")
    assert rig.ask(b"AT\r") == b"0\r"


def test_silent_client_is_given_up_after_ten_requests() -> None:
    rig = dialled()
    rig.wait(25)
    assert rig.take().count(b"\x7e") == 2 * 9
    rig.wait(10)
    assert rig.take().endswith(b"3\r")


def test_urc_waits_for_the_end_of_data_mode() -> None:
    """F37"""
    rig, _ = connected()
    rig.module.network.reports["+CEREG"].mode = 1
    rig.module.network.flap(5)
    rig.wait(2)
    assert rig.take() == b""
    assert rig.ask(b"+++", 1.2) == b"0\r+CEREG: 5\r\n"


def test_restarted_board_finds_the_module_in_data_mode_and_gets_out() -> None:
    """F35"""
    rig, _ = connected()
    rig.wait(5)
    assert rig.ask(b"AT\r", 1) == b""
    rig.wait(1)
    assert rig.ask(b"+++", 1.5) == b"0\r"
    assert rig.ask(b"ATH\r") == b"0\r"


def test_reboot_in_data_mode() -> None:
    rig, _ = connected()
    rig.module.reboot()
    rig.wait(10)
    assert rig.module.peers() == []
    assert rig.ask(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_dialling_without_a_network_or_another_number() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"ATD12345\r") == b"4\r"
    rig.module.network.lose()
    assert rig.ask(b"ATD*99#\r", 3) == b"3\r"


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 0x7F).map(lambda n: 2 * n * 256 + 0x21), st.binary(max_size=300),
       st.booleans(), st.integers(1, 17))  # fmt: skip
def test_frames_survive_stuffing_and_any_split(
    protocol: int, payload: bytes, controls: bool, size: int
) -> None:
    frame = encode(protocol, payload, controls)
    assert frame[0] == frame[-1] == 0x7E
    assert b"\x7e" not in frame[1:-1]
    decoder = Decoder()
    got = []
    for start in range(0, len(frame), size):
        got += decoder.feed(frame[start : start + size])
    assert got == [(protocol, payload)]


@given(st.binary(max_size=200))
def test_fcs_is_that_of_the_bitwise_definition(data: bytes) -> None:
    framed = encode(0x0021, data, False)
    inner = bytearray()
    flip = 0
    for byte in framed[1:-1]:
        if byte == 0x7D:
            flip = 0x20
        else:
            inner.append(byte ^ flip)
            flip = 0
    assert crc16(bytes(inner[:-2])).to_bytes(2, "little") == bytes(inner[-2:])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_garbage_on_the_link_never_breaks_it(pieces: list[bytes]) -> None:
    """Noise, and frames with a good FCS around it."""
    rig = dialled()
    for piece in pieces:
        rig.send(piece)
        rig.send(encode(0xC021, piece, True))
        rig.send(encode(0x8021, piece, True))
        rig.send(encode(0x0021, piece, True), 0.1)
    rig.wait(60)
    rig.take()
    rig.module.reboot()
    rig.wait(10)
    assert rig.ask(b"AT\r") == b"AT\r\r\nOK\r\n"
