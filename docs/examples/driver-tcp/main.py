"""The driver alone: a TCP connection to a server that sends back what it gets."""

import asyncio

import machine

from c1100 import C1100, C1100Error

HOST, PORT = "server.example", 7007


async def talk(modem):
    sock = await modem.tcp(HOST, PORT)
    try:
        await sock.sendall(b"level 1.25\n" * 300)
        heard = b""
        while len(heard) < 3300:
            heard += await sock.recv(1024, timeout_s=30)
        print("heard", len(heard), heard[:10])
    finally:
        sock.close()
        await sock.wait_closed()


async def main():
    uart = machine.UART(1, 115200, tx=17, rx=16, timeout=0, rxbuf=4096)
    key = machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0))
    modem = C1100(uart, pwrkey=key)
    await modem.start(apn="CMNET")
    try:
        async with modem.pdp("CMNET"):
            await talk(modem)
    except C1100Error as error:
        print("failed:", error)
    finally:
        await modem.power_off()


asyncio.run(main())
