"""The receiver in whatever state an earlier life has left it."""

import asyncio

from c1100 import C1100, CommandError, Timeout
from c1100.channel import COMMAND
from host_tests.support import fails
from host_tests.support.streams import Module
from host_tests.unit.test_nmea import GGA, GOOD, RMC, line

ON = (("AT+GPSMODE=1", b"0\r"), ("AT+GPSCONFIG=20,180,9999999,1,2,1", b"0\r"))
OFF = ("AT+GPSEND", b"0\r")
REFUSED = b"4\r"


def said(form):
    for name, value in GOOD.items():
        form = form.replace("{%s}" % name, value)
    return (line(form) + "\r\n").encode()


FIX = said(GGA) + said(RMC)


def start(*steps):
    module = Module(*steps)
    modem = C1100(module)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return module, modem


async def test_a_receiver_that_runs_already_is_started_afresh():
    module, modem = start(
        *ON, ("AT+GPSSTART", FIX + REFUSED), OFF, ("AT+GPSSTART", b"0\r", (900, FIX)), OFF
    )
    await modem.gnss.start()
    assert (await modem.gnss.fix(10)).latitude_e7 == 312365067
    await modem.gnss.stop()
    assert not modem._channel.sinks
    module.check()
    modem.close()


async def test_a_receiver_that_cannot_start_says_so():
    for steps in (
        (("AT+GPSSTART", REFUSED), ("AT+GPSEND", REFUSED)),
        (("AT+GPSSTART", REFUSED), OFF, ("AT+GPSSTART", REFUSED)),
    ):
        module, modem = start(*ON, *steps, ("AT+CGMM", b"C1100 MGGT\r\n0\r"))
        await fails(CommandError, modem.gnss.start())
        assert not modem._channel.sinks
        module.check()
        modem.close()


async def test_a_receiver_that_was_told_to_be_silent_is_told_to_speak():
    module, modem = start(*ON, ("AT+GPSSTART", b"0\r"), ("AT+NMEAS=1", b"0\r", (900, FIX)), OFF)
    await modem.gnss.start()
    assert (await modem.gnss.fix(10)).longitude_e7 == 1214736667
    await modem.gnss.stop()
    module.check()
    modem.close()


async def test_one_that_does_not_know_the_command_is_waited_for():
    module, modem = start(*ON, ("AT+GPSSTART", b"0\r"), ("AT+NMEAS=1", REFUSED, (900, FIX)))
    await modem.gnss.start()
    assert (await modem.gnss.fix(10)).satellites == 8
    module.check()
    modem.close()


async def test_the_receiver_is_switched_off_whatever_else_fails():
    module, modem = start(*ON, ("AT+GPSSTART", b"0\r"), ("AT+NMEAS=0", b"0\r"))
    await modem.gnss.start()
    assert await modem.gnss._holds_its_tongue()
    module.steps += [("AT+NMEAS=1", REFUSED), OFF]
    await fails(CommandError, modem.gnss.stop())
    assert not modem._channel.sinks
    module.check()
    modem.close()


async def test_nothing_is_left_of_a_start_that_is_given_up():
    module, modem = start(*ON, ("AT+GPSSTART",))
    await fails(asyncio.TimeoutError, asyncio.wait_for_ms(modem.gnss.start(), 1000))
    assert not modem._channel.sinks
    module.steps += [("AT+CSQ", b"+CSQ: 22,99\r\n0\r")] * 2  # one to find out
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_a_search_ends_in_time_whatever_is_said():
    """Sentences of every kind that are no position, and none at all."""
    wrong = {"lat": "381.4808", "mode": "N", "quality": "8", "date": "310226", "ns": "Q"}
    for name, value in wrong.items():
        text = said(GGA.replace("{%s}" % name, value)) + said(RMC.replace("{%s}" % name, value))
        module, modem = start(*ON, ("AT+GPSSTART", b"0\r" + text * 3))
        await modem.gnss.start()
        await fails(Timeout, modem.gnss.fix(20))
        assert modem.gnss.last is None
        module.check()
        modem.close()
