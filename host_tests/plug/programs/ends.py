"""How connections end: with a number, where asyncio's users look for one."""

import asyncio
import errno

from c1100 import C1100Error


async def flow(modem, settings):
    async with modem.pdp("CMNET"):
        await restarted(modem)
    await modem.start(apn="CMNET")
    async with modem.pdp("CMNET"):
        try:
            await modem.open_connection("server.example", 6999)
        except C1100Error as error:  # which tells more than a number can
            print("nobody", type(error).__name__)


async def restarted(modem):
    # Who waits while the module restarts is told, with a number and in words.
    reader, writer = await modem.open_connection("server.example", 7000)
    waiting = asyncio.create_task(reader.read(10))
    await asyncio.sleep(1)
    print("restart now")
    await asyncio.sleep(1)
    try:
        await waiting
    except OSError as error:
        print("reader", error.errno == errno.ECONNRESET, error)
    try:
        writer.write(b"x")
    except OSError as error:
        print("writer", error.errno == errno.ECONNRESET, error)
    await writer.wait_closed()
