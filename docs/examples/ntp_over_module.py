"""The calls of micropython-lib's ntptime over the module: a UDP socket that blocks."""

import asyncio
import struct

import machine

from c1100 import C1100, socket

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)
asyncio.run(modem.start(apn="CMNET"))
socket.use(modem, "CMNET")

import socket  # noqa: E402 -- the module's from now on

query = bytearray(48)
query[0] = 0x1B
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    s.settimeout(10)
    s.sendto(query, socket.getaddrinfo("time.example", 123)[0][-1])
    answer = s.recv(48)
finally:
    s.close()
print("seconds since 1900:", struct.unpack("!I", answer[40:44])[0])
print("done")
