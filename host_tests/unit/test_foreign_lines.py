"""Lines that answer nobody, in every place of every answer: URCs that no table knows, NMEA, other
sockets' data, banners. The command gets its own answer; the line goes where it belongs.
"""

import time

from c1100 import at, dialect
from c1100.channel import UNKNOWN
from host_tests.support import forms
from host_tests.support.streams import at_every_split
from host_tests.support.talker import Talker, attempt, open_channel, sound

UNKNOWN_URCS = (
    "^SIMST: 1",
    "^SIMST:1",
    "%CTZV: 1",
    "#STN: 0",
    "*PSUTTZ: 2024, 5, 13",
    "&VER=1",
    "!LOG: 5",
    "@BOOT",
    "+CIEV: 1,2",
    "+CREG: 1",
    "+CTZE: +08,0",
    "+LSMQTTWHATEVER: 1",
    "$GPGSV,3,1,11,03,03,111,00,04,15,270,00,06,01,010,00,13,06,292,00*74",
    "$QCSIMSTAT: 1",
)
KNOWN_URCS = ("+CEREG: 2", '+CGREG: 5,"1A2B","01A2D101",9', "^DATADISCONN", "+LSIP:OK")
DATA = ("+LSIPRTCP=2,3,313233", "+LSIPRUDP=2,1,31", "+LSIPRTCP: 2, 2, 4f4b ")
OPEN = (dialect.IMEI, dialect.IMSI, dialect.MODEL, dialect.REVISION)
# A user's own commands: (command, what a module says to it, what of that is the answer)
RAW = (
    ("+XYZ?", ("+XYZ: 1,2",), ("+XYZ: 1,2",)),
    ("+xyz=1", ("+XYZ: a", "free text"), ("+XYZ: a", "free text")),
    ("+XYZ", (), ()),
    (
        "I",
        ("LongSung", "C1100 MGGT", "Revision: 1.2"),
        ("LongSung", "C1100 MGGT", "Revision: 1.2"),
    ),
    ("+LSXYZ?", ("+XYZ: 1",), ("+XYZ: 1",)),
    ("$QCVOLT?", ("$QCVOLT: 3800",), ("$QCVOLT: 3800",)),
    ("$QCPWRDN", ("$QCPWRDN: 1",), ("$QCPWRDN: 1",)),
    ("^SYSINFO", ("^SYSINFO: 2,3,0",), ("^SYSINFO: 2,3,0",)),
    ("+CSQ", ("+CSQ: 22,99",), ("+CSQ: 22,99",)),
    ("+csq", ("+CSQ: 22,99",), ("+CSQ: 22,99",)),
    ("+CEREG=?", ("+CEREG: (0-5)",), ("+CEREG: (0-5)",)),
    ("+cereg?", ("+CEREG: 1,5",), ("+CEREG: 1,5",)),
)


class Bytes:
    """Takes the data of sockets."""

    fields = 2
    hex = True
    shape = "ii"

    def __init__(self):
        self.got = []

    def begin(self, values):
        self.got.append(b"")
        return values[1]

    def data(self, view):
        self.got[-1] += bytes(view)

    def end(self, error):
        if error is not None:
            self.got[-1] = error


def scenario_of(command, said, i, line):
    """``command`` -- a form, or text; the line comes in front of the i-th of what is said."""
    parts = list(said[:i]) + [line] + list(said[i:])
    wire = "\r\n".join(parts).encode() + b"\r"
    raw = isinstance(command, str)

    async def scenario():
        module = Talker(("AT" + (command if raw else command.send), wire))
        channel = open_channel(module)
        taker = channel.payloads["+LSIPRTCP"] = channel.payloads["+LSIPRUDP"] = Bytes()
        sunk = []
        channel.sinks["$"] = sunk.append
        got = await attempt(channel.raw(command, 5) if raw else channel.run(command))
        counted = channel.stats["unknown"]
        await sound(channel, module)
        channel.close()
        return module, (got, sunk, counted, taker.got)

    return scenario


def questions():
    """(what is asked, its lines, what of them is the answer)"""
    for _, form in forms.all_forms():
        if form.answer and "{" not in form.send and not form.answer.startswith("+LSHTTP"):
            yield form, forms.said(form), forms.result(form)
    for command, said, answer in RAW:
        yield command, list(said) + ["0"], list(answer)


async def test_unknown_lines_go_the_way_of_unknown_urcs():
    for command, said, want in questions():
        for line in UNKNOWN_URCS:
            for i in range(len(said)):
                scenario = scenario_of(command, said, i, line)
                got, sunk, unknown, _ = await at_every_split(scenario, (), (1,))
                assert got == want, (command, line, i, got)
                assert sunk == ([line] if line[0] == "$" else []), (command, line)
                assert unknown == (line[0] != "$"), (command, line, unknown)


async def test_known_urcs_and_data_are_no_answers():
    for command, said, want in questions():
        for line in KNOWN_URCS + DATA:
            for i in range(len(said)):
                scenario = scenario_of(command, said, i, line)
                got, _, unknown, data = await at_every_split(scenario, (), (1,))
                name = at.prefix(line)
                if isinstance(command, str) and name == at.prefix(command.split("?")[0]).upper():
                    continue  # of a user's own question any line with its name is an answer
                assert got == want, (command, line, i, got)
                assert unknown == 0, (command, line)
                assert data == (
                    [b"OK" if "4f4b" in line else b"123"[: len(data[0])]] if data else []
                )
                assert len(data) == (line in DATA)


async def test_open_questions_at_every_split():
    for form in OPEN:
        for line in UNKNOWN_URCS[:3] + KNOWN_URCS[:1] + DATA[:1] + ("RING", "NO CARRIER"):
            for i in range(2):
                got = await at_every_split(scenario_of(form, forms.said(form), i, line))
                assert got[0] == forms.result(form), (form.send, line, i)


async def test_digits_that_are_no_identity():
    for line in ("3", "12", "313233", "99,99", "12345678901234x", "-1234567890123456"):
        for i in range(2):
            scenario = scenario_of(dialect.IMEI, forms.said(dialect.IMEI), i, line)
            got = (await scenario())[1][0]
            assert got == ["866207050000001"], (line, i, got)


async def test_an_identity_in_every_form_that_has_one_reading():
    for said in (
        b"866207050000001\r\n",
        b' "866207050000001"\r\n',
        b"866207050000001 \r\n",
        b"+CGSN: 866207050000001\r\n",
        b'+CGSN: "866207050000001" \r\n',
        b"\xff\x00866207050000001\r\n",
        b"8662070500000012\r\n",  # with the software version's digits
    ):

        async def scenario(said=said):
            module = Talker(("AT+CGSN", said + b"0\r"))
            channel = open_channel(module)
            got = await channel.ask(dialect.IMEI)
            await sound(channel, module)
            channel.close()
            return module, got

        got = await at_every_split(scenario)
        assert got[0][:15] == "866207050000001", said


# Lines that tell that the module's firmware has begun anew.
BEGUN = dialect.BANNERS + (dialect.LEFT_PSM, "RDY ", dialect.LEFT_PSM + " ")


async def test_a_command_that_was_answered_is_not_aborted():
    for command, said, want in questions():
        for line in BEGUN:
            for i in range(len(said) + 1):
                parts = said[:i] + [line] + said[i:]
                wire = "\r\n".join(parts).encode() + b"\r\n"

                async def scenario(command=command, wire=wire):
                    raw = isinstance(command, str)
                    module = Talker(("AT" + (command if raw else command.send), wire))
                    channel = open_channel(module)
                    got = await attempt(channel.raw(command, 5) if raw else channel.run(command))
                    await sound(channel, module)
                    state = channel.settings_lost, channel.mode, channel.stats["reboots"]
                    channel.close()
                    return module, (got, state)

                cut = len("\r\n".join(said[:i] + [line]))
                got, state = await at_every_split(scenario, [cut], (1,))
                assert got == want, (command, line, i, got)
                assert state == (True, UNKNOWN, line[0] != "^"), (command, line, state)


async def test_a_command_that_was_not_answered_fails_at_once():
    for line in BEGUN:
        for said in (b"", b"+COPS: 0\r\n", b"+CSQ: 1,99\r\n"):
            module = Talker(("AT+COPS?", said + line.encode() + b"\r\n"))
            channel = open_channel(module)
            begin = time.ticks_ms()
            assert await attempt(channel.run(dialect.OPERATOR)) == "Rebooted", line
            assert time.ticks_diff(time.ticks_ms(), begin) < 200
            await sound(channel, module)
            channel.close()
