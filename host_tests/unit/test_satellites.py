"""A search for a position is given up where satellites are told of and none is strong."""

import time

from c1100 import Timeout, TooWeak
from c1100.nmea import sentence
from c1100.satellites import strongest
from host_tests.support import fails
from host_tests.support.driver import start
from host_tests.unit.test_gnss import FIX, ON
from host_tests.unit.test_nmea import line


def gsv(*ratios, talker="GP", more="", count="1"):
    told = "".join([",%02d,45,100,%s" % (n + 1, ratio) for n, ratio in enumerate(ratios)])
    return line("%sGSV,%s,1,%02d%s%s" % (talker, count, len(ratios), told, more))


SAYS = (
    (gsv(), 0),
    (gsv(more=",1"), 0),
    (gsv("", "", ""), 0),
    (gsv("17"), 17),
    (gsv("17", "", "31", "08"), 31),
    (gsv("17", "44", more=",7"), 44),  # NMEA 4.1: the signal's id
    (gsv("24.6"), 25),
    (gsv("00"), 0),
    (gsv("60"), 60),
    (gsv("61"), None),
    (gsv("-9"), None),
    (gsv("nan"), None),
    (gsv("1e9"), None),
    (gsv("9" * 40), None),
    (gsv("40", "x"), None),
    (gsv("40", count=""), None),
    (gsv("40", count="a"), None),
    (line("GPGSV"), None),
    (line("GPGSV,1,1"), None),
    (line("GPGSV,1,1,01,05"), 0),
    (line("GPGSV,1,1,01,05,,,"), 0),
)


def test_what_a_sentence_says_of_its_satellites():
    for text, want in SAYS:
        assert strongest(sentence(text)) == want, text


def second(*sentences):
    """What comes in a second."""
    return "".join([text + "\r\n" for text in sentences]).encode()


def searching(said):
    """A module that says this, second by second, once it was started."""
    comes = tuple([(1000, text) for text in said])
    return start(*ON, ("AT+GPSSTART", b"0\r") + comes)


WEAK = second(gsv("12", "19"), gsv("", talker="GL"))
NOTHING = second(gsv(), gsv(talker="GL"))
STRONG = second(gsv("12", "20"), gsv("", talker="GL"))
GARBAGE = second(gsv("99"), gsv("", talker="GL"))
MIXED = second(gsv("", talker="GL"), gsv("x"))
BAD = second(gsv("12")[:-2] + "00")
MUTE = second(line("GPTXT,01"))

# What comes each second; after how many a search with weak_s=10 and a limit of 40 ends, and how.
SEARCHES = (
    ([WEAK] * 40, 11, TooWeak),
    ([NOTHING] * 40, 11, TooWeak),
    ([WEAK] * 9 + [STRONG] + [WEAK] * 30, 21, TooWeak),  # just before
    ([STRONG] * 40, 40, Timeout),
    ([STRONG] * 5 + [WEAK] * 35, 16, TooWeak),
    (([WEAK] * 8 + [STRONG]) * 5, 40, Timeout),
    ([WEAK] * 8 + [FIX], 9, None),
    ([MUTE] * 40, 40, Timeout),
    ([MUTE] * 12 + [WEAK] * 28, 23, TooWeak),
    ([MUTE] * 20 + [FIX], 21, None),
    ([GARBAGE] * 40, 40, Timeout),
    ([MIXED] * 40, 40, Timeout),
    ([BAD] * 40, 40, Timeout),
)


async def test_searches():
    for said, seconds, error in SEARCHES:
        _, modem = searching(said)
        await modem.gnss.start()
        begin = time.ticks_ms()
        if error is None:
            await modem.gnss.fix(40, 10)
            assert not modem.gnss.is_weak or said[0] is WEAK
        else:
            raised = await fails(error, modem.gnss.fix(40, 10))
            assert type(raised) is error, said
        took = time.ticks_diff(time.ticks_ms(), begin) / 1000
        assert seconds - 1.1 <= took <= seconds + 0.9, (said[:12], took)
        modem.close()


async def test_nobody_who_does_not_ask_gives_up_early():
    _, modem = searching([WEAK] * 30)
    await modem.gnss.start()
    error = await fails(Timeout, modem.gnss.fix(20))
    assert type(error) is Timeout
    assert not modem.gnss.is_weak
    modem.close()


async def test_a_board_that_dozes_gives_up_as_well():
    answer = b"+GPSNMEA:" + WEAK + b"0\r"
    module, modem = start(
        *ON, ("AT+GPSSTART", b"0\r"), ("AT+NMEAS=0", b"0\r"), doze=lambda ms: time.sleep_ms(ms)
    )
    module.steps += [("AT+GPSNMEA", answer)] * 20
    await modem.gnss.start()
    await fails(TooWeak, modem.gnss.fix(40, 10))
    assert modem.gnss.is_weak
    modem.close()


async def test_a_position_although_none_was_strong():
    _, modem = searching([WEAK] * 8 + [FIX])
    await modem.gnss.start()
    await modem.gnss.fix(40, 10)
    assert modem.gnss.is_weak
    modem.close()
