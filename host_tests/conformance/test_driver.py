"""Each chapter of the manual: the driver's call, against a module that speaks the manual's bytes.

Each runs whole, byte by byte and cut at every byte boundary of what the module says.
"""

import asyncio

import pytest

from c1100 import C1100
from c1100.channel import COMMAND
from host_tests import manual
from host_tests.conformance.scripted import ManualModule
from host_tests.support.streams import at_every_split
from host_tests.virtual_time import run

PEER = ("223.47.251.33", 60000)


async def start(modem: C1100):
    registration = await modem.start()
    return registration.registered, await modem.signal(), await modem.operator()


async def start_with_pin(modem: C1100):
    return (await modem.start(pin="1234")).registered


async def exactly(sock, count: int) -> bytes:
    got = b""
    while len(got) < count:
        got += await sock.recv(count - len(got))
    return got


async def tcp(modem: C1100):
    context = modem.pdp("CMNET")
    await context.__aenter__()
    sock = await modem.tcp(*PEER, local_port=5000)
    sock.write(b"123")
    await sock.drain()
    return context.address, await exactly(sock, 3)


async def tcp_end(modem: C1100):
    context = modem.pdp("CMNET")
    await context.__aenter__()
    sock = await modem.tcp(*PEER, local_port=5000)
    await sock.sendall(b"123")
    got = await exactly(sock, 3)
    sock.close()
    await sock.wait_closed()
    await context.__aexit__(None, None, None)
    return got


async def transparent(modem: C1100):
    context = modem.pdp("CMNET")
    await context.__aenter__()
    sock = await modem.tcp(*PEER, local_port=5000)
    async with modem.passthrough(sock, timeout_ms=5000, longest=600) as pipe:
        await pipe.write(b"hello, world\r\n")
    return await exactly(sock, 4)


async def ppp(modem: C1100):
    dialled = await modem.ppp("3GNET", factory=lambda stream: Link())
    return dialled.link.isconnected(), modem._channel.mode


class Link:
    """Stands for network.PPP, which only a board has."""

    def connect(self, **how) -> None:
        assert how == {}

    def isconnected(self) -> bool:
        return True


async def gnss(modem: C1100):
    await modem.gnss.start()
    await modem.gnss.stop()


async def lwm2m(modem: C1100):
    await modem.lwm2m.configure(["5.39.83.206:5683"])
    await modem.lwm2m.enable()


async def lwm2m_servers(modem: C1100):
    await modem.lwm2m.configure(["5.39.83.206:5683", "5.39.83.205:5683", "5.39.83.204:5683"])
    await modem.lwm2m.enable()


def client(modem: C1100, connected: bool = True, **options):
    mqtt = modem.mqtt("node-1", "183.230.40.39", 6002, keepalive=60, **options)
    mqtt.connected = connected
    return mqtt


async def mqtt_connect(modem: C1100):
    will = ("nodes/1/will", "gone", False, 1)
    mqtt = client(modem, False, user="user", password="pass", last_will=will)
    await mqtt.connect()
    return mqtt.connected


async def mqtt_subscribe(modem: C1100):
    await client(modem).subscribe("nodes/1/commands", 1)


async def mqtt_unsubscribe(modem: C1100):
    await client(modem).unsubscribe("nodes/1/commands")


async def mqtt_publish(modem: C1100):
    await client(modem).publish("nodes/1/telemetry", "21.5", qos=1)


async def mqtt_disconnect(modem: C1100):
    mqtt = client(modem)
    await mqtt.disconnect()
    return mqtt.connected


async def http_url(modem: C1100):
    await modem.http.set_url("http://www.example.com/index.ht")
    await modem.http.set_url("http://www.example.com/index.html", 100)


async def http_headers(modem: C1100):
    await modem.http.set_headers({"Connection": "keep-alive", "X-Node": "1"})
    await modem.http.set_content_type("application/json")


async def http_get(modem: C1100):
    reply = await modem.http.get()
    return reply.status_code, reply.content


async def http_post(modem: C1100):
    reply = await modem.http.post(data='{"t":1}')
    return reply.status_code, reply.text


async def psm(modem: C1100):
    granted = await modem.power.psm(tau_s=60, active_s=10)
    return tuple(granted), await modem.power.wait_psm()


async def edrx(modem: C1100):
    before = await modem.power.edrx(cycle_s=81.92, rat=5)
    return before, await modem.power.edrx_granted()


def hex_mode(data: bytes) -> bytes:
    """3.3.2 prints received data as text. The driver keeps to hex digits, which 3.3.1.1 prints:
    other sockets rely on them while one sends transparently."""
    return data.replace(b"=1,4,abcd", b"=1,4,61626364").replace(b"LSIPHEX=0", b"LSIPHEX=1")


# chapter: (what the driver does, what the caller gets, chapters whose exchange comes before it)
FLOWS = {
    "3.1": (start, (True, (-69, None), ("46000", 0)), ()),
    "3.2.1": (start_with_pin, True, ()),
    "3.2.2": (start, (True, (-69, None), ("46000", 0)), ()),
    "3.3.1.1": (tcp, ("10.32.226.112", b"123"), ()),
    "3.5.1.2": (tcp_end, b"123", ("3.3.1.1",)),
    "3.3.2": (transparent, b"abcd", ()),
    "3.3.3": (ppp, (True, 3), ()),
    "3.4": (gnss, None, ()),
    "3.5.1": (lwm2m, None, ()),
    "3.5.2": (lwm2m_servers, None, ()),
    "3.6.1": (mqtt_connect, True, ()),
    "3.6.2": (mqtt_subscribe, None, ()),
    "3.6.3": (mqtt_unsubscribe, None, ()),
    "3.6.4": (mqtt_publish, None, ()),
    "3.6.5": (mqtt_disconnect, False, ()),
    "3.7.1": (http_url, None, ()),
    "3.7.2": (http_headers, None, ()),
    "3.7.3": (http_get, (200, b'{"a":1}\r\nOK\r\n0\r\r\n\r\n'), ()),
    "3.7.4": (http_post, (200, "ok"), ()),
    "3.8.1": (psm, ((10, 60), True), ()),
    "3.8.2": (edrx, (None, (81.92, 5.12)), ()),
}


@pytest.mark.parametrize("chapter", FLOWS)
def test_chapter(chapter):
    flow, want, before = FLOWS[chapter]
    starts = flow in (start, start_with_pin)

    async def scenario():
        module = ManualModule(
            *before, chapter, change=hex_mode if chapter == "3.3.2" else lambda data: data
        )
        modem = C1100(module)
        if not starts:
            modem._channel.mode = COMMAND
            modem._channel.settings_lost = False
        try:
            return module, await flow(modem)
        finally:
            modem.close()
            await asyncio.sleep(0)

    async def all_splits():
        await at_every_split(scenario)
        return (await scenario())[1]

    assert run(all_splits()) == want


def test_every_chapter_of_the_manual_has_a_flow():
    assert sorted(FLOWS) == manual.chapters()
