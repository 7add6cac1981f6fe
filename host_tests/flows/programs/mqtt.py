"""MQTT: subscribe, publish with every QoS, retained, unsubscribe, reconnect (manual 3.6)."""


async def flow(modem, settings):
    mqtt = modem.mqtt(
        "flow",
        *settings["broker"],
        user=settings.get("user"),
        password=settings.get("password"),
        last_will=("flow/will", "gone", False, 1),
    )
    await mqtt.connect()
    await mqtt.subscribe("flow/#", 2)
    for qos in (0, 1, 2):
        await mqtt.publish("flow/%d" % qos, b"\x00\r\nOK\r\n%d" % qos, qos)
        message = await mqtt.wait_msg()
        print("message", message.topic, message.payload, message.retained)
    await mqtt.publish("flow/kept", "kept", 1, True)
    await mqtt.wait_msg()
    await mqtt.unsubscribe("flow/#")
    await mqtt.publish("flow/1", "unheard", 1)
    print("unheard", mqtt.check_msg())
    await mqtt.disconnect()
    await mqtt.connect()
    await mqtt.subscribe("flow/kept", 1)
    message = await mqtt.wait_msg()
    print("retained", message.payload, message.retained)
    print("lost", mqtt.lost)
    # And then the node vanishes without a word.
