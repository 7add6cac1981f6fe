"""A TCP connection to an echo server, and another: how each went, and how long it took."""

import time

from c1100 import C1100Error

DATA = bytes(range(256)) * 6


async def once(modem, far):
    async with modem.pdp("CMNET"):
        sock = await modem.tcp(*far)
        try:
            await sock.sendall(DATA)
            got = b""
            while len(got) < len(DATA):
                got += await sock.recv(len(DATA), 20)
        finally:
            sock.close()
            await sock.wait_closed()
    return "ok" if got == DATA else "wrong bytes"


async def flow(modem, settings):
    for number in (1, 2):
        begin = time.ticks_ms()
        try:
            result = await once(modem, settings["tcp"])
        except C1100Error as error:
            result = type(error).__name__ + " " + str(error)
        print("went", number, time.ticks_diff(time.ticks_ms(), begin) // 1000, result)
