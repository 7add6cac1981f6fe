"""PSM: ask, sleep, wake, and go on (manual 3.8.1)."""

import time


async def flow(modem, settings):
    granted = await modem.power.psm(tau_s=3600, active_s=10)
    print("granted", granted)
    print("told", await modem.power.wait_psm())
    begin = time.ticks_ms()
    print("signal", (await modem.signal()).rssi)
    print("woke in", time.ticks_diff(time.ticks_ms(), begin) // 1000)
    registration = await modem.registration()
    print("registered", registration.registered)
