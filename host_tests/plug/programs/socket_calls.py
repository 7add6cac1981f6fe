"""The socket module's face, call by call, against an echo and a server of time."""

import asyncio
import errno
import hashlib
import json
import select
import ssl
import struct
import sys
import time
from binascii import hexlify

import machine

from c1100 import C1100
from c1100 import socket as ours

with open("flow.json") as file:
    settings = json.load(file)
modem = C1100(
    machine.UART(1, 115200, timeout=0, rxbuf=8192),
    pwrkey=machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0)),
)


def fails(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode.get(error.errno, error.errno)
    return None


def connected(port, kind=ours.SOCK_STREAM):
    s = socket.socket(socket.AF_INET, kind)
    s.connect(socket.getaddrinfo("server.example", port)[0][-1])
    return s


print("before", fails(ours.socket().connect, ("server.example", 7000)))
asyncio.run(modem.start(apn="CMNET"))
ours.use(modem, "CMNET")
import socket  # noqa: E402

print("same", socket is ours, sys.modules["usocket"] is ours)
s = connected(7000)
DATA = bytes(range(256)) * 8
print("nothing", s.recv(0))
try:
    s.settimeout(-1)
except ValueError as error:
    print("past", error)
print("send", s.send(b"abc"), s.sendall(b"de"), s.write(b"fgh"), s.write(b"ijkl", 2))
print("recv", s.recv(3, 0), s.read(5), s.read(2))
buf = bytearray(6)
s.write(b"0123456789")
print("into", s.readinto(buf, 4), s.readinto(memoryview(buf)[4:]), bytes(buf))
print("recv_into", s.recv_into(buf, 1), s.read(3), buf)
s.write(b"one\ntwo\n\nlast")
f = s.makefile("rb")
print("lines", f.readline(), f.readline(2), f.readline(), f.readline(), s.read(4))
s.sendall(DATA)
print("large", s.read(len(DATA)) == DATA)
s.settimeout(2)
begin = time.ticks_ms()
print("timeout", fails(s.recv, 1), 1900 < time.ticks_diff(time.ticks_ms(), begin) < 10000)
s.setblocking(False)
print("nonblocking", s.read(5), s.readline(), fails(s.recv, 1))
poll = select.poll()
poll.register(s, select.POLLIN)
print("poll", bool(poll.poll(0)), s.write(b"x"), bool(poll.poll(5000)), s.read(1))
s.setblocking(True)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.write(b"quit\n")
print("end", s.read(), s.recv(1), s.readline())
print("gone", fails(s.write, b"more"))
s.close()
print("closed", fails(s.recv, 1), fails(s.connect, ("server.example", 7000)), s.close())
print("nobody", fails(connected, 6999))
print("family", fails(socket.socket, socket.AF_INET6), fails(socket.socket().listen))
asyncio.run(ours._context.__aexit__(None, None, None))  # as by the network
s = connected(7000)
s.write(b"x")
print("context", s.recv(1))
s.close()


async def in_a_task():
    try:
        connected(7000)
    except RuntimeError as error:
        print("task", "no task" in str(error))


asyncio.run(in_a_task())

# What ntptime does, call by call.
query = bytearray(48)
query[0] = 0x1B
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.sendto(query, socket.getaddrinfo("time.example", 123)[0][-1])
answer = s.recv(48)
s.close()
print("ntp", struct.unpack("!I", answer[40:44])[0])

# The interpreter's ssl, which makes its handshake at once.
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.verify_mode = ssl.CERT_REQUIRED
with open("ca.der", "rb") as file:
    context.load_verify_locations(cadata=file.read())
secret = context.wrap_socket(connected(7443), server_hostname="server.example")
secret.write(b"hello over tls\n")
print("tls", secret.readline())
secret.close()
try:
    context.wrap_socket(connected(7443), server_hostname="other.example")
except ValueError as error:
    print("refused", str(error).strip())

import requests  # noqa: E402

for name in ("http", "https"):
    answer = requests.get(name + "://server.example/bytes/%d" % settings["size"])
    body = answer.content
    print(name, answer.status_code, len(body), hexlify(hashlib.sha256(body).digest()).decode())
    answer.close()
    body = answer = None
answer = requests.post("http://server.example/echo", json={"a": 1})
print("post", answer.json())
answer.close()
ours.release()
print("released", "socket" not in sys.modules)
print("done")
