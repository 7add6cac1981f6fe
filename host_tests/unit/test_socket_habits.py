"""Sockets on modules with habits of their own, and on what an earlier life has left in one."""

import asyncio
import time

from c1100 import C1100, NotConnected, Overflow, Rebooted, Refused, Timeout, at
from c1100.channel import COMMAND
from host_tests.support import fails
from host_tests.support.lsip import Lsip, left_open

TEXT = bytes([i * 11 % 256 for i in range(5000)])


def start(**habits):
    module = Lsip()
    for name in habits:
        setattr(module, name, habits[name])
    modem = C1100(module)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return module, modem


async def transfer(module, modem, data=TEXT, udp=False):
    """Call, open, send, hear all of it back, close, hang up. Returns ms."""
    begin = time.ticks_ms()
    got = b""
    async with modem.pdp("CMNET") as context:
        assert context.address == "10.32.226.112"
        async with await (modem.udp if udp else modem.tcp)("a.example", 7) as sock:
            for i in range(0, len(data), 1400):
                await sock.sendall(data[i : i + 1400])
                while len(got) < min(i + 1400, len(data)):
                    got += await sock.recv(2000, 20)
        assert module.arrived[sock.number] == data
    assert got == data
    return time.ticks_diff(time.ticks_ms(), begin)


# Counts -----------------------------------------------------------------------------------------


async def test_buffers_of_every_size_in_bytes_or_digits():
    for size in (1024, 1460, 1500, 2048, 3000):
        for unit in (1, 2):
            if size < 1400 and unit == 2:
                continue  # 700 bytes do not fit
            for room_ms in (None, 300):
                module, modem = start(size=size, unit=unit, room_ms=room_ms)
                await transfer(module, modem)
                if size // unit >= 1400:
                    await transfer(module, modem, TEXT[:1400], True)
                modem.close()


async def test_a_datagram_that_does_not_fit_is_an_error():
    _, modem = start(size=1024)
    async with modem.pdp("CMNET"):
        sock = await modem.udp("a.example", 7)
        await fails(Overflow, sock.sendall(TEXT[:1400]))
        await sock.wait_closed()
        async with await modem.udp("a.example", 7) as sock:
            await sock.sendall(TEXT[:1000])
    modem.close()


async def test_a_module_that_does_not_count():
    module, modem = start()
    module.change = lambda kind, line: b"+LSIPSEND:1\r\n" if kind == "SEND" else line
    await transfer(module, modem)
    modem.close()


async def test_lost_digits_are_noticed_in_every_buffer():
    for size in (1460, 1500, 2048, 3000):
        for unit in (1, 2):
            module, modem = start(size=size, unit=unit)
            await transfer(module, modem)  # which tells the size
            async with modem.pdp("CMNET"):
                sock = await modem.tcp("a.example", 7)
                await sock.sendall(b"a" * 100)
                module.sockets[1].waiting = b"two"  # more there than has been sent, or less
                await fails(at.PayloadError, sock.sendall(b"b" * 200))
                await sock.wait_closed()
                await fails(NotConnected, sock.sendall(b"c"))
            await transfer(module, modem)
            modem.close()


# The verdict of a push --------------------------------------------------------------------------


async def test_room_and_verdict_that_come_behind_the_result_code():
    for room_ms in (1, 300, 2500, 4000, 9000):
        for strict in (False, True):
            for verdicts in (True, False):
                module, modem = start(room_ms=room_ms, strict=strict, verdicts=verdicts)
                await transfer(module, modem)
                modem.close()


async def test_room_later_than_its_verdict():
    """Nothing is pushed while what was pushed before is there: a module may send that again."""
    for room_ms in (300, 2000, 9000):
        for resends in (True, False):
            module, modem = start(
                size=3000, room_ms=room_ms, early=True, resends=resends, echo=False
            )
            async with modem.pdp("CMNET"):
                sock = await modem.tcp("a.example", 7)
                for i in range(0, 5000, 500):
                    await sock.sendall(TEXT[i : i + 500])
                assert module.arrived[1] == TEXT
            modem.close()
    # One that does not count without data is given a second.
    module, modem = start(room_ms=700, early=True, resends=True, echo=False)
    module.canned['AT+LSIPSEND=1,""'] = b"4\r"
    async with modem.pdp("CMNET"):
        sock = await modem.tcp("a.example", 7)
        for i in range(0, 5000, 500):
            await sock.sendall(TEXT[i : i + 500])
        assert module.arrived[1] == TEXT
    modem.close()


async def test_an_echo_longer_than_a_line_may_be():
    module, modem = start(echoes=True)
    await transfer(module, modem)
    modem.close()


async def test_a_module_without_verdicts_is_waited_for_once():
    module, modem = start(verdicts=False, room_ms=0)
    quick = start()
    usual = await transfer(*quick)
    took = await transfer(module, modem)
    assert took < usual + 2 * 3000 + 1000, (took, usual)
    modem.close()
    quick[1].close()


async def test_room_that_never_comes():
    _, modem = start(room_ms=100000000, strict=True, verdicts=False)
    async with modem.pdp("CMNET"):
        sock = await modem.tcp("a.example", 7)
        begin = time.ticks_ms()
        await sock.sendall(b"one")
        await fails(at.CommandError, sock.sendall(b"two"))
        assert time.ticks_diff(time.ticks_ms(), begin) < 20000
        await sock.wait_closed()
    modem.close()


REFUSALS = (
    # of PUSH, in place of its verdict and result code
    b"+LSIP:ERROR\r0\r",
    b"+LSIP:ERROR\r4\r",
    b"+LSIP: ERROR \r\n0\r",
    b" +LSIP:ERROR\r\r\n0\r\n",
    b"0\r+LSIP:ERROR\r",
    b"+LSIP:ERROR\r",
    b"+LSIP:OK\r4\r",
    b"4\r",
    b"+CME ERROR: 30\r\n",
    b"+LSIP:E\r0\r",
    b"+LSIP:\r0\r",
)


async def test_a_push_that_fails_is_never_a_success():
    for said in REFUSALS:
        for late in (False, True):
            module, modem = start(echo=False)
            async with modem.pdp("CMNET"):
                sock = await modem.tcp("a.example", 7)
                module.canned["AT+LSIPPUSH"] = said
                begin = time.ticks_ms()
                if late:
                    sock.write(TEXT[:1400])
                    await asyncio.sleep_ms(5000)
                    await fails(at.C1100Error, sock.drain())
                else:
                    await fails(at.C1100Error, sock.sendall(TEXT[:1400]))
                assert time.ticks_diff(time.ticks_ms(), begin) < 8000, said
                await fails(at.C1100Error, sock.drain())  # nor is it when asked again
                assert isinstance(sock.error, at.CommandError), said
                await sock.wait_closed()
                await fails(at.CommandError, sock.recv(1))  # who reads is told, too
                assert await sock.recv(1) == b""
            module.canned = {}
            module.echo = True
            await transfer(module, modem)
            modem.close()


async def test_a_verdict_later_than_it_is_waited_for_ends_the_socket_that_it_is_about():
    module, modem = start(verdicts=False)
    async with modem.pdp("CMNET"):
        one = await modem.tcp("a.example", 7)
        two = await modem.tcp("a.example", 8)
        await one.sendall(b"1")
        await two.sendall(b"2")
        module.later(5000, b"+LSIP:ERROR\r")
        await asyncio.sleep_ms(6000)
        assert await one.recv(9) == b"1"
        assert await two.recv(9) == b"2"
        await fails(at.CommandError, two.recv(9))
        await one.sendall(b"3")
        await fails(at.CommandError, two.sendall(b"4"))
    modem.close()


# Opening ----------------------------------------------------------------------------------------


async def test_every_form_of_a_connection_that_is_open():
    for said in (
        b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r",
        b"+LSIPOPEN=1,1\r0\r",
        b"+LSIPOPEN:1,1\r0\r",
        b"+LSIPOPEN: 1, 1 \r\n0\r",
        b" +LSIPOPEN = 01,1\r0\r",
        b'+LSIPOPEN:"1","1"\r0\r',
        b"0\r+LSIPOPEN=1,1\r",
        b"0\r+LSIP:OK\r+LSIPOPEN=1,1\r+LSIP:OK\r",
        b"+LSIPOPEN=2,0\r+LSIPOPEN=1,1\r0\r",  # the first belongs to another
        b"+LSIPOPEN=1,1\r",  # and no result code
    ):
        module, modem = start()
        module.canned["AT+LSIPOPEN="] = said
        async with modem.pdp("CMNET"):
            begin = time.ticks_ms()
            sock = await modem.tcp("a.example", 7)
            assert time.ticks_diff(time.ticks_ms(), begin) < 4000, said
            await sock.sendall(b"abc")
            assert await sock.recv(9) == b"abc", said
        modem.close()


async def test_every_form_of_a_connection_that_is_not():
    """At once, in words, and the next one works."""
    for said, kind in (
        (b"+LSIPOPEN=1,0\r0\r", Refused),
        (b"+LSIPOPEN=1,0\r4\r", Refused),
        (b"+LSIPOPEN:1,0\r+LSIP:ERROR\r4\r", Refused),
        (b"+LSIPOPEN=1,0\r+CME ERROR: 100\r\n", Refused),
        (b"0\r+LSIPOPEN=1,0\r", Refused),
        (b"+LSIPOPEN=1,0\r", Refused),
        (b"+LSIP:ERROR\r", Refused),
        (b"+LSIP:ERROR\r0\r", Refused),
        (b"+LSIP:ERROR\r4\r", Refused),
        (b"0\r+LSIP:ERROR\r", Refused),
        (b"4\r", at.CommandError),  # as quick as that it is the module's own word
        (b"+CME ERROR: 30\r\n", at.CmeError),
        (b"+LSIPOPEN=1\r0\r", at.BadAnswer),
        (b"+LSIPOPEN=1,7\r0\r", Refused),
        (b"+LSIPOPEN=1,x\r0\r", at.BadAnswer),
        (b"+LSIPOPEN=1,\r0\r", at.BadAnswer),
        (b"+LSIPCALL:0\r+LSIPOPEN=1,0\r4\r", NotConnected),  # the context has gone
    ):
        module, modem = start()
        async with modem.pdp("CMNET"):
            module.canned["AT+LSIPOPEN="] = said
            begin = time.ticks_ms()
            error = await fails(at.C1100Error, modem.tcp("a.example", 7))
            assert isinstance(error, kind), (said, error)
            assert isinstance(error, Refused) == (kind is Refused), said
            assert ("a.example:7" in str(error)) == (kind is Refused), error
            assert time.ticks_diff(time.ticks_ms(), begin) < 4000, said
            module.canned = {}
            module.sockets = {}
        await transfer(module, modem)
        modem.close()


async def test_an_error_that_took_the_networks_time_is_the_networks():
    """Where a module tells of the far end's refusal by ERROR alone."""
    module, modem = start()
    async with modem.pdp("CMNET"):
        module.canned["AT+LSIPOPEN="] = b""
        module.later(2000, b"4\r")
        await fails(Refused, modem.tcp("a.example", 7))
    modem.close()


async def test_nothing_is_said_of_a_connection():
    module, modem = start()
    async with modem.pdp("CMNET"):
        module.canned["AT+LSIPOPEN="] = b"0\r"
        await fails(Timeout, modem.tcp("a.example", 7))
        module.canned = {}
        module.sockets = {}
        async with await modem.tcp("a.example", 7) as sock:  # not the number that may open yet
            assert sock.number == 2
    modem.close()


LISTS = (
    (b"+LSIPOPEN:1,2,3,4\r\n", 1),
    (b"+LSIPOPEN: 2, 3,4\r\n", 2),
    (b"+LSIPOPEN:3\r\n", 3),
    (b"+LSIPOPEN=4\r\n", 4),
    (b"+LSIPOPEN:2\r\n+LSIPOPEN:3\r\n+LSIPOPEN:4\r\n", 2),
    (b"+LSIPOPEN: 4 \r\n\r\n", 4),
    (b'+LSIPOPEN:"",,3\r\n', 1),  # no list: the first is closed, and taken
    (b"+LSIPOPEN:\r\n", 1),
    (b"+LSIPOPEN: \r\n", 1),
    (b"+LSIPOPEN\r\n", 1),
    (b"", 1),
    (b"+LSIPOPEN:2,x,4\r\n", 1),
    (b"+LSIPOPEN=2,1\r\n", 1),  # the outcome of an attempt that was given up
    (b"+LSIPOPEN=2,1\r\n+LSIPOPEN:3,4\r\n", 3),
)


async def test_lists_of_free_numbers():
    for said, number in LISTS:
        module, modem = start()
        module.canned["AT+LSIPOPEN?"] = said + b"0\r"
        async with modem.pdp("CMNET"), await modem.tcp("a.example", 7) as sock:
            assert sock.number == number, said
        modem.close()
    module, modem = start(lists=False)
    await transfer(module, modem)
    modem.close()


# The PDP context --------------------------------------------------------------------------------


async def test_every_form_of_a_context_that_is_open():
    for said in (
        b"+LSIPCALL:1, 10.32.226.112\r+LSIP:OK\r0\r",
        b"+LSIPCALL:1,10.32.226.112\r\n0\r",
        b" +LSIPCALL:1, 10.32.226.112\r +LSIP:OK\r0\r",
        b'+LSIPCALL: 1, "10.32.226.112"\r0\r',
        b"+LSIPCALL=1 , 10.32.226.112 \r0\r",
        b"+LSIPCALL:01,10.32.226.112,8.8.8.8\r0\r",
        b"+LSIPCALL:1\r0\r",
        b"+LSIP:OK\r0\r",
        b"0\r",
        b"4\r",  # it is open
        b"+CME ERROR: 3\r\n",
        b"+LSIP:ERROR\r0\r",
    ):
        module, modem = start()
        module.canned["AT+LSIPCALL=1"] = said
        await transfer(module, modem, b"abc")
        modem.close()


async def test_an_address_that_comes_later():
    for ms in (0, 500, 2500, 10000, 25000):
        for told in (True, False):
            module, modem = start(call_ms=ms)
            if not told:
                module.change = lambda kind, line: b"" if kind == "CALL" else line
            took = await transfer(module, modem, b"abc")
            assert ms <= took < ms + 5000, (ms, took)
            modem.close()


async def test_a_context_that_does_not_come():
    for said, most_ms in (
        (b"0\r", 40000),
        (b"+LSIPCALL:0\r0\r", 1000),
        (b"+LSIP:ERROR\r0\r", 1000),
        (b"+LSIP:ERROR\r", 3000),
        (b"0\r+LSIP:ERROR\r", 1000),
        (b"4\r", 1000),
        (b"+CME ERROR: 30\r\n", 1000),
    ):
        module, modem = start()
        module.canned["AT+LSIPCALL=1"] = said
        module.canned["AT+LSIPCALL?"] = b"+LSIPCALL:0\r\n0\r"
        begin = time.ticks_ms()
        error = await fails(at.C1100Error, modem.pdp("CMNET").__aenter__())
        assert isinstance(error, (NotConnected, at.CommandError)), error
        assert not isinstance(error, Refused)
        assert time.ticks_diff(time.ticks_ms(), begin) <= most_ms, said
        module.canned = {}
        await transfer(module, modem, b"abc")
        modem.close()


# What an earlier life left ----------------------------------------------------------------------


async def test_any_state_of_an_earlier_life():
    for up in (False, True):
        for once in (False, True):
            for hex in (False, True):
                for numbers in ((), (1,), (2, 3), (1, 2, 3, 4)):
                    for lists in (True, False):
                        module, modem = start(up=up, once=once, hex=hex, lists=lists)
                        if up:
                            module.sockets = left_open(*numbers)
                        await transfer(module, modem, b"abc")
                        modem.close()


async def test_bytes_of_an_earlier_life_do_not_get_into_the_new_connection():
    """Nor does its end end it."""
    old = b"+LSIPRTCP=1,3,6f6c64\r+LSIPCLOSE:1,0,3,0\r"
    for heard in ("AT+LSIPCALL?", "AT+LSIPHEX=1", "AT+LSIPOPEN?", "AT+LSIPOPEN=1"):
        for numbers in ((), (1, 2, 3, 4)):
            module, modem = start(up=True)
            module.sockets = left_open(*numbers)
            module.before[heard] = old
            async with await modem.tcp("a.example", 7) as sock:
                assert sock.number == 1
                await sock.sendall(b"abc")
                assert await sock.recv(9) == b"abc"
                assert modem._sockets.unowned == 3
            modem.close()


async def test_hex_mode_that_is_refused_and_off():
    module, modem = start()
    module.canned["AT+LSIPHEX=1"] = b"4\r"
    module.canned["AT+LSIPHEX?"] = b"+LSIPHEX: 0\r\n0\r"
    async with modem.pdp("CMNET"):
        await fails(at.CommandError, modem.tcp("a.example", 7))
        module.canned = {}
        async with await modem.tcp("a.example", 7) as sock:
            await sock.sendall(b"abc")
            assert await sock.recv(9) == b"abc"
    modem.close()


async def test_a_restart_in_the_middle_of_everything():
    for line in ("AT+LSIPCALL=1", "AT+LSIPOPEN=", "AT+LSIPSEND", "AT+LSIPPUSH", "AT+LSIPCLOSE"):
        module, modem = start(dies_at=line)
        try:
            async with modem.pdp("CMNET"):
                sock = await modem.tcp("a.example", 7)
                reading = asyncio.create_task(read_to_the_end(sock))
                await sock.sendall(b"abc")
                sock.close()
                await sock.wait_closed()
                await reading
                raise NotConnected("closed")  # which is no success either
        except (NotConnected, Rebooted):
            pass
        assert not modem._sockets._open, line
        await transfer(module, modem, b"abc")
        modem.close()


async def read_to_the_end(sock):
    try:
        while await sock.recv(10):
            pass
    except at.C1100Error:
        return


async def test_data_that_is_kept_until_it_is_asked_for():
    """AT+LSIPRS=0 of another firmware."""
    for udp in (False, True):
        module, modem = start(up=True, kept=b"", piece=100)
        sock = await (modem.udp if udp else modem.tcp)("a.example", 7)
        for data in (b"abc", TEXT[:90], TEXT[:900]):
            await sock.sendall(data)
            got = b""
            while len(got) < len(data):
                got += await sock.recv(2000, 10)
            assert got == data
        module.say(b"+LSIPRTCP=1\r" if not udp else b"+LSIPRUDP=1\r")  # nothing is kept
        if udp:
            await fails(Timeout, sock.recv(1, 5))
            assert sock.dropped == 1
        else:
            await fails(at.BadAnswer, sock.recv(1, 5))
        modem.close()
