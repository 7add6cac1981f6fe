"""PSM and eDRX over a scripted module: what is asked, what is granted, sleeping and waking."""

import asyncio

from c1100 import (
    C1100,
    Asleep,
    BadAnswer,
    BadArgument,
    NotConnected,
    NotSupported,
    Timeout,
    timers,
)
from c1100.channel import ASLEEP, COMMAND
from c1100.power import Granted
from c1100.registration import Registration
from host_tests.support import raises
from host_tests.support.streams import Module
from host_tests.unit.test_modem import FIRST_PROBE, SETTINGS, Key, Level, Silent

ASK = (
    ("AT+CEREG=4", b"0\r"),
    ('AT+CPSMS=1,,,"00000110","00000101"', b"0\r"),
)
GRANTED = b'+CEREG: 4,1,"1A2B","01234567",9,,,"00000101","00000110"\r\n0\r'
SIGNAL = ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")


def start(*steps, kind=Module, **options):
    module = kind(*steps)
    modem = C1100(module, **options)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return module, modem


async def test_psm_as_asked_for():
    module, modem = start(*ASK, ("AT+CEREG?", GRANTED))
    assert tuple(await modem.power.psm(tau_s=3600, active_s=10)) == (10, 3600)
    module.check()
    modem.close()


async def test_f29_other_values_none_and_half_of_them():
    for said, want in (
        (b'+CEREG: 4,1,"1A","0B",9,,,"00100001","00000110"\r\n0\r', (60, 3600)),
        (b'+CEREG: 4,5,"07e5","0f469715",7,,,"00001000",\r\n0\r', (16, None)),
    ):
        module, modem = start(*ASK, ("AT+CEREG?", said))
        assert tuple(await modem.power.psm(tau_s=3600, active_s=10)) == want
        assert tuple(modem.power.requested) == (10, 3600)
        module.check()
        modem.close()
    for said in (
        b'+CEREG: 4,1,"1A","0B",9\r\n0\r',
        b'+CEREG: 4,1,"1A","0B",9,,,"11100000",\r\n0\r',
    ):
        module, modem = start(*ASK, *[("AT+CEREG?", said)] * 12)
        assert await modem.power.psm(tau_s=3600, active_s=10) is None
        modem.close()


async def test_psm_without_a_way_back_is_refused():
    module, modem = start()
    with raises(NotSupported):
        await modem.power.psm(tau_s=None, active_s=10)
    with raises(BadArgument):
        await modem.power.psm(tau_s=3600, active_s=20000)
    assert module.heard == []
    modem.close()


async def test_f43_settings_of_an_earlier_owner_can_be_read():
    module, modem = start(
        ("AT+CPSMS?", b'+CPSMS: 1,,,"00100001","00000101"\r\n0\r'),
        ("AT+CPSMS?", b"+CPSMS: 0\r\n0\r"),
        ("AT+CPSMS=0", b"0\r"),
    )
    assert tuple(await modem.power.settings()) == (10, 3600)
    assert await modem.power.settings() is None
    await modem.power.psm_off()
    module.check()
    modem.close()


async def test_sleep_is_told_and_the_next_command_wakes():
    module, modem = start(kind=Silent)
    module.power(0)
    key = Key(module, boot_ms=3000)
    modem._pwrkey = key
    module.say(b"^DATADISCONN\r\n^ENTERPSMMODE\r\n")
    modem._channel.start()
    assert await modem.power.wait_psm()
    assert modem._channel.mode == ASLEEP
    module.up_at = None
    module.steps = list(FIRST_PROBE + SETTINGS + (SIGNAL,))
    assert (await modem.signal()).rssi == -69
    assert key.presses == [1000]
    module.check()
    modem.close()


async def test_a_command_may_not_wake_where_that_is_configured():
    module, modem = start()
    modem.fell_asleep()
    modem.wake_on_use = False
    with raises(Asleep):
        await modem.signal()
    assert module.heard == []
    modem.close()


async def test_wake_when_the_first_pulse_is_not_heard():
    module, modem = start(*FIRST_PROBE, kind=Silent)
    key = Key(module, least_ms=1400)
    modem._pwrkey = key
    modem.fell_asleep()
    await modem.wake()
    assert key.presses == [1000, 1500]
    module.check()
    modem.close()


async def test_f28_sockets_are_closed_by_sleep():
    module, modem = start(
        ("AT+LSIPCALL?", b"+LSIPCALL: 1, 10.0.0.1\r\n0\r"),
        ("AT+LSIPHEX=1", b"0\r"),
        ("AT+LSIPOPEN?", b"+LSIPOPEN:1,2,3,4\r\n0\r"),
        ('AT+LSIPOPEN=1,0,"h",7,0', b"+LSIPOPEN=1,1\r0\r"),
    )
    sock = await modem.tcp("h", 7)
    module.say(b"^ENTERPSMMODE\r\n")
    with raises(NotConnected):
        await sock.recv(1)
    module.check()
    modem.close()


async def test_f30_silent_sleep_by_status_pin_and_by_assumption():
    module, modem = start(status=Level(1))
    modem._channel.start()

    async def falls():
        await asyncio.sleep_ms(5000)
        modem._status.level = 0

    task = asyncio.create_task(falls())
    assert await modem.power.wait_psm()
    await task
    modem.close()

    module, modem = start(*ASK, ("AT+CEREG?", GRANTED))
    await modem.power.psm(tau_s=3600, active_s=10)
    module.say(b"^DATADISCONN\r\n")
    assert await modem.power.wait_psm() is False
    assert modem._channel.mode == ASLEEP
    modem.close()


async def test_module_that_never_sleeps():
    _, modem = start()
    modem._channel.start()
    with raises(Timeout):
        await modem.power.wait_psm(60)
    modem.close()


async def test_module_that_woke_by_itself_gets_its_settings_back():
    module, modem = start(*FIRST_PROBE, *SETTINGS, SIGNAL)
    modem._channel.start()
    modem.fell_asleep()
    module.say(b"\r\n^EXITPSMMODE\r\n")
    await asyncio.sleep_ms(100)
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_edrx():
    module, modem = start(
        ('AT+CEDRXS=1,5,"0101"', b"0\r"),
        ("AT+CEDRXRDP", b"+CEDRXRDP: 0\r\n0\r"),
        ("AT+CEDRXRDP", b'+CEDRXRDP: 5,"0101","0011","0001"\r\n0\r'),
        ("AT+CEDRXS=3", b"0\r"),
    )
    assert await modem.power.edrx(cycle_s=60, rat=timers.NB_S1) is None
    assert tuple(await modem.power.edrx_granted()) == (40.96, 5.12)
    await modem.power.edrx_off()
    with raises(BadArgument):
        await modem.power.edrx(cycle_s=20000, rat=timers.NB_S1)
    module.check()
    modem.close()


# The connection's end ----------------------------------------------------------------------------

REPORTS = ("AT+CEREG=4", b"0\r")
KNOWS = ("AT+CNMPSD=?", b"0\r")
WORD = b"^DATADISCONN\r\n"


async def test_release_is_asked_for_once_it_is_known_and_its_time_is_taken():
    module, modem = start(
        KNOWS,
        REPORTS,
        ("AT+CNMPSD", b"0\r", (400, WORD)),
        SIGNAL,
        ("AT+CNMPSD", b"0\r", (0, WORD)),
    )
    assert 0.4 <= await modem.power.release() < 0.5
    await modem.signal()
    assert 0 <= await modem.power.release() < 0.1
    module.check()
    modem.close()


async def test_release_without_asking_takes_the_networks_own_time():
    module, modem = start(("AT+CEREG=4", b"0\r", (15000, WORD)))
    assert 14.9 < await modem.power.release(20, ask=False) < 15.1
    module.check()
    modem.close()


async def test_release_that_is_ignored():
    for said in (b"0\r", b"\r\nOK\r\n", b"+CNMPSD: 1\r\n0\r"):
        module, modem = start(KNOWS, REPORTS, ("AT+CNMPSD", said))
        assert await modem.power.release(3) is None
        module.check()
        modem.close()


async def test_release_that_the_module_does_not_know():
    for said in (b"4\r", b"\r\nERROR\r\n", b"+CME ERROR: 4\r\n", b"+CME ERROR: 100\r\n"):
        module, modem = start(("AT+CNMPSD=?", said))
        for _ in range(2):  # asked once
            with raises(NotSupported):
                await modem.power.release()
        assert await modem.power.can_release() is False
        module.check()
        modem.close()


async def test_release_that_is_refused_when_it_is_asked_for():
    for said in (b"4\r", b"+CME ERROR: 3\r\n"):
        module, modem = start(KNOWS, REPORTS, ("AT+CNMPSD", said))
        for _ in range(2):
            with raises(NotSupported):
                await modem.power.release()
        module.check()
        modem.close()


async def test_release_as_it_is_known_from_before():
    module, modem = start(REPORTS, ("AT+CNMPSD", b"0\r", WORD))
    modem.power.knows_release = True
    assert await modem.power.release() is not None
    module.check()
    modem.close()
    module, modem = start()
    modem.power.knows_release = False
    with raises(NotSupported):
        await modem.power.release()
    assert module.heard == []
    modem.close()


async def test_release_of_a_connection_that_has_ended_already():
    module, modem = start(SIGNAL, SIGNAL, KNOWS, REPORTS, ("AT+CNMPSD", b"0\r", (100, WORD)))
    assert modem.power.tells is False  # it listens from now on
    await modem.signal()
    module.say(WORD)
    await asyncio.sleep_ms(300)
    assert await modem.power.release() == 0
    await modem.signal()  # a command since then may have begun another
    assert await modem.power.release() > 0
    module.check()
    modem.close()


async def test_release_where_the_module_does_not_tell_of_it():
    """+CEREG=4, which makes it tell, may be refused: it is asked for nevertheless."""
    module, modem = start(KNOWS, ("AT+CEREG=4", b"4\r"), ("AT+CNMPSD", b"0\r"))
    assert await modem.power.release(2) is None
    module.check()
    modem.close()


# What answers may look like ----------------------------------------------------------------------

# What a module may have printed for a time that is unset, or that is none.
UNSET = ('""', "", '" "')
OFF = ('"11100000"', "11100000")
NONE = ('"0000010"', '"000001010"', '"0000010x"', '"x"', "-1", '"Infinity"', "12")


async def told(said, ask):
    """What comes of an answer; a bad one is asked for again, and is bad still."""
    module, modem = start((lambda line: True, said))
    module.steps = module.steps * 2
    try:
        got = await ask(modem.power)
        return got if got is None else tuple(got)
    except BadAnswer:
        return BadAnswer
    finally:
        modem.close()


async def test_granted_times_in_every_form():
    async def granted(active, tau):
        tail = ',"1A2B","01234567",9,,,%s,%s' % (active, tau)
        said = "+CEREG: 4,1" + tail + "\r\n0\r"
        return await told(said.encode(), lambda power: power.granted())

    for active in ('"00000101"', "00000101", ' "00000101" ', "00000101 "):
        for tau in ('"00000110"', "00000110", ' "00000110"'):
            assert await granted(active, tau) == (10, 3600), (active, tau)
        for tau in UNSET + OFF:
            assert await granted(active, tau) == (10, None), (active, tau)
        for tau in NONE:
            assert await granted(active, tau) is BadAnswer, (active, tau)
    for active in UNSET + OFF + NONE:
        for tau in ('"00000110"', '""', ""):
            want = BadAnswer if active in NONE else None
            assert await granted(active, tau) is want, (active, tau)


async def test_granted_times_where_the_answer_ends_early_or_fails():
    for said, want in (
        (b"+CEREG: 4,1\r\n0\r", None),
        (b'+CEREG: 4,1,"1A2B"\r\n0\r', None),
        (b'+CEREG: 4,1,"1A2B","01234567",9\r\n0\r', None),
        (b'+CEREG: 4,1,"1A2B","01234567",9,,,\r\n0\r', None),
        (b'+CEREG: 4,1,"1A2B","01234567",9,,,"00000101"\r\n0\r', (10, None)),
        (b'+CEREG: 4,1,,,,,,"00000101","00000110"\r\n0\r', (10, 3600)),
        (b'+CEREG:"04","1",1A2B,01234567,"9", , ,00000101,00000110\r\n0\r', (10, 3600)),
        (b'+CEREG: 5,1,"1A2B","01234567",9,0,11,"00000101","00000110",7\r\n0\r', (10, 3600)),
        (b'+CEREG: 4,1,"1A2B","01234567",9,,,"00000000","00000110"\r\n0\r', (0, 3600)),
        (b"4\r", None),
        (b"+CME ERROR: 4\r\n", None),
        (b"+CME ERROR: operation not supported\r\n", None),
        (b"0\r", BadAnswer),
        (b"+CEREG: x\r\n0\r", BadAnswer),
    ):
        assert await told(said, lambda power: power.granted()) == want, said


async def test_settings_in_every_form():
    for said, want in (
        (b'+CPSMS: 1,,,"00100001","00000101"\r\n0\r', (10, 3600)),
        (b"+CPSMS: 1,,,00100001,00000101\r\n0\r", (10, 3600)),
        (b'+CPSMS:"01","","","00100001","00000101"\r\n0\r', (10, 3600)),
        (b'+CPSMS: 1,,,"",""\r\n0\r', (None, None)),
        (b"+CPSMS: 1,,,,\r\n0\r", (None, None)),
        (b"+CPSMS: 1,,,\r\n0\r", (None, None)),
        (b"+CPSMS: 1\r\n0\r", (None, None)),
        (b'+CPSMS: 1,,,"00100001"\r\n0\r', (None, 3600)),
        (b'+CPSMS: 1,,,"11100000","11100000"\r\n0\r', (None, None)),
        (b'+CPSMS: 1,,,"0010","00000101"\r\n0\r', BadAnswer),
        (b"+CPSMS: 0\r\n0\r", None),
        (b'+CPSMS: 0,,,"00100001","00000101"\r\n0\r', None),
        (b'+CPSMS: 2,,,"",""\r\n0\r', None),
    ):
        assert await told(said, lambda power: power.settings()) == want, said


async def test_edrx_in_every_form():
    for said, want in (
        (b'+CEDRXRDP: 5,"0101","0011","0001"\r\n0\r', (40.96, 5.12)),
        (b"+CEDRXRDP: 5,0101,0011,0001\r\n0\r", (40.96, 5.12)),
        (b'+CEDRXRDP:"5"," 0101","0011" , "0001"\r\n0\r', (40.96, 5.12)),
        (b'+CEDRXRDP: 05,"0101","0011","0001",9\r\n0\r', (40.96, 5.12)),
        (b'+CEDRXRDP: 5,"","0011",""\r\n0\r', (40.96, None)),
        (b"+CEDRXRDP: 5,,0011,\r\n0\r", (40.96, None)),
        (b'+CEDRXRDP: 5,"0101","0011"\r\n0\r', (40.96, None)),
        (b'+CEDRXRDP: 2,"0101","0011",""\r\n0\r', (12.24, None)),
        (b'+CEDRXRDP: 2,"0101","0011","0001"\r\n0\r', (12.24, None)),
        (b'+CEDRXRDP: 5,"0101","",""\r\n0\r', None),
        (b'+CEDRXRDP: 5,"0101"\r\n0\r', None),
        (b'+CEDRXRDP: 5,"0101","0011","01"\r\n0\r', BadAnswer),
        (b'+CEDRXRDP: 5,"0101","xxxx","0001"\r\n0\r', BadAnswer),
        (b'+CEDRXRDP: 5,"0101","00110","0001"\r\n0\r', BadAnswer),
        (b'+CEDRXRDP: 9,"0101","0011","0001"\r\n0\r', BadAnswer),
        (b"+CEDRXRDP: 0\r\n0\r", None),
        (b'+CEDRXRDP: 0,"","",""\r\n0\r', None),
        (b"4\r", None),
        (b"+CME ERROR: 4\r\n", None),
    ):
        assert await told(said, lambda power: power.edrx_granted()) == want, said


async def test_a_module_that_does_not_tell_its_times_is_asked_to_sleep_all_the_same():
    """AT+CEREG=4 refused, or what it grants told in bits that are none."""
    for first, said in (
        (b"4\r", b"+CEREG: 1,1\r\n0\r"),
        (b"+CME ERROR: 50\r\n", b"4\r"),
        (b"0\r", b'+CEREG: 4,1,"1A","0B",9,,,"x","00000110"\r\n0\r'),
    ):
        module, modem = start(("AT+CEREG=4", first), ASK[1], ("AT+CEREG?", said))
        assert await modem.power.psm(tau_s=3600, active_s=10, timeout_s=0) is None
        assert tuple(modem.power.requested) == (10, 3600)
        module.check()
        modem.close()


async def test_a_command_just_after_the_module_has_said_good_night():
    """It answers still for a moment; who believed that would talk to a dead UART next."""
    for after_ms in (0, 100, 290, 310, 2000):
        module, modem = start(kind=Silent)
        module.power(0)
        modem._pwrkey = Key(module, boot_ms=3000)
        modem._channel.start()
        module.say(b"^ENTERPSMMODE\r\n")

        async def falls_asleep(module=module):
            await asyncio.sleep_ms(300)
            module.up_at = None

        task = asyncio.create_task(falls_asleep())
        await asyncio.sleep_ms(after_ms + 30)
        module.steps = list(FIRST_PROBE + SETTINGS + (SIGNAL, SIGNAL))
        assert (await modem.signal()).rssi == -69
        assert (await modem.signal()).rssi == -69
        assert modem._pwrkey.presses == [1000]
        await task
        module.check()
        modem.close()


async def test_a_registration_that_tells_what_is_granted():
    """Only what was asked for counts: anything else may be of before it was asked for."""
    power = start()[1].power
    asked = [1, "1A2B", "01234567", 7, None, None, "00000101", "00111000"]
    power.requested = Granted(10, 3600 * 24)
    for sleep, granted in (
        (asked[6:], Granted(10, 86400)),
        (["00000101", "00100001"], None),  # another tau
        (["00000110", "00111000"], None),  # another active time
        (["11100000", "00111000"], None),  # PSM is refused
        (["00000101", None], None),
        ([None, None], None),
        (["00000101"], None),
        ([], None),
        (["x", "y"], None),
    ):
        told = power.is_as_asked(Registration(asked[:6] + sleep))
        assert told is (granted is not None), sleep
    power.requested = None
    assert not power.is_as_asked(Registration(asked))
