"""A BME280 at address 0x76. Its calibration and raw values of temperature and pressure are those
of Bosch's worked example (BST-BMP280-DS001, 3.12): 25.08 degrees, 100653 Pa.
"""

import struct


class Device:
    i2c = 0x76

    def __init__(self):
        self.at = 0
        self.registers = bytearray(256)
        self.registers[0xD0] = 0x60
        example = (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
        self.registers[0x88:0xA0] = struct.pack("<HhhHhhhhhhhh", *example)
        self.registers[0xA1] = 75
        self.registers[0xE1:0xE8] = struct.pack("<hBbBbb", 370, 0, 18, 0x2D, 3, 30)
        self.registers[0xF7:0xFF] = bytes.fromhex("8000008000008000")

    def write(self, data, now_s):
        self.at = data[0]
        for value in data[1:]:
            self.registers[self.at] = value
            if self.at == 0xF4 and value & 3:
                t, p, h = 519888, 415148, 30000
                self.registers[0xF7:0xFF] = struct.pack(
                    ">BBBBBBH", p >> 12, p >> 4 & 255, p << 4 & 255,
                    t >> 12, t >> 4 & 255, t << 4 & 255, h,
                )  # fmt: skip

    def read(self, count, now_s):
        found = bytes(self.registers[self.at : self.at + count])
        self.at += count
        return found
