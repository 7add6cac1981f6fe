"""Which of the module's lines belong to the command that waits."""

from c1100 import at, dialect
from c1100.exchange import Exchange
from host_tests.support import raises


def feed(exchange, *lines):
    """What is left for the URC table."""
    exchange.written = True
    return [line for line in lines if not exchange.take(at.prefix(line), line)]


def ask(form, *args):
    return Exchange(form, at.render(form.send, args))


def test_information_response_and_result_code():
    exchange = ask(dialect.SIGNAL)
    assert feed(exchange, "+CSQ: 22,99") == []
    assert not exchange.finished
    assert feed(exchange, "0") == []
    assert exchange.finished
    assert exchange.result() == ["+CSQ: 22,99"]


def test_f1_urc_between_command_and_answer():
    exchange = ask(dialect.SIGNAL)
    assert feed(exchange, "+CGREG: 1", "+CSQ: 22,99", "^DATADISCONN", "0") == [
        "+CGREG: 1",
        "^DATADISCONN",
    ]
    assert exchange.result() == ["+CSQ: 22,99"]


def test_f2_urc_with_the_prefix_of_the_answer():
    urcs = ["+CEREG: 2", '+CEREG: 5,"1A2B","01A2D101",9']
    for position in range(3):
        exchange = ask(dialect.EPS_STATE)
        lines = ['+CEREG: 2,1,"00C3","0012",9', "0"]
        lines[position:position] = urcs
        left = feed(exchange, *lines)
        assert exchange.result() == ['+CEREG: 2,1,"00C3","0012",9']
        assert left == urcs, position


def test_f3_urc_inside_an_answer_without_prefix():
    exchange = ask(dialect.IMEI)
    assert feed(exchange, "+CEREG: 5", "RDX", "866207050000001", "0") == ["+CEREG: 5", "RDX"]
    assert exchange.result() == ["866207050000001"]
    exchange = ask(dialect.MODEL)
    assert feed(exchange, "+CEREG: 5", "C1100 MGGT", "0") == ["+CEREG: 5"]
    assert exchange.result() == ["C1100 MGGT"]


def test_f6_echo_whole_half_or_cut_is_swallowed_and_nothing_else():
    for echo in ("AT+CSQ", "AT+C", "+CSQ", "T+CSQ", "SQ"):
        exchange = ask(dialect.SIGNAL)
        assert feed(exchange, echo, "+CSQ: 22,99", "0") == [], echo
        assert exchange.result() == ["+CSQ: 22,99"], echo
        assert exchange.echoed
    exchange = ask(dialect.SIGNAL)
    assert feed(exchange, "AT+CGSN", "+CSQ: 22,99", "0") == ["AT+CGSN"]
    assert not exchange.echoed


def test_f9_result_codes_inside_quotes_are_not_result_codes():
    exchange = ask(dialect.OPERATOR)
    assert feed(exchange, '+COPS: 0,0,"OK",0') == []
    assert not exchange.finished
    assert feed(exchange, '+COPS: 0,0,"ERROR 4 > OK"', "OK") == []
    assert exchange.finished
    assert exchange.verbose


def test_f11_outcome_before_or_after_the_result_code():
    for lines in (("+MQTTOPEN:1", "0"), ("0", "+MQTTOPEN:1"), ("OK", "+MQTTOPEN=1")):
        exchange = ask(dialect.MQTT_OPEN, "a.example", 1883, 60)
        assert feed(exchange, lines[0]) == []
        assert not exchange.finished
        assert feed(exchange, lines[1]) == []
        assert exchange.finished
        assert exchange.result()[-1].startswith("+MQTTOPEN")


def test_outcome_that_tells_of_failure():
    exchange = ask(dialect.MQTT_OPEN, "a.example", 1883, 60)
    feed(exchange, "0", "+MQTTOPEN:0")
    with raises(at.CommandError):
        exchange.result()


def test_f12_errors_of_every_kind_come_at_once():
    for line, kind, code in (
        ("+CME ERROR: 30", at.CmeError, 30),
        ("+CME ERROR: no network service", at.CmeError, 30),
        ("+CMS ERROR: 500", at.CmsError, 500),
        ("ERROR", at.CommandError, None),
        ("4", at.CommandError, None),
    ):
        exchange = ask(dialect.OPERATOR)
        assert feed(exchange, line) == []
        assert exchange.finished
        try:
            exchange.result()
        except kind as error:
            assert getattr(error, "code", None) == code
            assert error.command == "+COPS?"
        else:
            raise AssertionError(line)


def test_no_carrier_ends_only_what_has_one():
    for line in ("3", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE"):
        exchange = ask(dialect.OPERATOR)
        assert feed(exchange, line) == [line]
        assert not exchange.finished
        exchange = ask(dialect.DIAL)
        assert feed(exchange, line) == []
        with raises(at.CommandError):
            exchange.result()
        exchange = ask(dialect.HANG_UP)
        assert feed(exchange, line) == []
        assert exchange.result() == []


def test_what_comes_later_counts_more():
    """A failure, or a success without its answer, may have been an older command's."""
    for first in ("4", "ERROR", "+CME ERROR: 30", "0"):
        exchange = ask(dialect.SIGNAL)
        feed(exchange, first)
        assert exchange.finished and not exchange.sure
        feed(exchange, "+CSQ: 22,99", "0")
        assert exchange.sure
        assert exchange.result() == ["+CSQ: 22,99"]
    exchange = ask(dialect.SIGNAL)
    assert feed(exchange, "0", "+CSQ: 22,99") == []
    assert exchange.result() == ["+CSQ: 22,99"]
    exchange = ask(dialect.IP_HEX, 1)
    feed(exchange, "0")
    assert exchange.sure
    assert feed(exchange, "4") == ["4"]


def test_a_restart_does_not_take_back_an_answer_that_just_comes():
    error = at.Rebooted("the module restarted")
    for before, after in ((("+CSQ: 22,99",), ("0",)), ((), ("+CSQ: 22,99", "0"))):
        exchange = ask(dialect.SIGNAL)
        feed(exchange, *before)
        exchange.interrupt(error, True)
        assert exchange.finished and not exchange.sure
        feed(exchange, *after)
        assert exchange.sure
        assert exchange.result() == ["+CSQ: 22,99"]
    exchange = ask(dialect.SIGNAL)
    exchange.interrupt(error, True)
    with raises(at.Rebooted):
        exchange.result()


def test_an_outcome_that_says_neither_is_a_bad_answer():
    for said, kind in (
        ("+MQTTOPEN:1", None),
        ('+MQTTOPEN: "1"', None),
        ("+MQTTOPEN: 01", None),
        ("+MQTTOPEN:OK", None),
        ("+MQTTOPEN:0", at.CommandError),
        ('+MQTTOPEN:"0"', at.CommandError),
        ("+MQTTOPEN:5", at.CommandError),
        ("+MQTTOPEN:-1", at.CommandError),
        ("+MQTTOPEN:ERROR", at.CommandError),
        ("+MQTTOPEN:", at.BadAnswer),
        ("+MQTTOPEN:,", at.BadAnswer),
        ("+MQTTOPEN:1x", at.BadAnswer),
        ("+MQTTOPEN", at.BadAnswer),
    ):
        exchange = ask(dialect.MQTT_OPEN, "a.example", 1883, 60)
        feed(exchange, "0", said)
        assert exchange.finished, said
        if kind is None:
            assert exchange.result() == [said]
        else:
            with raises(kind):
                exchange.result()
    for said in ("+LSIPOPEN=1", "+LSIPOPEN=", "+LSIPOPEN=1,x", "+LSIPOPEN=1,"):
        exchange = ask(dialect.IP_OPEN, 1, 0, "a.example", 80, 0)
        feed(exchange, said, "0")
        with raises(at.BadAnswer):
            exchange.result()


def test_ring_is_never_a_result():
    exchange = ask(dialect.SIGNAL)
    assert feed(exchange, "2", "RING") == ["2", "RING"]
    assert not exchange.finished


def test_nothing_is_taken_before_the_command_has_left_but_its_echo():
    exchange = ask(dialect.SIGNAL)
    assert not exchange.take("0", "0", False)
    assert not exchange.take("+CSQ", "+CSQ: 7,99", False)
    assert exchange.take("AT+CSQ", "AT+CSQ", False)


def test_synchronising_question_ignores_older_result_codes():
    exchange = Exchange(dialect.SIGNAL, "+CSQ", True)
    assert feed(exchange, "0", "+CME ERROR: 30", "ERROR") == []
    assert not exchange.finished
    assert exchange.late == 3
    feed(exchange, "+CSQ: 22,99", "0")
    assert exchange.finished
    assert exchange.result() == ["+CSQ: 22,99"]


# A line beside the result code that tells how a command has ended --------------------------------

LSIP = (
    (dialect.IP_PROFILE, ("CMNET",), ()),
    (dialect.IP_CALL, (), ("+LSIPCALL:1, 10.32.226.112",)),
    (dialect.IP_HANG_UP, (), ()),
    (dialect.IP_HEX, (1,), ()),
    (dialect.IP_OPEN, (1, 0, "a.example", 7, 0), ("+LSIPOPEN=1,1",)),
    (dialect.IP_SEND, (1, b"123"), ("+LSIPSEND:1,1497",)),
    (dialect.IP_PUSH, (1,), ()),
    (dialect.IP_CLOSE, (1,), ("+LSIPCLOSE:1,3,3,0",)),
    (dialect.IP_TRANSPARENT, (1, 1, 5000, 600), ()),
)


def test_verdict_of_failure_anywhere_in_front_of_the_result_code():
    for form, args, lines in LSIP:
        for verdict in ("+LSIP:ERROR", "+LSIP: ERROR", "+LSIP=ERROR", "+LSIP:ERROR,5", "+LSIP:"):
            for code in ("0", "OK", "4", "ERROR"):
                for place in range(len(lines) + 1):
                    exchange = ask(form, *args)
                    said = list(lines)
                    said.insert(place, verdict)
                    assert feed(exchange, *said) == [], (form.send, said)
                    assert exchange.enough
                    assert feed(exchange, code) == []
                    assert exchange.finished
                    with raises(at.CommandError) as caught:
                        exchange.result()
                    assert caught.error.outcome == verdict, (form.send, said, code)


def test_verdict_of_failure_behind_the_result_code():
    for form, args in ((dialect.IP_PUSH, (1,)), (dialect.IP_TRANSPARENT, (1, 1, 5000, 600))):
        exchange = ask(form, *args)
        assert feed(exchange, "0") == []
        assert not exchange.finished
        assert exchange.enough  # it may also never come
        assert exchange.result() == []
        assert feed(exchange, "+LSIP:ERROR") == []
        assert exchange.finished
        with raises(at.CommandError):
            exchange.result()


def test_verdict_of_success():
    for form, args, lines in LSIP:
        for verdict in ((), ("+LSIP:OK",), ("+LSIP: OK ",)):
            exchange = ask(form, *args)
            assert feed(exchange, *lines, *verdict, "0") == []
            assert exchange.finished or form.then == dialect.VERDICT
            assert exchange.result()[: len(lines)] == list(lines)
    # Failure is not taken back, and what another kind of command hears is not about it.
    exchange = ask(dialect.IP_PUSH, 1)
    feed(exchange, "+LSIP:ERROR", "+LSIP:OK", "0")
    with raises(at.CommandError):
        exchange.result()
    exchange = ask(dialect.SIGNAL)
    assert feed(exchange, "+LSIP:ERROR", "+CSQ: 22,99", "0") == ["+LSIP:ERROR"]
    assert exchange.result() == ["+CSQ: 22,99"]


def test_outcome_and_answer_of_another_socket():
    for form, args, other, own in (
        (dialect.IP_OPEN, (1, 0, "a.example", 7, 0), "+LSIPOPEN=2,0", "+LSIPOPEN=1,1"),
        (dialect.IP_OPEN, (1, 0, "a.example", 7, 0), "+LSIPOPEN:3,1", "+LSIPOPEN:1,1"),
        (dialect.IP_SEND, (1, b"1"), "+LSIPSEND:2,1400", "+LSIPSEND: 1, 1499"),
        (dialect.IP_CLOSE, (4,), "+LSIPCLOSE:1,3,3,0", '+LSIPCLOSE:"04",0,0,0'),
    ):
        exchange = ask(form, *args)
        assert feed(exchange, other, own, other, "0") == [other, other]
        assert exchange.result() == [own]


def test_what_told_of_the_failure():
    for lines, kind, outcome in (
        (("+LSIPOPEN=1,0", "0"), at.CommandError, "+LSIPOPEN=1,0"),
        (("+LSIPOPEN:1,0", "4"), at.CommandError, "+LSIPOPEN:1,0"),
        (("0", "+LSIPOPEN=1,0"), at.CommandError, "+LSIPOPEN=1,0"),
        (("+LSIPOPEN=1,0", "+CME ERROR: 30"), at.CmeError, "+LSIPOPEN=1,0"),
        (("4",), at.CommandError, None),
        (("+CME ERROR: 30",), at.CmeError, None),
    ):
        exchange = ask(dialect.IP_OPEN, 1, 0, "a.example", 7, 0)
        feed(exchange, *lines)
        assert exchange.finished
        with raises(kind) as caught:
            exchange.result()
        assert caught.error.outcome == outcome, lines


def test_outcome_that_may_be_missing():
    for name in ("+MQTTCLOSE", "+LSMQTTCLOSE"):
        for lines in (("0", name + ":1"), (name + ": 1", "OK"), ("0", name + "=1")):
            exchange = ask(dialect.MQTT_CLOSE)
            assert feed(exchange, *lines) == []
            assert exchange.finished
            assert len(exchange.result()) == 1
        exchange = ask(dialect.MQTT_CLOSE)
        feed(exchange, "0")
        assert exchange.enough and not exchange.finished
        assert exchange.result() == []
        feed(exchange, name + ":0")
        with raises(at.CommandError) as caught:
            exchange.result()
        assert caught.error.outcome == name + ":0"
    exchange = ask(dialect.MQTT_OPEN, "h", 1, 60)
    feed(exchange, "0")
    assert not exchange.enough
