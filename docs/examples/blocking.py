"""The module's own MQTT and HTTP without asyncio, named as umqtt.simple and requests name them."""

import machine

from c1100 import C1100, blocking

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)
nic = blocking.Interface(modem, "CMNET")
nic.active(True)
print("active", nic.active(), nic.config("imei"), nic.status("rssi"))

heard = []
client = blocking.MQTTClient(modem, "node-1", "server.example")
client.set_callback(lambda topic, message: heard.append((topic, message)))
client.connect()
client.subscribe(b"greetings", 1)
client.publish(b"greetings", b"hello", qos=1)
while not heard:
    client.wait_msg()
client.check_msg()
client.disconnect()
print("heard", heard)

answer = blocking.Requests(modem).get("http://server.example/index.html")
print("got", answer.status_code, len(answer.content))
nic.connect()
print("connected", nic.isconnected(), nic.ifconfig()[0])
nic.active(False)
print("active", nic.active())
print("done")
