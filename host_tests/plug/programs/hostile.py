"""What is wrong, and far ends that are: how each call ends, and whether it leaves anything."""

import asyncio
import gc
import time
from asyncio import core

from c1100 import C1100Error, tls

HOST = "server.example"


async def flow(modem, settings):
    async with modem.pdp("CMNET"):
        await asyncio.sleep(1)
        await wrong(modem, settings["ca"])
        for name, port in settings["peers"]:
            await case(modem, name, talk(modem, port))
        for ms in (1, 200, 500, 800, 1200):
            await case(modem, "cancelled", cancelled(modem, ms))
        await case(modem, "five", several(modem, 5))
        await case(modem, "one context", one_context(modem, settings))
        for how in ("tls", "tcp"):
            await case(modem, "closed " + how, closed(modem, how))
        await case(modem, "after all", talk(modem, 7443))


async def case(modem, name, step):
    before = left(modem)
    try:
        end = repr(await step)
    except tls.CertificateRefused as error:
        end = error.why
    except C1100Error as error:
        end = type(error).__name__
    await asyncio.sleep(1)
    after = left(modem)
    print("case", name, "|", end, "" if after == before else "%s %s" % (before, after))


def left(modem):
    gc.collect()
    open_ = len(modem._sockets._open) if "_sockets" in modem.__dict__ else 0
    return len(core._task_queue._tasks), open_  # of the lockstep bench's queue


async def talk(modem, port, context=None):
    context = context or tls.Context("ca.pem")
    reader, writer = await modem.open_connection(HOST, port, ssl=context)
    writer.write(b"hello")
    await writer.drain()
    said = await reader.read(100)
    writer.close()
    await writer.wait_closed()
    return said


async def wrong(modem, ca):
    """Each with nothing sent to anybody."""
    hosts = ("", " ", "a b", "a\r\nAT", "\u00fc", "a\0b", "x" * 300, None, 5, b"a", [])
    ports = (0, -1, 65536, "7443", None, 1.5)
    calls = [
        (modem.open_connection, (host, 7000), {"ssl": None}) for host in hosts[:1] + hosts[3:]
    ]
    calls += [(modem.tls, (host, 7443), {"ca": ca}) for host in hosts]
    for call in (modem.tcp, modem.udp, modem.open_connection):
        calls += [(call, (HOST, port), {}) for port in ports]
    calls += [(modem.tls, (HOST, port), {"ca": ca}) for port in ports]
    calls += [(modem.tcp, (HOST, 7443), {"rxbuf": size}) for size in (0, -1, None, "x", 1.5)]
    calls += [
        (modem.open_connection, (HOST, 7443), {"ssl": it}) for it in (True, 5, "ca.pem", tls)
    ]
    for name in ("a\0b", "x" * 256, " ", "\u00fc", 5, b"server.example"):
        calls.append((modem.tls, (HOST, 7443), {"ca": ca, "server_hostname": name}))
    for given in (5, True, [1], {"a": 1}):
        calls.append((modem.tls, (HOST, 7443), {"ca": given}))
        calls.append((modem.tls, (HOST, 7443), {"ca": ca, "cert": given, "key": given}))
    for timeout in (None, "x"):
        calls.append((modem.tls, (HOST, 7443), {"ca": ca, "timeout_s": timeout}))
    for call, args, named in calls:
        shown = {name: value for name, value in named.items() if name != "ca" or value != ca}
        await case(modem, "wrong %s %s" % (repr(args)[:60], shown), call(*args, **named))


async def cancelled(modem, after_ms):
    task = asyncio.create_task(talk(modem, 7443))
    await asyncio.sleep_ms(after_ms)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return None


async def several(modem, count):
    """At once, of which the module has room for four."""
    tasks = [talk(modem, 7443) for _ in range(count)]
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    return ends.count(b"hello"), [type(end).__name__ for end in ends if end != b"hello"]


async def one_context(modem, settings):
    """What is wrong with one far end is not that of another."""
    context = tls.Context("ca.pem")
    for first, second, wait_ms in settings["pairs"]:
        one = asyncio.create_task(talk(modem, first, context))
        await asyncio.sleep_ms(wait_ms)
        ends = await asyncio.gather(one, talk(modem, second, context), return_exceptions=True)
        print("pair", first, second, wait_ms, [getattr(end, "why", end) for end in ends])


async def closed(modem, how):
    begin = time.ticks_ms()
    sock = await (modem.tls(HOST, 7443, ca="ca.pem") if how == "tls" else modem.tcp(HOST, 7000))
    for _ in range(2):
        sock.close()
        await sock.wait_closed()
    said = [sock.read(4), sock.readline(), sock.readinto(bytearray(3)), await sock.recv(4, 1)]
    try:
        sock.write(b"x")
    except C1100Error as error:
        said.append(type(error).__name__)
    try:
        await sock.sendall(b"x")
    except C1100Error as error:
        said.append(type(error).__name__)
    await sock.drain()
    return said, time.ticks_diff(time.ticks_ms(), begin) < 30000
