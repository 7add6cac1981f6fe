"""close() ends everything, whatever is under way, so that another C1100 may have the UART."""

import asyncio
import gc

from c1100 import C1100, C1100Error, NotConnected
from host_tests.support import fails, raises
from host_tests.support.streams import Module
from host_tests.unit.test_modem import PROBE, SETTINGS_AGAIN, Key, Level

SIGNAL = ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")
READY = PROBE + SETTINGS_AGAIN
USED = READY + (SIGNAL,)
SILENT = (lambda line: True,)


class Port(Module):
    """A UART that tells of an idle line, as machine.UART of most ports does."""

    IRQ_RXIDLE = 1
    handler = None

    def irq(self, handler=None, trigger=0):
        self.handler = handler

    def readinto(self, buf):
        n = Module.readinto(self, buf)
        if n is None and self._queue and self.handler is not None:
            self.handler(self)
        return n


class Full(Module):
    """A UART that takes no more bytes."""

    def write(self, data):
        return 0


async def _nothing(modem):
    await asyncio.sleep_ms(0)


async def _used(modem):
    await modem.signal()


async def _command(modem):
    await modem.signal()
    await modem.imei()


async def _two_commands(modem):
    await modem.signal()
    waiting = asyncio.create_task(fails(C1100Error, modem.imei()))
    try:
        await modem.operator()
    finally:
        await waiting


async def _prompt(modem):
    await modem.signal()
    await modem.http.set_url("http://a.example/")


async def _power_on(modem):
    await modem.power_on()


async def _restart(modem):
    await modem.restart()


async def _register(modem):
    await modem.register()


async def _psm(modem):
    await modem.signal()
    await modem.power.wait_psm()


# what runs when it is closed, 1.5 s after its beginning; what the module says; options of C1100
WHILE = (
    (_nothing, (), {}),
    (_used, USED, {}),
    (_command, USED + (("AT+CGSN",),), {}),
    (_two_commands, USED + (SILENT,), {}),
    (_prompt, USED + (("AT+LSHTTPURL=17", b">"),) + (SILENT,) * 3, {}),
    (_power_on, (SILENT,) * 9, {}),
    (_power_on, (SILENT,) * 9, {"pwrkey": Key()}),
    (_power_on, (SILENT,) * 9, {"pwrkey": Key(), "status": Level(1)}),
    (_restart, READY + (("AT+CFUN=1,1", b"0\r"),) + (SILENT,) * 9, {}),
    (
        _register,
        READY + (("AT+CEREG?", b"+CEREG: 1,2\r\n0\r"), ("AT+CGREG?", b"+CGREG: 1,2\r\n0\r")),
        {},
    ),
    (_psm, USED, {}),
)


async def _closed(kind, work, said, options):
    """Close while ``work`` runs; then nothing of the old C1100 moves, and a new one works."""
    module = kind(*said)
    modem = C1100(module, **options)
    heard = []
    modem.on("+CEREG", heard.append)

    async def run():
        try:
            await work(modem)
        except C1100Error:
            pass

    task = asyncio.create_task(run())
    await asyncio.sleep_ms(1500)
    modem.close()
    modem.close()
    assert getattr(module, "handler", None) is None
    await asyncio.sleep_ms(50)
    reads = module.reads
    written = len(module.heard)
    module.say(b"+CEREG: 1\r\n")
    await asyncio.sleep_ms(30000)
    assert module.reads == reads, "somebody reads still"
    assert len(module.heard) == written, "somebody writes still"
    assert heard == []
    for attempt in (modem.signal, modem.power_on, modem.start, modem.wake, modem.power_cycle):
        await fails(NotConnected, attempt())
    await fails(NotConnected, modem.command("+CSQ"))
    assert module.reads == reads
    task.cancel()
    module.lose()
    module._line = b""
    module.steps = list(USED)
    if isinstance(module, Full):
        return
    other = C1100(module)
    assert (await other.signal()).rssi == -69
    module.check()
    other.close()


async def test_whatever_is_under_way():
    for work, said, options in WHILE:
        for kind in (Module, Port):
            await _closed(kind, work, said, options)


async def test_while_the_uart_takes_no_bytes():
    await _closed(Full, _used, (), {})


async def test_by_a_callback():
    """The task that calls it must not be cancelled by itself."""
    module = Module(*USED)
    modem = C1100(module)
    called = []

    def close(values):
        called.append(values)
        modem.close()

    modem.on("+CEREG", close)
    await modem.signal()
    module.say(b"+CEREG: 1\r\n+CGREG: 1\r\n+CEREG: 5\r\n")
    await asyncio.sleep_ms(100)
    assert called == [[5]]
    reads = module.reads
    await asyncio.sleep_ms(1000)
    assert module.reads == reads
    with raises(NotConnected):
        await modem.signal()


def test_outside_the_event_loop():
    module = Module(*USED)
    modem = C1100(module)
    modem.close()

    async def use():
        with raises(NotConnected):
            await modem.signal()

    run = use()
    try:
        run.send(None)
    except StopIteration:
        pass
    assert module.heard == []


async def test_a_hundred_on_one_uart():
    """Each leaves nothing: no reader, no byte of the heap (which CPython cannot tell)."""
    for kind in (Module, Port):
        module = kind()
        used = []
        for number in range(100):
            module.steps = list(USED)
            module.heard.clear()
            modem = C1100(module)
            await modem.signal()
            module.check()
            modem.close()
            modem = None
            await asyncio.sleep_ms(10)
            if number % 10 == 9 and hasattr(gc, "mem_alloc"):
                gc.collect()
                used.append(gc.mem_alloc())
        assert not used or used[-1] - used[1] < 500, used
        reads = module.reads
        await asyncio.sleep_ms(5000)
        assert module.reads == reads
