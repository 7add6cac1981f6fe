"""Code that blocks, unchanged, over the module: the requests of micropython-lib, with and without
TLS (which that one does not check: docs/tls.md)."""

import asyncio

import machine

from c1100 import C1100, socket

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)
asyncio.run(modem.start(apn="CMNET"))
socket.use(modem, "CMNET")

import requests  # noqa: E402 -- finds the module's socket now

for url in ("http://server.example/bytes/2000", "https://server.example/bytes/2000"):
    answer = requests.get(url)
    print(answer.status_code, len(answer.content))
    answer.close()
socket.release()
print("done")
