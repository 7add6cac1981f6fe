"""Modules with habits of their own: settings without effect or refused, slow bytes, blanks. They
are lived with; a restart is concluded from what only a restart does.
"""

import time

from c1100 import C1100, at, dialect
from c1100.channel import COMMAND, UNKNOWN, Channel
from host_tests.support import forms
from host_tests.support.streams import at_every_split
from host_tests.support.talker import Talker, attempt, open_channel, sound

STUCK, REFUSED = "stuck", "refused"


class Habits(Talker):
    """Echoes and says words as V.250 has it, except for

    echo, words -- STUCK: ATE0 or ATV0 has no effect; REFUSED: it is answered by ERROR
    numbers     -- REFUSED: so is AT+CMEE=1
    gap_ms      -- from one byte to the next
    """

    def __init__(self, echo="", words="", numbers="", gap_ms=0):
        super().__init__()
        self.habits = {"ATE0": echo, "ATV0": words, "AT+CMEE=1": numbers}
        self.gap_ms = gap_ms
        self.restart()

    def restart(self):
        """It begins anew, and nobody hears of it."""
        self.echoes = self.in_words = True

    def say(self, data, after_ms=0):
        if not self.gap_ms:
            super().say(data, after_ms)
            return
        for i in range(len(data)):
            super().say(data[i : i + 1], self.gap_ms)

    def _hear(self, line):
        self.heard.append(line)
        echo = line.encode() + b"\r" if self.echoes else b""
        habit = self.habits.get(line, "")
        good = habit != REFUSED
        info = b""
        if line == "ATE0" and not habit:
            self.echoes = False
        elif line == "ATV0" and not habit:
            self.in_words = False
        elif line == "AT+CSQ":
            self.asked += 1
            info = b"+CSQ: %d,99\r\n" % self.asked
        elif line in ("AT+CGREG?", "AT+CEREG?"):
            info = line[2:8].encode() + b": 1,1\r\n"
        elif line not in ("AT", "ATE0", "ATV0", "AT+CMEE=1", "AT+LSIPHEX=1"):
            good = False
        if self.in_words:
            code = b"\r\nOK\r\n" if good else b"\r\nERROR\r\n"
            info = info and b"\r\n" + info
        else:
            code = b"0\r" if good else b"4\r"
        self.say(echo + info + code)


def a_modem(module, **pins):
    modem = C1100(module, **pins)
    modem._channel.mode = UNKNOWN
    return modem


HABITS = [
    (echo, words, numbers)
    for echo in ("", STUCK, REFUSED)
    for words in ("", STUCK, REFUSED)
    for numbers in ("", REFUSED)
]


async def test_settings_without_effect_are_no_restarts():
    for echo, words, numbers in HABITS:
        module = Habits(echo, words, numbers)
        modem = a_modem(module)
        channel = modem._channel
        restarts = []
        channel.on_restart.append(lambda restarts=restarts: restarts.append(1))
        for i in range(10):
            await sound(channel, module)
            assert await attempt(channel.run(dialect.IP_HEX, 1)) == []
            assert await attempt(channel.run(dialect.OPERATOR)) == "CommandError"
            if not i:
                restarts.clear()  # what it was before is not known
                heard = len(module.heard)
        assert not restarts and not channel.settings_lost, (echo, words, numbers)
        assert "ATV0" not in module.heard[heard:], "told again"
        assert channel.numeric == (not words) and channel.quiet == (not echo)
        # One that begins anew is noticed by what it does otherwise than before.
        module.restart()
        await attempt(channel.run(dialect.IP_HEX, 1))
        noticed = not echo or not words
        assert bool(restarts) == noticed, (echo, words, numbers)
        await sound(channel, module)
        assert module.echoes == bool(echo) or not noticed
        assert module.in_words == bool(words) or not noticed
        assert len(restarts) == noticed, (echo, words)
        # And by what it says of itself.
        module.say(b"\r\nRDY\r\n")
        await sound(channel, module)
        assert len(restarts) == noticed + 1
        modem.close()


async def test_a_module_that_spells():
    """Up to 200 ms from one byte to the next: it is heard, and no key is pressed."""
    for gap_ms in (20, 60, 100, 150, 200):
        for echo, words in (("", ""), (STUCK, ""), ("", STUCK), (STUCK, STUCK)):
            module = Habits(echo, words, gap_ms=gap_ms)
            channel = Channel(module)
            begin = time.ticks_ms()
            assert await channel.probe(), (gap_ms, echo, words)
            assert time.ticks_diff(time.ticks_ms(), begin) < 300 * gap_ms + 3000
            assert channel.mode == COMMAND
            await sound(channel, module)
            channel.close()


async def test_a_module_that_spells_is_not_switched_off():
    class Key:
        presses = 0

        def on(self):
            self.presses += 1

        def off(self):
            pass

    for echo, words in (("", ""), (STUCK, STUCK)):
        key = Key()
        module = Habits(echo, words, gap_ms=200)
        modem = a_modem(module, pwrkey=key)
        await modem.power_on()
        assert modem.was_awake and not key.presses
        await sound(modem._channel, module)
        modem.close()


async def test_a_module_that_says_nothing_is_not_waited_for():
    module = Habits()
    module._hear = lambda line: None
    channel = Channel(module)
    begin = time.ticks_ms()
    assert not await channel.probe()
    assert time.ticks_diff(time.ticks_ms(), begin) < 1600
    channel.close()


# What may stand around what a module says: (from, to), in bytes of a line and its end.
DECORATIONS = (
    ("{}\r\n", " {}\r\n"),
    ("{}\r\n", "{} \r\n"),
    ("{}\r\n", "\r\r\n{}\r\r\n"),
    ("{}\r\n", "\r\n{}\r\n"),
    ("{}\r\n", "{}\r"),
    ("{}\r\n", "{}\n"),
    ("{}\r\n", "\x00\x07{}\r\n\x00"),
    (":", ": "),
    (": ", ":"),
    (": ", " : "),
    (":", "="),
    ("+LS", "+"),
    ("+", "+LS"),
    (",", ", "),
    (",", " ,"),
)


async def test_lines_in_every_dress_that_has_one_reading():
    count = 0
    for name, form in forms.all_forms():
        plain = forms.result(form)
        if not plain:
            continue
        for old, new in DECORATIONS:
            own = (form.answer or form.then)[:3] == "+LS"
            if form.then == dialect.VERDICT or ("LS" in old + new and (old == "+LS") != own):
                continue
            if old == "," and form.shape == "r":  # there it is a part of the text
                continue
            said = b">" if form.prompt else b""
            dressed = []
            for part in forms.said(form)[form.prompt :]:
                if len(part) > 1:
                    if old != "{}\r\n":
                        part = part.replace(old, new, 1)
                    dressed.append(part)
                    part = (new if old == "{}\r\n" else "{}\r\n").replace("{}", part)
                else:
                    part += "\r"
                said += part.encode()
            steps = [("AT" + at.render(form.send, forms.arguments(form)), said)]
            if form.prompt:
                steps = [(steps[0][0], b">"), (b"data", said[1:])]

            async def scenario(form=form, steps=steps):
                module = Talker(*steps)
                channel = open_channel(module)
                data = b"data" if form.prompt else None
                got = await attempt(channel.run(form, *forms.arguments(form), data=data))
                await sound(channel, module)
                channel.close()
                return module, got

            got = await at_every_split(scenario, (), (1,))
            assert [line.strip() for line in got] == [line.strip() for line in dressed], (
                name,
                new,
            )
            if form.answer and form.shape:
                assert at.read(got[0], form.shape) == at.read(plain[0], form.shape), (name, new)
            count += 1
    assert count > 300, count
