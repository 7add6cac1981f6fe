"""umqtt.simple, unchanged, over the module, with TLS whose certificate is checked."""

import asyncio
import ssl
import sys

import machine

from c1100 import C1100, socket

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)
asyncio.run(modem.start(apn="CMNET"))
socket.use(modem, "CMNET")
sys.modules["ussl"] = ssl  # what older code calls it

from umqtt.simple import MQTTClient  # noqa: E402 -- finds the module's socket now

with open("ca.der", "rb") as file:
    trusted = {
        "cert_reqs": ssl.CERT_REQUIRED,
        "cadata": file.read(),
        "server_hostname": "server.example",
    }
client = MQTTClient("node-1", "server.example", 8883, ssl=True, ssl_params=trusted)
heard = []
client.set_callback(lambda topic, message: heard.append(message))
client.connect()
client.subscribe(b"greetings", 1)
client.publish(b"greetings", b"hello", qos=1)
while not heard:  # it may have come while publish() waited for its confirmation
    client.wait_msg()
print("heard", heard)
client.disconnect()
socket.release()
print("done")
