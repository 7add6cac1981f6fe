"""Each chapter of the manual: the driver's call, against a module that speaks the manual's bytes.

Each runs whole, byte by byte and cut at every byte boundary of what the module says.
"""

import pytest

from c1100 import C1100
from host_tests.conformance.scripted import ManualModule
from host_tests.support.streams import at_every_split
from host_tests.virtual_time import run


async def start(modem: C1100):
    registration = await modem.start()
    return registration.registered, await modem.signal(), await modem.operator()


async def start_with_pin(modem: C1100):
    return (await modem.start(pin="1234")).registered


def client(modem: C1100, **options):
    return modem.mqtt("node-1", "183.230.40.39", 6002, keepalive=60, **options)


async def mqtt_connect(modem: C1100):
    mqtt = client(
        modem, user="user", password="pass", last_will=("nodes/1/will", "gone", False, 1)
    )
    await mqtt.connect()
    return mqtt.connected


async def mqtt_publish(modem: C1100):
    mqtt = client(modem)
    mqtt.connected = True
    await mqtt.publish("nodes/1/telemetry", "21.5", qos=1)
    return mqtt.connected


async def mqtt_disconnect(modem: C1100):
    mqtt = client(modem)
    mqtt.connected = True
    await mqtt.disconnect()
    return mqtt.connected


# chapter: (what the driver does, what the caller gets)
FLOWS = {
    "3.1": (start, (True, (-69, None), ("46000", 0))),
    "3.2.1": (start_with_pin, True),
    "3.2.2": (start, (True, (-69, None), ("46000", 0))),
    "3.6.1": (mqtt_connect, True),
    "3.6.4": (mqtt_publish, True),
    "3.6.5": (mqtt_disconnect, False),
}


@pytest.mark.parametrize("chapter", FLOWS)
def test_chapter(chapter):
    flow, want = FLOWS[chapter]

    async def scenario():
        module = ManualModule(chapter)
        modem = C1100(module)
        try:
            return module, await flow(modem)
        finally:
            modem.close()

    async def all_splits():
        await at_every_split(scenario)
        return (await scenario())[1]

    assert run(all_splits()) == want
