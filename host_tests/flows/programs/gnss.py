"""GNSS: cold start, moving track, end, warm start (manual 3.4)."""

import time


async def flow(modem, settings):
    for start in ("cold", "hot"):
        begin = time.ticks_ms()
        await modem.gnss.start(interval_s=1)
        fix = await modem.gnss.fix(120)
        print(start, time.ticks_diff(time.ticks_ms(), begin) // 1000)
        print("fix", fix.latitude, fix.longitude, fix.altitude, fix.speed, fix.course)
        print("sky", fix.satellites, fix.hdop, fix.time)
        for _ in range(10):
            last = await modem.gnss.fix(5)
        print("moved", last.latitude - fix.latitude)
        print("signal", (await modem.signal()).rssi)
        await modem.gnss.stop()
    print("bad", modem.gnss.bad)
