"""MQTT on modules with habits of their own, with leftovers of other lives, and with what is wrong.

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
    NotConnected,
    Refused,
    Timeout,
    at,
    dialect,
    topics,
)
from host_tests.support import fails, raises
from host_tests.support.driver import Table, start

CALL = "AT+LSMQTTCALL=1"
OPEN = "AT+LSMQTTOPEN="
CLOSE = "AT+LSMQTTCLOSE=1"
HANG_UP = "AT+LSMQTTCALL=0"
PUB = "AT+LSMQTTPUB=1"
SUB = "AT+LSMQTTSUB="
CFG = "AT+LSMQTTCFG="
ERROR = (b"4\r",)


def told(name, value=1, after_ms=0):
    return (b"0\r", (after_ms, b"\r\r\n+%s:%d\r\n" % (name.encode(), value)))


def module(**changes):
    """A module whose every MQTT command succeeds."""
    made = Table(
        {
            "AT+CSQ": (b"+CSQ: 22,99\r\n0\r",),
            "AT+CGREG?": (b"+CGREG: 1,1\r\n0\r",),
            CALL: told("MQTTCALL"),
            OPEN: told("MQTTOPEN"),
            PUB: told("MQTTPUB"),
            SUB: told("MQTTSUB"),
            CLOSE: told("MQTTCLOSE"),
            HANG_UP: told("MQTTCALL", 0),
        }
    )
    for name, said in changes.items():
        made.answers[globals()[name]] = said
    return start(made)


def heard(made, *names):
    """Commands that begin so, without AT+LSMQTT and what they set."""
    wanted = names or (CALL, OPEN, CLOSE, HANG_UP, PUB, SUB)
    return [
        line[9:].split('"')[0] for line in made.heard if any(line.startswith(w) for w in wanted)
    ]


async def connected(**changes):
    made, modem = module(**changes)
    mqtt = modem.mqtt("n1", "h")
    await mqtt.connect()
    made.heard.clear()
    return made, modem, mqtt


async def seconds(awaitable):
    begin = time.ticks_ms()
    await awaitable
    return time.ticks_diff(time.ticks_ms(), begin) // 1000


async def answers_still(made, modem):
    """A valid command gets its own answer, and nothing is left of the session."""
    assert (await modem.signal()).rssi == -69
    modem.close()


def nothing_left(modem):
    channel = modem._channel
    return (
        not channel.on_restart
        and not channel.watchers
        and not any(channel._callbacks.get(n) for n in ("+MQTTCALL", "+MQTTOPEN", "+MQTTCLOSE"))
        and type(channel.payloads[dialect.MQTT_MESSAGE]).__name__ == "Unheard"
    )


# What can be sent -------------------------------------------------------------------------------

NAMES = ("a", "a/b", "/", "/a", "a/", "a//b", "$SYS/x", "a b", "0", "x" * 128)
FILTERS = ("#", "+", "a/#", "a/+", "+/+", "+/a/#", "/#", "/+", "+/", "a/+/b", "$SYS/#")
NEITHER = ("a#", "#/a", "a/#/b", "a/b#", "a/#b", "##", "#/", "#/#") + (
    ("a+", "+a", "a/+b", "a/b+/c", "++", "a/++", "+#")
    + ("", None, 0, 1.5, b"a", ["a"], ("a",), True)
)
UNSENDABLE = ('a"', "a\r", "a\n", "a\0", "\0", "a\x1a", "a\x7f", "\xe4", "a/\u20ac", "x" * 129)


def test_topics():
    for topic in NAMES:
        topics.check(topic, "c")
    for topic in NAMES + FILTERS:
        topics.check(topic, "c", True)
    for topic in FILTERS + NEITHER:
        with raises(BadArgument):
            topics.check(topic, "c")
    for topic in NEITHER:
        with raises(BadArgument):
            topics.check(topic, "c", True)


async def test_what_cannot_be_published_or_subscribed_touches_no_uart():
    made, modem, mqtt = await connected()
    for topic in FILTERS + NEITHER + UNSENDABLE:
        await fails(BadArgument, mqtt.publish(topic, "x"))
    for topic in NEITHER + UNSENDABLE:
        await fails(BadArgument, mqtt.subscribe(topic))
        await fails(BadArgument, mqtt.unsubscribe(topic))
    numbers = (3, -1, 256, 10**20, 1.0, "1", None, True, False, [])
    for qos in numbers:
        await fails(BadArgument, mqtt.publish("a", "x", qos))
        await fails(BadArgument, mqtt.subscribe("a", qos))
    for retain in (2, -1, 1.0, "1", None, []):
        await fails(BadArgument, mqtt.publish("a", "x", 1, retain))
    payloads = (None, 5, 1.5, ["a"], {}, "x" * 1025, b"\0" * 513, "\xe4" * 257, '"' * 513)
    for payload in payloads:
        await fails(BadArgument, mqtt.publish("a", payload))
    assert made.heard == []
    assert mqtt.connected  # none of that was the session's fault
    for payload in (
        "",
        b"",
        "x" * 1024,
        b"\0" * 512,
        "\xe4" * 256,
        bytearray(b"a"),
        memoryview(b"a"),
    ):
        await mqtt.publish("a", payload)
    for topic in FILTERS + NAMES:
        await mqtt.subscribe(topic, 0)
    await answers_still(made, modem)


async def test_what_no_session_can_be_opened_with_touches_no_uart():
    made, modem = module()
    text = ("", None, 5, b"n1", "n\r", 'n"', "n\0", "\xe4", "x" * 129)
    sessions = [(t, "h", 1883, {}) for t in text] + [("n1", t, 1883, {}) for t in text]
    sessions += [("n1", "h", port, {}) for port in (0, -1, 65536, "1883", 1.5, None, True)]
    sessions += [
        ("n1", "h", 1883, {"keepalive": value}) for value in (-1, 65536, "60", 1.5, None, True)
    ]
    sessions += [("n1", "h", 1883, {"user": value}) for value in text[2:]]
    sessions += [("n1", "h", 1883, {"password": value}) for value in text[2:]]
    sessions += [("n1", "h", 1883, {"clean": value}) for value in (2, "1", None)]
    wills = ((), ("a",), "will", 5, ("a/#", "x", 0, 0), ("a", "x", 0, 3), ("a", None, 0, 0))
    sessions += [("n1", "h", 1883, {"last_will": will}) for will in wills]
    for client_id, host, port, options in sessions:
        error = await fails(BadArgument, modem.mqtt(client_id, host, port, **options).connect())
        assert "secret" not in str(error)
    error = await fails(
        BadArgument, modem.mqtt("n1", "h", password="secret" * 30, user="u").connect()
    )
    assert "secret" not in str(error)
    mqtt = modem.mqtt("n1", "h")
    mqtt.set_last_will("a/+", "x")
    await fails(BadArgument, mqtt.connect())
    assert made.heard == []
    modem.close()


# What the far side refuses ----------------------------------------------------------------------


async def test_refused_session_in_words():
    for user, words in (("bob", "user bob"), (None, "no user")):
        made, modem = module(OPEN=told("MQTTOPEN", 0), CLOSE=ERROR)
        mqtt = modem.mqtt("n1", "broker.test", 8883, user=user, password="secret")
        error = await fails(Refused, mqtt.connect())
        for word in ("broker.test:8883", "n1", words, "check mqtt host, user and password"):
            assert word in str(error), str(error)
        assert "secret" not in str(error)
        # There was no session that stood in the way: it is not tried again, and nothing stays.
        assert heard(made) == ["CALL=1", "OPEN=", "CLOSE=1", "CALL=0"]
        assert nothing_left(modem)
        made.answers[OPEN] = told("MQTTOPEN")
        await mqtt.connect()
        await mqtt.publish("t", "x")
        await answers_still(made, modem)


async def test_no_context_is_up_to_the_network():
    for apn, words in (("iot", "APN iot"), (None, "the SIM's own APN")):
        made, modem = module(CALL=told("MQTTCALL", 0), CLOSE=ERROR, HANG_UP=ERROR)
        modem.apn = apn
        error = await fails(NotConnected, modem.mqtt("n1", "h").connect())
        assert words in str(error)
        assert heard(made) == [CALL[9:] + ("," if apn else ""), "CLOSE=1", "CALL=0"]
        assert nothing_left(modem)
        await answers_still(made, modem)


async def test_refused_message_and_subscription():
    made, modem, mqtt = await connected(
        PUB=told("MQTTPUB", 0), SUB=told("MQTTSUB", 0), CLOSE=told("MQTTCLOSE")
    )
    for qos in (0, 1, 2):
        error = await fails(Refused, mqtt.publish("a/b", "x", qos))
        assert "a/b" in str(error)
    error = await fails(Refused, mqtt.subscribe("c/#"))
    assert "c/#" in str(error)
    await mqtt.unsubscribe("c/#")  # which no broker can refuse: 0 tells that it is off
    assert mqtt.connected
    made.answers[PUB] = told("MQTTPUB")
    await mqtt.publish("a/b", "x")
    await answers_still(made, modem)


async def test_error_of_the_module_is_no_refusal_and_climbing_cures_it():
    """Until the module has restarted, each step fails in turn."""
    for step, command in (("CALL", CALL), ("OPEN", OPEN), ("CFG", CFG)):
        for said in (b"4\r", b"\r\nERROR\r\n", b"+CME ERROR: 3\r\n"):
            made, modem = module(CLOSE=ERROR, HANG_UP=ERROR, **{step: (said,)})
            mqtt = modem.mqtt("n1", "h")
            for _ in range(3):
                error = await fails(CommandError, mqtt.connect())
                assert not isinstance(error, Refused)
            assert nothing_left(modem)
            made.say(b"\r\nRDY\r\n")
            await asyncio.sleep_ms(100)
            made.answers.pop(command)
            made.answers[CALL] = told("MQTTCALL")
            made.answers[OPEN] = told("MQTTOPEN")
            await mqtt.connect()
            await mqtt.publish("t", "x")
            await answers_still(made, modem)


async def test_module_that_has_no_session_any_more():
    """ERROR to what needs one: connect() is due, and works."""
    for name in ("PUB", "SUB"):
        made, modem, mqtt = await connected()
        made.answers[globals()[name]] = ERROR
        action = mqtt.publish("t", "x") if name == "PUB" else mqtt.subscribe("t")
        error = await fails(CommandError, action)
        assert not isinstance(error, Refused)
        assert not mqtt.connected
        assert nothing_left(modem)
        made.answers.update({PUB: told("MQTTPUB"), SUB: told("MQTTSUB"), CLOSE: ERROR})
        await mqtt.connect()
        await mqtt.publish("t", "x")
        await answers_still(made, modem)


# What an earlier life has left ------------------------------------------------------------------


class Left:
    """A module that keeps its session and its context until they are closed.

    strict -- what it refuses while they are there: CFG, CALL, OPEN; by told: with 0 instead of
    ERROR
    """

    def __init__(self, strict, by=ERROR, session=True, context=True):
        self.strict = strict
        self.by = by
        self.session = session
        self.context = context
        self.module = Table({})
        self.module._hear = self.hear
        self.heard = []

    def hear(self, line):
        self.heard.append(line)
        for item in self.answer(line):
            after_ms, text = item if isinstance(item, tuple) else (0, item)
            self.module.say(text, after_ms)

    def answer(self, line):
        if line.startswith(CFG + '"clientid"'):
            return ERROR if self.session and "CFG" in self.strict else (b"0\r",)
        if line.startswith(CFG):
            return (b"0\r",)
        if line.startswith(CALL):
            if self.context and "CALL" in self.strict:
                return self.by if self.by == ERROR else told("MQTTCALL", 0)
            self.context = True
            return told("MQTTCALL")
        if line.startswith(OPEN):
            if not self.context or (self.session and "OPEN" in self.strict):
                return self.by if self.by == ERROR else told("MQTTOPEN", 0)
            self.session = True
            return told("MQTTOPEN")
        if line == CLOSE:
            was, self.session = self.session, False
            return told("MQTTCLOSE") if was else ERROR
        if line == HANG_UP:
            was, self.context = self.context, False
            self.session = False
            return told("MQTTCALL", 0, 200) if was else ERROR
        return (b"+CSQ: 22,99\r\n0\r",) if line == "AT+CSQ" else told("MQTTPUB")


async def test_session_or_context_of_an_earlier_life():
    for strict in ("CFG", "CALL", "OPEN", "CFG CALL OPEN", "CALL OPEN", ""):
        for by in (ERROR, "0"):
            for session, context in ((True, True), (False, True), (False, False)):
                left = Left(strict, by, session, context)
                _, modem = start(left.module)
                mqtt = modem.mqtt("n1", "h")
                await mqtt.connect()
                assert mqtt.connected and left.session and left.context
                closing = CLOSE in left.heard
                # Only what stands in the way is closed.
                in_the_way = (session and ("OPEN" in strict or "CFG" in strict)) or (
                    context and "CALL" in strict
                )
                assert closing == in_the_way, (strict, by, session, context, left.heard)
                await mqtt.publish("t", "x")
                await mqtt.disconnect()
                assert not left.session and not left.context
                await answers_still(left.module, modem)


async def test_closing_what_is_closed_is_no_error():
    for close in (ERROR, told("MQTTCLOSE", 0), (b"0\r",), (b"+CME ERROR: 4\r\n",)):
        for hang_up in (ERROR, told("MQTTCALL", 0), (b"0\r",)):
            made, modem, mqtt = await connected(CLOSE=close, HANG_UP=hang_up)
            assert await seconds(mqtt.disconnect()) < 6
            assert heard(made) == ["CLOSE=1", "CALL=0"]
            assert not mqtt.connected
            assert nothing_left(modem)
            await answers_still(made, modem)


# Lines ------------------------------------------------------------------------------------------


async def test_lines_that_tell_of_no_end_do_not_end_the_session():
    lines = [b"+MQTTOPEN:1", b"+MQTTCALL:1", b"+MQTTOPEN: 1", b"+LSMQTTOPEN:1", b"+MQTTOPEN=1"]
    lines += [b'+MQTTCALL: 1,"10.1.2.3"', b"+MQTTOPEN:", b"+MQTTOPEN", b"+MQTTOPEN:x"]
    lines += [b"+MQTTOPEN:2", b"+MQTTPUB:0", b"+MQTTPUB:1", b"+MQTTSUB:0", b"+MQTT:0"]
    lines += [b"+MQTTOPENED:0", b"^SIMST: 1"]
    for line in lines:
        made, modem, mqtt = await connected()
        made.say(line + b"\r\n")
        await asyncio.sleep_ms(100)
        assert mqtt.connected, line
        await mqtt.publish("t", "x")
        await answers_still(made, modem)


async def test_lines_that_tell_of_an_end_do():
    lines = [b"+MQTTOPEN:0", b"+MQTTCALL:0", b"+MQTTOPEN: 0", b"+LSMQTTOPEN:0", b"+MQTTOPEN=0"]
    lines += [b'+MQTTOPEN:"0"', b"+MQTTOPEN:00", b" +MQTTOPEN:0 ", b"+MQTTOPEN:ERROR"]
    lines += [b"+MQTTOPEN:1,0", b"+MQTTCLOSE:1", b"+MQTTCLOSE:0", b"+MQTTCLOSE"]
    lines += [b"+LSMQTTCLOSE: 1", b"RDY"]
    for line in lines:
        made, modem, mqtt = await connected()
        made.say(line + b"\r\n", 500)
        await fails(NotConnected, mqtt.wait_msg())
        assert not mqtt.connected, line
        assert nothing_left(modem), line
        await fails(NotConnected, mqtt.publish("t", "x"))
        await mqtt.connect()
        await mqtt.publish("t", "x")
        await answers_still(made, modem)


async def test_lines_about_an_earlier_session_while_the_next_one_opens():
    for command, said in ((CALL, told("MQTTCALL")), (OPEN, told("MQTTOPEN"))):
        for line in (
            b"+MQTTOPEN:0",
            b"+MQTTCALL:0",
            b"+MQTTCLOSE:1",
            b"+MQTTPUB:1",
            b"+MQTTSUB:1",
        ):
            for before in (True, False):
                name = b"+MQTTCALL" if command == CALL else b"+MQTTOPEN"
                if not before and line.startswith(name):
                    continue  # behind the result code it is the answer
                made, modem = module()
                late = line + b"\r\n"
                made.answers[command] = (late,) + said if before else (said[0], late, said[1])
                mqtt = modem.mqtt("n1", "h")
                if before and line.startswith(name):
                    # In front of it too, for all that can be known: tried once more.
                    made.answers[CLOSE] = ERROR
                    await fails((Refused, NotConnected), mqtt.connect())
                    made.answers[command] = said
                    await mqtt.connect()
                else:
                    await mqtt.connect()
                assert mqtt.connected
                await mqtt.publish("t", "x")
                await answers_still(made, modem)


OUTCOMES = (
    b"+%s:1\r\n",
    b"+%s: 1\r\n",
    b"+%s=1\r\n",
    b" +%s:1\r\n",
    b"+%s:1 \r\n",
    b"+%s : 1\r\n",
    b'+%s: "1"\r\n',
    b"+%s:01\r\n",
    b"+%s:5,1\r\n",
    b"\r\r\n+%s:1\r\n",
    b"+LS%s:1\r\n",
    b"+LS%s: 1\r\n",
    b"\r\n+%s:1\r\n",
)


async def test_outcomes_in_every_form_and_order():
    for form in OUTCOMES:
        for code in (b"0\r", b"\r\nOK\r\n", b"0\r\n"):
            for first in (True, False):
                for qos in (0, 1, 2):
                    made, modem = module()
                    for command in (CALL, OPEN, PUB, SUB, CLOSE):
                        line = form % command[5:].rstrip("=1").encode()
                        said = (code, (300, line)) if first else (line, (300, code))
                        made.answers[command] = said
                    made.answers[CFG] = made.answers[HANG_UP] = (code,)
                    made.answers["AT+CSQ"] = (b"+CSQ: 22,99\r\n" + code,)
                    mqtt = modem.mqtt("n1", "h")
                    begin = time.ticks_ms()
                    await mqtt.connect()
                    await mqtt.subscribe("t", qos)
                    await mqtt.publish("t", "x", qos)
                    await mqtt.disconnect()
                    assert time.ticks_diff(time.ticks_ms(), begin) < 5000, (form, code)
                    await answers_still(made, modem)


async def test_outcomes_that_are_missing():
    """Of QoS 0, of subscribing, of closing: the result code is enough, within seconds."""
    made, modem, mqtt = await connected(PUB=(b"0\r",), SUB=(b"0\r",), CLOSE=(b"0\r",))
    assert await seconds(mqtt.publish("t", "x", 0)) <= 5
    assert await seconds(mqtt.publish("t", "x", 0)) == 0  # it is known by now
    assert await seconds(mqtt.subscribe("t")) <= 5
    assert await seconds(mqtt.subscribe("u")) == 0
    assert mqtt.connected
    assert await seconds(fails(Timeout, mqtt.publish("t", "x", 1))) >= 60  # only that confirms
    assert not mqtt.connected
    await mqtt.connect()
    assert await seconds(mqtt.disconnect()) <= 5
    await answers_still(made, modem)


async def test_late_confirmation_of_qos_0_never_confirms_the_next_message():
    for after_ms in (100, 1000, 4000):
        made, modem, mqtt = await connected(PUB=(b"0\r", (after_ms, b"+MQTTPUB:1\r\n")))
        await mqtt.publish("t", "x", 0)
        made.answers[PUB] = (b"0\r",)
        await fails(Timeout, mqtt.publish("t", "y", 1))
        await answers_still(made, modem)


async def test_late_confirmation_never_confirms_in_the_next_session():
    made, modem, mqtt = await connected(PUB=(b"0\r", (76000, b"+MQTTPUB:1\r\n")))
    await fails(Timeout, mqtt.publish("t", "x"))
    made.answers[PUB] = (b"0\r",)
    await mqtt.connect()
    assert heard(made) == ["PUB=1", "CLOSE=1", "CALL=0", "CALL=1", "OPEN="]
    await fails(Timeout, mqtt.publish("t", "y"))
    await answers_still(made, modem)


async def test_the_next_session_ends_the_one_before():
    made, modem, first = await connected()
    second = modem.mqtt("n2", "h")
    await second.connect()
    assert second.connected and not first.connected
    await fails(NotConnected, first.publish("t", "x"))
    made.say(b"+MQTTOPEN:0\r\n")
    await asyncio.sleep_ms(100)
    assert not second.connected
    assert nothing_left(modem)
    modem.close()


async def test_two_publishers_do_not_mix():
    made, modem, mqtt = await connected()
    await asyncio.gather(*[mqtt.publish("t%d" % n, "m%d" % n) for n in range(5)])
    topic = message = None
    sent = []
    for line in made.heard:
        if "topic" in line:
            topic = line.split('"')[3]
        elif "message" in line:
            message = line.split('"')[3]
        elif line == PUB:
            sent.append((topic, message))
    assert sorted(sent) == [("t%d" % n, "m%d" % n) for n in range(5)]
    modem.close()


# Messages ---------------------------------------------------------------------------------------


async def received(lines, fields=None):
    """The messages that a session takes from the lines, and how many it counts as lost."""
    kept = dialect.MQTT_MESSAGE_FIELDS
    try:
        if fields is not None:
            dialect.MQTT_MESSAGE_FIELDS = fields
        made, modem, mqtt = await connected()
        made.say(lines)
        made.say(b"$GPGGA,1*00\r\n" * 3, 250)
        await asyncio.sleep_ms(500)
        assert (await modem.signal()).rssi == -69, lines
        got = []
        while True:
            message = mqtt.check_msg()
            if message is None:
                break
            got.append(tuple(message))
        lost = mqtt.lost
        modem.close()
        return got, lost
    finally:
        dialect.MQTT_MESSAGE_FIELDS = kept


async def test_messages_in_every_form():
    hello = ("a/b", b"hello", False, 1)
    for head, want in (
        (b'+MQTTMSG:"a/b",1,0,5,', hello),
        (b'+MQTTMSG: "a/b",1,0,5,', hello),
        (b'+MQTTMSG="a/b",1,0,5,', hello),
        (b' +MQTTMSG:"a/b", 1, 0, 5,', hello),
        (b'+LSMQTTMSG:"a/b",1,0,5,', hello),
        (b"+MQTTMSG:a/b,1,0,5,", hello),
        (b'+MQTTMSG:"a/b","1","0","5",', hello),
        (b'+MQTTMSG:"a/b",01,00,005,', hello),
        (b'+MQTTMSG:"a/b",,,5,', ("a/b", b"hello", False, 0)),
        (b'+MQTTMSG:"a/b",2,1,5,', ("a/b", b"hello", True, 2)),
        (b"+MQTTMSG:007,0,0,5,", ("007", b"hello", False, 0)),
        (b'+MQTTMSG:"a,b",1,0,5,', ("a,b", b"hello", False, 1)),
        (b'+MQTTMSG:"' + b"t" * 200 + b'",1,0,5,', ("t" * 200, b"hello", False, 1)),
    ):
        assert await received(head + b"hello\r\n") == ([want], 0), head


async def test_messages_with_a_header_that_is_wrong():
    """Lost and counted; nothing is deaf, and the next message comes."""
    bad = []
    for wrong in (b"", b"x", b"1x", b"-1", b"1.5", b"100000007", b"9" * 40, b'"', b"1 5"):
        bad.append(b'+MQTTMSG:"a/b",1,0,' + wrong + b",hello")  # the length
        if wrong not in (b"", b'"'):
            bad.append(b'+MQTTMSG:"a/b",' + wrong + b",0,5,hello")  # QoS
            bad.append(b'+MQTTMSG:"a/b",1,' + wrong + b",5,hello")  # retained
    bad += [
        b'+MQTTMSG:"",1,0,5,hello',
        b"+MQTTMSG:,1,0,5,hello",
        b"+MQTTMSG:",
        b"+MQTTMSG",
        b'+MQTTMSG:"a/b"',
        b'+MQTTMSG:"a/b",1,5,hello',
        b'+MQTTMSG:"a/b,1,0,5,hello',
        b'+MQTTMSG:"a/b",1,0,4,hello',
        b'+MQTTMSG:"a/b",1,0,7,1,5,hello',
        b'+MQTTMSG:"' + b"t" * 600 + b'",1,0,5,hello',
    ]
    for line in bad:
        got, lost = await received(line + b'\r\n+MQTTMSG:"c",0,0,1,x\r\n')
        assert (got, lost) == ([("c", b"x", False, 0)], 1), line


async def test_message_that_claims_to_be_long_is_given_up():
    """A plausible length, and NMEA at 4 Hz that goes on for ever."""
    made, modem, mqtt = await connected()
    made.say(b'+MQTTMSG:"a/b",1,0,1007,hello\r\n')
    for _ in range(36):
        made.say(b"$GPGGA,1*00\r\n", 250)
    await asyncio.sleep(8)
    assert mqtt.lost == 1
    await asyncio.sleep(2)
    assert (await modem.signal()).rssi == -69
    modem.close()


NAMED = {"topic": b'"a/b"', "qos": b"1", "retained": b"0", "length": b"5", "id": b"77"}


def orders(names):
    if not names:
        return [()]
    return [(n,) + rest for n in names for rest in orders([m for m in names if m != n])]


async def test_the_dialect_edited_in_every_way():
    """Any fields, in any order, with and without a length."""
    tried = 0
    for kept in range(16):
        names = [
            n for i, n in enumerate(("topic", "qos", "retained", "length")) if kept & (1 << i)
        ]
        for extra in ((), ("id",)):
            for fields in orders(names + list(extra)):
                if not fields:
                    continue
                tried += 1
                head = b"+MQTTMSG:" + b",".join([NAMED[name] for name in fields])
                want = (
                    "a/b" if "topic" in fields else "",
                    b"hello",
                    False,
                    1 if "qos" in fields else 0,
                )
                assert await received(head + b",hello\r\n", fields) == ([want], 0), fields
    assert tried == 325  # every subset of five, in every order


async def test_a_prefix_of_its_own_and_the_rest_of_the_line():
    kept = dialect.MQTT_MESSAGE
    try:
        for name in ("+MQTTRECV", "+LSMQTTRECV", "^RECV"):
            dialect.MQTT_MESSAGE = name
            head = name.encode() + b':"a/b"'
            for rest, want in (
                (b",hello", b"hello"),
                (b',"hello"', b"hello"),
                (b', "hello"', b"hello"),
                (b',"', b'"'),
                (b',""', b""),
                (b",", b""),
                (b',{"a":"b"}', b'{"a":"b"}'),
                (b',say "a"', b'say "a"'),
                (b",0", b"0"),
                (b",OK", b"OK"),
                (b",\xff\x00\x01", b"\xff\x00\x01"),
            ):
                got = await received(head + rest + b"\r\n", ("topic",))
                assert got == ([("a/b", want, False, 0)], 0), (name, rest)
            got = await received(head + b",5,hello\r\n", ("topic", "length"))
            assert got == ([("a/b", b"hello", False, 0)], 0)
            got = await received(head + b",9,hello\r\n" + head + b",1,x\r\n", ("topic", "length"))
            assert got[1] == 1
    finally:
        dialect.MQTT_MESSAGE = kept


def edited(form, **changes):
    """A form with some of its entries changed."""
    names = ("send", "answer", "shape", "then", "prompt", "wait", "again", "source")
    return dialect.Form(*[changes.get(n, form[i]) for i, n in enumerate(names)])


async def test_every_form_of_mqtt_edited():
    """Other names of commands, of outcomes, with and without LS, ? or not; other waits."""
    kept = [(name, form) for name, form in dialect.forms().items() if name[:5] == "MQTT_"]
    assert len(kept) == 17
    for sent, outcome in (("+QMT", "+QMT"), ("+LSMQTT", "+LSQMT"), ("^M", "^M"), ("+M", "+LSM")):
        for mark in ("", "?"):
            try:
                for name, form in kept:
                    then = form.then.rstrip("?").replace("+MQTT", outcome)
                    changed = form.send.replace("+LSMQTT", sent).replace('"topic"', '"subject"')
                    then = then and then + mark
                    setattr(dialect, name, edited(form, send=changed, then=then, wait=9))
                made, modem = module()
                for command in (CALL, OPEN, PUB, SUB, CLOSE):
                    name = outcome + command[9:].split("=")[0]
                    changed = command.replace("+LSMQTT", sent)
                    made.answers[changed] = (b"0\r", b"\r\n" + name.encode() + b": 1\r\n")
                made.answers[HANG_UP.replace("+LSMQTT", sent)] = (b"0\r",)
                mqtt = modem.mqtt("n1", "h", user="u", password="p")
                await mqtt.connect()
                await mqtt.subscribe("t")
                for qos in (0, 1):
                    await mqtt.publish("t", "x", qos)
                assert sum(["subject" in line for line in made.heard]) == 1
                made.say(b"\r\n" + outcome.encode() + b"OPEN: 0\r\n")
                await asyncio.sleep_ms(100)
                assert not mqtt.connected
                await mqtt.connect()
                await mqtt.disconnect()
                assert nothing_left(modem)
                await answers_still(made, modem)
            finally:
                for name, form in kept:
                    setattr(dialect, name, form)


# What a session leaves --------------------------------------------------------------------------


async def interrupted(awaitable):
    """Cancelled in the middle."""
    task = asyncio.create_task(awaitable)
    await asyncio.sleep_ms(500)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return


def heap():
    """Bytes in use, where the interpreter tells."""
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


async def sessions(live, count=100):
    """Live so many sessions on one module; nothing may be left of any."""
    made, modem = module()
    good = dict(made.answers)
    channel = modem._channel
    settled = tasks = None
    for n in range(count):
        made.answers = dict(good)
        made.heard.clear()
        await live(n, made, modem)
        assert nothing_left(modem)
        assert len(channel.payloads) == 3
        if n == count // 2:
            settled = heap()
            tasks = len(asyncio.all_tasks()) if hasattr(asyncio, "all_tasks") else 0
    assert heap() - settled < 1500  # a session takes more
    if tasks:
        assert len(asyncio.all_tasks()) <= tasks
    made.answers = good
    await answers_still(made, modem)


async def test_sessions_that_end_well_leave_nothing():
    async def live(_, made, modem):
        mqtt = modem.mqtt("n1", "h")
        await mqtt.connect()
        await mqtt.publish("t", "x")
        await mqtt.connect()  # once more
        await mqtt.disconnect()

    await sessions(live)


async def test_sessions_that_time_out_leave_nothing():
    async def live(n, made, modem):
        mqtt = modem.mqtt("n1", "h")
        if n % 2:
            made.answers[OPEN] = (b"0\r",)
            await fails(Timeout, mqtt.connect())
        else:
            await mqtt.connect()
            made.answers[PUB] = (b"0\r",)
            await fails(Timeout, mqtt.publish("t", "x"))

    await sessions(live, 10)


async def test_sessions_that_fail_leave_nothing():
    async def live(n, made, modem):
        mqtt = modem.mqtt("n1", "h")
        if n % 7 == 0:  # half-way
            made.answers[CALL] = ERROR
            await fails(CommandError, mqtt.connect())
            return
        if n % 7 == 1:
            made.answers[OPEN] = (b"0\r",)
            await interrupted(mqtt.connect())
            return
        await mqtt.connect()
        if n % 7 == 2:
            made.answers[PUB] = (b"0\r",)
            await interrupted(mqtt.publish("t", "x"))
        elif n % 7 == 3:
            made.answers[CLOSE] = (b"0\r",)
            await interrupted(mqtt.disconnect())
        elif n % 7 == 4:
            made.say(b"\r\nRDY\r\n")
            await asyncio.sleep_ms(100)
        elif n % 7 == 5:
            made.answers[PUB] = (b"0\r", b"\r\nRDY\r\n")
            await fails(C1100Error, mqtt.publish("t", "x"))
        else:
            made.answers[PUB] = ERROR
            await fails(CommandError, mqtt.publish("t", "x"))

    await sessions(live)


# Transcripts, mutated ---------------------------------------------------------------------------

MUTATIONS = (b"", b"1x0", b"x", b"99999999999", b"-1", b'"1"', b" 1 ", b"2", b"1,7", b"\xff", b'"')
STEPS = (
    (CALL, b"+MQTTCALL:%s\r\n"),
    (OPEN, b"+MQTTOPEN:%s\r\n"),
    (SUB, b"+MQTTSUB:%s\r\n"),
    (PUB, b"+MQTTPUB:%s\r\n"),
    (CLOSE, b"+MQTTCLOSE:%s\r\n"),
)


async def test_mutated_outcomes_end_in_a_typed_error_or_well():
    for command, line in STEPS:
        for value in MUTATIONS + (None,):
            for before in (True, False):
                text = b"" if value is None else line % value
                said = (text, b"0\r") if before else (b"0\r", text)
                made, modem = module()
                made.answers[command] = said
                mqtt = modem.mqtt("n1", "h")
                begin = time.ticks_ms()
                try:
                    await mqtt.connect()
                    await mqtt.subscribe("t")
                    await mqtt.publish("t", "x")
                    done = True
                except C1100Error:
                    done = False
                if command == PUB:  # nothing but 1 confirms
                    assert done == (value in (b'"1"', b" 1 ")), value
                if command == OPEN:
                    assert done == (value in (b'"1"', b" 1 ")), value
                took = time.ticks_diff(time.ticks_ms(), begin)
                assert took < (170000 if value is None else 20000), (command, value, took)
                made.answers[command] = told(line[1:].split(b":")[0].decode())
                await mqtt.connect()
                await mqtt.publish("t", "x")
                await mqtt.disconnect()
                assert nothing_left(modem)
                await answers_still(made, modem)


async def test_mutated_result_codes():
    for command in (CFG, CALL, OPEN, SUB, PUB, CLOSE, HANG_UP):
        for code in (
            b"3\r",
            b"4\r",
            b"ERROR\r\n",
            b"+CME ERROR: x\r\n",
            b"+CME ERROR:\r\n",
            b"9\r",
        ):
            made, modem = module()
            made.answers[command] = (code,)
            mqtt = modem.mqtt("n1", "h")
            try:
                await mqtt.connect()
                await mqtt.subscribe("t")
                await mqtt.publish("t", "x")
                await mqtt.disconnect()
            except C1100Error as error:
                assert isinstance(error, (CommandError, Timeout)), (command, code)
                assert not isinstance(error, at.Refused)
            assert nothing_left(modem) or mqtt.connected
            await answers_still(made, modem)


def test_errors_of_this_file_are_the_drivers():
    assert issubclass(BadAnswer, C1100Error)
