"""What a wake may do with the module: start it and use one feature, all of it, with its result
looked at. A feature is a coroutine of (modem, far side); `FEATURES` names them.
"""

import asyncio

from c1100 import C1100, timers
from host_tests.states.far_side import PAGE, FarSide
from tools.virtual_c1100.profile import Profile

DATA = bytes(range(256)) * 4
WITHIN_S = 60  # for an answer from the far side

# Where the receiver is, in 1e-7 degrees
HERE = (round(Profile().track.latitude * 1e7), round(Profile().track.longitude * 1e7))


async def into_the_network(modem: C1100, far: FarSide) -> None:
    assert (await modem.start(apn="CMNET")).registered


async def questions(modem: C1100, far: FarSide) -> None:
    assert (await modem.signal()).rssi == -69
    assert len(await modem.imei()) == 15
    assert (await modem.operator()).name in ("46000", "CHINA MOBILE")
    assert (await modem.variant()).gnss
    assert (await modem.clock()).startswith("23/")


async def tcp(modem: C1100, far: FarSide) -> None:
    async with modem.pdp("CMNET"):
        sock = await modem.tcp(*far.tcp)
        await sock.sendall(DATA)
        await _comes_back(sock)


async def _comes_back(sock) -> None:
    got = b""
    while len(got) < len(DATA):
        got += await sock.recv(len(DATA), WITHIN_S)
    assert got == DATA
    sock.close()
    await sock.wait_closed()


async def udp(modem: C1100, far: FarSide) -> None:
    async with modem.pdp("CMNET"):
        sock = await modem.udp(*far.udp)
        sock.write(DATA[:300])
        await sock.drain()
        assert await sock.recv(1500, WITHIN_S) == DATA[:300]
        sock.close()
        await sock.wait_closed()


async def _transparent(modem: C1100, far: FarSide, mode: int) -> None:
    async with modem.pdp("CMNET"):
        sock = await modem.tcp(*far.tcp)
        async with modem.passthrough(sock, mode=mode) as pipe:
            await pipe.write(DATA)
        await _comes_back(sock)


async def transparent(modem: C1100, far: FarSide) -> None:
    await _transparent(modem, far, 1)


async def counted(modem: C1100, far: FarSide) -> None:
    await _transparent(modem, far, 3)


class Link:
    """Stands for network.PPP: it only says what PPP would say first, and last."""

    def __init__(self, stream) -> None:
        self._stream = stream

    def connect(self, **how) -> None:
        self._stream.write(b"\x7e\xff\x7d\x23\xc0\x21\x7e")

    def isconnected(self) -> bool:
        return True

    def disconnect(self) -> None:
        self._stream.write(b"\x7e\xff\x7d\x23\xc0\x21\x05\x7e")
        self.isconnected = lambda: False


async def ppp(modem: C1100, far: FarSide) -> None:
    dialled = await modem.ppp("3GNET", factory=Link)
    await asyncio.sleep(5)
    await dialled.hang_up()
    assert (await modem.signal()).rssi == -69


async def gnss(modem: C1100, far: FarSide) -> None:
    await modem.gnss.start()
    fix = await modem.gnss.fix(120)
    assert abs(fix.latitude_e7 - HERE[0]) < 1000
    assert abs(fix.longitude_e7 - HERE[1]) < 1000
    await modem.gnss.stop()


async def flight(modem: C1100, far: FarSide) -> None:
    """A position in flight mode, as a node takes it before it attaches."""
    await modem.radio(False, sim=True)
    await gnss(modem, far)
    await modem.radio(True)
    assert (await modem.register(60)).registered


async def mqtt(modem: C1100, far: FarSide) -> None:
    client = modem.mqtt("node-1", *far.mqtt, last_will=("node/will", "gone", False, 1))
    await client.connect()
    await client.subscribe("node/in", 1)
    await client.publish("node/in", b"\x00\r\n0\r", 1)
    message = await asyncio.wait_for_ms(client.wait_msg(), WITHIN_S * 1000)
    assert message.payload == b"\x00\r\n0\r"
    await client.unsubscribe("node/in")
    await client.disconnect()


async def http(modem: C1100, far: FarSide) -> None:
    base = "http://{}:{}/".format(*far.http)
    reply = await modem.http.get(base, headers={"X-Node": "7"})
    assert (reply.status_code, reply.content) == (200, PAGE)
    reply = await modem.http.post(base, data=DATA)
    assert (reply.status_code, reply.content) == (200, DATA)


async def lwm2m(modem: C1100, far: FarSide) -> None:
    await modem.lwm2m.configure(["198.51.100.1:5683", "198.51.100.2:5683"])
    await modem.lwm2m.enable()
    assert (await modem.register(60)).registered


async def psm(modem: C1100, far: FarSide) -> None:
    granted = await modem.power.psm(tau_s=3600, active_s=10)
    assert tuple(granted) == (10, 3600)
    await modem.power.wait_psm(60)
    await modem.wake()
    assert (await modem.register(60)).registered
    assert (await modem.power.granted()).active_s == 10


async def edrx(modem: C1100, far: FarSide) -> None:
    await modem.power.edrx(81.92, timers.WB_S1)
    await modem.power.edrx_off()


async def off_and_on(modem: C1100, far: FarSide) -> None:
    await modem.power_off()
    assert (await modem.start()).registered


FEATURES = {
    "questions": questions,
    "tcp": tcp,
    "udp": udp,
    "transparent": transparent,
    "counted": counted,
    "ppp": ppp,
    "gnss": gnss,
    "flight": flight,
    "mqtt": mqtt,
    "http": http,
    "lwm2m": lwm2m,
    "psm": psm,
    "edrx": edrx,
    "off_and_on": off_and_on,
}


def wake(name: str):
    """Start the module, and use the feature."""

    async def work(modem: C1100, far: FarSide) -> None:
        await into_the_network(modem, far)
        await FEATURES[name](modem, far)

    return work
