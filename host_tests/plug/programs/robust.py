"""umqtt.robust, unchanged: publishes again when its connection has gone."""

import asyncio

import machine

from c1100 import C1100, socket

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)
asyncio.run(modem.start(apn="CMNET"))
socket.use(modem, "CMNET")

from umqtt.robust import MQTTClient  # noqa: E402

client = MQTTClient("node-1", "server.example")
heard = []
client.set_callback(lambda topic, message: heard.append(message))
client.connect(clean_session=False)
client.subscribe(b"t", 1)
client.publish(b"t", b"first", qos=1)
while len(heard) < 1:
    client.wait_msg()
client.sock.close()  # as a network does that loses it
client.publish(b"t", b"second", qos=1)
while len(heard) < 2:
    client.wait_msg()
print(heard, client.check_msg())
socket.release()
print("done")
