"""Methods that are elsewhere until they are called: each class has all that its table names."""

import sys

from c1100 import C1100, events, modem, mqtt, mqtts, power, sockets
from host_tests.support import raises
from host_tests.support.driver import start

TABLES = (modem._APART, mqtt._APART, events._APART, power._APART, mqtts._APART, sockets._APART)


def names(table):
    """Of a table: (name, whether it is called each time, module)"""
    waiting = []
    for word in table.split():
        if word[0] != "=":
            waiting.append(word)
            continue
        for name in waiting:
            called = name.endswith("()")
            yield name[:-2] if called else name, called, word[1:]
        waiting = []
    assert not waiting


def test_every_name_is_in_its_module_once():
    for table in TABLES:
        seen = [name for name, _, _ in names(table)]
        assert sorted(set(seen)) == sorted(seen)
        for name, _, module in names(table):
            found = __import__("c1100." + module, None, None, (name,))
            assert callable(getattr(found, name)), name


async def test_a_modem_has_them_all():
    _, one = start()
    for name, called, _ in names(modem._APART):
        found = getattr(one, name)
        assert called or callable(found), name
    one.close()


async def test_a_session_has_them_all():
    _, one = start()
    session = one.mqtt("client", "broker.example")
    assert session.wanted is None
    for name, called, _ in names(mqtt._APART):
        found = getattr(session, name)
        assert called or callable(found), name
    assert session.lost == 0 and session.inbox is session.inbox
    assert mqtt.Message("a", b"b", False, 1).topic == "a"
    one.close()


async def test_what_is_forgotten_is_loaded_again():
    _, one = start()
    for forget, table in ((one.forget, modem._APART), (one.power.forget, power._APART)):
        owner = one if forget == one.forget else one.power
        modules = {module for name, called, module in names(table) if not called}
        for name, called, module in names(table):
            if called:
                continue
            before = getattr(owner, name)
            assert callable(before)
            assert name in dir(type(owner))
            forget(module)
            assert "c1100." + module not in sys.modules
            assert name not in dir(type(owner))
            assert callable(getattr(owner, name))  # loaded anew
        forget(*modules)
        forget(*modules)  # once more is none too many
    one.close()


async def test_what_is_made_once_stays():
    _, one = start()
    _, two = start()
    for name in ("power", "http", "gnss", "lwm2m", "_sockets"):
        assert getattr(one, name) is getattr(one, name)
        assert getattr(one, name) is not getattr(two, name)
    one.close()
    two.close()


async def test_what_nothing_has_is_an_attribute_error():
    _, one = start()
    for name in ("smoke", "=start", "start radio", "power()", "", " ", "tcp udp"):
        with raises(AttributeError):
            getattr(one, name)
    assert not hasattr(one, "smoke")
    one.close()


async def test_a_class_of_ones_own_has_them_too():
    class Mine(C1100):
        async def signal(self):
            return "mine"

        async def imei(self):
            return "no number"

    class Stream:
        def readinto(self, buf):
            return None

        def write(self, data):
            return len(data)

    mine = Mine(Stream())
    assert await mine.signal() == "mine"
    assert await mine.imei() == "no number"
    assert not mine.has_status and not mine.was_registered
    assert mine.pdp("apn").address is None
    mine.close()
