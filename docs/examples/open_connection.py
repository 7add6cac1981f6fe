"""asyncio's streams over the module, as over Wi-Fi; with ssl=tls.Context(...) encrypted."""

import asyncio

import machine

from c1100 import C1100, tls

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)


async def talk(port, ssl):
    reader, writer = await modem.open_connection("server.example", port, ssl=ssl)
    writer.write(b"a line\n")
    writer.write(b"x" * 5000)
    await writer.drain()
    print(await reader.readline(), len(await reader.readexactly(5000)))
    writer.close()
    await writer.wait_closed()


async def main():
    await modem.start(apn="CMNET")
    async with modem.pdp("CMNET"):
        await talk(7000, None)
        await talk(7443, tls.Context("ca.pem"))


asyncio.run(main())
print("done")
