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
        ("3", at.CommandError, None),
        ("NO CARRIER", at.CommandError, None),
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
