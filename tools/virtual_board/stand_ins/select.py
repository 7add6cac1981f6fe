# select.poll on the board's clock. Objects of the stand-ins (UART) and of asyncio are asked
# through their ioctl, as on a board; descriptors of the host (sockets, stdin) are looked at
# whenever the clock stops, and do not end a wait in lockstep.
import _port
import uselect
from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT


class poll:
    def __init__(self):
        self._native = uselect.poll()
        self._uarts = {}  # id -> (UART, events asked for)

    def register(self, obj, events=POLLIN | POLLOUT):
        self._native.register(obj, events)
        if hasattr(obj, "_line"):
            self._uarts[id(obj)] = (obj, events)

    def unregister(self, obj):
        self._native.unregister(obj)
        self._uarts.pop(id(obj), None)

    def modify(self, obj, events):
        self._native.modify(obj, events)
        if id(obj) in self._uarts:
            self._uarts[id(obj)] = (obj, events)

    def poll(self, timeout=-1):
        self._wait(timeout)
        return self._native.poll(0)

    def ipoll(self, timeout=-1, flags=0):
        self._wait(timeout)
        return self._native.ipoll(0, flags)

    def _ready(self):
        for _ in self._native.ipoll(0):
            return True
        return False

    def _wait(self, timeout):
        if timeout == 0:
            return
        end = None if timeout < 0 else _port.now_us() + timeout * 1000
        while not self._ready():
            left = -1 if end is None else end - _port.now_us()
            if left == 0 or (left < 0 and end is not None):
                return
            uarts = 0
            for uart, events in self._uarts.values():
                if events & POLLIN:
                    uarts |= 1 << uart._line.number
                if events & POLLOUT:
                    full = uart._line.full_us()
                    left = full if left < 0 else min(left, full)
            _port.wait(left, uarts)
