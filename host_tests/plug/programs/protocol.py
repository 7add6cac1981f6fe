"""MicroPython's stream protocol on each kind of connection: every request, every state, and the
interpreter's own asyncio streams on top.
"""

import asyncio
import errno
import select

REQUESTS = range(1, 12)  # MP_STREAM_FLUSH to MP_STREAM_GET_BUFFER_SIZE; SEEK is 2, CLOSE 4
POLL, CLOSE = 3, 4
IN, OUT, HUP = select.POLLIN, select.POLLOUT, select.POLLHUP
MASKS = (0, IN, OUT, IN | OUT)
DATA = bytes(range(256)) * 40


async def flow(modem, settings):
    async with modem.pdp("CMNET"):
        for kind in ("tcp", "tls", "udp"):
            await states(modem, kind)
        for kind in ("tcp", "tls"):
            await streams(modem, kind)


def opened(modem, kind):
    if kind == "tls":
        return modem.tls("server.example", 7443, ca="ca.pem")
    if kind == "udp":
        return modem.udp("server.example", 7001)
    return modem.tcp("server.example", 7000)


def polled(sock):
    """What select.poll says of each mask: r, w, h for a hang-up."""
    said = []
    for mask in MASKS:
        poll = select.poll()
        poll.register(sock, mask)
        found = [event for _, event in poll.poll(0)]
        events = found[0] if found else 0
        known = ((IN, "r"), (OUT, "w"), (HUP, "h"))
        said.append("".join(name for bit, name in known if events & bit) or "-")
    return " ".join(said)


async def until_readable(sock):
    while not sock.ioctl(POLL, IN):
        await asyncio.sleep_ms(50)


async def states(modem, kind):
    sock = await opened(modem, kind)
    unknown = [r for r in REQUESTS if r not in (1, POLL, CLOSE)]
    print(kind, "unknown", all(sock.ioctl(r, 0) == -errno.EINVAL for r in unknown))
    print(kind, "flush", sock.ioctl(1, 0))
    print(kind, "idle", polled(sock))
    sock.write(b"word")
    await until_readable(sock)
    print(kind, "waiting", polled(sock), sock.read(9), polled(sock))
    if kind != "udp":  # which has no end
        sock.write(b"quit\n")
        await until_readable(sock)
        while sock.read(100) != b"":
            await asyncio.sleep_ms(50)
        print(kind, "ended", polled(sock))
    print(kind, "close", sock.ioctl(CLOSE, 0), sock.ioctl(CLOSE, 0))
    await sock.wait_closed()
    print(kind, "closed", polled(sock))


async def streams(modem, kind):
    """asyncio.StreamReader and StreamWriter as they are."""
    sock = await opened(modem, kind)
    stream = asyncio.StreamReader(sock)
    writer = asyncio.StreamWriter(sock, {})
    writer.write(b"one\ntwo")
    await writer.drain()
    print(kind, "line", await stream.readline(), await stream.readexactly(3))
    echo = asyncio.create_task(stream.readexactly(len(DATA)))
    writer.write(DATA)
    await writer.drain()
    print(kind, "large", await echo == DATA)
    writer.write(b"quit\n")
    await writer.drain()
    print(kind, "rest", await stream.read(-1), await stream.read(5))
    try:
        await stream.readexactly(1)
    except EOFError:
        print(kind, "EOFError")
    writer.close()
    await writer.wait_closed()
    # Ours has a word for what the module cannot do.
    _, writer = await modem.open_connection("server.example", 7000)
    try:
        writer.write_eof()
    except OSError as error:
        print(kind, "half", error.errno == errno.EOPNOTSUPP, "as a whole" in str(error))
    writer.close()
    await writer.wait_closed()
