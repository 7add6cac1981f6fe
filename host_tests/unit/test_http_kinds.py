"""HTTP in every form that the manual's lost figures leave open, and with what is wrong.

Each table gives a kind of input with its right value.
"""

import asyncio
import gc
import time

from c1100 import (
    BadAnswer,
    BadArgument,
    C1100Error,
    CommandError,
    Overflow,
    PayloadError,
    Timeout,
    dialect,
)
from c1100.http_answer import Response
from host_tests.support import fails, raises
from host_tests.support.driver import Table, start

URL = "http://a.test/x"
GET = "AT+LSHTTPGET"
POST = "AT+LSHTTPPOST="
BODIES = (
    b'{"time": 1800000000}',
    b"ok",
    b"x",
    b"OK",
    b"0",
    b"4",
    b"1\r\nOK\r\n0\r2",
    b'{"a":1}\r\nOK\r\n0\r4\r\n+CSQ: 1,2\r\n\x00\xff',
    b"\xc3\xa4\xff" * 50,
    bytes(range(256)),
    b"x" * 3000,
)


def module(said):
    """A module that says so to a GET, and to the body of a POST."""
    table = {
        "AT+CSQ": (b"+CSQ: 22,99\r\n0\r",),
        "AT+CGREG?": (b"+CGREG: 1,1\r\n0\r",),
        "AT+LSHTTPURL=": (b">",),
        POST: (b">",),
        ">": (b"0\r",),
        GET: said,
    }
    return start(Table(table))


async def get(said, **options):
    """(status, content) or the error of a GET, and the seconds that it took."""
    _, modem = module(said)
    begin = time.ticks_ms()
    try:
        reply = await modem.http.get(URL, **options)
        got = (reply.status_code, reply.content)
    except C1100Error as error:
        got = error
    took = time.ticks_diff(time.ticks_ms(), begin) / 1000
    assert (await modem.signal()).rssi == -69, said
    assert (await modem.signal()).rssi == -69, said
    assert modem._channel._payload is None
    modem.close()
    return got, took


# What can be told apart -------------------------------------------------------------------------

# {n} the length, {b} the body; what is said at once, and what 300 ms later
FORMS = (
    (b"+LSHTTPGET: 0,200,{n}\r\n{b}0\r", None),
    (b"+LSHTTPGET: 0,200,{n}\r\n{b}\r\n0\r", None),
    (b"\r\n+LSHTTPGET: 0,200,{n}\r\n{b}\r\nOK\r\n", None),
    (b"+LSHTTPGET: 0,200,{n}\r\n{b}\r\n", b"0\r"),
    (b"+LSHTTPGET: 0,200,{n}\r\n", b"{b}0\r"),
    (b"+LSHTTPGET: 0,200,{n}\r{b}0\r", None),
    (b"+LSHTTPGET: 0,200,{n}\r\r\n{b}0\r", None),
    (b"+LSHTTPGET: 0,200,{n}\r\r\n{b}\r\r\nOK\r\r\n", None),
    (b"+HTTPGET: 0,200,{n}\r\n{b}0\r", None),
    (b"+LSHTTPGET=0,200,{n}\r\n{b}0\r", None),
    (b"+HTTPGET=0,200,{n}\r\n{b}0\r", None),
    (b" +LSHTTPGET : 0 , 200 , {n} \r\n{b}0\r", None),
    (b'+LSHTTPGET: "0","200","{n}"\r\n{b}0\r', None),
    (b"+LSHTTPGET: 00,0200,00{n}\r\n{b}0\r", None),
    (b"+LSHTTPGET: 0,200,{n},1\r\n{b}0\r", None),
    (b"^SIMST: 1\r\n+LSHTTPGET: 0,200,{n}\r\n{b}\r\n+CEREG: 1\r\n^X: 2\r\n0\r", None),
    (b"RING\r\n+LSHTTPGET: 0,200,{n}\r\n{b}\r\nRING\r\n3\r$GPGGA,1*00\r\n0\r", None),
    # The result code first
    (b"0\r+LSHTTPGET: 0,200,{n}\r\n{b}", None),
    (b"\r\nOK\r\n\r\n+HTTPGET: 0,200,{n}\r\n{b}", None),
    (b"0\r", b"+LSHTTPGET: 0,200,{n}\r\n{b}\r\n"),
    (b"0\r+LSHTTPGET: 0,200,{n}\r\n", b"{b}"),
)
# The result code between the numbers and the body: there is no other one.
BETWEEN = (b"0\r", b"0\r\n", b"OK\r\n", b"\r\nOK\r\n")


def fill(text, body):
    return text.replace(b"{n}", b"%d" % len(body)).replace(b"{b}", body)


async def test_every_form_of_an_answer_is_read():
    tried = 0
    for now, later in FORMS:
        for body in BODIES + (b"",):
            said = (fill(now, body),)
            if later is not None:
                said += ((300, fill(later, body)),)
            got, took = await get(said)
            assert got == (200, body), (now, later, body, got)
            assert took < 5, (now, body, took)
            tried += 1
    assert tried == len(FORMS) * 12


async def test_result_code_between_the_numbers_and_the_body():
    for code in BETWEEN:
        for body in BODIES:
            if b"\r\nOK" in body:
                continue  # which code is the code cannot be told
            said = b"+LSHTTPGET: 0,200,%d\r\n%s%s" % (len(body), code, body)
            got, took = await get((said,))
            plain = len(body) > 4 and not any(c < 32 or c > 126 for c in body[-6:])
            if plain or not isinstance(got, PayloadError):
                assert got == (200, body), (code, body, got)
            assert took < 11, (code, body, took)


async def test_without_a_length():
    for header in (b"0,200", b"0,200,", b'0,200,""'):
        for code in (b"0\r", b"\r\n0\r", b"\r\nOK\r\n"):
            for body in BODIES + (b"",):
                said = b"+LSHTTPGET: " + header + b"\r\n" + body + code
                got, took = await get((said,))
                assert got == (200, body), (header, code, body)
                assert took < 5
    for body in BODIES:  # behind the result code
        got, took = await get((b"0\r+LSHTTPGET: 0,200\r\n" + body,))
        assert got in ((200, body), (200, body[:-1])), body  # the last may look like a code
        assert took < 5


async def test_numbers_behind_the_body():
    for body in BODIES:
        said = body + b"\r\n+LSHTTPGET: 0,200,%d\r\n0\r" % len(body)
        got, took = await get((said,))
        one_line = not any(c < 32 or c > 126 for c in body) and len(body) < 1000
        if body in (b"OK", b"0"):
            assert not isinstance(got, C1100Error)  # a result code in front, and the body "0\r"
        elif body == b"4":
            assert isinstance(got, (CommandError, PayloadError))
        elif one_line:
            assert got == (200, body), (body, got)
        else:
            assert isinstance(got, PayloadError), (body, got)
            assert got.status == 200
        assert took < 11, body


async def test_numbers_on_the_last_line_of_the_body():
    for name in (b"+LSHTTPGET: ", b"+HTTPGET=", b"+LSHTTPGET:"):
        for body in BODIES:
            got, took = await get((body + name + b"0,200,%d\r\n0\r" % len(body),))
            if not any(c < 32 or c > 126 for c in body) and len(body) < 1000:
                assert got == (200, body), (body, got)
            else:
                assert isinstance(got, (PayloadError, BadAnswer)), (body, got)
            assert took < 5, body


async def test_a_length_that_is_wrong():
    """Typed within seconds, with what the server said; nothing is taken for success."""
    for more in (1, 2, 3, 5, 100, 5000):
        for code in (b"0\r", b"\r\n0\r", b"\r\nOK\r\n"):
            for body in BODIES:
                if code[0] == 13 and more < 3:
                    continue  # that is how a body ends that has a line end of its own
                said = b"+LSHTTPGET: 0,200,%d\r\n%s%s" % (len(body) + more, body, code)
                got, took = await get((said,), limit=10000)
                assert isinstance(got, PayloadError), (more, code, body, got)
                assert got.status == 200
                assert took < 11, (more, code, body)
    for less in (1, 2, 3, 15):
        for code in (b"0\r", b"\r\n0\r", b"\r\nOK\r\n"):
            for body in BODIES:
                if len(body) <= less or body[-less] < 32 or body[-less] > 126:
                    continue
                if body[-less:] in (b"2", b"0\r2"):
                    continue  # result codes, whosever they are
                said = b"+LSHTTPGET: 0,200,%d\r\n%s%s" % (len(body) - less, body, code)
                got, took = await get((said,))
                assert isinstance(got, PayloadError), (less, code, body, got)
                assert (got.status, got.want) == (200, len(body) - less)
                assert took < 11, (less, code, body)


async def test_an_answer_that_ends_early():
    whole = b"+LSHTTPGET: 0,200,20\r\n" + b'{"time": 1800000000}' + b"0\r"
    for n in [0, 5, 12, 20] + list(range(22, len(whole))):
        got, took = await get((whole[:n],))
        if n < 22:
            assert isinstance(got, (BadAnswer, Timeout)), (n, got)
        elif n < 42:
            assert isinstance(got, PayloadError), (n, got)
            assert took < 11
        else:  # but for the result code
            assert got == (200, whole[22:42])
            assert took < 11


async def test_statuses():
    for status in (100, 200, 204, 301, 400, 401, 404, 413, 500, 503, 599):
        assert (await get((b"+LSHTTPGET: 0,%d,2\r\nok0\r" % status,)))[0] == (status, b"ok")
    for status in (b"0", b"20", b"99", b"600", b"-200", b"2x0", b"x", b"", b"99999999999", b'"'):
        got, took = await get((b"+LSHTTPGET: 0,%s,2\r\nok0\r" % status,))
        assert isinstance(got, BadAnswer), (status, got)
        assert took < 11


async def test_the_first_number():
    for failed in (b"1", b"2", b"100", b"-1", b"07", b'"3"'):
        for rest in (
            b",0,0\r\n0\r",
            b",200,2\r\nok0\r",
            b"\r\n0\r",
            b",0\r\n0\r",
            b",0,0\r\r\n0\r",
        ):
            got, took = await get((b"+LSHTTPGET: " + failed + rest,))
            assert isinstance(got, CommandError), (failed, rest, got)
            assert took < 5
    for failed in (b"", b"x", b"1x", b"0x0"):
        got, took = await get((b"+LSHTTPGET: " + failed + b",200,2\r\nok0\r",))
        assert isinstance(got, BadAnswer), (failed, got)
        assert took < 11


async def test_each_field_mutated():
    """Always a typed end within seconds, and the next command gets its own answer."""
    values = (
        b"",
        b"1x0",
        b"x",
        b"99999999999",
        b"-1",
        b'"',
        b'"0"',
        b" 0 ",
        b"0,0",
        b"\xff",
        b"7",
    )
    fields = [b"0", b"200", b"2"]
    for prefix in (b"+LSHTTPGET: ", b"+HTTPGET="):
        for i in range(3):
            for value in values + (None,):
                changed = [f for j, f in enumerate(fields) if j != i or value is not None]
                if value is not None:
                    changed[i] = value
                for end in (b"\r\n", b"\r", b"\r\r\n"):
                    said = prefix + b",".join(changed) + end + b"ok0\r"
                    got, took = await get((said,), limit=100)
                    assert took < 11, (said, took)
                    if not isinstance(got, C1100Error):
                        assert got[0] == 200, (said, got)
                        assert got[1] == b"ok" or i == 2, (said, got)
    for said in (b"+LSHTTPGET0,200,2\r\nok0\r", b": 0,200,2\r\nok0\r", b"0,200,2\r\nok0\r"):
        got, took = await get((said,))
        assert isinstance(got, (BadAnswer, Timeout)), (said, got)
        assert took < 122


async def test_result_codes():
    for code in (b"4\r", b"\r\nERROR\r\n", b"+CME ERROR: 30\r\n", b"+CME ERROR: x\r\n"):
        for before in (b"", b"+LSHTTPGET: 1,0,0\r\n", b"+LSHTTPGET: 0,200,2\r\nok\r\n"):
            got, took = await get((before + code,))
            assert isinstance(got, CommandError), (before, code)
            assert took < 1


async def test_no_answer_at_all():
    got, took = await get(())
    assert isinstance(got, Timeout) and took < 122
    got, took = await get((b"0\r",))
    assert isinstance(got, BadAnswer) and took < 122


async def test_silence_within_the_body_and_whoever_goes_on():
    _, modem = module((b"+LSHTTPGET: 0,200,3000\r\nabc",))
    table = modem._channel.stream
    task = asyncio.create_task(fails(PayloadError, modem.http.get(URL)))
    await asyncio.sleep_ms(200)
    for _ in range(200):
        table.say(b"$GPGGA,1*00\r\n", 250)
    await task
    modem.close()


async def test_too_long_and_sinks():
    body = bytes(range(256)) * 10
    said = b"+LSHTTPGET: 0,200,%d\r\n%s0\r" % (len(body), body)
    for limit in (0, 1, 2559):
        got, took = await get((said,), limit=limit)
        assert isinstance(got, Overflow)
        assert (got.status, took < 2) == (200, True)
    got, _ = await get((said.replace(b",2560", b""),), limit=100)
    assert isinstance(got, Overflow)
    pieces = bytearray()
    got, _ = await get((said,), sink=pieces.extend)
    assert (got, bytes(pieces)) == ((200, b""), body)
    pieces = bytearray()
    got, _ = await get((said.replace(b",2560", b",2600"),), sink=pieces.extend)
    assert isinstance(got, PayloadError)
    assert bytes(pieces) == body  # and not the result code behind it
    for more in (1, 2, 3):
        got, _ = await get((b"+LSHTTPGET: 0,200,%d\r\nok0\r" % (2 + more),), sink=pieces.extend)
        assert isinstance(got, PayloadError), more
    pieces = bytearray()
    got, _ = await get((b"hello\r\n+LSHTTPGET: 0,200,5\r\n0\r",), sink=pieces.extend)
    assert (got, bytes(pieces)) == ((200, b""), b"hello")

    def bad(_):
        raise KeyError("sink")

    _, modem = module((said,))
    await fails(KeyError, modem.http.get(URL, sink=bad))
    assert (await modem.signal()).rssi == -69
    modem.close()


async def test_body_of_a_post_with_an_echo_and_every_form():
    body = b'{"time": 1800000000}'
    for now, later in FORMS:
        said = (fill(now, body).replace(b"GET", b"POST"),)
        if later is not None:
            said += ((300, fill(later, body).replace(b"GET", b"POST")),)
        for echo in (b"", b"data=1\r\n"):
            made, modem = module(())
            made.answers[">"] = (b"0\r",)
            await modem.http.set_url(URL)
            made.answers[">"] = (echo,) + said
            reply = await modem.http.post(data="data=1")
            assert (reply.status_code, reply.content) == (200, body), (now, later)
            assert made.received == b"data=1"
            assert (await modem.signal()).rssi == -69
            modem.close()


async def test_every_form_of_http_edited():
    """Other names of commands and of answers, other shapes and waits."""
    kept = (dialect.HTTP_GET, dialect.HTTP_POST, dialect.HTTP_URL)
    for sent, answer in (("+QHTTP", "+QHTTP"), ("+LSHTTP", "^HTTP"), ("+HTTP", "+LSHTTPRESP")):
        try:
            forms = [
                dialect.Form(
                    form.send.replace("+LSHTTP", sent),
                    form.answer.replace("+LSHTTP", answer),
                    "iii" if form.answer else "",
                    "",
                    form.prompt,
                    30,
                    False,
                    "",
                )
                for form in kept
            ]
            dialect.HTTP_GET, dialect.HTTP_POST, dialect.HTTP_URL = forms
            said = b"\r\n" + answer.encode() + b"GET: 0,200,2\r\nok0\r"
            made, modem = module(())
            table = {"URL=": (b">",), "GET": (said,), "POST=": (b">",)}
            made.answers.update({"AT" + sent + name: line for name, line in table.items()})
            reply = await modem.http.get(URL)
            assert (reply.status_code, reply.content) == (200, b"ok")
            await modem.http.set_url(URL)
            made.answers[">"] = (said.replace(b"GET", b"POST"),)
            reply = await modem.http.post(data="x")
            assert (reply.status_code, reply.content) == (200, b"ok")
            modem.close()
        finally:
            dialect.HTTP_GET, dialect.HTTP_POST, dialect.HTTP_URL = kept


# What can be sent -------------------------------------------------------------------------------


async def test_what_cannot_be_sent_touches_no_uart():
    made, modem = module((b"4\r",))
    http = modem.http
    urls = ("", "a.test", "http://", "https://", "http:///x", "http://?q", "http://#f", "http:/a")
    urls += (
        "ftp://a.test/",
        "http://a b",
        "http://a.test/a b",
        "http://a.test/\xe4",
        "http://\u20ac",
    )
    urls += ("http://a\r\nAT+CFUN=0", "http://a.test/\0", "http://a.test/\x7f", "http://a+++")
    urls += ("http://a.test/" + "x" * 512, "http://:80/", "http://a.test:/", "http://a.test:0/")
    urls += ("http://a.test:65536/", "http://a.test:-1/", "http://a.test:8x/", "http://user@/")
    urls += ("http://-a/", "http://.a/", 'http://a_b"c/', "http://a,b/", "http://[/", "http://[]/")
    for url in urls + (5, b"http://a.test", ["http://a"], True):
        await fails(BadArgument, http.get(url))
        await fails(BadArgument, http.post(url, data="x"))
        await fails(BadArgument, http.set_url(url))
    await fails(BadArgument, http.set_url(None))
    names = (
        "",
        "a b",
        "a:b",
        'a"',
        "a\r\nX",
        "a\0",
        "\xe4",
        "a" * 65,
        "a,b",
        "a(b",
        5,
        None,
        b"a",
    )
    values = ("b\r\nX: y", "b\n", 'b"', "b\0", "\xe4", "b" * 257, 5, None, b"b", ["b"])
    for headers in [{name: "b"} for name in names] + [{"a": value} for value in values]:
        await fails(BadArgument, http.get(URL, headers=headers))
        await fails(BadArgument, http.post(URL, data="x", headers=headers))
        await fails(BadArgument, http.set_headers(headers))
    for headers in ("a: b", [("a", "b")], 5):
        await fails(BadArgument, http.get(URL, headers=headers))
    for kind in ("", "json", None, 5, "a/b\r\n", "a/\xe4", b"a/b"):
        await fails(BadArgument, http.set_content_type(kind))
    for data in (5, 1.5, ["a"], {"a": 1}, b"x" * 4097, "x" * 4097, "\xe4" * 2049, True):
        await fails(BadArgument, http.post(URL, data=data))
    await fails(BadArgument, http.post(URL, json="x" * 4096))
    for length in (0, 5, 14, -1, 513, 1.5, "20", True):
        await fails(BadArgument, http.set_url(URL, length))
    assert made.heard == []
    modem.close()


async def test_what_can_be_sent():
    for url in (
        "http://a",
        "http://a.test",
        "https://a.test:8443/x?y=z#f",
        "http://127.0.0.1:80",
        "http://user:word@a.test/x",
        "http://[::1]:8080/x",
        "http://a_b-c.test/%20,;'!*()",
        "http://a.test?q=http://b",
        "http://a.test/" + "x" * 498,
    ):
        made, modem = module((b"+LSHTTPGET: 0,204,0\r\n0\r",))
        reply = await modem.http.get(url, headers={"X-Node_1.a": "", "!#$%&'*+-.^_`|~": "a: b, c"})
        assert reply.status_code == 204
        assert made.received == url.encode()
        modem.close()
    for data in ("", "x", b"\0\xff", bytearray(b"x"), memoryview(b"xy"), b"x" * 4096, None):
        made, modem = module(())
        await modem.http.set_url(URL)
        made.answers[POST + "0"] = made.answers[">"] = (b"+LSHTTPPOST: 0,204,0\r\n0\r",)
        assert (await modem.http.post(data=data)).status_code == 204
        sent = data.encode() if isinstance(data, str) else bytes(data or b"")
        assert not sent or made.received == sent
        modem.close()


async def test_two_requests_do_not_mix():
    made, modem = module((b"+LSHTTPGET: 0,200,2\r\nok0\r",))
    await asyncio.gather(*[modem.http.get("http://a.test/%d" % n) for n in range(5)])
    order = [line for line in made.heard if isinstance(line, bytes) or line == GET]
    assert order[1::2] == [GET] * 5
    assert len(set(order[::2])) == 5
    modem.close()


# What is made of the answer ---------------------------------------------------------------------


def test_json_of_hostile_content_is_a_value_error():
    texts = [b"", b"{", b"nonsense", b'{"a":', b"\xff", b'"\xff"', b"\0", b"\xc3", b"}"]
    texts += [b"[" * 5000, b'{"a":' * 1500, b"[" * 5000 + b"]" * 5000, b"[[],"]
    for content in texts:
        try:
            Response(200, content).json()
        except ValueError:
            continue
        assert content in (b"[" * 5000 + b"]" * 5000, b'"\xff"'), content  # where it can be done
    assert Response(200, b'{"time": 5}').json() == {"time": 5}
    reply = Response(200, b"1")
    reply.close()
    with raises(ValueError):
        reply.json()


def test_text_of_any_bytes():
    for content, text in (
        (b"", ""),
        (b"abc", "abc"),
        ("\xe4\u20ac".encode(), "\xe4\u20ac"),
        (b"a\xffb", "a\ufffdb"),
        (b"\xc3", "\ufffd"),
        (b"\x00\x80", "\x00\ufffd"),
    ):
        assert Response(200, content).text == text


# What a request leaves --------------------------------------------------------------------------


async def test_requests_leave_nothing():
    good = (b"+LSHTTPGET: 0,200,2\r\nok0\r",)
    made, modem = module(good)
    channel = modem._channel
    before = dict(channel.payloads)
    settled = None
    for n in range(100):
        made.answers[GET] = good
        made.heard.clear()
        if n % 5 == 0:
            made.answers[GET] = (b"4\r",)
            await fails(CommandError, modem.http.get(URL))
        elif n % 5 == 1:
            made.answers[GET] = (b"+LSHTTPGET: 0,200,9\r\nok0\r",)
            await fails(PayloadError, modem.http.get(URL))
        elif n % 5 == 2:
            made.answers[GET] = (b"+LSHTTPGET: 0,200,9\r\nok",)
            task = asyncio.create_task(modem.http.get(URL))
            await asyncio.sleep_ms(500)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                await asyncio.sleep(4)  # until what is left of the body is given up
        elif n % 5 == 3:
            await fails(BadArgument, modem.http.get("http://"))
        else:
            assert (await modem.http.get(URL)).content == b"ok"
        assert channel.payloads == before
        assert not channel.on_restart and not channel.watchers
        if n == 50 and hasattr(gc, "mem_alloc"):
            gc.collect()
            settled = gc.mem_alloc()
    if settled is not None:
        gc.collect()
        assert gc.mem_alloc() - settled < 1500
    assert (await modem.signal()).rssi == -69
    modem.close()


async def test_body_of_a_request_that_was_given_up_leaves_nobody_deaf():
    """Neither one without an end, nor one that claims to be long."""
    for length in (b"", b",x", b",5000", b",99999999"):
        _, modem = module((b"+LSHTTPGET: 0,200" + length + b"\r\nok",))
        task = asyncio.create_task(modem.http.get(URL))
        await asyncio.sleep_ms(500)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            begin = time.ticks_ms()
        for _ in range(3):
            try:
                if (await modem.signal()).rssi == -69:
                    break
            except Timeout:
                continue
        assert time.ticks_diff(time.ticks_ms(), begin) < 8000, length
        modem.close()


async def test_late_answer_of_a_request_that_was_given_up():
    """Its body is not read as answers, and is not taken for the next one's."""
    nasty = b"\r\nOK\r\n+CSQ: 1,1\r\n0\r"
    late = b"+LSHTTPGET: 0,200,%d\r\n%s0\r" % (len(nasty), nasty)
    for first in (b"", b"0\r"):
        made, modem = module((first, (2000, late[: -2 if first else None])))
        task = asyncio.create_task(modem.http.get(URL))
        await asyncio.sleep_ms(500)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert (await modem.signal()).rssi == -69
        await asyncio.sleep(3)
        made.answers[GET] = (b"+LSHTTPGET: 0,200,2\r\nok0\r",)
        assert (await modem.http.get(URL)).content == b"ok"
        modem.close()
