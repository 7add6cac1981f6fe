"""MQTT over a scripted module."""

import asyncio

from c1100 import BadAnswer, BadArgument, NotConnected, Timeout
from host_tests.support import fails, raises
from host_tests.support.driver import start
from host_tests.support.streams import at_every_split

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


# What the module shows of topic "nodes/n1/telemetry" and such a message; whether that is another
# one than was said. How it lays it out is not known.
TOPIC = "nodes/n1/telemetry"
RECORD = b'[{"bn":"n1:","n":"seq","v":1}]'
DIGITS = "5b7b22626e223a226e313a222c226e223a22736571222c2276223a317d5d"
SHOWN = (
    ('+LSMQTTPUB: "%s",1,0,1,"%s"' % (TOPIC, DIGITS), False),
    ("+LSMQTTPUB:%s,1,0,%s" % (TOPIC, DIGITS.upper()), False),
    ('+LSMQTTPUB: "%s","%s",1,0' % (DIGITS, TOPIC), False),
    ('+LSMQTTPUB: 1,0,"%s"' % DIGITS, False),
    ('+LSMQTTPUB: "%s",1,0,30' % TOPIC, False),
    ('+LSMQTTPUB: "%s",1,0,"[{\\"bn\\"}]"' % TOPIC, False),
    ("+LSMQTTPUB: 1", False),
    ('+LSMQTTPUB: "%s",1,0,1,"%s"' % (TOPIC, DIGITS[:20] + DIGITS[22:]), True),
    ('+LSMQTTPUB: "%s",1,0,1,"%s"' % (TOPIC, DIGITS[1:-1]), False),  # both ends: not known
    ('+LSMQTTPUB: "%s",1,0,1,"%s"' % (TOPIC, DIGITS[2:]), True),
    ('+LSMQTTPUB: "%s",1,0,1,"%s"' % (TOPIC, DIGITS[:-2]), True),
    ('+LSMQTTPUB: "%s",1,0,1,"%s"' % ("nodes/n1/telmetry", DIGITS), True),
)


async def test_a_message_that_lost_bytes_on_its_way_is_said_again():
    said = (
        ('AT+LSMQTTCFG="topic","%s"' % TOPIC, b"0\r"),
        ('AT+LSMQTTCFG="message",1,"%s"' % DIGITS, b"0\r"),
        ('AT+LSMQTTCFG="qos",1', b"0\r"),
        ('AT+LSMQTTCFG="retained",0', b"0\r"),
    )
    publish = ("AT+LSMQTTPUB=1", b"0\r+MQTTPUB:1\r\n")
    good = ("AT+LSMQTTPUB?", SHOWN[0][0].encode() + b"\r\n0\r")
    for line, damaged in SHOWN:
        shown = ("AT+LSMQTTPUB?", line.encode() + b"\r\n0\r")
        again = said + (good,) if damaged else ()
        module, modem = start(*(CONNECT + said + (shown,) + again + (publish,)))
        modem.careful = True
        mqtt = modem.mqtt("n1", "h")
        await mqtt.connect()
        await mqtt.publish(TOPIC, RECORD)
        module.check()
        modem.close()


async def test_a_message_that_never_arrives_whole_is_not_published():
    said = (
        ('AT+LSMQTTCFG="topic","t"', b"0\r"),
        ('AT+LSMQTTCFG="message",0,"twenty one"', b"0\r"),
        ('AT+LSMQTTCFG="qos",1', b"0\r"),
        ('AT+LSMQTTCFG="retained",0', b"0\r"),
        ("AT+LSMQTTPUB?", b'+LSMQTTPUB: "t",1,0,0,"twenty on"\r\n0\r'),
    )
    module, modem = start(*(CONNECT + 3 * said + said[:-1]))
    mqtt = modem.mqtt("n1", "h", careful=True)
    await mqtt.connect()
    error = await fails(BadAnswer, mqtt.publish("t", "twenty one"))
    assert "twenty" not in str(error)
    module.check()
    modem.close()


async def test_a_module_that_shows_no_message_publishes_it():
    said = (
        ('AT+LSMQTTCFG="topic","t"', b"0\r"),
        ('AT+LSMQTTCFG="message",0,"a,b"', b"0\r"),
        ('AT+LSMQTTCFG="qos",1', b"0\r"),
        ('AT+LSMQTTCFG="retained",0', b"0\r"),
    )
    for answer in (b"4\r", b"+CME ERROR: 4\r\n", b"0\r"):
        shows = (("AT+LSMQTTPUB?", answer), ("AT+LSMQTTPUB=1", b"0\r+MQTTPUB:1\r\n"))
        module, modem = start(*(CONNECT + said + shows))
        mqtt = modem.mqtt("n1", "h", careful=True)
        await mqtt.connect()
        await mqtt.publish("t", "a,b")
        module.check()
        modem.close()
