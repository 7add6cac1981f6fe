"""TCP and UDP over a scripted module: what is said, what is heard, and how connections end."""

import asyncio

from c1100 import NotConnected, NotSupported, Overflow, PayloadError, Timeout, at
from host_tests.support import raises
from host_tests.support.driver import start
from host_tests.support.streams import at_every_split

PDP = (
    ('AT+LSIPPROFILE=1,"CMNET"', b"0\r"),
    ("AT+LSIPCALL=1", b"+LSIPCALL:1, 10.32.226.112\r+LSIP:OK\r0\r"),
)
UP = ("AT+LSIPCALL?", b"+LSIPCALL: 1, 10.32.226.112\r\n0\r")
FREE = ("AT+LSIPOPEN?", b"+LSIPOPEN:1,2,3,4\r\n0\r")
OPEN = ('AT+LSIPOPEN=1,0,"a.example",7,0', b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r")
HEX = ("AT+LSIPHEX=1", b"0\r")
OPENED = (UP, HEX, FREE, OPEN)
CLOSE = ("AT+LSIPCLOSE=1", b"+LSIPCLOSE:1,0,0,0\r+LSIP:OK\r0\r")
GONE = ("AT+LSIPCLOSE=1", b"4\r")
HANG_UP = ("AT+LSIPCALL=0", b"+LSIPCALL:0\r+LSIP:OK\r0\r")


async def test_a_connection_from_call_to_hang_up():
    async def scenario():
        module, modem = start(
            *PDP,
            *OPENED,
            ('AT+LSIPSEND=1,"313233"', b"+LSIPSEND:1,1497\r\n0\r"),
            (
                "AT+LSIPPUSH=1",
                b"+LSIP:OK \r0\r+LSIPRTCP=1,3,343536\r",
                (300, b"+LSIPRTCP=1,1,0d\r"),
            ),
            ("AT+LSIPCLOSE=1", b"+LSIPCLOSE:1,3,4,0\r+LSIP:OK\r0\r"),
            HANG_UP,
        )
        async with modem.pdp("CMNET") as context:
            sock = await modem.tcp("a.example", 7)
            assert sock.read(10) is None
            sock.write(b"123")
            await sock.drain()
            got = await sock.recv(10)
            while len(got) < 4:
                got += await sock.recv(10)
            sock.close()
            await sock.wait_closed()
        modem.close()
        return module, (context.address, got)

    await at_every_split(scenario)
    assert (await scenario())[1] == ("10.32.226.112", b"456\r")


async def opened(*steps, **options):
    module, modem = start(*OPENED, *steps)
    return module, modem, await modem.tcp("a.example", 7, **options)


async def test_no_context_no_socket():
    module, modem = start(("AT+LSIPCALL?", b"+LSIPCALL:0\r\n0\r"))
    with raises(NotConnected):
        await modem.tcp("a.example", 7)
    module.check()
    modem.close()


async def test_refused_connection_frees_its_number():
    refused = ('AT+LSIPOPEN=1,0,"a.example",7,0', b"+LSIPOPEN=1,0\r4\r")
    for said in (b"+LSIPOPEN=1,0\r0\r", b"4\r", b"+LSIP:ERROR\r4\r", b"+CME ERROR: 30\r\n"):
        module, modem = start(UP, HEX, FREE, (refused[0], said), UP, FREE, OPEN)
        with raises(at.CommandError):
            await modem.tcp("a.example", 7)
        assert (await modem.tcp("a.example", 7)).number == 1
        module.check()
        modem.close()


UP4 = (UP, ("AT+LSIPOPEN?", b"+LSIPOPEN:\r\n0\r"))


def nth(n):
    free = b",".join([b"%d" % i for i in range(n, 5)])
    opened = b"+LSIPOPEN=%d,1\r+LSIP:OK\r0\r" % n
    steps = [
        ("AT+LSIPOPEN?", b"+LSIPOPEN:" + free + b"\r\n0\r"),
        ('AT+LSIPOPEN=%d,0,"a.example",7,0' % n, opened),
    ]
    return steps if n == 1 else [UP] + steps


async def test_all_sockets_in_use():
    module, modem = start(UP, HEX, *[step for n in (1, 2, 3, 4) for step in nth(n)], *UP4)
    for n in (1, 2, 3, 4):
        assert (await modem.tcp("a.example", 7)).number == n
    with raises(Overflow):
        await modem.tcp("a.example", 7)
    module.check()
    modem.close()


async def test_far_end_closes_after_its_last_bytes():
    module, modem, sock = await opened()
    module.say(b"+LSIPRTCP=1,2,3132\r+LSIPCLOSE:1,0,2,0\r")
    assert await sock.recv(100) == b"12"
    assert await sock.recv(100) == b""
    with raises(NotConnected):
        sock.write(b"x")
    module.check()
    modem.close()


async def test_bytes_that_never_came_are_an_error_at_the_end():
    """F26: the module counts what it has handed over; a gap is never silent."""
    module, modem, sock = await opened()
    module.say(b"+LSIPRTCP=1,2,3132\r+LSIPCLOSE:1,0,5,0\r")
    assert await sock.recv(100) == b"12"
    with raises(PayloadError):
        await sock.recv(100)
    modem.close()
    module.check()


async def test_f22_only_the_socket_that_fails_fails():
    module, modem = start(
        *OPENED,
        UP,
        ("AT+LSIPOPEN?", b"+LSIPOPEN:2,3,4\r\n0\r"),
        ('AT+LSIPOPEN=2,0,"b.example",8,0', b"+LSIPOPEN=2,1\r+LSIP:OK\r0\r"),
        ('AT+LSIPSEND=1,"61"', b"4\r"),
        GONE,
        ('AT+LSIPSEND=2,"62"', b"+LSIPSEND:2,1499\r\n+LSIPCLOSE:1,0,0,1\r0\r"),
        ("AT+LSIPPUSH=2", b"+LSIP:OK\r0\r"),
    )
    one = await modem.tcp("a.example", 7)
    two = await modem.tcp("b.example", 8)
    one.write(b"a")
    with raises(at.CommandError):
        await one.drain()
    two.write(b"b")
    await two.drain()
    module.check()
    modem.close()


async def test_f23_short_payload_is_an_error_with_what_came():
    module, modem, sock = await opened(CLOSE)
    module.say(b"+LSIPRTCP=1,10,313233\r")
    await asyncio.sleep_ms(100)
    assert await sock.recv(100) == b"123"
    with raises(PayloadError):
        await sock.recv(100)
    await sock.wait_closed()
    modem.close()
    module.check()


async def test_f25_data_for_nobody_is_counted_and_dropped():
    module, modem, sock = await opened()
    module.say(b"+LSIPRTCP=3,3,313233\r+LSIPRTCP=1,1,34\r")
    assert await sock.recv(100) == b"4"
    assert modem._sockets.unowned == 3
    modem.close()
    module.check()


async def test_lost_context_ends_all_sockets():
    module, modem, sock = await opened()
    module.say(b"+LSIPCALL:0\r")
    with raises(NotConnected):
        await sock.recv(1)
    modem.close()
    module.check()


async def test_restart_ends_all_sockets():
    module, modem, sock = await opened()
    module.say(b"\r\nRDY\r\n")
    with raises(NotConnected):
        await sock.recv(1)
    modem.close()
    module.check()


async def test_what_is_not_read_in_time_is_an_error():
    module, modem, sock = await opened(CLOSE, rxbuf=4)
    module.say(b"+LSIPRTCP=1,3,313233\r+LSIPRTCP=1,3,343536\r")
    await asyncio.sleep_ms(100)
    assert sock.read(-1)[:3] == b"123"
    with raises(Overflow):
        sock.read(-1)
    modem.close()
    module.check()


async def test_buffer_is_used_again():
    module, modem, sock = await opened(rxbuf=4)
    got = b""
    for digit in b"123456789":
        module.say(b"+LSIPRTCP=1,2,%02x%02x\r" % (digit, digit))
        got += await sock.recv(1)
        got += await sock.recv(1)
    assert got == b"112233445566778899"
    modem.close()
    module.check()


async def test_long_writes_go_in_pieces_and_wait_for_room():
    data = bytes(range(256)) * 8
    sent = []

    def send(line):
        sent.append(line)
        return line.startswith('AT+LSIPSEND=1,"')

    push = ("AT+LSIPPUSH=1", b"+LSIP:OK\r0\r")
    module, modem, sock = await opened(
        (send, b"+LSIPSEND:1,800\r\n0\r"),
        (send, b"+LSIPSEND:1,100\r\n0\r"),
        push,
        (send, b"+LSIPSEND:1,852\r\n0\r"),
        push,
    )
    await sock.sendall(data)
    module.check()
    digits = "".join([line.split('"')[1] for line in sent])
    assert digits == "".join(["%02x" % c for c in data])
    modem.close()


UDP_OPENED = (
    UP,
    HEX,
    FREE,
    ('AT+LSIPOPEN=1,5000,"a.example",7,1', b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r"),
)


async def test_datagrams_keep_their_boundaries():
    module, modem = start(
        *UDP_OPENED,
        ('AT+LSIPSEND=1,"61"', b"+LSIPSEND:1,1499\r\n0\r"),
        ("AT+LSIPPUSH=1", b"+LSIP:OK\r0\r+LSIPRUDP=1,2,3132\r+LSIPRUDP=1,3,333435\r"),
    )
    sock = await modem.udp("a.example", 7, local_port=5000)
    sock.write(b"a")
    await sock.drain()
    assert await sock.recv(100) == b"12"
    assert await sock.recv(2) == b"34"  # the rest of a datagram is gone, as with any UDP socket
    assert sock.read(-1) is None
    with raises(at.BadArgument):
        sock.write(b"x" * 1401)
    module.check()
    modem.close()


async def test_poll_of_the_stream_protocol():
    module, modem, sock = await opened()
    assert sock.ioctl(3, 1 | 4) == 4
    module.say(b"+LSIPRTCP=1,1,31\r")
    await asyncio.sleep_ms(100)
    assert sock.ioctl(3, 1 | 4) == 5
    assert sock.ioctl(3, 1) == 1
    sock.read(1)
    assert sock.ioctl(3, 1) == 0
    module.say(b"+LSIPCLOSE:1,0,1,0\r")
    await asyncio.sleep_ms(100)
    assert sock.ioctl(3, 1) & 1
    modem.close()
    module.check()


async def test_a_damaged_datagram_is_dropped_alone():
    module, modem = start(*UDP_OPENED)
    sock = await modem.udp("a.example", 7, local_port=5000, rxbuf=4)
    module.say(b"+LSIPRUDP=1,3,3132\r+LSIPRUDP=1,2,3334\r")
    assert await sock.recv(100) == b"34"
    module.say(b"+LSIPRUDP=1,3,313233\r+LSIPRUDP=1,3,343536\r+LSIPRUDP=1,1,37\r")
    await asyncio.sleep_ms(100)
    assert await sock.recv(100) == b"123"
    assert await sock.recv(100) == b"7"
    assert sock.dropped == 2
    module.say(b"+LSIPRUDP=1,3,31")  # half of one, so far
    await asyncio.sleep_ms(100)
    assert sock.read(-1) is None
    module.say(b"3233\r")
    assert await sock.recv(100) == b"123"
    module.check()
    modem.close()


async def test_large_datagrams_go_in_one_push():
    module, modem = start(
        *UDP_OPENED,
        ('AT+LSIPSEND=1,"' + "61" * 700 + '"', b"+LSIPSEND:1,800\r\n0\r"),
        ('AT+LSIPSEND=1,"' + "61" * 500 + '"', b"+LSIPSEND:1,300\r\n0\r"),
        ("AT+LSIPPUSH=1", b"+LSIP:OK\r0\r"),
    )
    sock = await modem.udp("a.example", 7, local_port=5000)
    assert sock.write(b"a" * 1200) == 1200
    assert sock.write(b"b") is None
    await sock.drain()
    module.check()
    modem.close()


async def test_first_bytes_of_the_far_end_come_as_digits():
    """A server that speaks first does so before the answer to the open command."""
    said = b"+LSIPOPEN=1,1\r+LSIPRTCP=1,2,4142\r+LSIP:OK\r0\r"
    module, modem = start(UP, HEX, FREE, (OPEN[0], said))
    sock = await modem.tcp("a.example", 7)
    assert await sock.recv(10) == b"AB"
    module.check()
    modem.close()


async def test_module_that_takes_hex_mode_only_for_an_open_socket():
    module, modem = start(UP, (HEX[0], b"4\r"), FREE, OPEN, HEX)
    assert (await modem.tcp("a.example", 7)).number == 1
    module.check()
    modem.close()


async def test_sockets_of_an_earlier_life_are_closed_when_room_is_needed():
    """F35: the board restarted, the module did not."""
    for closed in (b"+LSIPCLOSE:1,7,9,0\r+LSIP:OK\r0\r", b"4\r"):
        module, modem = start(
            UP, HEX, ("AT+LSIPOPEN?", b"+LSIPOPEN:\r\n0\r"), ("AT+LSIPCLOSE=1", closed), OPEN
        )
        assert (await modem.tcp("a.example", 7)).number == 1
        module.check()
        modem.close()


async def test_settings_of_sockets_are_given_again_after_a_restart():
    """F17"""
    module, modem, sock = await opened(
        ("ATV0", b"ATV0\r0\r"),
        ("ATE0", b"ATE0\r0\r"),
        ("AT+CMEE=1", b"0\r"),
        *PDP,
        *OPENED,
    )
    module.say(b"\r\nRDY\r\n")
    with raises(NotConnected):
        await sock.recv(1)
    module.steps[:0] = [
        ("AT", b"AT\r\r\nOK\r\n"),
        ("AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 22,99\r\n\r\nOK\r\n"),
    ]
    async with modem.pdp("CMNET"):
        assert (await modem.tcp("a.example", 7)).number == 1
        module.check()
        module.steps.append(HANG_UP)
    module.check()
    modem.close()


async def test_f17_a_restart_by_the_driver_ends_sockets_as_one_by_the_module_does():
    module, modem, sock = await opened(("AT+CFUN=1,1", b"0\r"), ("AT", b"OK\r\n"))
    module.steps += [("AT+CSQ", b"+CSQ: 22,99\r\nOK\r\n")]
    await modem.restart()
    with raises(NotConnected):
        await sock.recv(1)
    module.steps += [("ATV0", b"0\r"), ("ATE0", b"0\r"), ("AT+CMEE=1", b"0\r")]
    module.steps += PDP + OPENED
    async with modem.pdp("CMNET"):
        assert (await modem.tcp("a.example", 7)).number == 1
        module.steps.append(HANG_UP)
    module.check()
    modem.close()


async def test_context_that_is_gone_when_it_ends():
    """The error of what happened inside is told, not that of the hang-up."""
    module, modem = start(*PDP, ("AT+LSIPCALL=0", b"4\r"), ("AT+LSIPCALL?", b"+LSIPCALL:0\r\n0\r"))
    async with modem.pdp("CMNET"):
        pass
    module.check()
    module.steps += PDP + (("AT+LSIPCALL=0",),)
    with raises(ValueError):
        async with modem.pdp("CMNET"):
            raise ValueError
    module.check()
    modem.close()


async def test_f2_urc_of_the_old_context_beside_the_answer():
    module, modem = start(
        PDP[0], ("AT+LSIPCALL=1", b"+LSIPCALL:0\r+LSIPCALL:1,10.0.0.1\r+LSIP:OK\r0\r"), HANG_UP
    )
    async with modem.pdp("CMNET") as context:
        assert context.address == "10.0.0.1"
    module.check()
    modem.close()
    for said in (b"+LSIPCALL:1,10.0.0.1\r+LSIPCALL:0\r0\r", b"+LSIPCALL:0\r0\r"):
        module, modem = start(PDP[0], ("AT+LSIPCALL=1", said))
        with raises(NotConnected):
            await modem.pdp("CMNET").__aenter__()
        module.check()
        modem.close()


async def test_f14_given_up_opening():
    """The connection that opens all the same is nobody's: its number is not used, its data not
    delivered."""
    module, modem = start(
        UP,
        HEX,
        FREE,
        (OPEN[0], (5000, b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r+LSIPRTCP=1,1,41\r")),
        UP,
        ("AT+LSIPOPEN?", b"+LSIPOPEN:2,3,4\r\n0\r"),
        ('AT+LSIPOPEN=2,0,"a.example",7,0', b"+LSIPOPEN=2,1\r+LSIP:OK\r0\r"),
    )
    try:
        await asyncio.wait_for_ms(modem.tcp("a.example", 7), 1000)
        raise AssertionError
    except asyncio.TimeoutError:
        await asyncio.sleep_ms(6000)
    sock = await modem.tcp("a.example", 7)
    assert sock.number == 2
    assert sock.read(-1) is None
    assert modem._sockets.unowned == 1
    module.check()
    modem.close()


async def test_lost_digits_are_noticed_by_the_count_of_what_is_free():
    module, modem, sock = await opened(
        ('AT+LSIPSEND=1,"61626364"', b"+LSIPSEND:1,1497\r\n0\r"), CLOSE
    )
    sock.write(b"abcd")
    with raises(PayloadError):
        await sock.drain()
    await sock.wait_closed()
    with raises(NotConnected):
        sock.write(b"e")
    module.check()
    modem.close()


async def test_end_before_all_was_sent():
    module, modem, sock = await opened(
        ('AT+LSIPSEND=1,"61"', b"+LSIPSEND:1,1499\r\n0\r"),
        ("AT+LSIPPUSH=1", b"+LSIPCLOSE:1,0,0,1\r4\r"),
    )
    sock.write(b"a")
    with raises(at.C1100Error):
        await sock.drain()
    module.check()
    modem.close()


async def test_f26_line_that_told_of_the_end_is_lost():
    module, modem, sock = await opened(
        ("AT+LSIPOPEN?", b"+LSIPOPEN:2,3,4\r\n0\r"), ("AT+LSIPOPEN?", b"+LSIPOPEN:1,2,3,4\r\n0\r")
    )
    with raises(Timeout):
        await sock.recv(10, timeout_s=60)
    with raises(NotConnected):
        await sock.recv(10, timeout_s=60)
    module.check()
    modem.close()


async def test_time_limit_of_recv_counts_from_its_begin():
    module, modem, sock = await opened()
    module.say(b"+LSIPRTCP=1,1,41\r", 900)
    assert await sock.recv(10, timeout_s=1) == b"A"
    module.check()
    modem.close()


async def test_socket_as_context():
    module, modem, sock = await opened(
        ('AT+LSIPSEND=1,"61"', b"+LSIPSEND:1,1499\r\n0\r"),
        ("AT+LSIPPUSH=1", b"+LSIP:OK\r0\r"),
        CLOSE,
    )
    async with sock:
        sock.write(b"a")  # close() sends what is written
    module.check()
    assert sock.read(1) == b""
    modem.close()


async def test_f24_every_byte_both_ways():
    data = bytes(range(256)) + b"\r\nOK\r\n0\r+++\x1a\x1b>"
    digits = "".join(["%02x" % c for c in data])
    module, modem, sock = await opened(
        ('AT+LSIPSEND=1,"%s"' % digits, b"+LSIPSEND:1,%d\r\n0\r" % (1500 - len(data))),
        (
            "AT+LSIPPUSH=1",
            b"+LSIP:OK\r0\r+LSIPRTCP=1,%d,%s\r" % (len(data), digits.upper().encode()),
        ),
    )
    await sock.sendall(data)
    got = b""
    while len(got) < len(data):
        got += await sock.recv(1000)
    assert got == data
    module.check()
    modem.close()


# Transparent sending ----------------------------------------------------------------------------

TPS = "AT+LSIPTPS=1,1,5000,1460"


async def test_f20_error_in_place_of_the_prompt():
    module, modem, sock = await opened((TPS, b"4\r"), CLOSE, ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"))
    async with modem.passthrough(sock) as pipe:
        with raises(at.CommandError):
            await pipe.write(b"abc")
        await sock.wait_closed()
        with raises(at.CommandError):
            await pipe.write(b"abc")
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_transparent_sending():
    data = b"\x00a\r\nAT\r>\xff"

    async def scenario():
        module, modem, sock = await opened(
            (TPS, b"> "), (data + b"+++", b"\r+LSIP:OK\r0\r+LSIPRTCP=1,1,31\r")
        )
        async with modem.passthrough(sock) as pipe:
            await pipe.write(data)
        got = await sock.recv(9)
        modem.close()
        return module, got

    await at_every_split(scenario)
    assert (await scenario())[1] == b"1"


async def test_transparent_sending_that_fails():
    """Whatever tells of it, it is no success, and the stream, which has a gap then, is over."""
    csq = (("+++",), ("AT+CSQ", b"+CSQ: 1,99\r\n0\r"))
    for said, between in (
        (b"\r+LSIP:ERROR\r0\r", ()),
        (b"\r+LSIP:ERROR \r4\r", ()),
        (b"\r +LSIP: ERROR\r\n0\r", ()),
        (b"0\r+LSIP:ERROR\r", ()),
        (b"\r+LSIP:OK\r4\r", ()),
        (b"4\r", ()),
        (b"+CME ERROR: 30\r\n", ()),
        (b"\r+LSIP:ERROR\r", csq),
        (b"\r+LSIP:x\r0\r", ()),
    ):
        module, modem, sock = await opened((TPS, b">"), (b"abc+++", said), *between, CLOSE)
        async with modem.passthrough(sock) as pipe:
            with raises(at.CommandError):
                await pipe.write(b"abc")
            await sock.wait_closed()
            with raises(at.CommandError):
                sock.read(1)
        module.check()
        modem.close()


async def test_transparent_sending_of_counted_bytes():
    """Mode 3: as many bytes as announced; a plus at the end is no danger there."""
    module, modem, sock = await opened(
        ("AT+LSIPTPS=3,1,5000,4", b">"),
        (b"abc+", b"\r+LSIP:OK\r0\r"),
        ("AT+LSIPTPS=3,1,5000,2", b">"),
        (b"\x00\r", b"\r+LSIP:OK\r0\r"),
    )
    async with modem.passthrough(sock, mode=3, longest=4) as pipe:
        await pipe.write(b"abc+\x00\r")
    for mode in (0, 2, 4):
        with raises(NotSupported):
            modem.passthrough(sock, mode=mode)
    module.check()
    modem.close()


async def test_transparent_sending_of_the_escape_itself():
    module, modem, sock = await opened(
        ('AT+LSIPSEND=1,"612b2b2b62"', b"+LSIPSEND:1,1495\r\n0\r"),
        ("AT+LSIPPUSH=1", b"+LSIP:OK\r0\r"),
        ('AT+LSIPSEND=1,"612b"', b"+LSIPSEND:1,1498\r\n0\r"),
        ("AT+LSIPPUSH=1", b"+LSIP:OK\r0\r"),
    )
    async with modem.passthrough(sock) as pipe:
        await pipe.write(b"a+++b")
        await pipe.write(b"a+")
    module.check()
    modem.close()


async def test_what_was_written_before_is_sent_before():
    module, modem, sock = await opened(
        ('AT+LSIPSEND=1,"61"', b"+LSIPSEND:1,1499\r\n0\r"),
        ("AT+LSIPPUSH=1", b"+LSIP:OK\r0\r"),
        (TPS, b">"),
        (b"b+++", b"\r+LSIP:OK\r0\r"),
    )
    async with modem.passthrough(sock) as pipe:
        sock.write(b"a")
        await pipe.write(b"b")
    module.check()
    modem.close()


async def test_f21_prompt_that_comes_late_or_never():
    """What was to be sent is never taken for a command, nor the next command for data."""
    module, modem, sock = await opened(
        (TPS, (31000, b"> ")),
        ("+++", b"\r+LSIP:OK\r0\r"),
        ("AT+CSQ", b"+CSQ: 1,99\r\n0\r"),
        CLOSE,
        ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
    )
    async with modem.passthrough(sock) as pipe:
        with raises(Timeout):
            await pipe.write(b"abc")
    await asyncio.sleep_ms(2000)
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


async def test_transparent_sending_given_up_in_the_middle():
    """F14: the input is ended, and the stream, which has a gap now, with it."""
    module, modem, sock = await opened(
        (TPS, b">"),
        (b"abc+++", (4000, b"\r+LSIP:OK\r0\r")),
        ("+++",),
        ("AT+CSQ", b"+CSQ: 1,99\r\n0\r"),
        CLOSE,
    )
    async with modem.passthrough(sock) as pipe:
        try:
            await asyncio.wait_for_ms(pipe.write(b"abc"), 3000)
            raise AssertionError
        except asyncio.TimeoutError:
            pass
    await sock.wait_closed()
    with raises(NotConnected):
        sock.read(1)
    module.check()
    modem.close()
