"""Command lines as V.250 and the field have them, and what no sane DTE would send."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.virtual_c1100.rig import Rig, profile_with

CSQ = b"+CSQ: 22,99\r\n0\r"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"AT\r", b"0\r"),
        (b"at+csq\r", CSQ),
        (b"At+CsQ\r\n", CSQ),
        (b"AT+ CSQ\r", CSQ),
        (b" AT+CSQ \r", CSQ),
        (b"AT+CEREG =1\r", b"0\r"),
        (b"AT+CEREG= 1\r", b"0\r"),
        (b"AT+CEREG? \r", b"+CEREG: 0,1\r\n0\r"),
        (b"AT+CEREG=?\r", b"+CEREG: (0-5)\r\n0\r"),
        (b"AT+CSQ\r\n\0", CSQ),
        (b"\0\xff\xfeAT+CSQ\r", CSQ),
        (b"AAT+CSQ\r", CSQ),
        (b"AT+CSX\x08Q\r", CSQ),
        (b"AT+C\x7f\x7f\x7f\x7f\x7f+CSQ\r", CSQ),
        (b"ATE0V0+CSQ;+CGATT?\r", b"+CSQ: 22,99\r\n+CGATT: 1\r\n0\r"),
        (b"AT;;+CSQ;\r", CSQ),
        (b"ATS3?\r", b"013\r\n0\r"),
        (b"ATS5=8S4?\r", b"010\r\n0\r"),
        (b"AT+CEREG=\r", b"0\r"),
    ],
)
def test_line_and_its_answer(line: bytes, answer: bytes) -> None:
    assert Rig(form="V0E0").ask(line) == answer


@pytest.mark.parametrize(
    "line",
    [
        b"AT+NOSUCH\r",
        b"AT+CSQ=1\r",
        b"AT+\r",
        b"AT+=1\r",
        b"AT+C SQ\r"[:4] + b"\r",
        b'AT+LSMQTTCFG="topic","x\r',
        b'AT+LSMQTTCFG="topic","a"b"\r',
        b'AT+LSMQTTCFG=topic,"a"\r',
        b'AT+LSMQTTCFG="topic"\r',
        b'AT+LSMQTTCFG="nosuch","a"\r',
        b'AT+LSMQTTCFG="topic","' + b"t" * 129 + b'"\r',
        b'AT+LSMQTTCFG="message",1,"123"\r',
        b'AT+LSMQTTCFG="message",1,"zz"\r',
        b'AT+LSMQTTCFG="qos",3\r',
        b'AT+LSMQTTCFG="topic","\xff"\r',
        b'AT+LSMQTTCFG:"qos",1\r',
        b"AT&\r",
        b"AT!\r",
        b"AT\xe4\r",
        b"AT+CGSN=\xb2\r",
        b"ATS99=1\r",
        b"AT+CPIN=\r"[:7] + b'?"\r',
        b"AT" + b"x" * 5000 + b"\r",
    ],
)
def test_line_that_is_no_command_gets_error_and_the_next_its_answer(line: bytes) -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+CMEE=0\r")
    assert rig.ask(line, 1.0) == b"4\r"
    assert rig.ask(b"AT+CSQ\r") == CSQ


def test_after_an_error_the_rest_of_the_line_is_not_run() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+CEREG=1;+NOSUCH;+CEREG=2\r") == b"4\r"
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 1,1\r\n0\r"


def test_repeat_of_the_last_line_needs_no_carriage_return() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+CSQ\r")
    assert rig.ask(b"A/") == CSQ
    assert rig.ask(b"a/") == CSQ


def test_quiet_module_still_gives_information() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"ATQ1\r") == b""
    assert rig.ask(b"AT+CSQ\r") == b"+CSQ: 22,99\r\n"
    assert rig.ask(b"ATQ0\r") == b"0\r"


@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        (0, b"\r\nERROR\r\n"),
        (1, b"\r\n+CME ERROR: 50\r\n"),
        (2, b"\r\n+CME ERROR: incorrect parameters\r\n"),
    ],
)
def test_errors_in_the_form_that_cmee_asks_for(mode: int, answer: bytes) -> None:
    """F12"""
    rig = Rig(form="E0")
    rig.ask(b"AT+CMEE=%d\r" % mode)
    assert rig.ask(b"AT+CEREG=7\r") == answer


def test_error_with_code_in_atv0() -> None:
    assert Rig(form="V0E0").ask(b"AT+CEREG=7\r") == b"+CME ERROR: 50\r\n"


def test_urc_waits_for_the_end_of_a_line_being_typed_but_not_for_ever() -> None:
    rig = Rig()
    rig.ask(b"AT+CEREG=1\r")
    rig.send(b"AT+CS", 0.1)
    rig.module.network.flap(2)
    rig.wait(0.1)
    assert rig.take() == b"AT+CS"
    rig.send(b"Q\r", 0.5)
    assert rig.take() == b"Q\r\r\n+CEREG: 2\r\n\r\n+CSQ: 22,99\r\n\r\nOK\r\n"
    rig.send(b"AT+CS", 0.1)
    rig.module.network.flap(1)
    rig.wait(2)
    assert rig.take() == b"AT+CS\r\n+CEREG: 1\r\n"


def test_urc_between_command_and_answer_of_a_long_command() -> None:
    """F1"""
    rig = Rig(form="V0E0")
    rig.ask(b"AT+CEREG=1\r")
    rig.send(b"AT+COPS=?\r", 5)
    rig.module.network.flap(2)
    rig.wait(60)
    answer = b'+CEREG: 2\r\n+COPS: (2,"CHINA MOBILE","CHINA MOBILE","46000",7),,(0-4),(0-2)\r\n0\r'
    assert rig.take() == answer


COMMANDS = st.sampled_from(
    [b"AT", b"AT+CSQ", b"AT+CPIN?", b'AT+CPIN="1"', b"AT+CEREG=5", b"AT+COPS=0", b"ATE0", b"ATV1",
     b'AT+LSMQTTCFG="message",1,"00"', b"AT+LSMQTTOPEN=", b"AT+CFUN=1,1", b"AT+IPR=", b"ATD*99#",
     b"ATS3=", b"A/", b"AT+LSMQTTPUB=1", b"AT+CCLK=\"24/02/30,00:00:00\"", b'"', b";", b"=?", b","]
)  # fmt: skip
NOISE = st.binary(max_size=40)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(COMMANDS, NOISE, st.just(b"\r")), max_size=12), st.booleans())
def test_no_input_makes_it_crash_or_fall_silent(pieces: list[bytes], pin: bool) -> None:
    """Whatever comes in, an AT after a reset of the session is answered."""
    rig = Rig(profile_with(['sim.pin="1234"'] if pin else []))
    for piece in pieces:
        rig.send(piece, 0.2)
    rig.wait(20)
    rig.module.uart.baud = 115200
    rig.ask(bytes((rig.module.interpreter.session.registers[3],)), 70)
    session = rig.module.interpreter.session
    end = bytes((session.registers[3],))
    session.quiet = session.echo = False
    session.verbose = True
    assert rig.ask(b"AT" + end) == b"\r\nOK\r\n"


NAMES = sorted(
    name for name in Rig(on=False).module.interpreter.commands if name.startswith(("+", "^", "$"))
)
VALUES = st.one_of(
    st.integers(0, 10).map(str),
    st.integers(-5, 99999999999).map(str),
    st.sampled_from(['"127.0.0.1"', '"topic"', '"clientid"', '"message"', '"contenttype"', '""']),
    st.text(st.characters(max_codepoint=255, exclude_characters='\r"'), max_size=30).map(
        '"{}"'.format
    ),
    st.just(""),
)
FORMS = st.one_of(
    st.sampled_from(["", "?", "=?", "="]),
    st.lists(VALUES, min_size=1, max_size=6).map(lambda values: "=" + ",".join(values)),
)
ENDS = (b"0\r", b"1\r", b"3\r", b"4\r", b"\r\n", b">")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), FORMS), min_size=1, max_size=4))
def test_every_command_with_any_arguments_is_answered(lines: list[tuple[str, str]]) -> None:
    """By a result, an error or a prompt, whatever has been sent before it."""
    rig = Rig(form="V0E0")
    rig.module.profile.patience_s = 0.05
    for name, form in lines:
        got = rig.ask(f"AT{name}{form}\r".encode("latin-1"), 70)
        if not rig.module.get_pin("status"):
            return  # switched off or rebooting, as asked
        rig.module.uart.baud = 115200
        # What is left of a command that took the line for data, or made it quiet, is no answer.
        assert got.endswith(ENDS) or b"$G" in got, (name, form, got)
        if got.endswith(b">"):
            return
