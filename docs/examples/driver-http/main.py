"""The driver alone: a reading by HTTP POST, and what the server says to it."""

import asyncio

import machine

from c1100 import C1100, C1100Error

URL = "http://server.example/readings"


async def main():
    uart = machine.UART(1, 115200, tx=17, rx=16, timeout=0, rxbuf=4096)
    key = machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0))
    modem = C1100(uart, pwrkey=key)
    await modem.start(apn="CMNET")
    try:
        reply = await modem.http.post(URL, json={"level": 1.25})
        print("post", reply.status_code, reply.json()["body"])
        reply = await modem.http.get(URL + "?last=1", headers={"X-Node": "n1"})
        print("get", reply.status_code, reply.json()["path"])
    except C1100Error as error:
        print("failed:", error)  # it names the command, and what to do
    finally:
        await modem.power_off()


asyncio.run(main())
