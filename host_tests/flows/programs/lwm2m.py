"""LwM2M: server, start, restart (manual 3.5.1), and a second server (3.5.2)."""


async def flow(modem, settings):
    await modem.lwm2m.configure(settings["servers"])
    await modem.lwm2m.enable()
    await modem.register(60)
    print("registered again", (await modem.signal()).rssi)
