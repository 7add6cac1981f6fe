"""GNSS, LwM2M, PPP and variants over a scripted module."""

import time

from c1100 import (
    BadArgument,
    CommandError,
    NotConnected,
    NotSupported,
    Timeout,
    gnss,
    variants,
)
from host_tests.support import fails, raises
from host_tests.support.driver import start
from host_tests.support.streams import at_every_split

SIGNAL = ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")


# GNSS -------------------------------------------------------------------------------------------


def nmea(text):
    total = 0
    for c in text:
        total ^= ord(c)
    return ("$%s*%02X\r\n" % (text, total)).encode()


GGA = nmea("GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,")
RMC = nmea("GNRMC,092725.00,A,4717.11399,N,00833.91590,E,10.0,77.52,091226,,,A,V")
VOID = nmea("GNRMC,092724.00,V,,,,,,,091226,,,N,V")
GNSS_ON = (
    ("AT+GPSMODE=1", b"0\r"),
    ("AT+GPSCONFIG=20,180,9999999,1,2,1", b"0\r"),
)


async def test_fix_and_end():
    async def scenario():
        module, modem = start(
            *GNSS_ON,
            ("AT+GPSSTART", b"0\r" + VOID, (500, GGA.replace(b"4717", b"4718") + RMC + GGA)),
            ("AT+CSQ", VOID + b"+CSQ: 22,99\r\n" + GGA + b"0\r"),
            ("AT+GPSEND", b"0\r"),
        )
        await modem.gnss.start()
        fix = await modem.gnss.fix(30)
        level = (await modem.signal()).rssi
        await modem.gnss.stop()
        bad = modem.gnss.bad
        modem.close()
        return module, (tuple(fix), level, bad)

    await at_every_split(scenario)
    fix, level, bad = (await scenario())[1]
    assert fix[0] == (2026, 12, 9, 9, 27, 25)
    assert abs(fix[1] - 47.2852332) < 1e-5
    assert abs(fix[2] - 8.5652650) < 1e-5
    assert fix[3] == 499.6
    assert abs(fix[4] - 5.14444) < 1e-4
    assert fix[5:] == (77.52, 8, 1.01)
    assert level == -69
    assert bad == 1


async def test_no_fix_in_time():
    module, modem = start(*GNSS_ON, ("AT+GPSSTART", b"0\r" + VOID * 3))
    await modem.gnss.start()
    await fails(Timeout, modem.gnss.fix(20))
    module.check()
    modem.close()


async def test_a_board_that_dozes_asks_for_the_sentences():
    def answer(*lines):
        return b"+GPSNMEA:" + b"".join(lines) + b"0\r"

    for refused in (False, True):
        module, modem = start(*GNSS_ON, ("AT+GPSSTART", b"0\r"), doze=lambda ms: time.sleep_ms(ms))
        if refused:  # a module that cannot hold its tongue is listened to
            module.steps += [("AT+NMEAS=0", b"+CME ERROR: 4\r\n", (1500, GGA + RMC))]
        else:
            module.steps += [
                ("AT+NMEAS=0", b"0\r"),
                ("AT+GPSNMEA", b"+CME ERROR: 4\r\n"),
                ("AT+GPSNMEA", answer(VOID)),
                ("AT+GPSNMEA", answer(RMC, GGA)),
                ("AT+NMEAS=1", b"0\r"),  # as it was, for whoever comes next
            ]
        module.steps.append(("AT+GPSEND", b"0\r"))
        await modem.gnss.start()
        fix = await modem.gnss.fix(30)
        await modem.gnss.stop()
        assert abs(fix.latitude - 47.285233) < 1e-5
        module.check()
        modem.close()
    module, modem = start(
        *GNSS_ON,
        ("AT+GPSSTART", b"0\r"),
        ("AT+NMEAS=0", b"0\r"),
        doze=lambda ms: time.sleep_ms(ms),
    )
    module.steps += [("AT+GPSNMEA", answer(VOID))] * 6
    await modem.gnss.start()
    error = await fails(Timeout, modem.gnss.fix(5))
    assert "sky" in str(error)
    module.check()
    modem.close()


def test_sentences():
    assert gnss.sentence("$GPTXT,01*6F"[:-2] + "00") is None
    for line in ("", "$", "$GNRMC", "$GNRMC*", "$GNRMC*ZZ", "GNRMC,1*00"):
        assert gnss.sentence(line) is None, line
    rmc = gnss.sentence(RMC.decode().strip())
    assert rmc[0] == "GNRMC"
    assert gnss.combine(None, rmc) is None
    south = gnss.sentence(
        nmea("GNRMC,092725.00,A,4717.1,S,00833.9,W,,,091226,,,A,V").decode().strip()
    )
    gga = gnss.sentence(nmea("GPGGA,092725.00,,,,,1,,,,M,,M,,").decode().strip())
    fix = gnss.combine(gga, south)
    assert fix.latitude < 0
    assert fix.longitude < 0
    assert (fix.altitude, fix.speed, fix.course, fix.satellites, fix.hdop) == (
        None,
        None,
        None,
        0,
        None,
    )
    for broken in (["GNRMC"], ["GNRMC", "x", "A"], south[:9] + ["99"]):
        assert gnss.combine(gga, broken) is None


# LwM2M ------------------------------------------------------------------------------------------


async def test_lwm2m_servers_and_restart():
    module, modem = start(
        ('AT+LWMTM=3,"5.39.83.206:5683"', b"0\r"),
        ('AT+LWMTM=4,"5.39.83.205:5683"', b"0\r"),
        ("AT+LWMTM=1", b"0\r"),
        ("AT+CFUN=1,1", b"0\r"),
        ("AT", b"AT\r\r\nOK\r\n"),
        ("AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 99,99\r\n\r\nOK\r\n"),
        ("ATV0", b"ATV0\r0\r"),
        ("ATE0", b"ATE0\r0\r"),
        ("AT+CMEE=1", b"0\r"),
        SIGNAL,
    )
    await modem.lwm2m.configure(["5.39.83.206:5683", "5.39.83.205:5683"])
    await modem.lwm2m.enable()
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_lwm2m_servers_are_checked_before_the_first_is_set():
    module, modem = start()
    for servers in ([], ["a:1"] * 4, ["a:1", "b"], ["a:1", ":5"], ["a:70000"], ['a"b:1']):
        await fails(BadArgument, modem.lwm2m.configure(servers))
    assert module.heard == []
    modem.close()


# PPP --------------------------------------------------------------------------------------------


class Link:
    """Stands for network.PPP, which exists on boards only."""

    SEC_PAP = 1

    def __init__(self, stream, up_after=3):
        self.stream = stream
        self.calls = []
        self.up_after = up_after

    def active(self, on):
        self.calls.append(("active", on))

    def connect(self, **how):
        self.calls.append(("connect", how))

    def isconnected(self):
        self.up_after -= 1
        return self.up_after <= 0

    def disconnect(self):
        self.calls.append(("disconnect",))


DIAL = (
    ("AT+MODODREX=2", b"0\r"),
    ('AT+CGDCONT=1,"IP","3GNET"', b"0\r"),
    ("ATD*99#", b"1\r"),
)
BACK = ((b"+++", (900, b"\r0\r")), ("AT", b"0\r"), SIGNAL, ("ATH", b"0\r"), SIGNAL)


async def test_dial_hand_over_hang_up():
    module, modem = start(*DIAL, *BACK)
    ppp = await modem.ppp("3GNET", user="u", password="p", factory=Link)
    assert ppp.link.stream is module
    assert ppp.link.calls == [
        ("active", True),
        ("connect", {"security": 1, "user": "u", "key": "p"}),
    ]
    await fails(NotConnected, modem.signal())
    link = ppp.link
    await ppp.hang_up()
    assert link.calls[2:] == [("disconnect",), ("active", False)]
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_no_carrier():
    again = (("ATH", b"0\r"), ("AT+CEREG?", b"+CEREG: 1,1\r\n0\r"))
    module, modem = start(*DIAL[:2], ("ATD*99#", b"3\r"), *again, ("ATD*99#", b"3\r"), SIGNAL)
    await fails(CommandError, modem.ppp("3GNET", factory=Link))
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_link_that_does_not_come_up_is_hung_up():
    module, modem = start(*DIAL, *BACK)
    await fails(
        NotConnected,
        modem.ppp("3GNET", factory=lambda stream: Link(stream, 10**9), timeout_s=5),
    )
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f35_board_restarted_while_the_module_was_in_data_mode():
    silent = [(b"AT\r",)] * 5
    module, modem = start(*silent, *BACK)
    modem._channel.mode = 1
    await modem.power_on()
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f36_carrier_lost_without_a_word():
    """The network has hung up: +++ falls into command mode, and hanging up still ends there."""
    module, modem = start(*DIAL, (b"+++",), ("AT", b"4\r"), SIGNAL, ("ATH", b"0\r"), SIGNAL)
    ppp = await modem.ppp("3GNET", factory=Link)
    module.say(b"\x7e\xff\r3\r")
    await ppp.hang_up()
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f36_module_that_stays_in_data_mode():
    _, modem = start(*DIAL, *[(b"+++",)], *[(lambda line: True,)] * 9)
    ppp = await modem.ppp("3GNET", factory=Link)
    await fails(Timeout, ppp.hang_up())
    assert modem._channel.mode == 1
    modem.close()


async def test_f37_what_happened_in_data_mode_is_asked_for_afterwards():
    module, modem = start(
        *DIAL,
        *BACK[:-1],
        ("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"),
        ("AT+CGREG?", b"+CGREG: 1,2\r\n0\r"),
    )
    ppp = await modem.ppp("3GNET", factory=Link)
    module.say(b"\x7e\xff\x03+CEREG: 2\r\n\x7e")  # swallowed by whoever has the stream
    await ppp.hang_up()
    assert (await modem.registration()).searching
    module.check()
    modem.close()


# Variants ---------------------------------------------------------------------------------------


async def test_variants():
    module, modem = start(("AT+CGMM", b"C1100 NGCX\r\n0\r"))
    variant = await modem.variant()
    assert variant.name == "NGCX"
    assert variant.gnss
    for feature in ("taf", "gsm", "lte-m"):
        with raises(NotSupported):
            variant.require(feature)
    variant.require("nb-iot")
    assert 39 in variants.parse("C1100-MGGT").bands[variants.LTE_M]
    with raises(NotSupported):
        variants.parse("SIM7000")
    module.check()
    modem.close()


async def test_what_a_variant_lacks_is_said():
    module, modem = start(
        ("AT+GPSMODE=1", b"4\r"),
        ("AT+CGMM", b"C1100 MGGT\r\n0\r"),
        ('AT+CEDRXS=1,2,"0101"', b"+CME ERROR: 50\r\n"),
        ("AT+CGMM", b"C1100 NGGT\r\n0\r"),
        ('AT+CEDRXS=1,2,"0101"', b"4\r"),
        ("AT+CGMM", b"C1100\r\n0\r"),
    )
    error = await fails(CommandError, modem.gnss.start())
    assert error.command == "+GPSMODE={mode:d4}"
    error = await fails(NotSupported, modem.power.edrx(48, 2))
    assert str(error) == "the C1100 NGGT has no gsm"
    await fails(CommandError, modem.power.edrx(48, 2))
    module.check()
    modem.close()
