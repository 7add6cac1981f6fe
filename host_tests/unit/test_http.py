"""HTTP over a scripted module."""

from c1100 import BadArgument, CommandError, Overflow, PayloadError, Timeout
from host_tests.support import fails
from host_tests.support.driver import start
from host_tests.support.streams import at_every_split

SIGNAL = ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")
URL = (("AT+LSHTTPURL=15", b">"), (b"http://a.test/x", b"0\r"))
NASTY = b'{"a":1}\r\nOK\r\n0\r4\r\n+CSQ: 1,2\r\n\x00\xff'


async def test_get_with_a_body_that_looks_like_answers():
    async def scenario():
        module, modem = start(
            *URL,
            ('AT+LSHTTPHEADERINFO="Accept","*/*"', b"0\r"),
            (
                "AT+LSHTTPGET",
                b"+LSHTTPGET: 0,200,%d\r\n" % len(NASTY) + NASTY + b"\r\n0\r",
            ),
            SIGNAL,
        )
        reply = await modem.http.get("http://a.test/x", headers={"Accept": "*/*"})
        level = (await modem.signal()).rssi
        modem.close()
        return module, (reply.status_code, reply.content, level)

    await at_every_split(scenario)
    assert (await scenario())[1] == (200, NASTY, -69)


async def test_post_of_json():
    module, modem = start(
        *URL,
        ('AT+LSHTTPCFG="contenttype",4', b"0\r"),
        ("AT+LSHTTPPOST=8", b">"),
        (b'{"t": 1}', b"+LSHTTPPOST: 0,201,2\r\nok0\r"),
    )
    with await modem.http.post("http://a.test/x", json={"t": 1}) as reply:
        assert reply.status_code == 201
        assert reply.text == "ok"
    module.check()
    modem.close()


async def test_content_types():
    for headers, kind in (
        (None, 2),
        ({"Content-Type": "application/json"}, 4),
        ({"content-type": "application/x-www-form-urlencoded"}, 0),
        ({"Content-Type": "text/plain"}, 5),
    ):
        steps = list(URL)
        for name, value in (headers or {}).items():
            steps.append(('AT+LSHTTPHEADERINFO="%s","%s"' % (name, value), b"0\r"))
        module, modem = start(
            *steps,
            ('AT+LSHTTPCFG="contenttype",%d' % kind, b"0\r"),
            ("AT+LSHTTPPOST=1", b">"),
            (b"x", b"+LSHTTPPOST: 0,204,0\r\n0\r"),
        )
        reply = await modem.http.post("http://a.test/x", data="x", headers=headers)
        assert reply.status_code == 204
        module.check()
        modem.close()


async def test_statuses_are_answers_and_no_answer_is_an_error():
    for said, status in ((b"0,404,0", 404), (b"0,500,3\r\nbad", 500), (b"0,301,0", 301)):
        module, modem = start(*URL, ("AT+LSHTTPGET", b"+LSHTTPGET: " + said + b"\r\n0\r"))
        assert (await modem.http.get("http://a.test/x")).status_code == status
        module.check()
        modem.close()
    for said in (b"+LSHTTPGET: 1,0,0\r\n0\r", b"4\r"):
        module, modem = start(*URL, ("AT+LSHTTPGET", said), SIGNAL)
        await fails(CommandError, modem.http.get("http://a.test/x"))
        assert (await modem.signal()).rssi == -69
        module.check()
        modem.close()


async def test_long_body_by_pieces_or_not_at_all():
    body = bytes(range(256)) * 40
    said = b"+LSHTTPGET: 0,200,%d\r\n" % len(body) + body + b"0\r"
    module, modem = start(*URL, ("AT+LSHTTPGET", said), *URL, ("AT+LSHTTPGET", said), SIGNAL)
    got = bytearray()
    await modem.http.get("http://a.test/x", sink=got.extend)
    assert got == body
    await fails(Overflow, modem.http.get("http://a.test/x", limit=1000))
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f23_body_that_stops():
    module, modem = start(
        *URL, ("AT+LSHTTPGET", b"+LSHTTPGET: 0,200,10\r\nabc", (9000, b"\r\n0\r")), SIGNAL
    )
    error = await fails((PayloadError, Timeout), modem.http.get("http://a.test/x"))
    assert isinstance(error, PayloadError)
    assert (error.got, error.want) == (3, 10)
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f19_nothing_can_be_smuggled_through_url_and_headers():
    module, modem = start()
    for url in (
        "a.test",
        "http://a b",
        "http://a\r\nAT+CFUN=0",
        "http://a+++",
        "http://" + "x" * 600,
    ):
        await fails(BadArgument, modem.http.get(url))
    for name, value in (('a"b', "c"), ("a", "b\r\nc"), ("a", 'b"'), ("a" * 65, "b")):
        await fails(BadArgument, modem.http.get("http://a.test/x", headers={name: value}))
    await fails(BadArgument, modem.http.post("http://a.test/x", data=b"x" * 5000))
    assert module.heard == []
    modem.close()
