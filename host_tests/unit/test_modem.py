"""The module itself: power key, init flow, SIM, registration, and the gate before each command."""

import asyncio
import time

from c1100 import (
    C1100,
    Asleep,
    NotRegistered,
    PinRefused,
    RegistrationDenied,
    SimError,
    Timeout,
    at,
)
from host_tests.support import raises
from host_tests.support.streams import Module, at_every_split

PROBE = (("AT", b"0\r"), ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"))
# A module that has just started answers in words and with echo.
FIRST_PROBE = (
    ("AT", b"AT\r\r\nOK\r\n"),
    ("AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 22,99\r\n\r\nOK\r\n"),
)
SETTINGS = (
    ("ATV0", b"ATV0\r0\r"),
    ("ATE0", b"ATE0\r0\r"),
    ("AT+CMEE=1", b"0\r"),
)
READY = (("AT+CPIN?", b"+CPIN: READY\r\n0\r"),)
NETWORK = (
    ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
    ("AT+CEREG=1", b"0\r"),
    ("AT+CGREG=1", b"0\r"),
    ("AT+COPS?", b'+COPS: 0,2,"46000",0\r\n0\r'),
)
HOME = (("AT+CEREG?", b"+CEREG: 1,1\r\n0\r"),)
START = FIRST_PROBE + SETTINGS
SETTINGS_AGAIN = (("ATV0", b"0\r"), ("ATE0", b"0\r"), ("AT+CMEE=1", b"0\r"))


class Key:
    """A power key: the length of each press is recorded in ms; a long one starts the module."""

    def __init__(self, module=None, boot_ms=4000, least_ms=900):
        self.module = module
        self.boot_ms = boot_ms
        self.least_ms = least_ms
        self.presses = []

    def on(self):
        self.begin = time.ticks_ms()

    def off(self):
        self.presses.append(time.ticks_diff(time.ticks_ms(), self.begin))
        if self.presses[-1] >= self.least_ms and self.module is not None:
            self.module.power(self.boot_ms)


class Silent(Module):
    """A module that is off: it hears nothing until it is powered and has booted."""

    up_at = None

    def power(self, boot_ms):
        self.up_at = time.ticks_add(time.ticks_ms(), boot_ms)

    def write(self, data):
        if self.up_at is None or time.ticks_diff(time.ticks_ms(), self.up_at) < 0:
            return len(data)
        return Module.write(self, data)


class Level:
    def __init__(self, value):
        self.level = value

    def value(self):
        return self.level


async def start(steps, **options):
    """Start a module that runs already. Returns (module, registration)."""
    module = Module(*steps)
    modem = C1100(module)
    try:
        return module, await modem.start(**options)
    finally:
        modem.close()


async def test_start_of_a_running_module():
    async def scenario():
        module, registration = await start(START + READY + NETWORK + HOME)
        return module, (registration.registered, registration.roaming)

    await at_every_split(scenario)
    assert (await scenario())[1] == (True, False)


async def test_start_with_pin():
    module, registration = await start(
        START
        + (
            ("AT+CPIN?", b"+CPIN:SIM PIN \r\n0\r"),
            ('AT+CPIN="1234"', b"0\r"),
            ("AT+CPIN?", b"+CPIN: READY\r\n0\r"),
        )
        + NETWORK
        + HOME,
        pin="1234",
    )
    module.check()
    assert registration.registered


async def test_wrong_pin_is_tried_once_only():
    steps = START + (
        ("AT+CPIN?", b"+CPIN: SIM PIN\r\n0\r"),
        ('AT+CPIN="1234"', b"+CME ERROR: 16\r\n"),
    )
    module = Module(*steps, ("AT+CPIN?", b"+CPIN: SIM PIN\r\n0\r"))
    modem = C1100(module)
    try:
        await modem.start(pin="1234")
    except PinRefused as error:
        assert "1234" not in str(error)
    else:
        raise AssertionError("accepted")
    assert module.heard.count('AT+CPIN="1234"') == 1
    modem.close()


async def test_lost_answer_to_the_pin_does_not_try_it_again():
    module = Module(
        *START,
        ("AT+CPIN?", b"+CPIN: SIM PIN\r\n0\r"),
        ('AT+CPIN="1234"',),
    )
    modem = C1100(module)
    with raises(Timeout):
        await modem.start(pin="1234")
    module.check()
    modem.close()


async def test_sim_states_that_need_a_person():
    # A SIM that starts may ask for a PIN that it does not need; the others are final.
    for state, pin, times in (
        ("SIM PIN", None, 60),
        ("SIM PUK", "1234", 1),
        ("PH-SIM PIN", "1234", 1),
    ):
        said = (("AT+CPIN?", b"+CPIN: %s\r\n0\r" % state.encode()),)
        try:
            await start(START + said * times, pin=pin)
        except SimError as error:
            assert error.state == state
        else:
            raise AssertionError(state)


async def test_f40_sim_that_is_ready_late():
    busy = (b"+CME ERROR: 14\r\n", b"4\r", b"+CME ERROR: 10\r\n", b"+CME ERROR: SIM busy\r\n")
    module, registration = await start(
        START + tuple([("AT+CPIN?", said) for said in busy]) + READY + NETWORK + HOME
    )
    module.check()
    assert registration.registered


async def test_f40_no_sim_after_the_deadline():
    try:
        absent = (("AT+CPIN?", b"+CME ERROR: 10\r\n"),)
        radio = (("AT+CFUN?", b"+CFUN: 1\r\n0\r"),)  # it may have been off
        await start(START + absent * 7 + radio + absent * 60)
    except SimError as error:
        assert error.state == "NO SIM"
    else:
        raise AssertionError("no SIM accepted")


async def test_registration_by_urc():
    module, registration = await start(
        START
        + READY
        + NETWORK
        + (
            ("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"),
            ("AT+CGREG?", b"+CGREG: 1,2\r\n0\r", (9000, b"+CEREG: 5\r\n")),
            ("AT+CEREG?", b"+CEREG: 1,5\r\n0\r"),
        )
    )
    module.check()
    assert registration.roaming


async def test_registration_although_the_urc_was_lost():
    module, registration = await start(
        START
        + READY
        + NETWORK
        + (
            ("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"),
            ("AT+CGREG?", b"+CGREG: 1,0\r\n0\r"),
            ("AT+CEREG?", b"+CEREG: 1,1\r\n0\r"),
        )
    )
    module.check()
    assert registration.registered


async def test_registration_denied_by_every_domain():
    """And tells why only now: what is sent then is not sent in other starts."""
    try:
        await start(
            START
            + READY
            + NETWORK
            + (("AT+CEREG?", b"+CEREG: 1,3\r\n0\r"), ("AT+CGREG?", b"+CGREG: 1,3\r\n0\r")) * 6
            + (("AT+CEREG=5", b"0\r"), ("AT+CEREG?", b"+CEREG: 5,3,,,,0,15\r\n0\r"))
        )
    except RegistrationDenied as error:
        assert error.cause == 15
        assert "(EMM cause 15, no suitable cells)" in str(error)
    else:
        raise AssertionError


async def test_registration_denied_while_the_other_domain_still_searches():
    module, registration = await start(
        START
        + READY
        + NETWORK
        + (
            ("AT+CEREG?", b"+CEREG: 1,3\r\n0\r"),
            ("AT+CGREG?", b"+CGREG: 1,2\r\n0\r", (3000, b"+CGREG: 1\r\n")),
            ("AT+CEREG?", b"+CEREG: 1,3\r\n0\r"),
            ("AT+CGREG?", b"+CGREG: 1,1\r\n0\r"),
        )
    )
    module.check()
    assert registration.registered


async def test_no_network_in_time():
    searching = (("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"), ("AT+CGREG?", b"+CGREG: 1,2\r\n0\r"))
    begin = time.ticks_ms()
    with raises(NotRegistered):
        await start(START + READY + NETWORK + searching * 5, timeout_s=40)
    assert 40000 <= time.ticks_diff(time.ticks_ms(), begin) < 43000


async def test_f32_power_key_of_a_running_module_is_left_alone():
    module = Module(*FIRST_PROBE)
    key = Key()
    modem = C1100(module, pwrkey=key)
    await modem.power_on()
    assert key.presses == []
    modem.close()


async def test_f32_status_pin_high_but_still_booting():
    module = Silent(*FIRST_PROBE)
    module.power(9000)
    key = Key()
    modem = C1100(module, pwrkey=key, status=Level(1))
    await modem.power_on()
    assert key.presses == []
    module.check()
    modem.close()


async def test_f32_slow_boot_is_one_press():
    module = Silent(*FIRST_PROBE)
    key = Key(module, boot_ms=13000)
    modem = C1100(module, pwrkey=key)
    await modem.power_on()
    assert key.presses == [1000]
    module.check()
    modem.close()


async def test_f32_pulse_that_was_too_short_is_repeated_longer():
    module = Silent(*FIRST_PROBE)
    key = Key(module, least_ms=1400)
    modem = C1100(module, pwrkey=key)
    await modem.power_on()
    assert key.presses == [1000, 1500]
    module.check()
    modem.close()


async def test_f33_module_that_is_powered_and_hangs_is_switched_off_and_on():
    module = Silent(*FIRST_PROBE)
    status = Level(1)

    class Hung(Key):
        def off(self):
            if status.level:
                status.level = 0
                self.presses.append(time.ticks_diff(time.ticks_ms(), self.begin))
            else:
                status.level = 1
                Key.off(self)

    key = Hung(module)
    modem = C1100(module, pwrkey=key, status=status)
    await modem.power_on()
    assert key.presses == [2000, 1000]
    module.check()
    modem.close()


async def test_f32_module_that_never_starts():
    key = Key()
    modem = C1100(Silent(), pwrkey=key)
    with raises(Timeout):
        await modem.power_on()
    assert len(key.presses) == 3
    modem.close()


async def test_no_answer_and_no_power_key():
    modem = C1100(Silent())
    with raises(Timeout):
        await modem.start()
    modem.close()


async def test_f27_uart_that_naps():
    """After silence the module eats what wakes it: an AT is sacrificed, not the command."""
    module = Module(
        *FIRST_PROBE,
        *SETTINGS,
        ("AT+CGSN", b"866207050000001\r\n0\r"),
        (lambda line: True,),
        *PROBE,
        ("AT+CGSN", b"866207050000001\r\n0\r"),
    )
    modem = C1100(module, nap_ms=6000)
    assert await modem.imei() == "866207050000001"
    await asyncio.sleep_ms(7000)
    assert await modem.imei() == "866207050000001"
    module.check()
    modem.close()


async def test_f17_settings_are_restored_after_a_restart():
    module = Module(
        *FIRST_PROBE,
        *SETTINGS,
        *READY,
        *NETWORK,
        *HOME,
        ("AT+COPS?", (300, b"\r\nRDY\r\n")),
        *FIRST_PROBE,
        *SETTINGS,
        ("AT+CEREG=1", b"0\r"),
        ("AT+CGREG=1", b"0\r"),
        ("AT+COPS?", b"+COPS: 0\r\n0\r"),
    )
    modem = C1100(module)
    await modem.start()
    with raises(at.Rebooted):
        await modem.operator()
    assert await modem.operator() is None
    module.check()
    modem.close()


async def test_f17_restart_that_only_the_echo_tells_of():
    module = Module(
        *FIRST_PROBE,
        *SETTINGS,
        ("AT+CGSN", b"AT+CGSN\r\r\n866207050000001\r\n\r\nOK\r\n"),
        *SETTINGS,
        ("AT+CGSN", b"866207050000001\r\n0\r"),
    )
    modem = C1100(module)
    assert await modem.imei() == "866207050000001"
    assert await modem.imei() == "866207050000001"
    module.check()
    modem.close()


async def test_power_off_and_what_comes_after():
    module = Module(*FIRST_PROBE, *SETTINGS, ("AT$QCPWRDN", b"0\r"))
    status = Level(1)
    modem = C1100(module, status=status)
    await modem.power_on()

    async def falls():
        await asyncio.sleep_ms(2000)
        status.level = 0

    task = asyncio.create_task(falls())
    begin = time.ticks_ms()
    await modem.power_off(force=True)
    assert 1900 <= time.ticks_diff(time.ticks_ms(), begin) < 2300
    with raises(Asleep):
        await modem.signal()
    await task
    module.check()
    modem.close()


async def test_power_off_when_the_status_pin_falls_before_the_answer():
    module = Module(*FIRST_PROBE, *SETTINGS, ("AT$QCPWRDN", (4000, b"0\r")))
    status = Level(1)
    modem = C1100(module, status=status)
    await modem.power_on()

    async def falls():
        await asyncio.sleep_ms(500)
        status.level = 0

    task = asyncio.create_task(falls())
    begin = time.ticks_ms()
    await modem.power_off(force=True)
    assert time.ticks_diff(time.ticks_ms(), begin) < 1000
    with raises(Asleep):
        await modem.signal()
    await task
    module.check()
    modem.close()


class KeyOff(Key):
    """A long press switches off a module whose status pin is this."""

    def __init__(self, status):
        Key.__init__(self)
        self.status = status

    def off(self):
        Key.off(self)
        if self.presses[-1] >= 1900:
            self.status.level = 0


async def test_power_off_by_key_where_the_command_does_not_help():
    """It is refused, it is not answered, or it is answered and nothing happens."""
    for said in ((b"4\r",), (b"+CME ERROR: 4\r\n",), (), (b"0\r",)):
        status = Level(1)
        key = KeyOff(status)
        module = Module(*FIRST_PROBE, *SETTINGS, ("AT$QCPWRDN",) + said)
        if not said:
            module.steps += PROBE[1:]
        modem = C1100(module, pwrkey=key, status=status)
        await modem.power_on()
        await modem.power_off(force=True)
        assert key.presses == [2000]
        with raises(Asleep):
            await modem.signal()
        modem.close()
    # Without a status pin one press has to do, and only of a module that answers.
    for said, presses in (((b"4\r",), [2000]), ((), [])):
        key = Key()
        modem = C1100(Module(*FIRST_PROBE, *SETTINGS, ("AT$QCPWRDN",) + said), pwrkey=key)
        await modem.power_on()
        try:
            await modem.power_off(force=True)
        except Timeout:
            assert not said
        assert key.presses == presses
        modem.close()


async def test_signal_and_operator_where_the_module_knows_nothing():
    module = Module(
        *FIRST_PROBE,
        *SETTINGS,
        ("AT+CSQ", b"+CSQ: 99,99\r\n0\r"),
        ("AT+CSQ", b"+CSQ: 0,7\r\n0\r"),
        ("AT+COPS?", b"+COPS: 0\r\n0\r"),
        ("AT+COPS?", b'+COPS: 0,0,"CHINA MOBILE, IoT",9\r\n0\r'),
    )
    modem = C1100(module)
    assert tuple(await modem.signal()) == (None, None)
    assert tuple(await modem.signal()) == (-113, 7)
    assert await modem.operator() is None
    assert tuple(await modem.operator()) == ("CHINA MOBILE, IoT", 9)
    module.check()
    modem.close()


# A board that dozes ----------------------------------------------------------------------------


class Dozer:
    """machine.lightsleep of a board: time passes, and what comes over the UART is lost."""

    def __init__(self, module, ticks_go_on=True):
        self.module = module
        self.ticks_go_on = ticks_go_on
        self.total = 0
        self.torn = b""  # comes just when the board is awake again

    def __call__(self, ms):
        self.total += ms
        if self.ticks_go_on:
            time.sleep_ms(ms)
        self.module.lose()
        if self.torn:
            self.module.say(self.torn)
            self.torn = b""


async def test_the_board_dozes_while_the_module_starts_and_registers():
    def steps():
        return (
            FIRST_PROBE
            + SETTINGS
            + (("AT+CPIN?", b"+CME ERROR: 14\r\n"),)
            + READY
            + NETWORK
            + (
                ("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"),
                ("AT+CGREG?", b"+CGREG: 1,0\r\n0\r"),
            )
            * 3
            + HOME
        )

    for status in (None, Level(0)):
        module = Silent(*steps())
        key = Key(module, boot_ms=3000)
        dozer = Dozer(module)
        modem = C1100(module, pwrkey=key, status=status, doze=dozer)
        if status is not None:
            modem._channel.start()

            async def rises(status=status):
                await asyncio.sleep_ms(4100)
                status.level = 1

            task = asyncio.create_task(rises())
        begin = time.ticks_ms()
        assert (await modem.start()).registered
        took = time.ticks_diff(time.ticks_ms(), begin)
        # Without a status pin it has to listen now and then whether the module answers.
        assert took - dozer.total < (3000 if status is None else 500)
        assert len(key.presses) == 1
        assert 1000 <= key.presses[0] < 1010
        module.check()
        modem.close()
        if status is not None:
            await task


async def test_the_end_of_a_line_that_a_doze_has_torn_is_no_result_code():
    """ "+CEREG: 1" of which only "1" is heard would be CONNECT."""
    module = Module(
        *PROBE,
        *SETTINGS_AGAIN,
        ("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"),
        ("AT+CGREG?", b"+CGREG: 1,0\r\n0\r"),
        *HOME,
    )
    dozer = Dozer(module)
    dozer.torn = b"4\r"
    modem = C1100(module, doze=dozer)
    assert (await modem.register()).registered
    assert not dozer.torn
    module.check()
    modem.close()


async def test_patience_ends_on_a_board_whose_ticks_stand_still_while_it_dozes():
    class Searching(Module):
        def write(self, data):
            name = bytes(data)[3:8]
            if name in (b"CEREG", b"CGREG"):
                self.say(b"+%s: 1,2\r\n0\r" % name)
                return len(data)
            return Module.write(self, data)

    module = Searching(*PROBE, *SETTINGS_AGAIN)
    dozer = Dozer(module, ticks_go_on=False)
    modem = C1100(module, doze=dozer)
    with raises(NotRegistered):
        await modem.register(60)
    assert 50000 < dozer.total <= 61000
    modem.close()
