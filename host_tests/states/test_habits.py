"""MQTT and HTTP on modules with habits of their own: each fault of the virtual C1100 that concerns
them, with what comes of it. Data: a new habit is one line.
"""

import asyncio

import pytest

from c1100 import C1100, BadAnswer, C1100Error, CommandError, NotConnected, PayloadError, Refused
from host_tests.states import features
from host_tests.states.far_side import PAGE, FarSide
from host_tests.states.world import World
from tools.virtual_c1100.profile import Profile

WITHIN_S = 45.0  # virtual seconds, the start of the module among them


async def http(modem: C1100, far: FarSide) -> None:
    await features.into_the_network(modem, far)
    await features.http(modem, far)


async def get(modem: C1100, far: FarSide) -> bytes:
    await features.into_the_network(modem, far)
    try:
        return (await modem.http.get("http://{}:{}/".format(*far.http))).content
    finally:
        assert (await modem.signal()).rssi == -69


async def mqtt(modem: C1100, far: FarSide) -> None:
    await features.into_the_network(modem, far)
    await features.mqtt(modem, far)


async def qos_0(modem: C1100, far: FarSide) -> None:
    await features.into_the_network(modem, far)
    client = modem.mqtt("node-1", *far.mqtt)
    await client.connect()
    await client.subscribe("node/in", 0)
    for number in range(3):
        await client.publish("node/in", str(number), 0)
        message = await asyncio.wait_for_ms(client.wait_msg(), 20000)
        assert message.payload == b"%d" % number
    await client.disconnect()
    assert (await modem.signal()).rssi == -69


# faults; what is done; what it raises, None: it works
TABLE = (
    # HTTP
    (("http-no-ls",), http, None),
    (("http-equals",), http, None),
    (("http-no-ls", "http-equals"), http, None),
    (("urc-ls",), http, None),
    (("http-no-length",), http, None),
    (("http-cr-cr-lf",), http, None),
    (("http-cr-cr-lf", "http-no-ls"), http, None),
    (("result-first:+LSHTTPGET", "result-first:+LSHTTPPOST"), get, None),
    (("result-first:+LSHTTPGET", "http-no-ls"), get, None),
    (("reversed:+LSHTTPGET",), get, None),
    (("reversed:+LSHTTPGET", "http-no-ls", "http-equals"), get, None),
    (("leading-blank",), http, None),
    (("blank-behind",), get, None),
    (("colon-blank",), http, None),
    (("number-quoted",), get, None),
    (("rewrite:^(.LSHTTPGET: )0,200,=>\\g<1>00,0200,000",), get, None),
    (("verbose-stuck",), http, None),
    (("echo-stuck",), http, None),
    (("line-before:+LSHTTPGET=^SIMST: 1",), get, None),
    (("line-before:+LSHTTPGET=RING",), get, None),
    (("line-between:+LSHTTPGET=^SIMST: 1",), get, None),
    (("line-between:+LSHTTPGET=RING",), get, None),
    (("line-after:+LSHTTPGET=NO CARRIER",), get, None),
    (("http-length:1",), get, PayloadError),
    (("http-length:5",), get, PayloadError),
    (("http-length:100",), get, PayloadError),
    (("http-length:100000000",), get, C1100Error),
    (("http-length:-1",), get, PayloadError),
    (("http-length:-5",), get, PayloadError),
    (("http-length:-18",), get, PayloadError),
    (("rewrite:^(.LSHTTPGET: )0,=>\\g<1>7,",), get, CommandError),
    (("rewrite:^(.LSHTTPGET: )0,=>\\g<1>x,",), get, BadAnswer),
    (("rewrite:^(.LSHTTPGET: 0),200=>\\1,2x0",), get, BadAnswer),
    (("rewrite:^(.LSHTTPGET: 0,200),19=>\\1,1x9",), get, BadAnswer),
    (("answer:+LSHTTPGET=+LSHTTPGET: 1,0,0|0",), get, CommandError),
    (("error:+LSHTTPGET",), get, CommandError),
    # MQTT
    (("urc-ls",), mqtt, None),
    (("urc-ls", "leading-blank"), mqtt, None),
    (("colon-blank",), mqtt, None),
    (("number-quoted",), mqtt, None),
    (("rewrite:^(.MQTT.*:)1$=>\\g<1> 001",), mqtt, None),
    (("verbose-stuck",), mqtt, None),
    (("echo-stuck",), mqtt, None),
    (("rewrite:^.MQTT(SUB|CLOSE):1=>^X",), mqtt, None),
    (("rewrite:^.MQTT(PUB|SUB|CLOSE):1=>^X",), qos_0, None),
    (("late-line:+MQTTSUB=2", "late-line:+MQTTPUB=2"), mqtt, None),
    (("urc-after:+LSMQTTCFG=+MQTTOPEN:1",), mqtt, None),
    (("urc-after:+LSMQTTPUB=+MQTTOPEN:1",), mqtt, None),
    (("urc-after:+LSMQTTPUB=+MQTTCALL:1",), mqtt, None),
    (("line-before:+LSMQTTPUB=RING",), mqtt, None),
    (("line-before:+LSMQTTPUB=^SIMST: 1",), mqtt, None),
    (("mqtt-refused",), mqtt, Refused),
    (("rewrite:^.MQTTCALL:1=>+MQTTCALL:0",), mqtt, NotConnected),
    (("rewrite:^.MQTTPUB:1=>+MQTTPUB:0",), mqtt, Refused),
    (("rewrite:^.MQTTSUB:1=>+MQTTSUB:0",), mqtt, Refused),
    (("rewrite:^.MQTTPUB:1=>+MQTTPUB:x",), mqtt, BadAnswer),
    (("error:+LSMQTTCALL",), mqtt, CommandError),
    (("error:+LSMQTTCALL=1",), mqtt, CommandError),
    (("error:+LSMQTTOPEN=1",), mqtt, None),
    (("error:+LSMQTTOPEN",), mqtt, CommandError),
    (("error:+LSMQTTPUB",), mqtt, CommandError),
)


@pytest.mark.parametrize("work", [get, mqtt, qos_0])
def test_a_module_that_takes_its_time_for_each_byte(work):
    with World(Profile(faults=["byte-gap:200"])) as world:
        assert world.life(work) in (None, PAGE)
        assert world.now < 2.5 * WITHIN_S


def words(value) -> str:
    """The same in each process of a run: no address of a function."""
    return getattr(value, "__name__", None) or " ".join(value or ("fine",))


@pytest.mark.parametrize(("faults", "work", "raises"), TABLE, ids=words)
def test_a_module_with(faults, work, raises):
    with World(Profile(faults=list(faults))) as world:
        begin = world.now
        if raises is None:
            got = world.life(work)
            assert got in (None, PAGE)
        else:
            with pytest.raises(raises) as caught:
                world.life(work)
            assert isinstance(caught.value, raises)
        assert world.now - begin < WITHIN_S, f"{world.now - begin:.0f} s"
