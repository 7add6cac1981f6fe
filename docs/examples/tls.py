"""TLS to a server whose certificate and name are checked, by its operator's ca.pem."""

import asyncio

import machine

from c1100 import C1100
from c1100.tls import CertificateRefused

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)


async def main():
    await modem.start(apn="CMNET")
    async with modem.pdp("CMNET"):
        try:
            sock = await modem.tls("server.example", 7443, ca="ca.pem")
        except CertificateRefused as error:
            print("nothing was sent:", error)
            return
        async with sock:
            await sock.sendall(b"hello\n")
            print(await sock.recv(100, timeout_s=30))


asyncio.run(main())
print("done")
