"""PPP on an ESP32: the port's own socket, ssl and every library on them run over the module.

TX and RX are enough, without flow control: rxbuf has to hold what the network sends while the
board is busy, so take 8 KB. The MTU is lwIP's own 1500. While the line is up the module takes no
commands; hang up before it sleeps. MicroPython 1.25 or newer dials again without a restart.
"""

import asyncio

import machine

from c1100 import C1100, C1100Error

modem = C1100(
    machine.UART(1, 115200, tx=17, rx=16, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)


async def session(seconds):
    """Online for so long, hung up whatever happens. Raises OSError when the network ends it."""
    ppp = await modem.ppp("CMNET")
    try:
        address, _, gateway, dns = ppp.link.ifconfig()
        print("online", address, gateway, dns)
        # From here on asyncio.open_connection(), requests, umqtt, ntptime are the port's own.
        for _ in range(seconds):
            if not ppp.link.isconnected():
                raise OSError("the network has ended the call")
            await asyncio.sleep(1)
    finally:
        await ppp.hang_up()  # the module takes commands again


async def main():
    await modem.start(apn="CMNET")
    for pause_s in (10, 60, 300):  # longer each time: who dials at once is turned away again
        try:
            await session(30)
            break
        except (OSError, C1100Error) as error:
            print("again:", error)
            await asyncio.sleep(pause_s)
    print("signal", (await modem.signal()).rssi)
    await modem.power.psm(tau_s=3600, active_s=2)
    await modem.power.wait_psm()
    print("asleep")  # now the board may sleep, too
    print("done")


asyncio.run(main())
