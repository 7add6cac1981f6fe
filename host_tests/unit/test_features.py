"""HTTP, GNSS, LwM2M, MQTT subscriptions, PPP and variants over a scripted module."""

import asyncio
import time

from c1100 import (
    C1100,
    BadArgument,
    CommandError,
    NotConnected,
    NotSupported,
    Overflow,
    PayloadError,
    Timeout,
    gnss,
    variants,
)
from c1100.channel import COMMAND
from host_tests.support import fails, raises
from host_tests.support.streams import Module, at_every_split

SIGNAL = ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")


def start(*steps, **options):
    module = Module(*steps)
    modem = C1100(module, **options)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return module, modem


# HTTP -------------------------------------------------------------------------------------------

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


# GNSS -------------------------------------------------------------------------------------------


def nmea(text):
    total = 0
    for c in text:
        total ^= ord(c)
    return ("$%s*%02X\r\n" % (text, total)).encode()


GGA = nmea("GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,")
RMC = nmea("GNRMC,092725.00,A,4717.11399,N,00833.91590,E,10.0,77.52,091226,,,A,V")
VOID = nmea("GNRMC,092724.00,V,,,,,,,091226,,,N,V")
GNSS_ON = (
    ("AT+GPSMODE=1", b"0\r"),
    ("AT+GPSCONFIG=20,180,9999999,1,2,1", b"0\r"),
)


async def test_fix_and_end():
    async def scenario():
        module, modem = start(
            *GNSS_ON,
            ("AT+GPSSTART", b"0\r" + VOID, (500, GGA.replace(b"4717", b"4718") + RMC + GGA)),
            ("AT+CSQ", VOID + b"+CSQ: 22,99\r\n" + GGA + b"0\r"),
            ("AT+GPSEND", b"0\r"),
        )
        await modem.gnss.start()
        fix = await modem.gnss.fix(30)
        level = (await modem.signal()).rssi
        await modem.gnss.stop()
        bad = modem.gnss.bad
        modem.close()
        return module, (tuple(fix), level, bad)

    await at_every_split(scenario)
    fix, level, bad = (await scenario())[1]
    assert fix[0] == (2026, 12, 9, 9, 27, 25)
    assert abs(fix[1] - 47.2852332) < 1e-5
    assert abs(fix[2] - 8.5652650) < 1e-5
    assert fix[3] == 499.6
    assert abs(fix[4] - 5.14444) < 1e-4
    assert fix[5:] == (77.52, 8, 1.01)
    assert level == -69
    assert bad == 1


async def test_no_fix_in_time():
    module, modem = start(*GNSS_ON, ("AT+GPSSTART", b"0\r" + VOID * 3))
    await modem.gnss.start()
    await fails(Timeout, modem.gnss.fix(20))
    module.check()
    modem.close()


async def test_a_board_that_dozes_asks_for_the_sentences():
    def answer(*lines):
        return b"+GPSNMEA:" + b"".join(lines) + b"0\r"

    for refused in (False, True):
        module, modem = start(*GNSS_ON, ("AT+GPSSTART", b"0\r"), doze=lambda ms: time.sleep_ms(ms))
        if refused:  # a module that cannot hold its tongue is listened to
            module.steps += [("AT+NMEAS=0", b"+CME ERROR: 4\r\n", (1500, GGA + RMC))]
        else:
            module.steps += [
                ("AT+NMEAS=0", b"0\r"),
                ("AT+GPSNMEA", b"+CME ERROR: 4\r\n"),
                ("AT+GPSNMEA", answer(VOID)),
                ("AT+GPSNMEA", answer(RMC, GGA)),
                ("AT+NMEAS=1", b"0\r"),  # as it was, for whoever comes next
            ]
        module.steps.append(("AT+GPSEND", b"0\r"))
        await modem.gnss.start()
        fix = await modem.gnss.fix(30)
        await modem.gnss.stop()
        assert abs(fix.latitude - 47.285233) < 1e-5
        module.check()
        modem.close()
    module, modem = start(
        *GNSS_ON,
        ("AT+GPSSTART", b"0\r"),
        ("AT+NMEAS=0", b"0\r"),
        doze=lambda ms: time.sleep_ms(ms),
    )
    module.steps += [("AT+GPSNMEA", answer(VOID))] * 6
    await modem.gnss.start()
    error = await fails(Timeout, modem.gnss.fix(5))
    assert "sky" in str(error)
    module.check()
    modem.close()


def test_sentences():
    assert gnss.sentence("$GPTXT,01*6F"[:-2] + "00") is None
    for line in ("", "$", "$GNRMC", "$GNRMC*", "$GNRMC*ZZ", "GNRMC,1*00"):
        assert gnss.sentence(line) is None, line
    rmc = gnss.sentence(RMC.decode().strip())
    assert rmc[0] == "GNRMC"
    assert gnss.combine(None, rmc) is None
    south = gnss.sentence(
        nmea("GNRMC,092725.00,A,4717.1,S,00833.9,W,,,091226,,,A,V").decode().strip()
    )
    gga = gnss.sentence(nmea("GPGGA,092725.00,,,,,1,,,,M,,M,,").decode().strip())
    fix = gnss.combine(gga, south)
    assert fix.latitude < 0
    assert fix.longitude < 0
    assert (fix.altitude, fix.speed, fix.course, fix.satellites, fix.hdop) == (
        None,
        None,
        None,
        0,
        None,
    )
    for broken in (["GNRMC"], ["GNRMC", "x", "A"], south[:9] + ["99"]):
        assert gnss.combine(gga, broken) is None


# LwM2M ------------------------------------------------------------------------------------------


async def test_lwm2m_servers_and_restart():
    module, modem = start(
        ('AT+LWMTM=3,"5.39.83.206:5683"', b"0\r"),
        ('AT+LWMTM=4,"5.39.83.205:5683"', b"0\r"),
        ("AT+LWMTM=1", b"0\r"),
        ("AT+CFUN=1,1", b"0\r"),
        ("AT", b"AT\r\r\nOK\r\n"),
        ("AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 99,99\r\n\r\nOK\r\n"),
        ("ATV0", b"ATV0\r0\r"),
        ("ATE0", b"ATE0\r0\r"),
        ("AT+CMEE=1", b"0\r"),
        SIGNAL,
    )
    await modem.lwm2m.configure(["5.39.83.206:5683", "5.39.83.205:5683"])
    await modem.lwm2m.enable()
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_lwm2m_servers_are_checked_before_the_first_is_set():
    module, modem = start()
    for servers in ([], ["a:1"] * 4, ["a:1", "b"], ["a:1", ":5"], ["a:70000"], ['a"b:1']):
        await fails(BadArgument, modem.lwm2m.configure(servers))
    assert module.heard == []
    modem.close()


# MQTT -------------------------------------------------------------------------------------------

CONNECT = (
    ('AT+LSMQTTCFG="clientid","n1"', b"0\r"),
    ('AT+LSMQTTCFG="session",1', b"0\r"),
    ('AT+LSMQTTCFG="message",0,""', b"0\r"),
    ("AT+LSMQTTCALL=1", b"0\r\r\r\n+MQTTCALL:1\r\n"),
    ('AT+LSMQTTOPEN="h",1883,60', b"0\r\r\r\n+MQTTOPEN:1\r\n"),
)
SUBSCRIBE = (
    ('AT+LSMQTTCFG="topic","c/#"', b"0\r"),
    ('AT+LSMQTTCFG="qos",1', b"0\r"),
)


async def test_what_the_module_knows_already_is_not_said_again():
    def message(payload, topic=True, qos=True):
        steps = []
        if topic:
            steps.append(('AT+LSMQTTCFG="topic","t"', b"0\r"))
        steps.append(('AT+LSMQTTCFG="message",0,"%s"' % payload, b"0\r"))
        if qos:
            steps.append(('AT+LSMQTTCFG="qos",1', b"0\r"))
        if topic:
            steps.append(('AT+LSMQTTCFG="retained",0', b"0\r"))
        return steps + [("AT+LSMQTTPUB=1", b"0\r+MQTTPUB:1\r\n")]

    module, modem = start(
        *CONNECT,
        *message("a"),
        *message("b", topic=False, qos=False),
        *SUBSCRIBE,
        ("AT+LSMQTTSUB=1", b"0\r+MQTTSUB:1\r\n"),
        *message("c", qos=False),  # it shares the topic and the QoS with the subscription
        *message("d", topic=False, qos=False),
    )
    mqtt = modem.mqtt("n1", "h")
    await mqtt.connect()
    await mqtt.publish("t", "a")
    await mqtt.publish("t", "b")
    await mqtt.subscribe("c/#")
    await mqtt.publish("t", "c")
    await mqtt.publish("t", "d")
    module.check()
    # Another session starts from nothing.
    module.say(b"+MQTTOPEN:0\r\n")
    await asyncio.sleep_ms(100)
    module.steps = list(CONNECT) + message("e")
    await mqtt.connect()
    await mqtt.publish("t", "e")
    module.check()
    modem.close()


async def test_subscribe_receive_unsubscribe():
    async def scenario():
        module, modem = start(
            *CONNECT,
            *SUBSCRIBE,
            (
                "AT+LSMQTTSUB=1",
                b'0\r+MQTTSUB:1\r\n+MQTTMSG:"c/1",1,0,9,a\r\nOK\r0\r\x00\r\n',
                (200, b'+MQTTMSG:"c/2",0,1,0,\r\n'),
            ),
            ('AT+LSMQTTCFG="topic","c/#"', b"0\r"),
            ('AT+LSMQTTCFG="qos",0', b"0\r"),
            ("AT+LSMQTTSUB=0", b"0\r+MQTTSUB:1\r\n"),
        )
        mqtt = modem.mqtt("n1", "h")
        await mqtt.connect()
        await mqtt.subscribe("c/#")
        got = [tuple(await mqtt.wait_msg()), tuple(await mqtt.wait_msg())]
        await mqtt.unsubscribe("c/#")
        lost = mqtt.lost
        modem.close()
        return module, (got, lost)

    await at_every_split(scenario)
    assert (await scenario())[1] == (
        [("c/1", b"a\r\nOK\r0\r\x00", False, 1), ("c/2", b"", True, 0)],
        0,
    )


async def test_messages_by_callback_and_a_bounded_queue():
    module, modem = start(*CONNECT)
    mqtt = modem.mqtt("n1", "h")
    await mqtt.connect()
    module.say(
        b"".join([b'+MQTTMSG:"t",0,0,1000,%04d' % i + b"x" * 996 + b"\r\n" for i in range(9)])
    )
    await asyncio.sleep_ms(500)
    kept = []
    while True:
        message = mqtt.check_msg()
        if message is None:
            break
        kept.append(int(message.payload[:4]))
    assert kept == list(range(3))
    assert mqtt.lost == 6
    seen = []
    mqtt.set_callback(lambda topic, payload: seen.append((topic, payload)))
    module.say(b'+MQTTMSG:"t",0,0,1,x\r\n')
    await asyncio.sleep_ms(100)
    assert seen == [("t", b"x")]
    module.check()
    modem.close()


async def test_lost_session_ends_waiting_and_publishing():
    for said in (b"+MQTTOPEN:0\r\n", b"+MQTTCLOSE:1\r\n", b"+MQTTCALL:0\r\n", b"\r\nRDY\r\n"):
        module, modem = start(*CONNECT)
        mqtt = modem.mqtt("n1", "h")
        await mqtt.connect()
        module.say(said, 500)
        await fails(NotConnected, mqtt.wait_msg())
        assert not mqtt.connected
        await fails(NotConnected, mqtt.publish("t", "x"))
        await fails(NotConnected, mqtt.subscribe("t"))
        module.check()
        modem.close()


async def test_late_confirmation_never_confirms_the_next_message():
    module, modem = start(
        *CONNECT,
        ('AT+LSMQTTCFG="topic","t"', b"0\r"),
        ('AT+LSMQTTCFG="message",0,"one"', b"0\r"),
        ('AT+LSMQTTCFG="qos",1', b"0\r"),
        ('AT+LSMQTTCFG="retained",0', b"0\r"),
        ("AT+LSMQTTPUB=1", b"0\r", (80000, b"+MQTTPUB:1\r\n")),
    )
    mqtt = modem.mqtt("n1", "h")
    await mqtt.connect()
    await fails(Timeout, mqtt.publish("t", "one"))
    await fails(NotConnected, mqtt.publish("t", "two"))
    module.check()
    modem.close()


async def test_f19_nothing_can_be_smuggled_through_topic_and_name():
    module, modem = start()
    for client_id in ('a"', "a\r", "a\x1a", "x" * 65):
        await fails(BadArgument, modem.mqtt(client_id, "h").connect())
    mqtt = modem.mqtt("n1", "h")
    mqtt.connected = True
    for topic in ('a","b', "a\rAT+CFUN=0", "a\n", "x" * 129):
        await fails(BadArgument, mqtt.publish(topic, "x"))
    with raises(BadArgument):
        await modem.pdp('a"\rAT+CFUN=0').__aenter__()
    assert module.heard == []
    modem.close()


# PPP --------------------------------------------------------------------------------------------


class Link:
    """Stands for network.PPP, which exists on boards only."""

    SEC_PAP = 1

    def __init__(self, stream, up_after=3):
        self.stream = stream
        self.calls = []
        self.up_after = up_after

    def active(self, on):
        self.calls.append(("active", on))

    def connect(self, **how):
        self.calls.append(("connect", how))

    def isconnected(self):
        self.up_after -= 1
        return self.up_after <= 0

    def disconnect(self):
        self.calls.append(("disconnect",))


DIAL = (
    ("AT+MODODREX=2", b"0\r"),
    ('AT+CGDCONT=1,"IP","3GNET"', b"0\r"),
    ("ATD*99#", b"1\r"),
)
BACK = ((b"+++", (900, b"\r0\r")), ("AT", b"0\r"), SIGNAL, ("ATH", b"0\r"), SIGNAL)


async def test_dial_hand_over_hang_up():
    module, modem = start(*DIAL, *BACK)
    ppp = await modem.ppp("3GNET", user="u", password="p", factory=Link)
    assert ppp.link.stream is module
    assert ppp.link.calls == [
        ("active", True),
        ("connect", {"security": 1, "user": "u", "key": "p"}),
    ]
    await fails(NotConnected, modem.signal())
    link = ppp.link
    await ppp.hang_up()
    assert link.calls[2:] == [("disconnect",), ("active", False)]
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_no_carrier():
    again = (("ATH", b"0\r"), ("AT+CEREG?", b"+CEREG: 1,1\r\n0\r"))
    module, modem = start(*DIAL[:2], ("ATD*99#", b"3\r"), *again, ("ATD*99#", b"3\r"), SIGNAL)
    await fails(CommandError, modem.ppp("3GNET", factory=Link))
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_link_that_does_not_come_up_is_hung_up():
    module, modem = start(*DIAL, *BACK)
    await fails(
        NotConnected,
        modem.ppp("3GNET", factory=lambda stream: Link(stream, 10**9), timeout_s=5),
    )
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f35_board_restarted_while_the_module_was_in_data_mode():
    silent = [(b"AT\r",)] * 5
    module, modem = start(*silent, *BACK)
    modem._channel.mode = 1
    await modem.power_on()
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f36_carrier_lost_without_a_word():
    """The network has hung up: +++ falls into command mode, and hanging up still ends there."""
    module, modem = start(*DIAL, (b"+++",), ("AT", b"4\r"), SIGNAL, ("ATH", b"0\r"), SIGNAL)
    ppp = await modem.ppp("3GNET", factory=Link)
    module.say(b"\x7e\xff\r3\r")
    await ppp.hang_up()
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_f36_module_that_stays_in_data_mode():
    _, modem = start(*DIAL, *[(b"+++",)], *[(lambda line: True,)] * 9)
    ppp = await modem.ppp("3GNET", factory=Link)
    await fails(Timeout, ppp.hang_up())
    assert modem._channel.mode == 1
    modem.close()


async def test_f37_what_happened_in_data_mode_is_asked_for_afterwards():
    module, modem = start(
        *DIAL,
        *BACK[:-1],
        ("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"),
        ("AT+CGREG?", b"+CGREG: 1,2\r\n0\r"),
    )
    ppp = await modem.ppp("3GNET", factory=Link)
    module.say(b"\x7e\xff\x03+CEREG: 2\r\n\x7e")  # swallowed by whoever has the stream
    await ppp.hang_up()
    assert (await modem.registration()).searching
    module.check()
    modem.close()


# Variants ---------------------------------------------------------------------------------------


async def test_variants():
    module, modem = start(("AT+CGMM", b"C1100 NGCX\r\n0\r"))
    variant = await modem.variant()
    assert variant.name == "NGCX"
    assert variant.gnss
    for feature in ("taf", "gsm", "lte-m"):
        with raises(NotSupported):
            variant.require(feature)
    variant.require("nb-iot")
    assert 39 in variants.parse("C1100-MGGT").bands[variants.LTE_M]
    with raises(NotSupported):
        variants.parse("SIM7000")
    module.check()
    modem.close()


async def test_what_a_variant_lacks_is_said():
    module, modem = start(
        ("AT+GPSMODE=1", b"4\r"),
        ("AT+CGMM", b"C1100 MGGT\r\n0\r"),
        ('AT+CEDRXS=1,2,"0101"', b"+CME ERROR: 50\r\n"),
        ("AT+CGMM", b"C1100 NGGT\r\n0\r"),
        ('AT+CEDRXS=1,2,"0101"', b"4\r"),
        ("AT+CGMM", b"C1100\r\n0\r"),
    )
    error = await fails(CommandError, modem.gnss.start())
    assert error.command == "+GPSMODE={mode:d4}"
    error = await fails(NotSupported, modem.power.edrx(48, 2))
    assert str(error) == "the C1100 NGGT has no gsm"
    await fails(CommandError, modem.power.edrx(48, 2))
    module.check()
    modem.close()
