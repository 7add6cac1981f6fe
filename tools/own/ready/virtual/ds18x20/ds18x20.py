"""A DS18B20 at pin 25: 21.5 degrees, and a little more each hour."""

import struct


def crc8(data):
    crc = 0
    for byte in data:
        for bit in range(8):
            crc = (crc >> 1) ^ (0x8C if (crc ^ byte >> bit) & 1 else 0)
    return crc


class Device:
    onewire = 25

    def __init__(self):
        head = bytes.fromhex("28ff64011a2b3c")
        self.rom = head + bytes((crc8(head),))
        self.raw = 85 * 16
        self.asked = 0

    def write(self, data, now_s):
        self.asked = data[-1]
        if self.asked == 0x44:
            self.raw = round((21.5 + now_s / 36000) * 16)

    def read(self, count, now_s):
        data = struct.pack("<h", self.raw) + bytes.fromhex("4b467fff0c10")
        return (data + bytes((crc8(data),)))[:count] if self.asked == 0xBE else b"\xff" * count
