"""The driver alone: three positions, the module off again, and the next ones in an hour."""

import asyncio

import machine

from c1100 import C1100, C1100Error


async def main():
    uart = machine.UART(1, 115200, tx=17, rx=16, timeout=0, rxbuf=4096)
    key = machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0))
    modem = C1100(uart, pwrkey=key)
    await modem.power_on()  # satellites need no network
    try:
        await modem.gnss.start()
        for _ in range(3):
            fix = await modem.gnss.fix(timeout_s=120)
            # In 1e-7 degrees, as floats of 32 bits have no digits for metres.
            print("at", fix.latitude_e7, fix.longitude_e7, fix.satellites, "satellites")
        await modem.gnss.stop()
    except C1100Error as error:
        print("no position:", error)
    finally:
        await modem.power_off()


asyncio.run(main())
machine.deepsleep(3600 * 1000)
