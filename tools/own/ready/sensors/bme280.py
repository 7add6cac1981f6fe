"""Temperature, pressure and humidity by a Bosch BME280, or the first two by a BMP280, over I2C.

Registers and compensation are those of the datasheet (BST-BME280-DS002, 4.2.3 and 5.3), in floats.
"""

import struct

import machine

SETTINGS = {
    "scl": (22, int, 0, 255),
    "sda": (21, int, 0, 255),
    "address": (0x76, int, 0x76, 0x77),
}
warm_up_ms = 20  # of a forced measurement with single oversampling: 9.3 ms at the most

_given = {}
_bus = []


def setup(node, settings):
    _given.update(settings)
    i2c = machine.SoftI2C(machine.Pin(settings["scl"]), machine.Pin(settings["sda"]), freq=100000)
    _bus[:] = [i2c]
    address = settings["address"]
    if _register(0xD0, 1)[0] == 0x60:
        i2c.writeto_mem(address, 0xF2, b"\x01")
    i2c.writeto_mem(address, 0xF4, b"\x25")  # one measurement, then it sleeps again


def _register(number, count):
    return _bus[0].readfrom_mem(_given["address"], number, count)


def read(node):
    has_humidity = _register(0xD0, 1)[0] == 0x60
    t1, t2, t3, p1, p2, p3, p4, p5, p6, p7, p8, p9 = struct.unpack(
        "<HhhHhhhhhhhh", _register(0x88, 24)
    )
    data = _register(0xF7, 8)
    raw_p = data[0] << 12 | data[1] << 4 | data[2] >> 4
    raw_t = data[3] << 12 | data[4] << 4 | data[5] >> 4
    if raw_t == 0x80000:
        raise ValueError("it has not measured")
    part = raw_t / 131072 - t1 / 8192
    fine = (raw_t / 16384 - t1 / 1024) * t2 + part * part * t3
    found = [("temperature", "Cel", round(fine / 5120, 2))]
    half = fine / 2 - 64000
    low = (half * half * p6 / 32768 + half * p5 * 2) / 4 + p4 * 65536
    scale = (1 + (p3 * half * half / 524288 + p2 * half) / 524288 / 32768) * p1
    if scale:
        pressure = (1048576 - raw_p - low / 4096) * 6250 / scale
        pressure += (p9 * pressure * pressure / 2147483648 + pressure * p8 / 32768 + p7) / 16
        found.append(("pressure", "Pa", round(pressure)))
    if has_humidity:
        found.append(("humidity", "%RH", round(_humidity(fine, data[6] << 8 | data[7]), 1)))
    return found


def _humidity(fine, raw):
    h1 = _register(0xA1, 1)[0]
    h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", _register(0xE1, 7))
    h4, h5 = e4 * 16 + (e5 & 15), e6 * 16 + (e5 >> 4)
    base = fine - 76800
    value = (raw - (h4 * 64 + h5 / 16384 * base)) * (
        h2 / 65536 * (1 + h6 / 67108864 * base * (1 + h3 / 67108864 * base))
    )
    return min(max(value * (1 - h1 * value / 524288), 0), 100)
