"""The modem as `network` names an interface: for code that waits until it is online."""

import time

import machine

from c1100 import C1100, blocking

nic = blocking.Interface(
    C1100(
        machine.UART(1, 115200, timeout=0, rxbuf=8192),
        pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
    ),
    "CMNET",
)
nic.active(True)  # starts the module and registers it
nic.connect()  # opens the PDP context
while not nic.isconnected():
    time.sleep(1)
print("address", nic.ifconfig()[0], "status", nic.status(), "rssi", nic.status("rssi"))
print("apn", nic.config("apn"), "imei", nic.config("imei"))
nic.disconnect()
print("connected", nic.isconnected(), nic.ifconfig()[0])
nic.active(False)
print("active", nic.active())
print("done")
