"""MQTT over TLS: every QoS each way, long messages, what is refused, and how a session ends."""

import asyncio

from c1100 import C1100Error


async def flow(modem, settings):
    broker = ("node-1", "server.example", 8883)
    wrong = modem.mqtts(*broker, ca="ca.pem", user="node", password="wrong")
    try:
        await wrong.connect()
    except C1100Error as error:
        print("login", type(error).__name__, "check mqtt user and password" in str(error))
    mqtt = modem.mqtts(*broker, ca="ca.pem", user="node", password="right", keepalive=20)
    try:
        await mqtt.publish("a", "early")
    except C1100Error as error:
        print("early", type(error).__name__)
    await mqtt.connect()
    for qos in (0, 1, 2):
        await mqtt.subscribe("t/%d" % qos, qos)
    for qos in (0, 1, 2):
        await mqtt.publish("t/%d" % qos, b"\x00\r\nOK %d" % qos, qos)
        message = await mqtt.wait_msg()
        print("heard", message.topic, message.payload, message.qos, message.retained)
    long = bytes(range(256)) * 12
    await mqtt.publish("t/1", long, 1)
    print("long", (await mqtt.wait_msg()).payload == long, mqtt.lost)
    await mqtt.publish("t/1", b"x" * 6000, 1)
    await mqtt.publish("t/1", b"next", 1)
    print("too long", (await mqtt.wait_msg()).payload, mqtt.lost)
    await mqtt.publish("kept", "k", 1, True)
    await mqtt.subscribe("kept")
    print("retained", (await mqtt.wait_msg()).retained)
    await mqtt.unsubscribe("t/1")
    await mqtt.publish("t/1", "nobody hears it", 1)
    print("queue", mqtt.check_msg())
    await asyncio.sleep(120)  # as long as several keepalives
    await mqtt.publish("t/2", "still there", 2)
    print("alive", (await mqtt.wait_msg()).payload)
    for bad in ("", "a/#", "+"):
        try:
            await mqtt.publish(bad, "x")
        except C1100Error as error:
            print("topic", type(error).__name__)
    # The broker throws out who connects under the same name.
    other = modem.mqtts(*broker, ca="ca.pem", user="node", password="right")
    coming = asyncio.create_task(other.connect())
    try:
        await mqtt.wait_msg()
    except C1100Error as error:
        print("thrown out", type(error).__name__, mqtt.connected)
    await coming
    await other.disconnect()
    await mqtt.connect()
    print("again", mqtt.connected)
    await mqtt.disconnect()
    await mqtt.disconnect()
    print("over", mqtt.connected)
