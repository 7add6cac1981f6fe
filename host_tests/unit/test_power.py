"""PSM and eDRX over a scripted module: what is asked, what is granted, sleeping and waking."""

import asyncio

from c1100 import C1100, Asleep, BadArgument, NotConnected, NotSupported, Timeout, timers
from c1100.channel import ASLEEP, COMMAND
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
