"""The receiver in whatever state an earlier life has left it."""

import asyncio
import time

from c1100 import C1100, CommandError, Timeout
from host_tests.support import fails
from host_tests.support.answering import OK, REGISTERED, Answering
from host_tests.support.driver import start
from host_tests.unit.test_modem import Key
from host_tests.unit.test_nmea import GGA, GOOD, RMC, line

ON = (("AT+GPSMODE=1", b"0\r"), ("AT+GPSCONFIG=20,180,9999999,1,2,1", b"0\r"))
OFF = ("AT+GPSEND", b"0\r")
REFUSED = b"4\r"


def said(form):
    for name, value in GOOD.items():
        form = form.replace("{%s}" % name, value)
    return (line(form) + "\r\n").encode()


FIX = said(GGA) + said(RMC)


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


class Sleeper(Answering):
    """A module with a receiver that finds itself in 20 s, unless it is lost before.

    sleeps -- PSM after 10 s without a command; restarts -- ms until it does once, by itself
    """

    def __init__(self, sleeps, restarts=None):
        Answering.__init__(self, REGISTERED)
        self.sleeps = sleeps
        self.asked = self.begin = time.ticks_ms()
        self.restarts = restarts
        self.deaf = self.on = None
        self.starts = 0
        for command in ("+GPSMODE=1", "+GPSCONFIG=20,180,9999999,1,2,1", "+GPSEND", "+NMEAS=1"):
            self.answers["AT" + command] = OK
        self.answers["AT+GPSSTART"] = self.begins

    def begins(self, _line):
        self.starts += 1
        self.on = time.ticks_ms()
        return OK

    def power(self, _boot_ms):
        self.deaf = None
        self.asked = time.ticks_ms()

    def write(self, data):
        if self.deaf is not None and time.ticks_diff(time.ticks_ms(), self.deaf) >= 0:
            return len(data)
        self.asked = time.ticks_ms()
        return Answering.write(self, data)

    def readinto(self, buf):
        now = time.ticks_ms()
        if self.sleeps and self.deaf is None and time.ticks_diff(now, self.asked) > 10000:
            self.deaf = time.ticks_add(now, 300)
            self.on = None
            self.say(b"^ENTERPSMMODE\r\n")
        if self.restarts and time.ticks_diff(now, self.begin) > self.restarts:
            self.restarts = self.on = None
            self.say(b"\r\nRDY\r\n")
        if self.on is not None and time.ticks_diff(now, self.on) > 20000:
            self.on = time.ticks_add(now, -19000)
            self.say(FIX)
        return Answering.readinto(self, buf)


async def test_a_receiver_that_is_lost_is_started_again():
    """The module falls asleep because nobody talks to it, whoever has told it to; or restarts."""
    for sleeps, restarts, starts in ((False, None, 1), (True, None, 2), (False, 8000, 2)):
        module = Sleeper(sleeps, restarts)
        modem = C1100(module, pwrkey=Key(module))
        await modem.gnss.start()
        for _ in range(3):
            assert (await modem.gnss.fix(60)).latitude_e7 == 312365067
        await modem.gnss.stop()
        assert module.starts == starts, (sleeps, restarts, module.starts)
        assert not module.unknown
        if not sleeps and not restarts:
            assert module.heard.count("AT") == 1, "one that is awake is left alone"
        modem.close()


async def test_a_receiver_that_is_off_is_not_started_by_a_restart():
    module = Sleeper(True)
    modem = C1100(module, pwrkey=Key(module))
    await modem.gnss.start()
    await modem.gnss.stop()
    await asyncio.sleep_ms(60000)
    assert module.starts == 1
    modem.close()
