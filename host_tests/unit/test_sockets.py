"""TCP and UDP over a scripted module: what is said, what is heard, and how connections end."""

import asyncio

from c1100 import C1100, NotConnected, Overflow, PayloadError, at
from c1100.channel import COMMAND
from host_tests.support import raises
from host_tests.support.streams import Module, at_every_split

PDP = (
    ('AT+LSIPPROFILE=1,"CMNET"', b"0\r"),
    ("AT+LSIPCALL=1", b"+LSIPCALL:1, 10.32.226.112\r+LSIP:OK\r0\r"),
)
UP = ("AT+LSIPCALL?", b"+LSIPCALL: 1, 10.32.226.112\r\n0\r")
FREE = ("AT+LSIPOPEN?", b"+LSIPOPEN:1,2,3,4\r\n0\r")
OPEN = ('AT+LSIPOPEN=1,0,"a.example",7,0', b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r")
HEX = ("AT+LSIPHEX=1", b"0\r")
OPENED = (UP, FREE, OPEN, HEX)
HANG_UP = ("AT+LSIPCALL=0", b"+LSIPCALL:0\r+LSIP:OK\r0\r")


def start(*steps):
    module = Module(*steps)
    modem = C1100(module)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return module, modem


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
        module, modem = start(UP, FREE, (refused[0], said), *OPENED)
        with raises(at.CommandError):
            await modem.tcp("a.example", 7)
        assert (await modem.tcp("a.example", 7)).number == 1
        module.check()
        modem.close()


async def test_all_sockets_in_use():
    module, modem = start(UP, ("AT+LSIPOPEN?", b"+LSIPOPEN:\r\n0\r"))
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
        HEX,
        ('AT+LSIPSEND=1,"61"', b"4\r"),
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
    module, modem, sock = await opened()
    module.say(b"+LSIPRTCP=1,10,313233\r")
    assert await sock.recv(100) == b"123"
    with raises(PayloadError):
        await sock.recv(100)
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
    module, modem, sock = await opened(rxbuf=4)
    module.say(b"+LSIPRTCP=1,3,313233\r+LSIPRTCP=1,3,343536\r")
    await asyncio.sleep_ms(100)
    assert sock.read(-1) == b"123"
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

    def push(line):
        return line == "AT+LSIPPUSH=1"

    def send(line):
        sent.append(line)
        return line.startswith('AT+LSIPSEND=1,"')

    module, modem, sock = await opened(
        *[(send, b"+LSIPSEND:1,800\r\n0\r"), (push, b"+LSIP:OK\r0\r")] * 3
    )
    await sock.sendall(data)
    module.check()
    digits = "".join([line.split('"')[1] for line in sent])
    assert digits == "".join(["%02x" % c for c in data])
    modem.close()


async def test_datagrams_keep_their_boundaries():
    module, modem = start(
        UP,
        FREE,
        ('AT+LSIPOPEN=1,5000,"a.example",7,1', b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r"),
        HEX,
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
        sock.write(b"x" * 701)
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


async def test_f20_error_in_place_of_the_prompt():
    module, modem, sock = await opened(
        ("AT+LSIPTPS=1,1,5000,1460", b"4\r"), ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")
    )
    async with modem.passthrough(sock) as pipe:
        with raises(at.CommandError):
            await pipe.write(b"abc")
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()


class Transparent(Module):
    """Hears raw data after a prompt."""

    raw = b""

    def write(self, data):
        if self.steps and self.steps[0][0] is None:
            self.raw += bytes(data)
            if self.raw.endswith(b"+++"):
                for said in self.steps.pop(0)[1:]:
                    self.say(said)
            return len(data)
        return Module.write(self, data)


async def test_transparent_sending():
    async def scenario():
        module = Transparent(
            *OPENED,
            ("AT+LSIPTPS=1,1,5000,1460", b"> "),
            (None, b"\r+LSIP:OK\r0\r+LSIPRTCP=1,1,31\r"),
        )
        modem = C1100(module)
        modem._channel.mode = COMMAND
        modem._channel.settings_lost = False
        sock = await modem.tcp("a.example", 7)
        async with modem.passthrough(sock) as pipe:
            await pipe.write(b"\x00a\r\nAT\r>\xff")
        got = await sock.recv(9)
        modem.close()
        return module, (module.raw, got)

    await at_every_split(scenario)
    assert (await scenario())[1] == (b"\x00a\r\nAT\r>\xff+++", b"1")


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


async def test_f21_prompt_that_comes_late_or_never():
    """What was to be sent is never taken for a command, nor the next command for data."""
    module = Transparent(
        *OPENED,
        ("AT+LSIPTPS=1,1,5000,1460", (31000, b"> ")),
        ("+++", b"\r+LSIP:OK\r0\r"),
        ("AT+CSQ", b"+CSQ: 1,99\r\n0\r"),
        ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
    )
    modem = C1100(module)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    sock = await modem.tcp("a.example", 7)
    async with modem.passthrough(sock) as pipe:
        with raises(at.Timeout):
            await pipe.write(b"abc")
    await asyncio.sleep_ms(2000)
    assert (await modem.signal()).rssi == -69
    module.check()
    modem.close()
