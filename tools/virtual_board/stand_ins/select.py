# select.poll on the board's clock. Objects written in Python (UART, asyncio's flags) are asked
# through their ioctl, as on a board; the interpreter's own poll would spend a millisecond on each
# question. Descriptors of the host (sockets, stdin) are looked at whenever the clock stops, and do
# not end a wait in lockstep.
import _port
import uselect
from _computing import free
from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT

_MP_STREAM_POLL = 3


class poll:
    def __init__(self):
        self._native = uselect.poll()
        self._natives = 0
        self._objects = {}  # id -> (object, events asked for)

    @free
    def register(self, obj, events=POLLIN | POLLOUT):
        if hasattr(obj, "ioctl"):
            self._objects[id(obj)] = (obj, events)
        else:
            self._native.register(obj, events)
            self._natives += 1

    @free
    def unregister(self, obj):
        if id(obj) in self._objects:
            del self._objects[id(obj)]
        else:
            self._native.unregister(obj)
            self._natives -= 1

    @free
    def modify(self, obj, events):
        if id(obj) in self._objects:
            self._objects[id(obj)] = (obj, events)
        else:
            self._native.modify(obj, events)

    @free
    def poll(self, timeout=-1):
        ready = self._ready()
        if timeout and not ready:
            end = None if timeout < 0 else _port.now_us() + timeout * 1000
            while not ready:
                left = -1 if end is None else end - _port.now_us()
                if left <= 0 and end is not None:
                    break
                self._wait(left)
                ready = self._ready()
        return ready

    @free
    def ipoll(self, timeout=-1, flags=0):
        return self.poll(timeout)

    def _ready(self):
        ready = self._native.poll(0) if self._natives else []
        for obj, events in self._objects.values():
            now = obj.ioctl(_MP_STREAM_POLL, events)
            if now:
                ready.append((obj, now))
        return ready

    def _wait(self, left):
        uarts = 0
        for obj, events in self._objects.values():
            line = getattr(obj, "_line", None)
            if line is None:
                continue
            if events & POLLIN:
                uarts |= 1 << line.number
            if events & POLLOUT:
                full = line.full_us()
                left = full if left < 0 else min(left, full)
        _port.wait(left, uarts)
