"""All that asyncio's streams do, over a connection with TLS or without it."""

import asyncio
import errno

from c1100 import tls

DATA = bytes(range(256)) * 80
SEVERAL = (1, 200, 700, 1400, 300, 5)


async def flow(modem, settings):
    ssl = tls.Context("ca.pem") if settings["tls"] else None
    async with modem.pdp("CMNET"):
        await use(modem, ssl, settings["sizes"])


async def use(modem, ssl, sizes):
    reader, writer = await modem.open_connection("server.example", 7000, ssl=ssl)
    for size in sizes:
        echo = asyncio.create_task(reader.readexactly(size))
        writer.write(memoryview(DATA)[:size])
        await writer.drain()
        print("write", size, await echo == memoryview(DATA)[:size])
    for size in SEVERAL:  # one behind the other: none is cut or said twice
        writer.write(memoryview(DATA)[:size])
    await writer.drain()
    joined = b"".join(DATA[:n] for n in SEVERAL)
    print("joined", await reader.readexactly(len(joined)) == joined)
    writer.write(b"one\n\ntwo\r\n" + b"3" * 3000 + b"\n4")
    await writer.drain()
    for _ in range(4):
        print("line", len(await reader.readline()))
    print("rest", await reader.read(1))
    buf = bytearray(10)
    writer.write(b"0123456789abc")
    await writer.drain()
    got = 0
    while got < 10:
        got += await reader.readinto(memoryview(buf)[got:])
    print("into", buf, await reader.readexactly(3))
    sock = writer.s
    print("parts", sock.write(b"abcdef", 2), sock.write(b"abcdef", 3, 2))
    print("parts", sock.write(memoryview(b"ABCDEF")[4:]))
    await sock.drain()
    print("parts", await reader.readexactly(6))
    print("eof", writer.can_write_eof())
    print("ioctl", sock.ioctl(1, 0), sock.ioctl(99, 0) == -errno.EINVAL)
    writer.write(b"quit\n")
    await writer.drain()
    print("end", await reader.read(-1), await reader.read(10), await reader.readline())
    try:
        await reader.readexactly(1)
    except EOFError:
        print("EOFError")
    try:
        writer.write(b"more")
        await writer.drain()
    except OSError as error:
        print("OSError", error.errno in (errno.ECONNRESET, errno.ENOTCONN), "closed" in str(error))
    writer.close()
    await writer.wait_closed()
    print("closed")
