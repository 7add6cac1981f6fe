"""Sequences of third-party firmware for modules of this family, as they stand (field facts).

F1 is in test_mqtt.py, F2 in test_sockets.py, both against their real peers.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tests.virtual_c1100.rig import Rig
from host_tests.virtual_c1100.servers import TcpServer, UdpServer
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.coap import parse


def ok(rig: Rig, line: bytes, seconds: float = 1.0) -> bytes:
    """Send with CR LF in ATV1 and find the result as F5 does."""
    got = rig.ask(line + b"\r\n", seconds)
    assert b"OK\r\n" in got, got
    return got


def test_f3_lock_at_9600_baud_with_data_on_demand() -> None:
    with TcpServer() as server:
        rig = Rig(Profile(baud=9600, routes={("1.2.3.4", 7000): server.address}))
        rig.ask(b"ATV0\r", 0.3)
        rig.ask(b"ATE0\r", 0.3)
        assert rig.ask(b"AT+LSIPCALL?\r", 1) == b"+LSIPCALL:0\r\n0\r"
        assert b"+LSIPCALL:1," in rig.ask(b"AT+LSIPCALL=1\r", 2)
        assert b"+LSIPOPEN=1,1\r" in rig.ask(b'AT+LSIPOPEN=1,0,"1.2.3.4",7000,0\r', 2)
        rig.ask(b"AT+LSIPRS=0\r", 0.3)
        server.send(b"open")
        rig.hear()
        rig.wait(1)
        assert rig.take() == b"+LSIPRTCP=1\r"
        assert rig.ask(b"AT+LSIPREAD=1\r", 1) == b"+LSIPREAD:1,4,open\r0\r"
        server.hang_up()
        rig.hear()
        rig.wait(1)
        assert rig.take().startswith(b"+LSIPCLOSE:1,")
        rig.module.pdp.drop()
        rig.wait(1)
        assert rig.take().startswith(b"+LSIPCALL:0")


def test_f5_meter_with_coap_over_udp() -> None:
    """Everything with CR LF, in ATV1 with echo, with the firmware's own time limits."""
    with UdpServer() as server:
        rig = Rig(Profile(variant="NGCX", routes={("60.1.2.3", 5683): server.address}), on=False)
        rig.press(1.0)
        rig.wait(10)
        ok(rig, b"AT")
        ok(rig, b"AT+IPR=115200")
        ok(rig, b"AT&W")
        assert b"ERROR" in rig.ask(b"AT$MYGMR?\r\n", 1)  # another vendor's: the firmware asks
        ok(rig, b"AT+GMR")
        assert b"C1100" in ok(rig, b"AT+CGMM")
        assert b"LONGSUNG" in ok(rig, b"ATI")
        ok(rig, b"AT+CPIN?")
        assert ok(rig, b"AT+ICCID").split(b'"')[1] == b"89860012345678901234"
        assert ok(rig, b"AT+CGSN").split(b"\r\n")[1] == b"866207050000001"
        assert b"+CSQ: 22" in ok(rig, b"AT+CSQ")
        ok(rig, b"AT+CGREG=1")
        ok(rig, b"AT+CEREG=1")
        assert b"1,1" in ok(rig, b"AT+CEREG?")
        assert b"1" in ok(rig, b"AT+PSRAT").partition(b"PSRAT: ")[2]
        ok(rig, b"AT+LSIPCALL=1", 3)
        assert b"1, 10.32.226.112\r\n" in ok(rig, b"AT+LSIPCALL?")
        assert b"1,1" in ok(rig, b'AT+LSIPOPEN=1,5000,"60.1.2.3",5683,1')
        for key, value in (
            ("Ver", "31"), ("Type", "30"), ("TKL", "38"), ("Code", "303032"),
            ("MID", "3031323334"), ("Token", "546F707331323334"),
            ("Options", "b1740172112a3d0565703d383636323037303530303030303031"),
        ):  # fmt: skip
            ok(rig, f'AT+LSIPCOAPSET="{key}","{value}"'.encode())
        ok(rig, b"AT+LSIPCOAPSEND=1")
        sent = server.receive()
        assert sent[:4] == bytes.fromhex("480204d2")
        assert sent[4:12] == b"Tops1234"
        assert sent[12:] == bytes.fromhex("b1740172112a3d0565703d383636323037303530303030303031")
        server.send(bytes.fromhex("480104d3") + b"Tops1234" + b"\xb1t\xff" + b"\x02\0\x01A")
        rig.hear()
        rig.wait(0.5)
        assert rig.take() == (
            b"\r\n+LSIPRCOAP:1,type=0,code=0.1,mid=1235,token=546F707331323334,option=B174,"
            b"payload=02000141\r\n"
        )
        # The acknowledgement has neither options nor payload; the firmware does not unset them.
        for key, value in (("Type", "32"), ("Code", "303638"), ("MID", "3031323335")):
            ok(rig, f'AT+LSIPCOAPSET="{key}","{value}"'.encode())
        ok(rig, b"AT+LSIPCOAPSEND=1")
        assert server.receive() == bytes.fromhex("684404d3") + b"Tops1234"
        ok(rig, b"AT$QCPWRDN")


@pytest.mark.parametrize(
    "line",
    [b'"Ver","34"', b'"Code","393939"', b'"MID","3"', b'"Token","000102030405060708"', b'"X","31"',
     b'"Type","zz"'],
)  # fmt: skip
def test_coap_parts_out_of_range(line: bytes) -> None:
    assert Rig(form="V0E0").ask(b"AT+LSIPCOAPSET=" + line + b"\r") == b"4\r"


def test_coap_needs_an_open_udp_socket_and_the_announced_token() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+LSIPCOAPSEND=1\r") == b"4\r"
    rig.ask(b'AT+LSIPCOAPSET="TKL","32"\r')
    assert rig.ask(b"AT+LSIPCOAPSEND=1\r") == b"4\r"


def test_datagram_that_is_no_coap_is_told_as_data() -> None:
    with UdpServer() as server:
        rig = Rig(Profile(routes={("h", 1): server.address}), form="V0E0")
        rig.ask(b"AT+LSIPCALL=1\r", 2)
        rig.ask(b'AT+LSIPOPEN=1,0,"h",1,1\r', 2)
        assert rig.ask(b"AT+LSIPCOAPSEND=1\r") == b"+LSIP:OK\r0\r"
        assert server.receive() == b"\x40\x01\0\0"
        server.send(b"plain")
        rig.hear()
        rig.wait(1)
        assert rig.take() == b"+LSIPRUDP=1,5,plain\r"


@given(st.binary(max_size=40))
def test_no_datagram_breaks_the_coap_parser(data: bytes) -> None:
    message = parse(data)
    if message:
        marker = b"\xff" * (4 + len(message.token) + len(message.options) < len(data))
        rebuilt = data[:4] + message.token + message.options + marker + message.payload
        assert rebuilt == data
