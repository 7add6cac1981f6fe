"""Result codes that belong to nobody: each of them, as digit and as word, in front of, between and
behind the lines of each command. The command gets its own answer, and so does the next one.
"""

import time

from c1100 import at, dialect
from host_tests.support import forms
from host_tests.support.streams import at_every_split
from host_tests.support.talker import Talker, attempt, open_channel, sound

CODES = (
    ("0", "OK"),
    ("1", "CONNECT", "CONNECT 115200"),
    ("2", "RING"),
    ("3", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE"),
    ("4", "ERROR"),
)
DIGITS = {word: words[0] for words in CODES for word in words}


def steps_of(form, parts):
    """The steps of a scripted module: what it says to the command, and behind its prompt."""
    command = "AT" + at.render(form.send, forms.arguments(form))
    if ">" not in parts:
        return [(command, b"".join([line(part) for part in parts]))]
    i = parts.index(">")
    before = b"".join([line(part) for part in parts[:i]]) + b">"
    behind = b"".join([line(part) for part in parts[i + 1 :]])
    return [(command, before), (b"data", behind)]


def line(part):
    return part.encode() + (b"\r" if part in DIGITS else b"\r\n")


def scenario_of(form, parts):
    async def scenario():
        module = Talker(*steps_of(form, parts))
        channel = open_channel(module)
        data = b"data" if form.prompt else None
        got = await attempt(channel.run(form, *forms.arguments(form), data=data))
        await sound(channel, module)
        channel.close()
        return module, got

    return scenario


def places(form):
    """Each place where a line may stand among those of the answer, and how many bytes come before
    and with it.
    """
    said = forms.said(form)
    for i in range(len(said) + 1):
        yield said, i


async def run_at_its_cuts(form, word):
    """Whole, byte by byte, and cut around the foreign line; each result by its place."""
    found = []
    for said, i in places(form):
        parts = said[:i] + [word] + said[i:]
        before = sum([len(line(part)) for part in said[:i] if part != ">"]) + (">" in said[:i])
        cuts = [cut for cut in (before, before + len(line(word))) if cut]
        last = sum([len(line(part)) for part in parts])
        cuts = [cut for cut in cuts if cut < last - 1]
        found.append((i, await at_every_split(scenario_of(form, parts), cuts, (1,))))
    return found


async def test_a_code_that_cannot_end_a_command_is_nobodys():
    count = 0
    for name, form in forms.all_forms():
        for word in sorted(DIGITS):
            if DIGITS[word] in forms.ends(form):
                continue
            for i, got in await run_at_its_cuts(form, word):
                assert got == forms.result(form), (name, word, i, got)
                count += 1
    assert count > 1700, count


async def test_a_code_that_could_end_it_takes_the_answer_of_no_other_command():
    """OK and ERROR of nobody: a question gets its answer, and no command another's."""
    for name, form in forms.all_forms():
        for word in ("0", "OK", "4", "ERROR", "+CME ERROR: 30"):
            for i, got in await run_at_its_cuts(form, word):
                if form.answer or form.prompt:
                    assert got == forms.result(form), (name, word, i, got)
                else:
                    assert got in (forms.result(form), "CommandError", "CmeError"), (name, word)


async def test_hanging_up_what_has_hung_up():
    for words in (
        ("NO CARRIER", "OK"),
        ("3", "0"),
        ("3",),
        ("NO CARRIER",),
        ("BUSY", "0"),
        ("0",),
    ):
        assert await at_every_split(scenario_of(dialect.HANG_UP, list(words))) == [], words


async def test_dialling_ends_as_dialling_does():
    for words, want in (
        (("1",), []),
        (("CONNECT 115200",), []),
        (("RING", "0", "1"), []),
        (("NO CARRIER",), "CommandError"),
        (("BUSY",), "CommandError"),
        (("3",), "CommandError"),
        (("3", "1"), []),
        (("+CME ERROR: 30",), "CmeError"),
    ):
        assert await at_every_split(scenario_of(dialect.DIAL, list(words))) == want, words


async def test_codes_that_come_between_commands_or_without_end():
    """Thirty of each while nobody waits, and then one every 250 ms: commands go on as ever."""
    for words in CODES:
        for word in words:
            module = Talker()
            channel = open_channel(module)
            await sound(channel, module)
            module.say(line(word) * 30)
            begin = time.ticks_ms()
            await sound(channel, module)
            if DIGITS[word] not in dialect.ENDS[""]:
                for i in range(20):
                    module.say(line(word), 250 if i else 0)
                await sound(channel, module)
            assert time.ticks_diff(time.ticks_ms(), begin) < 6000, word
            channel.close()
