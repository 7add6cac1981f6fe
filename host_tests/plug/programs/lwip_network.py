"""A board's `network` with PPP, for MicroPython without it: lwIP in a process (host_tests/lwip).

lwip.json on the flash has the port at which it is, and the page that it fetches whenever the link
is up: [host, port, path].
"""

import asyncio
import hashlib
import json
import socket
import time
from binascii import hexlify, unhexlify

_TURN_MS = 20

with open("lwip.json") as _file:
    _SETTINGS = json.load(_file)
_lwip = socket.socket()
_lwip.connect(socket.getaddrinfo("127.0.0.1", _SETTINGS["port"])[0][-1])


def _command(line):
    """What lwIP says to it."""
    _lwip.write(line + "\n")
    said = []
    while True:
        word = _lwip.readline().decode().rstrip()
        if word == ".":
            return said
        if not word:
            raise OSError("lwIP has ended")
        said.append(word)


class PPP:
    """As the ESP32 has it since MicroPython 1.25."""

    SEC_NONE = 0
    SEC_PAP = 1

    def __init__(self, stream):
        self._stream = stream
        self._task = None
        self._code = None  # of lwIP; None before the first
        self._up = ()
        self._begin_page()

    def _begin_page(self):
        self._page = b""
        self._size = 0
        self._digest = hashlib.sha256()

    def active(self, on):
        if not on and self._task:
            self._task.cancel()
            self._task = None

    def connect(self, security=0, user=None, key=None):
        self._say("t %d" % time.ticks_ms())
        self._say("open %s %s" % (user, key) if security else "open")
        self._task = asyncio.create_task(self._run())

    def disconnect(self):
        self._say("close")

    def isconnected(self):
        return self._code == 0

    def status(self):
        return -self._code if self._code else 0

    def ifconfig(self):
        address, gateway, dns, _ = self._up
        return address, "255.255.255.255", gateway, dns

    async def _run(self):
        buf = bytearray(1024)
        while True:
            await asyncio.sleep_ms(_TURN_MS)
            self._say("t %d" % time.ticks_ms())
            n = self._stream.readinto(buf)
            if n:
                self._say("i " + hexlify(memoryview(buf)[:n]).decode())

    def _say(self, line):
        for word in _command(line):
            kind, _, rest = word.partition(" ")
            if kind == "o":
                self._stream.write(unhexlify(rest))
            elif kind == "status":
                self._code = int(rest)
                print("lwIP", rest)
            elif kind == "up":
                self._up = rest.split()
                self._begin_page()
                self._say("get %s %d %s" % tuple(_SETTINGS["page"]))
            elif kind == "d":
                self._take(unhexlify(rest))
            elif kind == "end":
                print("page", self._size, hexlify(self._digest.digest()).decode())

    def _take(self, data):
        """The body of the page comes behind an empty line."""
        if self._page is not None:
            self._page += data
            _, found, data = self._page.partition(b"\r\n\r\n")
            if not found:
                return
            self._page = None
        self._size += len(data)
        self._digest.update(data)
