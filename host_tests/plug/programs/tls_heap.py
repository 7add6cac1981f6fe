"""Heap in use with each step towards a TLS connection, what can be collected left out."""

import gc


def told(step):
    gc.collect()
    print("heap", gc.mem_alloc(), step)


told("before the driver")

import asyncio  # noqa: E402

import machine  # noqa: E402

from c1100 import C1100  # noqa: E402

modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)


async def main():
    await modem.start(apn="CMNET")
    async with modem.pdp("CMNET"):
        async with await modem.tcp("server.example", 7000):
            told("a connection without TLS")
        async with await modem.tls("server.example", 7443, ca="ca.der") as sock:
            await sock.sendall(b"hello\n")
            assert await sock.recv(100, timeout_s=30) == b"hello\n"
            told("a connection with TLS")


asyncio.run(main())
print("done")
