"""Each uplink at a far side that says anything: what is confirmed, what is refused and in which
words, and which time is heard.
"""

import asyncio
import time

from c1100 import (
    BadAnswer,
    BadArgument,
    C1100Error,
    CommandError,
    NotConnected,
    PayloadError,
    Refused,
    Timeout,
)
from firmware import cbor, clock
from firmware.uplinks import http, joined, mqtt, status, tcp
from firmware.uplinks.refusal import Unfit
from host_tests.support import fails

GOOD = 1700000000
COMPACT = [(n, cbor.encoded(b'[{"bn":"n:","n":"x","v":%d}]' % n)) for n in (7, 8, 9)]
BATCH = [(7, b'[{"bn":"n:","v":1}]'), (8, b'[{"bn":"n:","v":2}]'), (9, b'[{"bn":"n:","v":3}]')]
SETTINGS = {
    "id": "n",
    "apn": "",
    "http.url": "http://h/t",
    "http.token": "open-sesame",
    "tcp.host": "h",
    "tcp.port": 7007,
    "mqtt.host": "h",
    "mqtt.port": 1883,
    "mqtt.user": "",
    "mqtt.password": "",
    "mqtt.qos": 1,
    "mqtt.keepalive_s": 60,
}

# HTTP ------------------------------------------------------------------------------------------

# Whose fault a status is: a record's, where it is the content; its words name what to look at.
CONTENT = (400, 409, 413, 422)
WORDS = (
    (301, "http.url"),
    (302, "http.url"),
    (307, "http.url"),
    (308, "http.url"),
    (401, "http.token"),
    (403, "http.token"),
    (404, "http.url"),
    (405, "http.url"),
    (407, "apn"),
    (410, "http.url"),
    (413, "too much"),
    (414, "http.url"),
    (415, "application/senml+json"),
    (421, "http.url"),
    (429, "report.period_s"),
    (431, "http.token"),
    (500, "its own"),
    (503, "overloaded"),
    (511, "apn"),
    (599, "its own"),
    (100, "no final answer"),
    (418, "refuses"),
)


class Response:
    def __init__(self, status_code):
        self.status_code = status_code


class Server:
    """A modem whose ``http`` answers with a status and a body, in pieces; or with an error."""

    def __init__(self, code=200, body=b"", piece=256, error=None):
        self.http = self
        self.code = code
        self.body = body
        self.piece = piece
        self.error = error
        self.bodies = []

    async def post(self, url, data, headers, sink):
        self.bodies.append(data)
        assert headers["X-Node"] == "n"
        for at in range(0, len(self.body), self.piece):
            sink(memoryview(self.body)[at : at + self.piece])
        if self.error is not None:
            raise self.error
        return Response(self.code)


async def test_each_status():
    for code in range(100, 600):
        uplink = http.Uplink(SETTINGS, Server(code))
        if 200 <= code < 300:
            assert await uplink.send(BATCH) == 9
            continue
        error = await fails(C1100Error, uplink.send(BATCH))
        unfit = code in CONTENT
        assert isinstance(error, Unfit) == unfit, code
        refused = error.error if unfit else error
        assert isinstance(refused, Refused), code
        assert "the server answers with status %d: " % code in str(refused)
        assert len(str(refused)) > len("the server answers with status 100: ") + 5
        assert "sesame" not in str(refused)
        if unfit:
            assert not error.first
    for code, words in WORDS:
        error = status.error(code)
        assert words in str(error), error


async def test_what_is_no_status():
    for code in (0, -1, 1, 99, 600, 999, 20000, 1 << 40, None, "200", "", 200.0):
        error = await fails(C1100Error, http.Uplink(SETTINGS, Server(code)).send(BATCH))
        assert isinstance(error, BadAnswer), code


async def test_a_body_that_goes_wrong_undoes_no_confirmation():
    for code in (200, 204, 401, 413, 500):
        for error in (PayloadError(3, 100), Timeout("body"), BadAnswer("body")):
            error.status = code
            uplink = http.Uplink(SETTINGS, Server(code, b'{"time":1700000000}', error=error))
            if code < 300:
                assert await uplink.send(BATCH) == 9
                assert uplink.time is None
            else:
                await fails((Refused, Unfit), uplink.send(BATCH))
    for error in (Timeout("nothing"), CommandError("no answer"), NotConnected("gone")):
        assert (
            await fails(C1100Error, http.Uplink(SETTINGS, Server(error=error)).send(BATCH))
            is error
        )


BODIES = (
    (b'{"time":1700000000}', GOOD),
    (b'{"time": 1700000000}', GOOD),
    (b' {"time":\n1700000000 } ', GOOD),
    (b'{"ok":true,"time":1700000000,"n":[1,{"a":null}]}', GOOD),
    (b'{"time":1700000000456}', GOOD),
    (b'{"time":1700000000456789}', GOOD),
    (b'{"time":1700000000456789123}', GOOD),
    (b'{"time":1699920000}', 1699920000),
    (b'{"time":4102444799}', 4102444799),
    (b'{"time":1,"time":1700000000}', None),
    (b'{"time":1700000000}' + b" " * 490, GOOD),
    (b'{"time":1700000000}' + b" " * 1000, None),  # too long to be looked at
    (b'{"time":1699919999}', None),
    (b'{"time":4102444800}', None),
    (b'{"time":0}', None),
    (b'{"time":1}', None),
    (b'{"time":-1}', None),
    (b'{"time":-1700000000}', None),
    (b'{"time":315964800}', None),
    (b'{"time":1600000000}', None),
    (b'{"time":17000000000}', None),
    (b'{"time":1700000000.5}', None),
    (b'{"time":1700000000.0}', None),
    (b'{"time":1.7e9}', None),
    (b'{"time":1e400}', None),
    (b'{"time":"1700000000"}', None),
    (b'{"time":"2023-11-14T22:13:20Z"}', None),
    (b'{"time":true}', None),
    (b'{"time":false}', None),
    (b'{"time":null}', None),
    (b'{"time":[1700000000]}', None),
    (b'{"time":{"s":1700000000}}', None),
    (b'{"time":' + b"9" * 400 + b"}", None),
    (b'{"time":-' + b"9" * 400 + b"}", None),
    (b'{"time":18446744073709551616}', None),
    (b'{"time":9223372036854775807}', None),
    (b'{"Time":1700000000}', None),
    (b'{"t":1700000000}', None),
    (b'{"a":{"time":1700000000}}', None),
    (b'[{"time":1700000000}]', None),
    (b"1700000000", None),
    (b'"time"', None),
    (b"time=1700000000", None),
    (b'{"time":1700000000', None),
    (b'{"time":', None),
    (b"{", None),
    (b"}", None),
    (b"[", None),
    (b"[]", None),
    (b"{}", None),
    (b"null", None),
    (b"true", None),
    (b"", None),
    (b" ", None),
    (b"\r\n", None),
    (b"OK", None),
    (b"0", None),
    (b"<html>1700000000</html>", None),
    (b"\xff\xfe\x00", None),
    (b'{"time":1700000000,"x":"\xff"}', None),
    (b"\x00" * 512, None),
    (b"[" * 512, None),
    (b"[" * 256 + b"]" * 256, None),
    (b'{"a":' * 100 + b"1" + b"}" * 100, None),
    (b"[" * 100000, None),
    (b'{"time":' * 20000, None),
    (b'{"time":1700000000,"x":"' + b"y" * 100000 + b'"}', None),
)


async def test_the_time_in_an_answer():
    for body, at in BODIES:
        for piece in (1 if len(body) < 2000 else 200, 256):
            uplink = http.Uplink(SETTINGS, Server(200, body, piece))
            assert await uplink.send(BATCH) == 9
            assert clock.told(uplink.time) == at, body[:60]
            assert len(uplink._answer) <= 512 + piece


# TCP -------------------------------------------------------------------------------------------


class Line:
    """A modem with one connection, which says this; then it is silent, ends, or fails."""

    def __init__(self, says=b"", then="silent", slow_ms=0):
        self.says = says
        self.then = then
        self.slow_ms = slow_ms
        self.sent = b""
        self.open = 0
        self.calls = 0

    def pdp(self, apn):
        return self

    async def __aenter__(self):
        self.calls += 1

    async def __aexit__(self, kind, error, trace):
        self.calls -= 1

    async def tcp(self, host, port, **rest):
        if self.then == "unreachable":
            raise CommandError("+LSIPOPEN=1,0")
        self.open += 1
        return self

    async def sendall(self, data):
        self.sent += data

    async def recv(self, n, timeout_s):
        assert n >= 1
        if self.slow_ms:
            await asyncio.sleep_ms(min(self.slow_ms, int(timeout_s * 1000)))
        if self.says:
            piece = bytes(self.says[:n])
            self.says = memoryview(self.says)[n:]  # no copy: it may be long
            return piece
        if self.then == "end":
            return b""
        if isinstance(self.then, Exception):
            raise self.then
        await asyncio.sleep_ms(int(timeout_s * 1000))
        raise Timeout("nothing has come")

    def close(self):
        self.open -= 1

    async def wait_closed(self):
        pass


CONFIRMED = (
    (b"9\n", 9),
    (b"9\r\n", 9),
    (b" 9 \n", 9),
    (b"009\n", 9),
    (b"9 1700000000\n", 9),
    (b"7\n8\n9\n", 9),
    (b"7\n9\n", 9),
    (b"6\n9\n", 9),  # an old one, late
    (b"0\n1\n2\n9\n", 9),
    (b"9\n8\n", 9),
    (b"7\n", 7),
    (b"8\n", 8),
    (b"7\n8\n", 8),
    (b"8\n7\n", 8),
    (b"8\n8\n8\n", 8),
    (b"7\nwhat\n9\n", 7),
    (b"8\n1000000\n", 8),
    (b"8\n-1\n", 8),
    (b"8\n" + b"8" * 100, 8),
    (b"8\n9", 8),  # cut off
    (b"6\n", None),
    (b"0\n", None),
    (b"-1\n", None),
    (b"-9\n", None),
    (b"10\n", None),  # was not sent
    (b"1000000\n", None),
    (b"4294967303\n", None),
    (b"99999999999999999999999\n", None),
    (b"9.0\n", None),
    (b"9e0\n", None),
    (b"0x9\n", None),
    (b"+9\n", None),
    (b"0_9\n", None),
    (b"9,\n", None),
    (b"nine\n", None),
    (b"OK\n", None),
    (b"OK 9\n", None),
    (b"ERROR\n", None),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", None),
    (b"\n", None),
    (b"\r\n", None),
    (b" \n", None),
    (b"\x00\n", None),
    (b"\x009\n", None),
    (b"\xff\xfe\n", None),
    (b"\xb2\n", None),
    (b"9", None),
    (b"9 1700000000", None),
    (b"9" * 49, None),
    (b" " * 10000 + b"9\n", None),
    (b"", None),
)


async def test_what_a_line_confirms():
    for says, confirmed in CONFIRMED:
        for then in ("silent", "end", NotConnected("gone"), Timeout("mute", "+LSIPOPEN?")):
            line = Line(says, then)
            uplink = tcp.Uplink(SETTINGS, line)
            before = time.ticks_ms()
            error = None
            if confirmed is None:
                error = await fails(C1100Error, uplink.send(BATCH))
                if isinstance(error, Unfit):
                    assert error.first
                    assert isinstance(error.error, Refused)
                else:  # the module's, not the server's
                    assert error is then
                assert (line.open, line.calls) == (0, 0), says
            else:
                assert await uplink.send(BATCH) == confirmed, says
                await uplink.close()
                assert (line.open, line.calls) == (0, 0)
            assert time.ticks_diff(time.ticks_ms(), before) < 65000
            once = b"n\n" + b"".join([b"%d %s\n" % pair for pair in BATCH])
            ended = then == "end" or isinstance(then, NotConnected)
            again = ended and error is not None and "ends the connection" in str(error)
            assert line.sent == (once + once if again else once), says


async def test_a_server_that_talks_without_end_is_left():
    for says in (b"0\n", b"7\n", b"6 1700000000\n", b"\n"):
        line = Line(says * 100000, "silent", slow_ms=10)
        before = time.ticks_ms()
        try:
            got = await tcp.Uplink(SETTINGS, line).send(BATCH)
            assert got == 7
        except Unfit:
            assert says != b"7\n"
        assert time.ticks_diff(time.ticks_ms(), before) < 65000
        assert (line.open, line.calls) == (0, 0)


async def test_a_server_that_is_slow_is_waited_for():
    line = Line(b"7\n8\n9\n", slow_ms=9000)  # 18 s for each line
    assert await tcp.Uplink(SETTINGS, line).send(BATCH) == 9


async def test_a_server_that_is_not_there_leaves_nothing_open():
    line = Line(then="unreachable")
    await fails(CommandError, tcp.Uplink(SETTINGS, line).send(BATCH))
    assert (line.open, line.calls) == (0, 0)


async def test_closing_may_fail_too():
    class Stuck(Line):
        async def wait_closed(self):
            raise CommandError("close")

        async def __aexit__(self, kind, error, trace):
            await super().__aexit__(kind, error, trace)
            raise CommandError("hang up")

    line = Stuck(b"what\n")
    assert isinstance((await fails(Unfit, tcp.Uplink(SETTINGS, line).send(BATCH))).error, Refused)
    assert (line.open, line.calls) == (0, 0)
    line = Stuck(b"9\n")
    uplink = tcp.Uplink(SETTINGS, line)
    assert await uplink.send(BATCH) == 9
    await fails(CommandError, uplink.close())
    assert (line.open, line.calls) == (0, 0)
    await uplink.close()


async def test_a_connection_serves_several_batches():
    line = Line(b"9\n10\n")
    uplink = tcp.Uplink(SETTINGS, line)
    assert await uplink.send(BATCH) == 9
    assert await uplink.send([(10, b"[{}]")]) == 10
    assert line.sent.count(b"n\n") == 1
    await uplink.close()
    await uplink.close()
    assert (line.open, line.calls) == (0, 0)


async def test_a_server_that_is_tired_of_a_connection_gets_another():
    for then in ("end", "silent"):
        line = Line(b"9\n", then)
        uplink = tcp.Uplink(SETTINGS, line)
        assert await uplink.send(BATCH) == 9
        connect = uplink._connect

        async def again(line=line, connect=connect):
            line.says = b"10\n"
            return await connect()

        uplink._connect = again
        assert await uplink.send([(10, b"[{}]")]) == 10
        assert line.sent.count(b"n\n") == 2
        assert line.sent.count(b"10 [{}]") == 2
        assert (line.open, line.calls) == (1, 1)
        # What is refused on a new connection too is refused.
        uplink._connect = connect
        await fails(Unfit, uplink.send([(11, b"[{}]")]))
        assert line.sent.count(b"n\n") == 3
        assert line.sent.count(b"11 [{}]") == 2


async def test_a_connection_that_ends_while_records_are_sent():
    class Cut(Line):
        """Ends with the second record of a connection; says then what it has confirmed."""

        count = 0

        async def sendall(self, data):
            self.count = 1 if data.startswith(b"n\n") else self.count + 1
            await super().sendall(data)
            if self.count > 1:
                raise NotConnected("the connection ended before all was sent")

    for says, then, confirmed in (
        (b"7\n", "end", 7),
        (b"7\n", NotConnected("gone"), 7),
        (b"", "end", None),
        (b"", NotConnected("gone"), None),
        (b"6\n", "end", None),
    ):
        line = Cut(says, then)
        uplink = tcp.Uplink(SETTINGS, line)
        if confirmed is None:
            unfit = await fails(Unfit, uplink.send(BATCH))
            assert isinstance(unfit.error, Refused)
            assert line.sent.count(b"n\n") == 2, "it may have been the connection"
        else:
            assert await uplink.send(BATCH) == confirmed
            assert line.sent.count(b"n\n") == 1
        assert (line.open, line.calls) == (0, 0)
        assert (line.open, line.calls) == (0, 0)


# What stands behind the number of a confirmation.
TIMES = (
    (b"1700000000", GOOD),
    (b" 1700000000", GOOD),
    (b"1700000000 ", GOOD),
    (b"01700000000", GOOD),
    (b"1700000000456", GOOD),
    (b"1700000000456789", GOOD),
    (b"1700000000456789123", GOOD),
    (b"1699920000", 1699920000),
    (b"4102444799", 4102444799),
    (b"2147483648", 2147483648),
    (b"1699919999", None),
    (b"4102444800", None),
    (b"4294967295", None),
    (b"4294967296", None),
    (b"0", None),
    (b"00", None),
    (b"1", None),
    (b"22", None),
    (b"-1", None),
    (b"-1700000000", None),
    (b"+1700000000", None),
    (b"946684800", None),
    (b"315964800", None),
    (b"1080000000", None),
    (b"1600000000", None),
    (b"17000000000", None),
    (b"170000000000", None),
    (b"1700000000.0", None),
    (b"1700000000,5", None),
    (b"1.7e9", None),
    (b"1e400", None),
    (b"nan", None),
    (b"inf", None),
    (b"None", None),
    (b"true", None),
    (b"0x6553f100", None),
    (b"1_700_000_000", None),
    (b"1 700 000 000", None),
    (b"1700000000 1700000000", None),
    (b"1700000000\t0", None),
    (b"1700000000s", None),
    (b'"1700000000"', None),
    (b"'1700000000'", None),
    (b"[1700000000]", None),
    (b"{1700000000}", None),
    (b"time=1700000000", None),
    (b"23/11/14,22:13:20+00", None),
    (b"2023-11-14T22:13:20Z", None),
    (b"9223372036854775807", None),
    (b"9223372036854775808", None),
    (b"18446744073709551616", None),
    (b"99999999999999999999", None),
    (b"9" * 40, None),
    (b"-" + b"9" * 40, None),
    (b"\x00", None),
    (b"\x001700000000", None),
    (b"\xff\xfe", None),
    (b"\xb2\xb2", None),
    (b"\xd9\xa1" * 10, None),
    (b"-", None),
    (b"+", None),
    (b".", None),
    (b" ", None),
    (b"", None),
)


async def test_the_time_behind_a_confirmation():
    for text, at in TIMES:
        line = Line(b"9 " + text + b"\n")
        uplink = tcp.Uplink(SETTINGS, line)
        assert await uplink.send(BATCH) == 9, text
        assert clock.told(uplink.time) == at, text
        await uplink.close()


# MQTT ------------------------------------------------------------------------------------------


class Session:
    """A modem with a session that publishes, or fails to."""

    def __init__(self, error=None, refuses=None):
        self.error = error
        self.refuses = refuses
        self.connected = False
        self.published = []

    def mqtt(self, *_, **__):
        return self

    async def connect(self):
        if self.refuses is not None:
            raise self.refuses
        self.connected = True

    async def publish(self, topic, payload, qos):
        form = "/cbor" if payload[0] >= 0x80 else ""
        assert (topic, qos) == ("nodes/n/telemetry" + form, 1)
        if self.error is not None:
            raise self.error
        self.published.append(payload)

    async def disconnect(self):
        self.connected = False


async def test_what_the_broker_takes():
    session = Session()
    uplink = mqtt.Uplink(SETTINGS, session)
    assert await uplink.send(BATCH) == 9
    assert session.published == [joined(BATCH)]
    await uplink.close()
    assert not session.connected
    assert await uplink.send(COMPACT) == 9
    assert session.published[1:] == [joined(COMPACT)]
    # What is refused when publishing may be a record's fault; what a module cannot do is none.
    for error in (Refused("no"), BadArgument("too long"), CommandError("ERROR")):
        unfit = await fails(Unfit, mqtt.Uplink(SETTINGS, Session(error)).send(BATCH))
        assert unfit.error is error
        assert not unfit.first
    for error in (Timeout("no"), NotConnected("gone"), BadAnswer("what")):
        assert await fails(C1100Error, mqtt.Uplink(SETTINGS, Session(error)).send(BATCH)) is error
    for error in (Refused("login"), CommandError("ERROR"), BadArgument("host"), Timeout("no")):
        session = Session(refuses=error)
        assert await fails(C1100Error, mqtt.Uplink(SETTINGS, session).send(BATCH)) is error
    assert mqtt.Uplink.time is None
