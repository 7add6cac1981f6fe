# The module `onewire` that boards have built in, on the virtual board's devices. A search of the
# bus is one question to the host, not bit by bit.
import _bus


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM, MATCH_ROM, SKIP_ROM = 0xF0, 0x55, 0xCC

    def __init__(self, pin):
        self.pin = pin
        self._number = pin._number

    def reset(self, required=False):
        try:
            _bus.ask(_bus.WIRE_RESET, self._number)
            return True
        except OSError as e:
            if required:
                raise OneWireError from e
            return False

    def write(self, buf):
        _bus.ask(_bus.WIRE_WRITE, self._number, bytes(buf))

    def writebyte(self, value):
        self.write(bytes((value,)))

    def readinto(self, buf):
        buf[:] = _bus.ask(_bus.WIRE_READ, self._number, _bus.count(len(buf)))

    def readbyte(self):
        return _bus.ask(_bus.WIRE_READ, self._number, _bus.count(1))[0]

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def scan(self):
        roms = _bus.ask(_bus.WIRE_SCAN, self._number)
        return [bytearray(roms[i : i + 8]) for i in range(0, len(roms), 8)]

    def crc8(self, data):
        crc = 0
        for byte in data:
            for _ in range(8):
                crc, byte = (crc >> 1) ^ (0x8C if (crc ^ byte) & 1 else 0), byte >> 1
        return crc
