"""Temperatures of all DS18B20 at one OneWire pin, each by the end of its address.

The module `onewire` is built into MicroPython for ESP32 and pyboard. The conversion takes 750 ms
(datasheet, 12 bits): it begins in setup(), and all other sensors warm up meanwhile.
"""

import machine
import onewire

SETTINGS = {"pin": (25, int, 0, 255)}
warm_up_ms = 750

_CONVERT, _READ_SCRATCHPAD = 0x44, 0xBE
_POWER_ON = 85 * 16  # what it holds before its first conversion

_bus = []


def setup(node, settings):
    wire = onewire.OneWire(machine.Pin(settings["pin"]))
    _bus[:] = [wire]
    if not wire.reset():
        raise OSError(19)
    wire.writebyte(wire.SKIP_ROM)
    wire.writebyte(_CONVERT)


def read(node):
    wire = _bus[0]
    found = []
    for rom in wire.scan():
        if rom[0] not in (0x28, 0x22, 0x10):
            continue
        wire.select_rom(rom)
        wire.writebyte(_READ_SCRATCHPAD)
        data = bytearray(9)
        wire.readinto(data)
        if wire.crc8(data):
            raise ValueError("a damaged answer")
        raw = data[0] | data[1] << 8
        raw -= (raw & 0x8000) << 1
        if rom[0] == 0x10:  # a DS18S20 has steps of half a degree
            raw *= 8
        if raw != _POWER_ON:
            name = f"temperature_{rom[6]:02x}{rom[5]:02x}"
            found.append((name, "Cel", raw / 16))
    return found
