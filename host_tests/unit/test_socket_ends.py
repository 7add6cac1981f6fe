"""However a socket ends, or a wait for it is given up: whoever waits is woken, nothing is left
behind, and the next one works.
"""

import asyncio
import gc
import sys
import time

from c1100 import C1100, NotConnected, PayloadError, Timeout, at
from c1100.channel import COMMAND
from host_tests.support import fails
from host_tests.support.lsip import Lsip

STEP_MS = 11 if sys.implementation.name == "cpython" else 37


def start(**habits):
    module = Lsip()
    module.up = True
    for name in habits:
        setattr(module, name, habits[name])
    modem = C1100(module)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return module, modem


async def works(modem, number=None):
    async with await modem.tcp("a.example", 7) as sock:
        assert number in (None, sock.number), sock.number
        await sock.sendall(b"abc")
        got = await sock.recv(9, 5)
        assert got == b"abc", got


async def outcome(waiting):
    """What a wait came to."""
    try:
        return await waiting
    except at.C1100Error as error:
        return error


def waits(sock):
    """Everything that one can wait for. The last is sent when room comes."""
    sock.write(b"x")
    return [
        asyncio.create_task(outcome(waiting))
        for waiting in (
            sock.recv(1),
            sock.recv(1, 3600),
            sock.recv(1),
            sock.drain(),
            sock.drain(),
            sock.sendall(b"y" * 9000),
            sock.wait_closed(),
            sock.wait_closed(),
        )
    ]


# Ends that are told -----------------------------------------------------------------------------

ENDS = (
    # what the module says, what whoever reads gets, and asks it for
    (b"+LSIPCLOSE:1,0,0,0\r", b""),
    (b"+LSIPCLOSE: 1, 0 ,0,1\r\n", b""),
    (b" +LSIPCLOSE=1,0,0\r", b""),
    (b'+LSIPCLOSE:"1","0","00",0\r', b""),
    (b"+LSIPCLOSE:1\r", NotConnected),  # a module that does not count
    (b"+LSIPCLOSE:1,0\r", NotConnected),
    (b"+LSIPCLOSE:1,,,0\r", NotConnected),
    (b"+LSIPCLOSE:1,1400,1x00,0\r", at.BadAnswer),
    (b"+LSIPCLOSE:1,o,0,0\r", at.BadAnswer),
    (b"+LSIPCLOSE:1,0,-7,0\r", at.BadAnswer),
    (b"+LSIPCLOSE:1,0,7,0\r", PayloadError),
    (b"+LSIPCLOSE:1,0,99999999999999999999,0\r", PayloadError),
    (b"+LSIPRTCP=1,7o0,3132\r", at.BadAnswer),
    (b"+LSIPRTCP=1,,3132\r", at.BadAnswer),
    (b"+LSIPRTCP=1,-1,3132\r", at.BadAnswer),
    (b"+LSIPRTCP=1,99999999999999999999,3132\r", at.BadAnswer),
    (b"+LSIPRTCP=1,2\r", at.BadAnswer),
    (b"+LSIPRTCP=1\r", at.BadAnswer),
    (b"+LSIPRTCP=\r", at.BadAnswer),
    (b"+LSIPRTCP=x,2,3132\r", at.BadAnswer),
    (b"+LSIPRTCP=9,2,3132\r", at.BadAnswer),
    (b"+LSIPRTCP=1x2,3132\r", at.BadAnswer),
    (b"+LSIPRTCP=1,700" + b"31" * 700 + b"\r", at.BadAnswer),
    (b"+LSIPRTCP=1,2,313\r", PayloadError),
    (b"+LSIPRTCP=1,2,31x2\r", PayloadError),
    (b"+LSIPRTCP=1,2,313233\r", PayloadError),
    (b"+LSIPRTCP=1,0,31\r", PayloadError),
    (b"+LSIPRTCP=1,3,31", PayloadError),  # and no more
    (b"+LSIPCALL:0\r", NotConnected),
    (b"+LSIPCALL: 0 ,\r\n", NotConnected),
    (b"\r\nRDY\r\n", NotConnected),
    (b"+LSIP:ERROR\r", at.CommandError),
)


async def test_every_end_wakes_everyone_who_waits():
    for said, kind in ENDS:
        module, modem = start(echo=False, canned={"AT+LSIPPUSH": b""})
        sock = await modem.tcp("a.example", 7)
        tasks = waits(sock)
        await asyncio.sleep_ms(1000)
        assert not [task for task in tasks if task.done()], said
        if said.startswith(b"+LSIPCLOSE"):
            module.sockets.pop(1, None)
        module.canned = {}
        module.say(said)
        await asyncio.sleep_ms(1000)
        module.say(b"4\r")  # of the push that was under way
        await asyncio.sleep_ms(9000)
        assert not [i for i, task in enumerate(tasks) if not task.done()], said
        results = []
        for task in tasks:
            results.append(await task)  # noqa: PERF401 -- MicroPython has no await in brackets
        readers = results[:3]
        if kind == b"":
            assert readers == [b""] * 3, (said, readers)
        elif said not in (b"+LSIP:ERROR\r", b"+LSIPRTCP=1\r"):  # there the push's end is first
            assert len([r for r in readers if isinstance(r, kind)]) == 1, (said, readers)
            assert len([r for r in readers if isinstance(r, bytes)]) == 2, (said, readers)
        for result in results[3:6]:
            assert isinstance(result, at.C1100Error), (said, results)
        assert results[6:] == [None, None]
        module.up = True
        module.echo = True
        await works(modem)
        modem.close()


async def test_bytes_around_a_gap():
    """What came before is delivered, then the error; what comes behind never is."""
    for said, _ in ENDS:
        if not said.startswith(b"+LSIPRTCP") or not said.endswith(b"\r"):
            continue
        module, modem = start()
        sock = await modem.tcp("a.example", 7)
        module.say(b"+LSIPRTCP=1,2,6162\r" + said + b"+LSIPRTCP=1,2,6364\r")
        got = b""
        try:
            while True:
                got += await sock.recv(9)
        except (at.BadAnswer, PayloadError):
            pass
        assert got[:2] == b"ab", said
        assert b"c" not in got, (said, got)
        modem.close()


async def test_a_damaged_datagram_is_counted_and_the_next_one_comes():
    for said, _ in ENDS:
        if said.startswith(b"+LSIPRTCP"):
            module, modem = start()
            sock = await modem.udp("a.example", 7)
            module.say(said.replace(b"RTCP", b"RUDP"))
            await asyncio.sleep_ms(4000)
            module.say(b"+LSIPRUDP=1,2,6364\r")
            assert await sock.recv(9) == b"cd", said
            assert sock.dropped == 1, said
            modem.close()


async def test_data_in_every_form():
    for said in (
        b"+LSIPRTCP=1,3,616263\r",
        b"+LSIPRTCP=1, 3, 616263\r",
        b" +LSIPRTCP = 1 , 3 ,  616263  \r\n",
        b"+LSIPRTCP:1,3,616263\r\r\n",
        b'+LSIPRTCP="1","3",616263\r',
        b"+LSIPRTCP=01,003,616263\r",
        b"\x00\xff+LSIPRTCP=1,3,616263\r",
    ):
        module, modem = start()
        sock = await modem.tcp("a.example", 7)
        module.say(said + b"+LSIPRTCP=1,2,EfeF\r")
        got = b""
        while len(got) < 5:
            got += await sock.recv(9, 5)
        assert got == b"abc\xef\xef", said
        modem.close()


# Ends that are told in a line that nobody can read, or not at all --------------------------------


async def test_a_damaged_line_has_the_module_asked():
    for said in (
        b"+LSIPCLOSE:x,0,0,0\r",
        b"+LSIPCLOSE:\r",
        b"+LSIPCLOSE:,0,0,0\r",
        b"+LSIPCLOSE:3,0,0,0\r",
        b"+LSIPCLOSE:11,0,0,0\r",
        b"+LSIPCLOSE:-1,0,0,0\r",
    ):
        module, modem = start()
        one = await modem.tcp("a.example", 7)
        two = await modem.tcp("a.example", 8)
        module.sockets.pop(1)
        begin = time.ticks_ms()
        module.say(said)
        await fails(NotConnected, one.recv(1))  # without a limit
        assert time.ticks_diff(time.ticks_ms(), begin) < 2000, said
        await two.sendall(b"abc")
        assert await two.recv(9) == b"abc"
        modem.close()
    for said in (b"+LSIPCALL:x\r", b"+LSIPCALL:\r"):
        module, modem = start()
        one = await modem.tcp("a.example", 7)
        module.up, module.sockets = False, {}
        module.say(said)
        await fails(NotConnected, one.recv(1))
        modem.close()


async def test_a_line_that_is_lost():
    module, modem = start()
    sock = await modem.tcp("a.example", 7)
    reading = asyncio.create_task(outcome(sock.recv(1)))
    await asyncio.sleep_ms(3600000)
    assert not reading.done()  # it may take as long as it likes
    module.sockets.pop(1)
    await asyncio.sleep_ms(301000)
    assert isinstance(await reading, NotConnected)
    await works(modem)
    modem.close()


async def test_recv_ends_in_its_time_whatever_the_module_does():
    for canned in (
        {"AT": b""},
        {"AT+LSIPOPEN?": b"4\r"},
        {"AT+LSIPOPEN?": b"0\r"},
        {"AT+LSIPOPEN?": b"+LSIPOPEN:2,x\r0\r"},
        {"AT+LSIPOPEN?": b""},
    ):
        for timeout_s in (0, 0.5, 60, 1000000):
            module, modem = start()
            sock = await modem.tcp("a.example", 7)
            module.canned = canned
            waiting = asyncio.create_task(outcome(sock.recv(1, timeout_s)))
            await asyncio.sleep_ms(int(min(timeout_s, 1000) * 1000) + 6500)
            assert waiting.done() == (timeout_s < 1000), (canned, timeout_s)
            if waiting.done():
                error = await waiting
                assert isinstance(error, Timeout)
                assert (error.command == "+LSIPOPEN?") == (b"" in canned.values()), error
            waiting.cancel()
            module.canned = {}
            await asyncio.sleep_ms(0)
            await works(modem)
            modem.close()


# Given up ---------------------------------------------------------------------------------------


async def test_given_up_at_every_moment():
    """Each wait is cancelled after each number of ms that it may take; then all is usable."""
    for name in ("open", "sendall", "recv", "drain", "close", "call"):
        ms = 0
        while True:
            module, modem = start(delay_ms=30)
            sock = None if name in ("open", "call") else await modem.tcp("a.example", 7)
            if name == "open":
                waiting = modem.tcp("a.example", 7)
            elif name == "call":
                module.up = False
                waiting = modem.pdp("CMNET").__aenter__()
            elif name == "sendall":
                waiting = sock.sendall(b"z" * 1000)
            elif name == "recv":
                waiting = sock.recv(1, 0.02)
            elif name == "drain":
                sock.write(b"z" * 1000)
                waiting = sock.drain()
            else:
                sock.close()
                waiting = sock.wait_closed()
            try:
                made = await asyncio.wait_for_ms(waiting, ms)
                given_up = False
                if name == "open":
                    made.close()
                    await made.wait_closed()
            except asyncio.TimeoutError:
                given_up = True
            except Timeout:
                given_up = False
            if sock is not None and name != "close":
                # The connection itself does not suffer from it.
                if name != "recv":
                    await sock.drain()
                    got = b""
                    while len(got) < 1000 and (len(got) or name == "drain" or not given_up):
                        got += await sock.recv(2000, 20)
                await sock.sendall(b"")
                sock.close()
                await sock.wait_closed()
                assert sock.error is None, (name, ms, sock.error)
            elif sock is not None:
                await sock.wait_closed()
            if name == "call":
                module.up = True
            await works(modem)
            assert not modem._sockets._open
            modem.close()
            if not given_up:
                break
            ms += STEP_MS
        assert ms > 30, name


async def test_the_driver_is_closed_in_the_middle():
    for canned in ({}, {"AT+LSIPPUSH": b""}, {"AT+LSIPSEND": b""}):
        module, modem = start(echo=False, canned=canned)
        sock = await modem.tcp("a.example", 7)
        tasks = waits(sock)
        await asyncio.sleep_ms(500)
        modem.close()
        await asyncio.sleep_ms(100)
        assert not [task for task in tasks if not task.done()], canned
        assert sock._task.done()
        heard = len(module.heard)
        await asyncio.sleep_ms(100000)
        assert len(module.heard) == heard
        await fails(NotConnected, sock.sendall(b"x"))
        await fails(NotConnected, modem.tcp("a.example", 7))


async def test_a_fault_that_is_no_error_of_the_driver():
    """No memory, for example: the connection ends, the module is told, and so is who waits."""
    module, modem = start()
    sock = await modem.tcp("a.example", 7)
    told = []
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: told.append(context))

    async def ask(*args, **options):
        raise MemoryError

    ask, modem._sockets.ask = modem._sockets.ask, ask
    await fails(NotConnected, sock.sendall(b"x"))
    await sock.wait_closed()
    assert len(told) == 1
    assert modem._channel.stats["faults"] == 1
    assert module.heard[-1] == "AT+LSIPCLOSE=1"
    modem._sockets.ask = ask
    await works(modem)
    modem.close()


async def test_a_number_that_has_a_new_owner():
    """What is late of the first connection does nothing to the second with its number."""
    module, modem = start()
    one = await modem.tcp("a.example", 7)
    module.hang_up(1)
    assert await one.recv(1) == b""
    two = await modem.tcp("a.example", 7)
    assert two.number == 1
    one.close()
    await one.wait_closed()
    await two.sendall(b"abc")
    assert await two.recv(9) == b"abc"
    assert modem._sockets.owner(1) is two
    modem.close()


# Sessions ---------------------------------------------------------------------------------------


def tasks_now():
    """How many tasks there are, where the interpreter tells."""
    return len(asyncio.all_tasks()) if hasattr(asyncio, "all_tasks") else 0


async def session(modem, module, end):
    async with modem.pdp("CMNET"):
        sock = await modem.tcp("a.example", 7)
        await sock.sendall(b"abc")
        assert await sock.recv(9, 5) == b"abc"
        if end == "closes":
            sock.close()
            await sock.wait_closed()
        elif end == "far end":
            module.hang_up(1)
            assert await sock.recv(9) == b""
        elif end == "gap":
            module.say(b"+LSIPRTCP=1,x,61\r")
            await fails(at.BadAnswer, sock.recv(1))
            await sock.wait_closed()
        elif end == "unreadable":
            module.sockets.pop(1)
            module.say(b"+LSIPCLOSE:?\r")
            await fails(NotConnected, sock.recv(1))
        elif end == "given up":
            try:
                await asyncio.wait_for_ms(sock.recv(1), 10)
            except asyncio.TimeoutError:
                sock.close()
        elif end == "context":
            module.say(b"+LSIPCALL:0\r")
            await fails(NotConnected, sock.recv(1))


async def test_sessions_leave_nothing_behind():
    ENDS = ("closes", "far end", "gap", "unreadable", "given up", "context", "left open")
    module, modem = start()
    channel = modem._channel
    used = []
    for i in range(105):
        await session(modem, module, ENDS[i % len(ENDS)])
        await asyncio.sleep_ms(20)
        if i in (13, 104):
            module.heard = []
            gc.collect()
            free = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
            used.append((tasks_now(), len(channel.on_restart), len(channel._callbacks), free))
            sizes = [len(v) for v in (channel.payloads, channel.watchers, channel._urcs)]
            used[-1] += (sizes, len(modem._sockets._open))
    assert used[0][:3] == used[1][:3] and used[0][4:] == used[1][4:], used
    assert used[1][3] - used[0][3] < 2000, used
    modem.close()


async def test_drivers_leave_nothing_behind():
    before = tasks_now()
    for end in ("closes", "gap", "left open") * 12:
        module, modem = start()
        await session(modem, module, end)
        sock = await modem.tcp("a.example", 7) if module.up else None
        modem.close()
        await asyncio.sleep_ms(20)
        assert tasks_now() == before
        assert sock is None or sock._task.done()
