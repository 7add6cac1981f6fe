"""Others get on while a handshake is made; select.poll; the interpreter's own ssl."""

import asyncio
import select
import ssl
import time

from c1100 import C1100Error


async def flow(modem, settings):
    async with modem.pdp("CMNET"):
        await ours(modem)
        await theirs(modem)


async def ours(modem):
    turns = 0

    async def others():
        nonlocal turns
        while True:
            await asyncio.sleep_ms(100)
            turns += 1

    task = asyncio.create_task(others())
    begin = time.ticks_ms()
    sock = await modem.tls("server.example", 7443, ca="ca.pem")
    took = time.ticks_diff(time.ticks_ms(), begin)
    print("turns", turns >= took // 100 - 2, took > 500)
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLOUT)
    print("poll", [event for _, event in poll.poll(0)] == [select.POLLOUT])
    await sock.sendall(b"0123456789")
    poll.modify(sock, select.POLLIN)
    while not poll.poll(0):
        await asyncio.sleep_ms(10)
    print("some", sock.read(4), "more", bool(poll.poll(0)), sock.read(), "none", sock.read(4))
    print("recv")
    try:
        await sock.recv(10, timeout_s=2)
    except C1100Error as error:
        print("late", type(error).__name__)
    for _ in range(5000):  # which is no reason to think that the loop stands still
        sock.read()
        await asyncio.sleep(0)
    sock.close()
    await sock.wait_closed()
    print("after", sock.read(10), sock.readinto(bytearray(3)), sock.readline())

    task.cancel()


async def theirs(modem):
    """A context of the caller's own making; and wrapped by hand, as asyncio's own does it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await modem.open_connection("server.example", 7443, ssl=context)
    writer.write(b"unchecked")
    await writer.drain()
    print("own", await reader.readexactly(9))
    await writer.awrite(b"-older-", 1, 5)
    print("old", await reader.readexactly(5))
    writer.close()
    await writer.wait_closed()
    # The handshake that blocks would stop the loop that brings what it waits for.
    sock = await modem.tcp("server.example", 7443)
    try:
        context.wrap_socket(sock, server_hostname="x")
    except C1100Error as error:
        print("blocks", type(error).__name__)
    sock.close()
    await sock.wait_closed()
    inner = context.wrap_socket(
        await modem.tcp("server.example", 7443), do_handshake_on_connect=False, server_hostname="x"
    )
    stream = asyncio.StreamReader(inner)
    stream.write(b"by hand")
    await stream.drain()
    print("hand", await stream.readexactly(7))
    inner.close()
