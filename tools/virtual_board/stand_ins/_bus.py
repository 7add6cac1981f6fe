# Buses of the virtual board: what is on them is in the host's devices.py.
import _link
from _computing import free

I2C_WRITE, I2C_READ, I2C_SCAN, SPI_BOTH, WIRE_RESET, WIRE_WRITE, WIRE_READ, WIRE_SCAN = range(8)


@free
def ask(what, address, data=b""):
    """Do it, and return what was read. Raises OSError."""
    _link.send_bytes("b", None, bytes((what, address)) + data)
    answer = _link.answer()
    if answer[0]:
        raise OSError(answer[0])
    return answer[1:]


def count(n):
    return bytes((n & 255, n >> 8))


class I2C:
    def __init__(self, id=-1, *, scl=None, sda=None, freq=400000, timeout=50000):
        pass

    init = deinit = lambda self, *args, **kw: None

    def scan(self):
        return list(ask(I2C_SCAN, 0))

    def readfrom(self, addr, nbytes, stop=True):
        return ask(I2C_READ, addr, count(nbytes))

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = ask(I2C_READ, addr, count(len(buf)))

    def writeto(self, addr, buf, stop=True):
        ask(I2C_WRITE, addr, bytes(buf))
        return len(buf)

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join([bytes(part) for part in vector]))

    def _register(self, memaddr, addrsize):
        return memaddr.to_bytes(addrsize // 8, "big")

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        self.writeto(addr, self._register(memaddr, addrsize))
        return self.readfrom(addr, nbytes)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf), addrsize=addrsize)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.writeto(addr, self._register(memaddr, addrsize) + bytes(buf))


class SoftI2C(I2C):
    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        pass


class SPI:
    MSB, LSB, CONTROLLER = 0, 1, 0

    def __init__(self, id=-1, *args, **kw):
        pass

    init = deinit = lambda self, *args, **kw: None

    def read(self, nbytes, write=0):
        return ask(SPI_BOTH, 0, bytes((write,)) * nbytes)

    def readinto(self, buf, write=0):
        buf[:] = self.read(len(buf), write)

    def write(self, buf):
        ask(SPI_BOTH, 0, bytes(buf))

    def write_readinto(self, write_buf, read_buf):
        read_buf[:] = ask(SPI_BOTH, 0, bytes(write_buf))


class SoftSPI(SPI):
    def __init__(self, *args, **kw):
        pass
