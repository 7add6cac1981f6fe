"""Answers whose values stand in a form of their neighbours: every question, each field, each form.
The value, None, or BadAnswer; never another exception.
"""

from c1100 import C1100, at
from c1100.channel import COMMAND
from host_tests.support import forms
from host_tests.support.streams import at_every_split
from host_tests.support.talker import Talker

BAD = "BadAnswer"
# What may stand where a value does: (text, as a number, as text). BAD: cannot be read as that,
# None: it is missing, "own": as is.
VARIANTS = (
    ("{}", "own", "own"),
    (" {} ", "own", "own"),
    ('"{}"', "own", "own"),
    ('" {} "', "own", "own"),
    ("0{}", "own", BAD),
    ("", None, None),
    ('""', None, None),
    (" ", None, None),
    ("-", BAD, BAD),
    ("x", BAD, BAD),
    ("1.5", BAD, BAD),
    ("0x1", BAD, BAD),
    ("\u00b2", BAD, BAD),
    ("(1,2)", BAD, BAD),
    ("1;2", BAD, BAD),
)
SEPARATORS = (": ", ":", "=", " : ", "=  ")


def questions():
    for name, form in forms.all_forms():
        if form.answer[:1] == "+" and form.shape not in ("", "r") and "{" not in form.send:
            yield name, form


def read_as(letter, own, number, text, wide):
    """What a field's variant is worth to a letter of a shape."""
    value = number if letter in "idID" else text
    if letter in "dD" and wide:
        return BAD  # of two digits at the most
    if value == "own":
        return int(own) if letter in "idID" else own
    if value is None:
        return None if letter < "a" else BAD
    return BAD


def test_each_field_of_each_question_in_each_form():
    count = 0
    for name, form in questions():
        for i, letter in enumerate(form.shape):
            for pattern, number, text in VARIANTS:
                own = "7" if letter in "idID" else "A7"
                if text == BAD and letter in "sS":
                    continue  # any text is text
                fields = [("7" if c in "idID" else '"A7"') for c in form.shape]
                fields[i] = pattern.replace("{}", own)
                want = read_as(letter, own, number, text, False)
                if letter == "d" and i and '"' in pattern:
                    want = BAD  # there a URC has its area
                for separator in SEPARATORS:
                    line = form.answer + separator + ",".join(fields)
                    got = at.read(line, form.shape)
                    count += 1
                    if want == BAD:
                        assert got is None, (name, line, got)
                        continue
                    assert got is not None, (name, line)
                    assert got[i] == want, (name, line, got)
                    assert len(got) == len(form.shape)
    assert count > 2500, count


def test_fewer_and_more_fields():
    for name, form in questions():
        least = len([c for c in form.shape if c >= "a"])
        fields = [("7" if c in "idID" else '"A7"') for c in form.shape]
        whole = at.read(form.answer + ":" + ",".join(fields), form.shape)
        for n in range(len(fields) + 1):
            got = at.read(form.answer + ":" + ",".join(fields[:n]), form.shape)
            if n < least:
                assert got is None, (name, n, got)
            else:
                assert got == whole[:n] + [None] * (len(fields) - n), (name, n, got)
        for more, want in ((",9", [9]), (',"a,b",', ["a,b", None]), (", ", [None])):
            got = at.read(form.answer + ":" + ",".join(fields) + more, form.shape)
            assert got == whole + want, (name, more, got)


async def ask(form, answer):
    """The values, or BAD; whatever else is raised goes through."""

    async def scenario():
        module = Talker(*[("AT" + form.send, answer)] * (1 + form.again))
        modem = C1100(module)
        modem._channel.mode = COMMAND
        modem._channel.settings_lost = False
        try:
            got = await modem._channel.ask(form)
        except at.BadAnswer:
            got = BAD
        else:
            module.steps.clear()
        modem.close()
        return module, got

    return await at_every_split(scenario, (), (1,))


async def test_no_answer_raises_anything_but_a_bad_answer():
    for _name, form in questions():
        least = len([c for c in form.shape if c >= "a"])
        for text in ("", ",", ",,,,,,,,,,", '"', '"""', "\xff", "1" * 400, "-" * 50, "(0-5),(1)"):
            line = (form.answer + ":" + text).encode() + b"\r\n0\r"
            got = await ask(form, line)
            assert got == BAD or len(got) >= len(form.shape), (form.send, text, got)
        got = await ask(form, b"0\r")
        assert got == BAD
        if not least:
            assert await ask(form, form.answer.encode() + b":\r\n0\r") == [None] * len(form.shape)


# What the driver's own functions make of an answer: (call, question, what follows its prefix,
# result; the kind of the driver's error that is raised instead as text)
READINGS = (
    ("signal", "+CSQ", ": 22,99", (-69, None)),
    ("signal", "+CSQ", ': "22","3"', (-69, 3)),
    ("signal", "+CSQ", ":022", (-69, None)),
    ("signal", "+CSQ", ": 99,99", (None, None)),
    ("signal", "+CSQ", ": 250,-1", (None, None)),
    ("signal", "+CSQ", ": ,99", BAD),
    ("clock", "+CCLK?", ': "24/05/13,10:00:00+08"', "24/05/13,10:00:00+08"),
    ("clock", "+CCLK?", ": 24/05/13,10:00:00+08", "24/05/13,10:00:00+08"),
    ("clock", "+CCLK?", ': "2024/05/13,10:00:00+08"', "2024/05/13,10:00:00+08"),
    ("clock", "+CCLK?", ':"24/05/13" , "10:00:00+08"', "24/05/13 , 10:00:00+08"),
    ("clock", "+CCLK?", ":", BAD),
    ("operator", "+COPS?", ': 0,2,"46000",0', ("46000", 0)),
    ("operator", "+COPS?", ": 0,2,46000,09", ("46000", 9)),
    ("operator", "+COPS?", ': "0","0","CMCC"', ("CMCC", None)),
    ("operator", "+COPS?", ": 0", None),
    ("operator", "+COPS?", ': 0,,""', None),
    ("operator", "+COPS?", ': 0,2,"46000","x"', BAD),
    ("imei", "+CGSN", '"866207050000001" ', "866207050000001"),
    ("registration", "+CEREG?", ": 2,1,1A2B,01A2D101,9", (1, "1A2B", "01A2D101", 9)),
    ("registration", "+CEREG?", ': "2","1","1A2B","01A2D101","9"', (1, "1A2B", "01A2D101", 9)),
    ("registration", "+CEREG?", ": 02,05", (5, None, None, None)),
    ("settings", "+CPSMS?", ': 1,,,"00100001","00000101"', (10, 3600)),
    ("settings", "+CPSMS?", ": 1,,,00100001,00000101", (10, 3600)),
    ("settings", "+CPSMS?", ': 1,"","","",""', (None, None)),
    ("settings", "+CPSMS?", ": 1", (None, None)),
    ("settings", "+CPSMS?", ": 0", None),
    ("settings", "+CPSMS?", ': 1,,,"x","y"', BAD),
    ("settings", "+CPSMS?", ': 1,,,"0010000","00000101"', BAD),
    ("granted", "+CEREG?", ': 4,1,"A","B",9,,,"00000101","00100001"', (10, 3600)),
    ("granted", "+CEREG?", ": 4,1,A,B,9,,,00000101,00100001", (10, 3600)),
    ("granted", "+CEREG?", ': 4,1,"A","B",9,"","","",""', None),
    ("granted", "+CEREG?", ': 4,1,"A","B",9,0,0,"","00100001"', None),
    ("granted", "+CEREG?", ": 4,1", None),
    ("granted", "+CEREG?", ': 4,1,"A","B",9,,,"2","00100001"', BAD),
    ("edrx_granted", "+CEDRXRDP", ': 5,"0101","0101","0001"', (81.92, 5.12)),
    ("edrx_granted", "+CEDRXRDP", ": 5,0101,0101,0001", (81.92, 5.12)),
    ("edrx_granted", "+CEDRXRDP", ': "5","0101","0101",""', (81.92, None)),
    ("edrx_granted", "+CEDRXRDP", ": 0", None),
    ("edrx_granted", "+CEDRXRDP", ': 5,"0101","",""', None),
    ("edrx_granted", "+CEDRXRDP", ': 5,"0101","x","0001"', BAD),
    ("edrx_granted", "+CEDRXRDP", ': 9,"0101","0101","0001"', BAD),
)


async def test_what_the_driver_makes_of_answers():
    for call, question, text, want in READINGS:
        name = question.rstrip("?")
        line = text if question == "+CGSN" else name + text
        step = ("AT" + question, line.encode() + b"\r\n0\r")
        module = Talker(step, step)
        modem = C1100(module)
        modem._channel.mode = COMMAND
        modem._channel.settings_lost = False
        owner = modem if hasattr(modem, call) else modem.power
        try:
            got = await getattr(owner, call)()
        except at.BadAnswer:
            got = BAD
        if hasattr(got, "stat"):
            got = (got.stat, got.tac, got.cell, got.act)
        got = tuple(got) if isinstance(got, tuple) else got
        assert got == want, (call, line, got)
        modem.close()
