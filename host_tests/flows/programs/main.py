"""Starts the module, runs flow.py with it, says how that ended, and sleeps."""

import asyncio
import json
import sys

import machine
from flow import flow

from c1100 import C1100

with open("flow.json") as file:
    settings = json.load(file)

uart = machine.UART(1, 115200, timeout=0, rxbuf=8192)
modem = C1100(
    uart,
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
    status=machine.Signal(machine.Pin(18, machine.Pin.IN)),
)


async def main():
    await modem.start(apn="CMNET")
    await flow(modem, settings)


try:
    asyncio.run(main())
except Exception as error:
    sys.print_exception(error)
    print("failed")
else:
    print("done")
machine.deepsleep(1000000000)
