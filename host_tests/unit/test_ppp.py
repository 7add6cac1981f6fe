"""PPP: every generation of network.PPP, and what happens around the hand-over."""

import asyncio

from c1100 import CommandError, NotConnected, NotSupported, Timeout
from c1100.channel import COMMAND
from host_tests.support import raises
from host_tests.support.driver import start
from host_tests.support.streams import at_every_split

DIAL = (
    ("AT+MODODREX=2", b"0\r"),
    ('AT+CGDCONT=1,"IP","3GNET"', b"0\r"),
    ("ATD*99#", b"1\r"),
)
BACK = (
    (b"+++", (900, b"\r0\r")),
    ("AT", b"0\r"),
    ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
    ("ATH", b"0\r"),
)


class Esp32Until124:
    """network.PPP of the ESP32 as it was up to MicroPython 1.24."""

    AUTH_PAP = 1

    def __init__(self, stream):
        self.stream = stream
        self.calls = []

    def active(self, on):
        self.calls.append(("active", on))

    def connect(self, **how):
        self.calls.append(("connect", how))

    def isconnected(self):
        return True

    def status(self):
        return None


class Lwip:
    """network.PPP of the other ports, and of the ESP32 since."""

    SEC_PAP = 1
    CLOSE_MS = 0

    def __init__(self, stream):
        self.stream = stream
        self.calls = []
        self.up = True
        self.code = 4

    def connect(self, **how):
        self.calls.append(("connect", how))

    def isconnected(self):
        return self.up

    def status(self):
        return self.code

    def disconnect(self):
        self.calls.append(("disconnect",))
        self.closing = asyncio.create_task(self._close())

    async def _close(self):
        await asyncio.sleep_ms(self.CLOSE_MS)
        self.stream.write(b"~end~")
        self.up = False


class Refused(Lwip):
    def __init__(self, stream):
        Lwip.__init__(self, stream)
        self.up = False
        self.code = -7

    def disconnect(self):
        self.calls.append(("disconnect",))


async def test_esp32_up_to_1_24():
    module, modem = start(*DIAL, *BACK)
    ppp = await modem.ppp("3GNET", user="u", password="p", factory=Esp32Until124)
    link = ppp.link
    await ppp.hang_up()
    assert link.calls == [
        ("active", True),
        ("connect", {"authmode": 1, "username": "u", "password": "p"}),
        ("active", False),
    ]
    module.check()
    modem.close()


async def test_link_has_said_its_last_word_before_the_escape():
    class Slow(Lwip):
        CLOSE_MS = 6500

    for kind in (Lwip, Slow):
        module, modem = start(*DIAL, (b"~end~",), *BACK)
        ppp = await modem.ppp("3GNET", user="u", password="p", factory=kind)
        link = ppp.link
        assert link.calls == [("connect", {"security": 1, "user": "u", "key": "p"})]
        await ppp.hang_up()
        module.check()
        modem.close()


async def test_refused_password_is_told_at_once():
    module, modem = start(*DIAL, *BACK)
    try:
        await asyncio.wait_for_ms(modem.ppp("3GNET", "u", "wrong", factory=Refused), 20000)
        raise AssertionError
    except NotConnected as error:
        assert "password" in str(error)
        assert "wrong" not in str(error)
    module.check()
    modem.close()


async def test_board_without_network_ppp():
    module, modem = start()
    with raises(NotSupported):
        await modem.ppp("3GNET")
    assert module.heard == []
    modem.close()


class Reader(Lwip):
    """Reads what is on the line when it is made."""

    def __init__(self, stream):
        Lwip.__init__(self, stream)
        self.got = b""
        buf = bytearray(100)
        while True:
            n = stream.readinto(buf)
            if not n:
                break
            self.got += buf[:n]


async def test_what_follows_connect_is_left_for_ppp():
    """The network's first request; lost, it would be repeated only after seconds."""
    frame = b"\x7e\xff\x7d\x23\r0\r\n+CSQ: 1,1\r\n\x7e"
    for connect in (b"1\r", b"\r\nCONNECT\r\n", b"\r\nCONNECT 115200\r\n"):
        module, modem = start(*DIAL[:2], ("ATD*99#", connect + frame), (b"~end~",), *BACK)
        ppp = await modem.ppp("3GNET", factory=Reader)
        assert ppp.link.got.lstrip(b"\n") == frame
        await ppp.hang_up()
        module.check()
        modem.close()


async def test_dial_at_every_split():
    async def scenario():
        said = b"+CEREG: 1\r\n1\r"
        module, modem = start(*DIAL[:2], ("ATD*99#", said), (b"~end~",), *BACK)
        ppp = await modem.ppp("3GNET", factory=Lwip)
        await ppp.hang_up()
        modem.close()
        return module, modem._channel.mode

    await at_every_split(scenario)


async def test_sockets_are_lost_while_ppp_has_the_line():
    """F37: the module can tell nothing of them."""
    module, modem = start(
        ("AT+LSIPCALL?", b"+LSIPCALL: 1, 10.32.226.112\r\n0\r"),
        ("AT+LSIPHEX=1", b"0\r"),
        ("AT+LSIPOPEN?", b"+LSIPOPEN:1,2,3,4\r\n0\r"),
        ('AT+LSIPOPEN=1,0,"a.example",7,0', b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r"),
        *DIAL,
        (b"~end~",),
        *BACK,
    )
    sock = await modem.tcp("a.example", 7)
    ppp = await modem.ppp("3GNET", factory=Lwip)
    with raises(NotConnected):
        sock.read(1)
    await ppp.hang_up()
    module.check()
    modem.close()


async def test_f14_given_up_dialling():
    """What the module makes of it: it connects all the same, it does not, it never answers."""
    for after_ms, said in ((500, b"1\r"), (500, b"3\r"), (0, b"")):
        module, modem = start(*DIAL[:2], ("ATD*99#", (2000, b""), (after_ms, said)), *BACK)
        try:
            await asyncio.wait_for_ms(modem.ppp("3GNET", factory=Lwip), 2000)
            raise AssertionError
        except asyncio.TimeoutError:
            pass
        module.check()
        assert modem._channel.mode == COMMAND
        modem.close()


async def test_hang_up_after_a_hang_up_that_failed():
    silent = (lambda line: True,)
    module, modem = start(*DIAL, (b"~end~",), (b"+++",), *[silent] * 9)
    ppp = await modem.ppp("3GNET", factory=Lwip)
    with raises(Timeout):
        await ppp.hang_up()
    module.steps[:] = BACK
    module._line = b""
    await ppp.hang_up()
    module.check()
    modem.close()


# What an earlier life may have left is put right before dialling again: a call, another network.
AGAIN = (("ATH", b"0\r"), ("AT+CEREG?", b"+CEREG: 1,1\r\n0\r"))


async def test_carrier_that_does_not_come():
    refused = ("ATD*99#", b"\r\nNO CARRIER\r\n")
    module, modem = start(*DIAL[:2], refused, *AGAIN, refused)
    with raises(CommandError):
        await modem.ppp("3GNET", factory=Lwip)
    assert modem._channel.mode == COMMAND
    module.check()
    modem.close()


async def test_a_call_that_an_earlier_life_has_left():
    for hung_up in (b"0\r", b"3\r", b"3\r0\r", b"4\r"):
        for refused in (b"3\r", b"4\r", b"\r\nBUSY\r\n", b"+CME ERROR: 3\r\n"):
            module, modem = start(
                *DIAL[:2], ("ATD*99#", refused), ("ATH", hung_up), AGAIN[1], DIAL[2], *BACK
            )
            ppp = await modem.ppp("3GNET", factory=Esp32Until124)
            await ppp.hang_up()
            module.check()
            modem.close()


async def test_a_network_that_comes_back_after_setting_up():
    module, modem = start(
        *DIAL[:2],
        ("ATD*99#", b"3\r"),
        AGAIN[0],
        ("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"),
        ("AT+CGREG?", b"+CGREG: 1,0\r\n0\r", (4000, b"+CEREG: 1\r\n")),
        AGAIN[1],
        DIAL[2],
        *BACK,
    )
    ppp = await modem.ppp("3GNET", factory=Esp32Until124)
    await ppp.hang_up()
    module.check()
    modem.close()


async def test_a_module_of_one_radio_refuses_to_choose():
    for refused in (b"4\r", b"+CME ERROR: 4\r\n", b"+CME ERROR: 50\r\n"):
        module, modem = start(("AT+MODODREX=2", refused), *DIAL[1:], *BACK)
        ppp = await modem.ppp("3GNET", factory=Esp32Until124)
        await ppp.hang_up()
        module.check()
        modem.close()


async def test_hanging_up_what_has_ended():
    for said in (b"3\r", b"3\r0\r", b"4\r", b"+CME ERROR: 3\r\n", b"NO CARRIER\r\n0\r"):
        module, modem = start(*DIAL, *BACK[:-1], ("ATH", said), BACK[2])
        ppp = await modem.ppp("3GNET", factory=Esp32Until124)
        await ppp.hang_up()
        assert (await modem.signal()).rssi == -69
        module.check()
        modem.close()
