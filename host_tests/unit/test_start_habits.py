"""A module with habits of its own is started and used like any other."""

import time

from c1100 import C1100, BadAnswer, SimError, Timeout
from host_tests.support import fails
from host_tests.support.answering import ERROR, OK, REGISTERED, SILENCE, Answering
from host_tests.unit.test_modem import Key, Level

SETTINGS = ("ATV0", "ATE0", "AT+CMEE=1")
IMEI = "866207050000001"


class Habits(Answering):
    """gap_ms -- from each byte that it says to the next; echo, words -- ATE1, ATV1, whatever it
    was told
    """

    def __init__(self, answers=(), gap_ms=0, echo=False, words=False):
        Answering.__init__(self, REGISTERED)
        self.answers.update(answers)
        self.gap_ms = gap_ms
        self.echo = echo
        self.words = words

    def say(self, data, after_ms=0):
        if self.words:
            data = b"\r\n" + data if data[:1] == b"+" else data
            if data.endswith(OK):
                data = data[:-2] + b"\r\nOK\r\n"
            elif data.endswith(b"\n" + ERROR) or data == ERROR:
                data = data[:-2] + b"\r\nERROR\r\n"
        if self.echo:
            data = self.heard[-1].encode() + b"\r" + data
        if not self.gap_ms:
            Answering.say(self, data, after_ms)
            return
        now = time.ticks_ms()
        for i in range(len(data)):
            busy = time.ticks_diff(self._queue[-1][0], now) if self._queue else 0
            Answering.say(self, data[i : i + 1], max(busy, 0) + self.gap_ms)


async def used(module, **options):
    """Start it and ask it something. Returns the ms that it took to start, and the key."""
    key = Key()
    modem = C1100(module, pwrkey=key, **options)
    begin = time.ticks_ms()
    registration = await modem.start(pin="1234")
    took = time.ticks_diff(time.ticks_ms(), begin)
    assert registration.registered
    for _ in range(3):
        assert (await modem.signal()).rssi == -69
        assert (await modem.operator()).name == "46000"
    assert modem.stats["reboots"] == 0
    modem.close()
    return took, key


async def test_settings_that_are_refused_in_every_combination():
    for subset in range(8):
        refused = [SETTINGS[i] for i in range(3) if subset >> i & 1]
        for said in (ERROR, b"+CME ERROR: 4\r\n", b"+CME ERROR: operation not supported\r\n"):
            for echo in (False, True) if "ATE0" in refused else (False,):
                for words in (False, True) if "ATV0" in refused else (False,):
                    answers = dict.fromkeys(refused, said)
                    took, key = await used(Habits(answers, echo=echo, words=words))
                    assert took < 1500, (refused, took)
                    assert key.presses == []


async def test_settings_that_are_answered_and_have_no_effect():
    """Echo and words that stay tell of no restart."""
    for echo in (False, True):
        for words in (False, True):
            module = Habits(echo=echo, words=words)
            took, _ = await used(module)
            assert took < 1500
            for command in SETTINGS:
                assert module.heard.count(command) == 1, (echo, words, module.heard)


async def test_settings_that_are_not_answered():
    for command in SETTINGS:
        took, key = await used(Habits({command: SILENCE}))
        assert took < 20000, (command, took)
        assert key.presses == []


async def test_a_refused_pin_where_errors_have_no_number():
    answers = {"AT+CMEE=1": ERROR, "AT+CPIN?": b"+CPIN: SIM PIN\r\n0\r", 'AT+CPIN="1234"': ERROR}
    module = Habits(answers)
    modem = C1100(module)
    await fails(SimError, modem.start(pin="1234"))
    assert module.heard.count('AT+CPIN="1234"') == 1
    modem.close()


async def test_a_module_that_is_slow_to_say_what_it_says():
    """The power key is left alone as long as characters come."""
    for gap_ms in (20, 100, 150, 200):
        for echo in (False, True):
            for status in (None, Level(1)):
                module = Habits(gap_ms=gap_ms, echo=echo, words=echo)
                took, key = await used(module, status=status)
                assert key.presses == [], (gap_ms, echo, status)
                assert took < 150000, took


async def test_a_module_that_talks_and_does_not_answer_is_switched_off_first():
    """It runs: a press would not start it."""

    class Talks(Answering):
        def write(self, data):
            self.say(b"nonsense\r\n")
            return len(data)

    key = Key()
    modem = C1100(Talks({}), pwrkey=key)
    await fails(Timeout, modem.power_on())
    assert key.presses[0] == 2000
    modem.close()


async def test_imei_in_every_form():
    for said in (
        "%s\r\n0\r",
        '"%s"\r\n0\r',
        " %s \r\n0\r",
        '+CGSN: "%s"\r\n0\r',
        "+CGSN: %s\r\n0\r",
        '+CGSN:"%s"\r\n0\r',
        "\r\n%s\r\n\r\nOK\r\n",
        '^SIMST: 1\r\n"%s"\r\n0\r',
        "%s\r\n+CEREG: 2\r\n0\r",
    ):
        modem = C1100(Habits({"AT+CGSN": (said % IMEI).encode()}))
        assert await modem.imei() == IMEI, said
        modem.close()
    modem = C1100(Habits({"AT+CGSN": OK}))
    await fails(BadAnswer, modem.imei())
    modem.close()


async def test_a_uart_that_naps():
    """After silence it eats what wakes it: an AT is sacrificed, and nothing else."""

    class Naps(Habits):
        last = None

        def write(self, data):
            now = time.ticks_ms()
            asleep = self.last is not None and time.ticks_diff(now, self.last) > 6000
            self.last = now
            return len(data) if asleep else Habits.write(self, data)

    # Up to the days that ticks can tell, and beyond: their half is 6.2 days.
    for idle_ms in (6500, 60000, 86400000, 7 * 86400000, 10 * 86400000):
        for dozer in (None, time.sleep_ms, lambda ms: None):  # the last: ticks that stand still
            module = Naps()
            modem = C1100(module, nap_ms=6000, doze=dozer)
            await modem.signal()
            for _ in range(3):
                if dozer is None:
                    modem._last_use = (time.ticks_add(time.ticks_ms(), -idle_ms), 0)
                else:
                    await modem.patience.wait(min(idle_ms, 86400000))
                module.last = time.ticks_add(time.ticks_ms(), -7000)
                begin = time.ticks_ms()
                assert (await modem.signal()).rssi == -69
                assert time.ticks_diff(time.ticks_ms(), begin) < 1000
            assert modem.stats["timeouts"] == 3  # the ATs
            modem.close()
