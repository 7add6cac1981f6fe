"""What the driver does with each part of the table. Each flow returns what its caller gets, which
must not depend on how the dialect words it.
"""

import asyncio
import time
import types
from collections.abc import Awaitable, Callable
from typing import Any

from host_tests.edits.mirror import URL, Mirror

Package = types.ModuleType


def message_of(dialect: types.ModuleType, topic: str, payload: bytes) -> bytes:
    """An incoming message, as the dialect has it."""
    fields = {"topic": f'"{topic}"', "qos": "1", "retained": "0", "length": str(len(payload))}
    head = ",".join(fields[field] for field in dialect.MQTT_MESSAGE_FIELDS)
    return f"{dialect.MQTT_MESSAGE}:{head},".encode() + payload + b"\r\n"


async def start(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module)
    registration = await modem.start(pin="1234", apn="x")
    got = [
        (registration.stat, registration.tac, registration.cell, registration.act),
        tuple(await modem.signal()),
        tuple(await modem.operator() or ()),
        await modem.clock(),
        await modem.imei(),
        await modem.command(c.dialect.IMSI.send),
        await modem.command(c.dialect.REVISION.send),
        (await modem.variant()).name,
    ]
    modem.close()
    got[5], got[6] = got[5][0].split(": ")[-1], got[6][0].split(": ")[-1]
    return got


async def states(c: Package, module: Mirror) -> Any:
    """A module that was denied, detached and off: what register() tries, said directly."""
    modem = c.C1100(module)
    await modem.power_on()
    run = modem._channel.run
    for form in (c.dialect.OPERATOR_ANY, c.dialect.ATTACH):
        await run(form)
    d = c.dialect
    asked = (d.RADIO_STATE, d.ATTACHED, d.GPRS_STATE, d.IP_HEX_STATE)
    got = [await modem._channel.ask(form) for form in asked]
    await modem.radio(False)
    await modem.radio(True)
    await modem.restart()
    await modem.power_off(force=True)
    modem.close()
    return [values[0] for values in got]


async def power(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module, wake=Pin())
    await modem.power_on()
    power = modem.power
    got = [
        tuple(await power.psm(3600, 10)),
        tuple(await power.settings()),
        tuple(await power.edrx(81.92, 5)),
        (await modem._channel.ask(c.dialect.EDRX_STATE))[:2],
    ]
    got.append(await power.release(0.5))
    await power.edrx_off()
    await power.psm_off()
    module.say(f"{c.dialect.RELEASED}\r\n{c.dialect.ENTERED_PSM}\r\n".encode())
    got.append(await power.wait_psm(10))
    module.say(f"{c.dialect.LEFT_PSM}\r\n".encode())
    await asyncio.sleep_ms(100)
    got.append(modem.asleep)
    modem.close()
    return got


async def sockets(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module)
    await modem.power_on()
    tcp, udp = c.dialect.IP_DATA
    got: list = []
    async with modem.pdp("x") as context:
        got.append(context.address)
        stream = await modem.tcp("h.example", 7)
        await stream.sendall(b"abc")
        module.say(f"{tcp}={stream.number},3,616263\r".encode())
        got.append(await stream.recv(9, 5))
        async with modem.passthrough(stream) as pipe:
            await pipe.write(b"12345")
        datagrams = await modem.udp("h.example", 7)
        module.say(f"{udp}={datagrams.number},2,3132\r".encode())
        got.append(await datagrams.recv(9, 5))
        datagrams.close()
        await datagrams.wait_closed()
        module.say(f"{c.dialect.IP_CLOSE.answer}:{stream.number},3,3,0\r".encode())
        got.append(await stream.recv(9, 5))
        other = await modem.tcp("h.example", 7)
        module.say(f"{c.dialect.IP_STATE.answer}:0\r\n".encode())
        try:
            got.append(await other.recv(9, 5))
        except c.NotConnected:
            got.append("lost")
    modem.close()
    return got


async def waiting(c: Package, module: Mirror) -> Any:
    """What has come is kept by the module until it is asked for."""
    modem = c.C1100(module)
    await modem.power_on()
    async with modem.pdp("x"):
        stream = await modem.tcp("h.example", 7)
        module.say(f"{c.dialect.IP_DATA[0]}={stream.number}\r".encode())
        got = await stream.recv(9, 5)
    modem.close()
    return got


async def mqtt(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module)
    await modem.power_on()
    got: list = []
    for apn in (None, "x"):
        modem.apn = apn
        client = modem.mqtt("n1", "h.example", user="u", password="p")
        await client.connect()
        await client.publish("a/b", "text", 1, True)
        await client.publish("a/b", b"\x00\x01", 0)
        await client.subscribe("c/#")
        # One without a length ends with its line.
        payload = b"hello,\r\n0\r" if "length" in c.dialect.MQTT_MESSAGE_FIELDS else b"hello,"
        module.say(message_of(c.dialect, "c/d", payload))
        message = await client.wait_msg()
        got.append((message.topic, message.payload == payload))
        await client.unsubscribe("c/#")
        await client.disconnect()
    await client.connect()
    lost = (c.dialect.MQTT_OPEN.then or c.dialect.MQTT_CALL.then).rstrip("?")
    module.say(f"{lost}:0\r\n".encode())
    await asyncio.sleep_ms(100)
    got.append(client.connected)
    modem.close()
    return got


async def shown(c: Package, module: Mirror) -> Any:
    """A message that the module shows before it is published."""
    modem = c.C1100(module)
    await modem.power_on()
    client = modem.mqtt("n1", "h.example", careful=True)
    await client.connect()
    await client.publish("a/b", "text", 1)
    await client.disconnect()
    modem.close()
    return "published"


async def http(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module)
    await modem.power_on()
    first = await modem.http.get(URL, {"X-Node": "1"})
    second = await modem.http.post(URL, "body")
    modem.close()
    return [(reply.status_code, reply.content) for reply in (first, second)]


async def gnss(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module, doze=time.sleep_ms)
    await modem.power_on()
    await modem.gnss.start()
    fix = await modem.gnss.fix(30)
    await modem.gnss.stop()
    modem.close()
    return tuple(fix)


async def lwm2m(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module)
    await modem.power_on()
    await modem.lwm2m.configure(["h.example:5683"])
    await modem.lwm2m.enable()
    await modem.lwm2m.disable()
    modem.close()
    return None


async def ppp(c: Package, module: Mirror) -> Any:
    modem = c.C1100(module)
    await modem.power_on()
    dialled = await modem.ppp("x", factory=Link)
    got = dialled.link.isconnected()
    await dialled.hang_up()
    got = (got, (await modem.signal()).rssi)
    modem.close()
    return got


class Pin:
    def on(self) -> None:
        pass

    def off(self) -> None:
        pass


class Link:
    """network.PPP"""

    def __init__(self, stream) -> None:
        self.up = False

    def active(self, on: bool) -> None:
        pass

    def connect(self, **_: Any) -> None:
        self.up = True

    def disconnect(self) -> None:
        self.up = False

    def isconnected(self) -> bool:
        return self.up


FLOWS: dict[str, Callable[[Package, Mirror], Awaitable[Any]]] = {
    flow.__name__: flow
    for flow in (start, states, power, sockets, waiting, mqtt, shown, http, gnss, lwm2m, ppp)
}
