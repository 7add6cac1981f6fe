"""Sockets against real TCP and UDP servers: limits, counts, formats, loss, transparent mode."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from host_tests.peers import dead_port
from host_tests.virtual_c1100.rig import Rig
from host_tests.virtual_c1100.servers import TcpServer, UdpServer
from tools.virtual_c1100 import Profile

HOST = ("server.example", 7)


@pytest.fixture
def server() -> Iterator[TcpServer]:
    with TcpServer() as running:
        yield running


def connected(*addresses: tuple[str, int], udp: int = 0, **profile: Any) -> Rig:
    """Sockets 1, 2, ... open to these servers."""
    routes = {(HOST[0], HOST[1] + n): address for n, address in enumerate(addresses, 1)}
    rig = Rig(Profile(routes=routes, **profile), form="V0E0")
    assert rig.ask(b"AT+LSIPCALL=1\r", 2).endswith(b"+LSIP:OK\r0\r")
    for n in range(1, len(addresses) + 1):
        assert rig.ask(b'AT+LSIPOPEN=%d,0,"%s",%d,%d\r' % (n, HOST[0].encode(), HOST[1] + n, udp),
                       2) == b"+LSIPOPEN=%d,1\r+LSIP:OK\r0\r" % n  # fmt: skip
    return rig


def test_buffer_takes_1500_bytes_and_refuses_more_unchanged(server: TcpServer) -> None:
    rig = connected(server.address)
    assert rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"x" * 1400), 1) == b"+LSIPSEND:1,100\r\n0\r"
    assert rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"y" * 101), 1) == b"4\r"
    assert rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"z" * 100), 1) == b"+LSIPSEND:1,0\r\n0\r"
    assert rig.ask(b"AT+LSIPPUSH=1\r", 1) == b"+LSIP:OK \r0\r"
    server.expect(b"x" * 1400 + b"z" * 100)


def test_text_counts_characters_and_hex_counts_bytes(server: TcpServer) -> None:
    """Field: 62 characters of text leave 1438, 74 hex digits leave 1463."""
    rig = connected(server.address)
    assert rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"3" * 62)) == b"+LSIPSEND:1,1438\r\n0\r"
    rig.ask(b"AT+LSIPPUSH=1\r", 1)
    rig.ask(b"AT+LSIPHEX=1\r")
    assert rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"3" * 74)) == b"+LSIPSEND:1,1463\r\n0\r"
    assert rig.ask(b'AT+LSIPSEND=1,"123"\r') == b"4\r"
    assert rig.ask(b'AT+LSIPSEND=1,"xx"\r') == b"4\r"


def test_received_text_may_hold_anything(server: TcpServer) -> None:
    """F24"""
    rig = connected(server.address)
    data = bytes(range(256)) + b"\r\nOK\r\n+++\r0\r"
    server.send(data)
    rig.hear()
    rig.wait(1)
    assert rig.take() == b"+LSIPRTCP=1,%d,%s\r" % (len(data), data)


def test_received_hex_is_cut_into_pieces_of_750_bytes(server: TcpServer) -> None:
    rig = connected(server.address)
    rig.ask(b"AT+LSIPHEX=1\r")
    server.send(b"\xab" * 1000)
    rig.hear()
    rig.wait(1)
    assert rig.take() == (b"+LSIPRTCP=1,750,%s\r+LSIPRTCP=1,250,%s\r" % (b"AB" * 750, b"AB" * 250))


def test_four_sockets_and_no_fifth(server: TcpServer) -> None:
    with TcpServer() as second:
        rig = connected(server.address, second.address)
        assert rig.ask(b"AT+LSIPOPEN?\r") == b"+LSIPOPEN:3,4\r\n0\r"
        assert rig.ask(b"AT+LSIPCLOSE?\r") == b"+LSIPCLOSE:1,2\r\n0\r"
        assert rig.ask(b'AT+LSIPOPEN=2,0,"127.0.0.1",9,0\r') == b"4\r"
        assert rig.ask(b'AT+LSIPOPEN=5,0,"127.0.0.1",9,0\r') == b"4\r"


def test_remote_close_is_told_with_counts(server: TcpServer) -> None:
    """F22"""
    rig = connected(server.address)
    rig.ask(b'AT+LSIPSEND=1,"abc"\r')
    rig.ask(b"AT+LSIPPUSH=1\r", 1)
    server.send(b"hello")
    rig.hear()
    rig.wait(1)
    rig.take()
    server.hang_up()
    rig.hear()
    rig.wait(1)
    assert rig.take() == b"+LSIPCLOSE:1,3,5,0\r"
    assert rig.ask(b"AT+LSIPPUSH=1\r") == b"4\r"
    assert rig.ask(b"AT+LSIPCLOSE=1\r") == b"4\r"
    assert rig.ask(b"AT+LSIPOPEN?\r") == b"+LSIPOPEN:1,2,3,4\r\n0\r"


def test_nobody_listens() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+LSIPCALL=1\r", 2)
    line = b'AT+LSIPOPEN=1,0,"127.0.0.1",%d,0\r' % dead_port()
    assert rig.ask(line, 2) == b"+LSIPOPEN=1,0\r4\r"
    rig.module.profile.quirks.lsip_error = True
    assert rig.ask(line, 2) == b"+LSIPOPEN=1,0\r+LSIP:ERROR\r4\r"


def test_stranger_is_never_called_and_the_open_times_out() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+LSIPCALL=1\r", 2)
    rig.send(b'AT+LSIPOPEN=1,0,"203.0.113.9",80,0\r', 19)
    assert rig.take() == b""
    assert rig.module.peers() == []
    rig.wait(3)
    assert rig.take() == b"+LSIPOPEN=1,0\r4\r"


def test_call_dropped_by_the_network(server: TcpServer) -> None:
    rig = connected(server.address)
    rig.module.pdp.drop()
    rig.wait(1)
    assert rig.take() == b"+LSIPCALL:0\r\n"
    assert rig.ask(b"AT+LSIPCALL?;+LSIPOPEN?\r") == b"+LSIPCALL:0\r\n+LSIPOPEN:1,2,3,4\r\n0\r"


def test_short_loss_of_coverage_delays_data_and_a_long_one_ends_the_call(
    server: TcpServer,
) -> None:
    rig = connected(server.address)
    rig.module.network.lose()
    server.send(b"late")
    rig.hear()
    rig.wait(10)
    assert rig.take() == b""
    rig.module.network.restore()
    rig.wait(10)
    assert rig.take() == b"+LSIPRTCP=1,4,late\r"
    rig.module.network.lose()
    rig.wait(61)
    assert rig.take() == b"+LSIPCALL:0\r\n"


def test_call_without_a_network() -> None:
    rig = Rig(form="V0E0")
    rig.module.network.lose()
    assert rig.ask(b"AT+LSIPCALL=1\r", 3) == b"4\r"
    assert rig.ask(b'AT+LSIPOPEN=1,0,"127.0.0.1",80,0\r') == b"4\r"


def test_udp_keeps_datagrams_apart() -> None:
    with UdpServer() as server:
        rig = connected(server.address, udp=1)
        for text in (b"one", b"two!"):
            rig.ask(b'AT+LSIPSEND=1,"%s"\r' % text)
            assert rig.ask(b"AT+LSIPPUSH=1\r", 1) == b"+LSIP:OK \r0\r"
            assert server.receive() == text
        server.send(b"a")
        server.send(b"bc")
        rig.hear()
        rig.wait(1)
        assert rig.take() == b"+LSIPRUDP=1,1,a\r+LSIPRUDP=1,2,bc\r"
        assert rig.ask(b"AT+LSIPCLOSE=1\r", 1) == b"+LSIPCLOSE:1,7,3,0\r+LSIP:OK\r0\r"


def test_data_on_demand(server: TcpServer) -> None:
    """F26; field: buffered reception, AT+LSIPREAD"""
    rig = connected(server.address)
    rig.ask(b"AT+LSIPRS=0\r")
    server.send(b"x" * 800)
    rig.hear()
    rig.wait(1)
    assert rig.take() == b"+LSIPRTCP=1\r"
    assert rig.ask(b"AT+LSIPREAD=1\r") == b"+LSIPREAD:1,750," + b"x" * 750 + b"\r0\r"
    assert rig.ask(b"AT+LSIPREAD=1\r") == b"+LSIPREAD:1,50," + b"x" * 50 + b"\r0\r"
    assert rig.ask(b"AT+LSIPREAD=1\r") == b"+LSIPREAD:1,0,\r0\r"


@pytest.mark.parametrize("mode", [2, 4])
def test_transparent_modes_that_the_manual_refuses(server: TcpServer, mode: int) -> None:
    assert connected(server.address).ask(b"AT+LSIPTPS=%d,1,5000,600\r" % mode) == b"4\r"


def test_transparent_mode_3_sends_exactly_the_announced_length(server: TcpServer) -> None:
    rig = connected(server.address)
    data = bytes(range(256)) * 2
    assert rig.ask(b"AT+LSIPTPS=3,1,5000,512\r") == b">"
    assert rig.ask(data[:500]) == b""
    assert rig.ask(data[500:] + b"\r\n", 1) == b"\r+LSIP:OK\r0\r"
    server.expect(data)
    assert rig.ask(b"AT\r") == b"0\r"


def test_escape_in_pieces_and_command_right_behind_it(server: TcpServer) -> None:
    rig = connected(server.address)
    rig.ask(b"AT+LSIPTPS=1,1\r")
    for piece in (b"a+", b"+b++", b"+AT+CS", b"Q\r"):
        rig.send(piece, 0.05)
    rig.wait(1)
    assert rig.take() == b"\r+LSIP:OK\r0\r+CSQ: 22,99\r\n0\r"
    server.expect(b"a++b")


def test_urc_during_transparent_input_waits(server: TcpServer) -> None:
    """F37"""
    rig = connected(server.address)
    rig.ask(b"AT+CEREG=1\r")
    rig.ask(b"AT+LSIPTPS=1,1\r")
    rig.module.network.flap(5)
    server.send(b"in")
    rig.hear()
    rig.wait(5)
    assert rig.take() == b""
    rig.send(b"out+++", 1)
    assert rig.take() == b"+CEREG: 5\r\n+LSIPRTCP=1,2,in\r\r+LSIP:OK\r0\r"


def test_64_kib_each_way_over_two_sockets_lose_and_reorder_nothing(server: TcpServer) -> None:
    size, part = 65536, 1500
    with TcpServer() as second:
        rig = connected(
            server.address, second.address,
            baud=921600, peer_grace_s=0.003, peer_answer_s=0.03,
        )  # fmt: skip
        rig.ask(b"AT+LSIPHEX=1\r")
        up = bytes(n * 7 % 251 for n in range(size))
        down = bytes(n * 11 % 253 for n in range(size))
        second.send(down)
        got = bytearray()
        for start in range(0, size, part):
            rig.send(b'AT+LSIPSEND=1,"%s"\r' % up[start : start + part].hex().encode())
            got += rig.until(b"+LSIPSEND:1,")
            rig.send(b"AT+LSIPPUSH=1\r")
            got += rig.until(b"+LSIP:OK \r0\r")
        while len(_payload(got, 2)) < size:
            rig.linger(0.01)
            rig.wait(0.5)
            got += rig.take()
        assert _payload(got, 2) == down
        server.expect(up)


def _payload(stream: bytes, number: int) -> bytes:
    """All data of a socket out of what the DTE received in hex mode."""
    found = re.finditer(rb"\+LSIPRTCP=%d,(\d+),([0-9A-F]*)\r" % number, stream)
    parts = [(int(m[1]), bytes.fromhex(m[2].decode())) for m in found]
    assert all(length == len(data) for length, data in parts)
    return b"".join(data for _, data in parts)


def test_field_sequence_of_firmware_f2(server: TcpServer) -> None:
    """As sent by third-party firmware: ATV0, text mode, results looked for as substrings."""
    rig = Rig(Profile(routes={("47.95.1.2", 8888): server.address}))
    assert b"0\r" in rig.ask(b"ATV0\r", 0.2)
    assert b"0\r" in rig.ask(b"ATE0\r", 0.2)
    assert b"+MODODR: 5\r" in rig.ask(b"AT+MODODR=5\r", 0.2) + rig.ask(b"AT+MODODR?\r", 0.2)
    rig.ask(b"AT+CEREG=2\r", 10)
    assert b",1" in rig.ask(b"AT+CEREG?\r", 0.2)
    assert b"0\r" in rig.ask(b'AT+LSIPPROFILE=1,"CMNET"\r', 0.2)
    assert b"+LSIPCALL:1," in rig.ask(b"AT+LSIPCALL=1\r", 1.5)
    assert b"1,1" in rig.ask(b'AT+LSIPOPEN=1,5000,"47.95.1.2",8888,0\r', 2)
    assert b"+LSIPSEND:1,1438" in rig.ask(b'AT+LSIPSEND=1,"%s"\r' % (b"7E" * 31), 0.1)
    assert b"OK" in rig.ask(b"AT+LSIPPUSH=1\r", 0.3)
    server.expect(b"7E" * 31)
