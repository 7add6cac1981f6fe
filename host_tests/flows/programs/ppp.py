"""PPP: dial, hand the stream over, take it back, hang up (manual 3.3.3)."""

import asyncio


class Link:
    """In place of network.PPP, which the unix port lacks: the test's own client has the wire."""

    def __init__(self, stream):
        print("dialled", stream)

    def connect(self, **how):
        print("connect", how)

    def isconnected(self):
        return True

    def disconnect(self):
        print("disconnect")


async def flow(modem, settings):
    ppp = await modem.ppp("3GNET", factory=Link)
    print("online")
    await asyncio.sleep(settings["online_s"])
    await ppp.hang_up()
    print("signal", (await modem.signal()).rssi)
    print("registered", (await modem.registration()).registered)
