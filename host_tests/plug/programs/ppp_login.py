"""PPP with one password after the other; after each that is refused the module takes commands."""

import asyncio

from c1100 import C1100Error


async def flow(modem, settings):
    for password in settings["passwords"]:
        try:
            ppp = await modem.ppp("CMNET", "node", password)
        except C1100Error as error:
            heard = bool(await modem.command("+CSQ"))
            text = str(error).split(": ", 1)[-1]
            print("refused AT+CSQ", heard, type(error).__name__, text)
            continue
        print("online")
        await asyncio.sleep(10)
        await ppp.hang_up()
        print("signal", (await modem.signal()).rssi)
