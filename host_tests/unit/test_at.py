"""AT grammar: parameters, result codes, errors, and command lines that cannot be broken into."""

import c1100
from c1100 import at, dialect, errors
from host_tests.support import raises
from host_tests.support.forms import all_forms


def test_params_as_the_manual_prints_them():
    table = (
        ('+CEREG: 5,"1A2B",,9', [5, "1A2B", None, 9]),
        ("+CSQ: 22,99", [22, 99]),
        ("+CPIN: READY", ["READY"]),
        ("+CPIN:SIM PIN ", ["SIM PIN"]),
        ('+COPS: 0,2,"46000",0', [0, 2, "46000", 0]),
        ("+LSIPCALL:1, 10.32.226.112", [1, "10.32.226.112"]),
        ("+LSIPCALL: 1, 10.32.226.112", [1, "10.32.226.112"]),
        ("+LSIPOPEN=1,1", [1, 1]),
        ("+LSIPOPEN:2,3,4", [2, 3, 4]),
        ("+LSIPRTCP=1,3,313233", [1, 3, 313233]),
        ("+LSIP:OK ", ["OK"]),
        ('+CPSMS: 1,,,"00100001","00000101"', [1, None, None, "00100001", "00000101"]),
        ("^DATADISCONN", []),
        ("+X:", []),
        ("+X: ,", [None, None]),
        ('+X: "a,b:c=d",-7', ["a,b:c=d", -7]),
        ('+X: "" , 1A', ["", "1A"]),
        ('+X: "open', ["open"]),
        ("-5,x", [-5, "x"]),
        ("+X: \u00b2,-,--1", ["\u00b2", "-", "--1"]),
    )
    for line, want in table:
        assert at.params(line) == want, line


def test_prefix():
    table = (
        ("+CEREG: 5", "+CEREG"),
        ("+LSIPOPEN=1,1", "+LSIPOPEN"),
        ("+LSIP:OK ", "+LSIP"),
        ("^ENTERPSMMODE", "^ENTERPSMMODE"),
        ("866207050000001 ", "866207050000001"),
    )
    for line, want in table:
        assert at.prefix(line) == want, line


def test_result_codes_numeric_and_verbose():
    for code, digit, word in (
        (at.OK, "0", "OK"),
        (at.CONNECT, "1", "CONNECT"),
        (at.RING, "2", "RING"),
        (at.NO_CARRIER, "3", "NO CARRIER"),
        (at.ERROR, "4", "ERROR"),
    ):
        assert at.result(digit) == code
        assert at.result(word) == code
        assert at.result(word + " ") == code
    assert at.result("CONNECT 115200") == at.CONNECT
    for line in ("10", "OKAY", "+LSIP:OK", '"OK"', "5", "+CME ERROR: 10", "BOOKING OK", ""):
        assert at.result(line) is None, line


def test_errors_with_numbers_and_words():
    error = at.error("+CME ERROR: 10", "+CPIN?")
    assert isinstance(error, at.CmeError)
    assert error.code == 10
    assert str(error) == "AT+CPIN?: +CME ERROR 10 (SIM not inserted)"
    error = at.error("+CME ERROR: incorrect password")
    assert error.code == 16
    error = at.error("+CME ERROR: something of its own")
    assert error.code is None
    assert "something of its own" in str(error)
    error = at.error("+CMS ERROR: 500")
    assert isinstance(error, at.CmsError)
    assert error.code == 500
    assert at.error("ERROR") is None
    assert at.error("+CSQ: 1,2") is None


def test_every_error_is_a_c1100_error():
    kinds = {}
    for module in (at, errors):
        kinds.update({k: v for k, v in module.__dict__.items() if isinstance(v, type)})
    assert len(kinds) > 15
    for name, kind in kinds.items():
        assert issubclass(kind, at.C1100Error), kind
        assert getattr(c1100, name) is getattr(at, name) is kind


def test_a_name_that_is_no_error_and_no_module():
    for name in ("NoError", "_nothing"):
        assert not hasattr(at, name)
        assert not hasattr(c1100, name)
    try:
        assert c1100.nothing
    except ImportError:
        pass
    else:
        raise AssertionError("c1100.nothing")


def test_text_drops_noise_in_front_and_keeps_the_line():
    assert at.text(b"+CSQ: 22,99") == "+CSQ: 22,99"
    assert at.text(b"\xff\x00\x80+CSQ: 22,99") == "+CSQ: 22,99"
    assert at.text(b"+A\xff\x01B") == "+A??B"
    assert at.text(b"\xff\xfe") == ""
    assert at.text(b"  +LSIPCALL:1, 10.1.2.3 ") == "+LSIPCALL:1, 10.1.2.3 "
    assert at.text(b' \xf0+COPS: 0,0,"\xc3\xa9"') == '+COPS: 0,0,"\u00e9"'


def test_shapes_tell_an_answer_from_a_urc():
    assert at.read('+X: 2,5,"1A2B"', "ii") == [2, 5, "1A2B"]
    assert at.read('+X: 5,"1A2B","01"', "ii") is None
    assert at.read("+X: 5", "ii") is None
    assert at.read('+X: ,"x"', "?s") == [None, "x"]
    assert at.read("+X: ,", "i") is None
    assert at.read("+X", "i") is None


def test_an_answer_is_read_by_its_shape():
    """Blanks, quotes, leading zeros, missing and further fields: the value, None or no answer."""
    table = (
        ("i", "+CSQ: 22", [22]),
        ("i", "+CSQ=22", [22]),
        ("i", "+CSQ : 22 ", [22]),
        ("i", '+CSQ: "22"', [22]),
        ("i", '+CSQ: " 022 "', [22]),
        ("i", "+CSQ:-7", [-7]),
        ("i", "+CSQ: 0x16", None),
        ("i", "+CSQ: 22.5", None),
        ("i", "+CSQ: \u00b2", None),
        ("i", "+CSQ: -", None),
        ("i", '+CSQ: ""', None),
        ("i", "+CSQ:", None),
        ("iI", "+CSQ: 22,99", [22, 99]),
        ("iI", "+CSQ: 22", [22, None]),
        ("iI", "+CSQ: 22,", [22, None]),
        ("iI", '+CSQ: 22,""', [22, None]),
        ("iI", "+CSQ: 22, ", [22, None]),
        ("iI", "+CSQ: 22,9x", None),
        ("iI", '+CSQ: 22,99,"a",7,', [22, 99, "a", 7, None]),
        ("iSS", "+CPSMS: 1,00000101", [1, "00000101", None]),
        ("iSS", '+CPSMS: 1,,"00000101"', [1, None, "00000101"]),
        ("iSS", '+CPSMS: 1,""," 0101 "', [1, None, "0101"]),
        ("s", "+CPIN:SIM PIN ", ["SIM PIN"]),
        ("s", '+CPIN: "READY"', ["READY"]),
        ("s", '+CPIN: ""', None),
        ("s", "+CPIN: ", None),
        ("r", '+CCLK: "24/05/13,10:00:00+08"', ["24/05/13,10:00:00+08"]),
        ("r", "+CCLK: 24/05/13,10:00:00+08 ", ["24/05/13,10:00:00+08"]),
        ("r", "+CCLK:", None),
        ("r", "C1100 MGGT", ["C1100 MGGT"]),
        ("r", ' "866207050000001" ', ["866207050000001"]),
        ("??", '+X: "5"', ["5", None]),
        ("", "+LSIPOPEN:2,3,4", [2, 3, 4]),
        ("", "+LSIPOPEN:", []),
        ("IIII", "+LSIPOPEN:", [None, None, None, None]),
        ("IIII", '+LSIPOPEN: 2,"3", 04', [2, 3, 4, None]),
    )
    for shape, line, want in table:
        assert at.read(line, shape) == want, (shape, line)


def test_a_registration_is_told_from_its_urc():
    shape = dialect.EPS_STATE.shape
    for line in (
        '+CEREG: 5,"0012","01A2D101",9',
        '+CEREG: 5,"0005","01A2D101",9',
        "+CEREG: 5,0005,01A2D101,9",
        '+CEREG: 5,"7"',
        '+CEREG: "5","0005","01A2D101",9',
        "+CEREG: 5",
        '+CEREG: "5"',
        "+CEREG: 005,0005,000000A1,009",
        "+CEREG: 5,1234",
        '+CEREG: 5,"1A2B","01A2D101",9,,,"00000101","00100001"',
    ):
        assert at.read(line, shape) is None, line
    for line in (
        "+CEREG: 2,5",
        '+CEREG:"2","5"',
        "+CEREG: 02, 05 ",
        "+CEREG: 002,005",
        "+CEREG: 0002,0005",
        '+CEREG: "002","005"',
        "+CEREG=2,5,,,,,,,",
        "+CEREG: 2,5,",
    ):
        assert at.read(line, shape)[:9] == [2, 5] + [None] * 7, line
    assert at.read('+CEREG: 4,1,0012,"01A2D101",9,,,00000101,"00100001"', shape) == [
        4,
        1,
        "0012",
        "01A2D101",
        9,
        None,
        None,
        "00000101",
        "00100001",
    ]


def test_render():
    form = "+LSMQTTOPEN={host:q64},{port:d65535},{keepalive:d65535}"
    assert at.render(form, ("a.example", 1883, 60)) == '+LSMQTTOPEN="a.example",1883,60'
    assert at.render("+CSQ") == "+CSQ"
    assert at.render('+M="message",1,{m:h4}', (b"\x00\xff",)) == '+M="message",1,"00ff"'
    assert at.render("+M={m:h}", ("az",)) == '+M="617a"'
    assert at.render("+R={r:d1}", (True,)) == "+R=1"


def test_render_refuses_what_would_end_or_split_a_command():
    for value in ('a"b', "a\rAT+CFUN=0", "a\nb", "a\x1ab", "a\x1bb", "a\x00", "\u00e4", "x" * 9):
        with raises(at.BadArgument):
            at.render("+X={value:q8}", (value,))
    for value in (-1, 8, 1.5, "1", None):
        with raises(at.BadArgument):
            at.render("+X={value:d7}", (value,))
    with raises(at.BadArgument):
        at.render("+X={value:h2}", (b"abc",))
    for value in (7, None, [1], 2.5):
        with raises(at.BadArgument):
            at.render("+X={value:h2}", (value,))
    with raises(at.BadArgument):
        at.render("+X={value:d7}", ())
    with raises(at.BadArgument):
        at.check_line("+CSQ\rAT+CFUN=0")


def test_an_error_names_form_and_argument_but_never_the_value():
    try:
        at.render("+CPIN={pin:q8}", ('12"34',))
    except at.BadArgument as error:
        assert "+CPIN" in str(error)
        assert "pin" in str(error)
        assert "34" not in str(error)
        assert error.command == "+CPIN={pin:q8}"
    else:
        raise AssertionError("accepted")


def test_no_template_in_what_a_person_reads():
    """Its fields mean nothing to a reader; the error knows them."""
    for name, form in all_forms():
        if not form.send:  # what comes by itself
            continue
        for kind in (at.CommandError, at.Timeout, at.BadAnswer, at.BadArgument, at.Rebooted):
            error = kind("ERROR", form.send)
            said = str(error)
            assert "{" not in said and "}" not in said, name
            fields = "..." if "{" in form.send else ""
            assert said == "AT%s%s: ERROR" % (form.send.split("{")[0], fields), said
            assert error.command == form.send
        said = str(at.error("+CME ERROR: 16", form.send))
        assert "{" not in said and said.startswith("AT" + form.send.split("{")[0]), said
