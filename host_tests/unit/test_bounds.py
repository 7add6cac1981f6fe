"""No wait depends on what the line says: floods, endless lines, lengths that cannot be, handlers
and streams with faults. A caller gets its answer or a typed error in its time, and all goes on.
"""

import asyncio
import time

from c1100 import at, dialect
from host_tests.support import fails
from host_tests.support.talker import Talker, attempt, open_channel, sound

NMEA = b"$GPGSV,3,1,11,03,03,111,00,04,15,270,00,06,01,010,00,13,06,292,00*74\r\n"
CALLER_MS = 5000 + 5000  # a question's own time, and as long again while its answer arrives
SYNC_MS = 3 * (2000 + 5000)


def quiet(channel):
    """Faults are counted, not printed."""
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: None)
    return channel


async def took(awaitable):
    """What came of it, and after how many ms."""
    begin = time.ticks_ms()
    got = await attempt(awaitable)
    return got, time.ticks_diff(time.ticks_ms(), begin)


class Deaf(Talker):
    """Answers nothing until it is told to; lines of its own come every so many ms."""

    def __init__(self, line, every_ms):
        super().__init__()
        self.deaf = True
        self.line = line
        self.every_ms = every_ms
        self.next = time.ticks_ms()

    def _hear(self, line):
        if not self.deaf:
            super()._hear(line)

    def readinto(self, buf):
        while self.line and time.ticks_diff(time.ticks_ms(), self.next) >= 0:
            self.next = time.ticks_add(self.next, self.every_ms)
            self._queue.append([time.ticks_ms(), self.line])
        return super().readinto(buf)


# What a module may go on saying while it answers nothing: (line, ms between two of them)
TALK = (
    (b"", 1),
    (NMEA, 250),
    (NMEA, 72),  # 9600 baud without a pause
    (NMEA[:30], 30),
    (b"^SIMST: 1\r\n", 100),
    (b"+CEREG: 5\r\n", 100),
    (b"+CSQ: 5\r", 200),
    (b"RING\r\n", 250),
    (b"2\r", 250),
    (b"3\r", 250),
    (b"NO CARRIER\r\n", 250),
    (b"x", 10),
    (b">", 10),
    (b"> ", 50),
    (b"\r\n", 10),
    (b"\x00", 10),
    (b"\xff", 10),
    (b"+", 10),
    (b"+LSIPRTCP=1,", 100),
    (b'+MQTTMSG:"', 100),
    (b'+MQTTMSG:"a",1,0,4000,', 100),
    (b'+MQTTMSG:"a",1,0,100000007,hello\r\n', 300),
    (b"+LSHTTPGET: 0,200,5000\r\n", 100),
    (b"+LSHTTPGET: 0,200,100000007\r\n", 100),
)


async def test_a_module_that_talks_and_answers_nothing_lines():
    await talks_and_answers_nothing(TALK[:6])


async def test_a_module_that_talks_and_answers_nothing_codes():
    await talks_and_answers_nothing(TALK[6:12])


async def test_a_module_that_talks_and_answers_nothing_noise():
    await talks_and_answers_nothing(TALK[12:18])


async def test_a_module_that_talks_and_answers_nothing_headers():
    await talks_and_answers_nothing(TALK[18:])


async def talks_and_answers_nothing(talk):
    for line, every_ms in talk:
        for sink in (True, False):
            module = Deaf(line, every_ms)
            channel = quiet(open_channel(module))
            if sink:
                channel.sinks["$"] = lambda text: None
            got, ms = await took(channel.run(dialect.SIGNAL))
            assert got == "Timeout", (line, got)
            assert ms <= CALLER_MS + 50, (line, ms)
            for _ in range(2):
                got, ms = await took(channel.run(dialect.OPERATOR))
                assert got == "Timeout", (line, got)
                assert ms <= SYNC_MS + 50, (line, ms)
            assert not channel._lock.locked()
            got, ms = await took(channel.probe())
            assert got is False
            assert ms < 15000, (line, ms)
            # A caller's own time is its own.
            channel._stale = None
            got, ms = await took(channel.raw("+CSQ", 2))
            assert got == "Timeout" and ms <= 2050, (line, ms)
            # When it listens again, it is understood again.
            module.deaf = False
            module.line = b""
            for _ in range(3):
                await attempt(channel.run(dialect.SIGNAL))
            await sound(channel, module)
            channel.close()


async def test_a_module_that_talks_and_answers():
    for line, every_ms in TALK:
        if not line.endswith(b"\r\n") or line[:4] == b"+LSH":
            continue  # pieces of lines, or bodies that end late
        module = Deaf(line, every_ms)
        module.deaf = False
        channel = quiet(open_channel(module))
        channel.sinks["$"] = lambda text: None
        begin = time.ticks_ms()
        for _ in range(10):
            await sound(channel, module)
        assert time.ticks_diff(time.ticks_ms(), begin) < 1000, line
        await asyncio.sleep_ms(5000)
        await sound(channel, module)
        channel.close()


class Endless:
    """A stream that always has more: the event loop's other tasks have their turn all the same."""

    def __init__(self, data):
        self.data = data * (4096 // len(data))
        self.at = 0

    def readinto(self, buf):
        piece = self.data[self.at : self.at + len(buf)]
        buf[: len(piece)] = piece
        self.at = (self.at + len(piece)) % len(self.data)
        return len(piece)

    def write(self, data):
        return len(data)


async def test_a_stream_without_an_end_starves_nobody():
    for data in (
        NMEA,
        b"x",
        b">",
        b"\r\n",
        b"+LSIPRTCP=1,5,",
        b"^A\r",
        b"3\r",
        b"> \r\n",
        b"\xff\x00",
    ):
        channel = quiet(open_channel(Endless(data)))
        turns = []

        async def other(turns=turns):
            while True:
                turns.append(1)
                await asyncio.sleep_ms(50)

        task = asyncio.create_task(other())
        got, ms = await took(channel.raw("+CSQ", 0.3))
        assert got == "Timeout", (data, got)
        assert 300 <= ms <= 400, (data, ms)
        assert len(turns) > 4, (data, len(turns))
        task.cancel()
        channel.close()


class Faulty:
    """A payload handler that raises what it is given, where it is told to."""

    fields = 2
    hex = True

    def __init__(self, where, error):
        self.where = where
        self.error = error
        self.ended = 0

    def _raise(self, where):
        if where == self.where:
            raise self.error

    def begin(self, values):
        self._raise("begin")
        return values[1]

    def data(self, view):
        self._raise("data")

    def end(self, error):
        self.ended += 1
        self._raise("end")

    def damaged(self, line):
        self._raise("damaged")


ERRORS = (ValueError("x"), MemoryError(), OSError(5), KeyError("k"), at.Timeout("t"), IndexError())


async def test_a_fault_of_whoever_takes_lines_ends_no_task_and_loses_no_line():
    for error in ERRORS:

        def raising(*_, error=error):
            raise error

        async def raising_later(_, error=error):
            await asyncio.sleep_ms(1)
            raise error

        async def cancelled(_):
            raise asyncio.CancelledError

        for where in ("begin", "data", "end", "damaged"):
            module = Talker()
            channel = quiet(open_channel(module))
            channel.payloads["+LSIPRTCP"] = Faulty(where, error)
            await sound(channel, module)
            length = b"x" if where == "damaged" else b"3"
            module.say(b"+LSIPRTCP=1," + length + b",300d34\r\n+LSIPRTCP=1,1,30\r+LSIPRTCP=1\r")
            await sound(channel, module)
            assert channel.stats["faults"] >= 1, (where, error)
            channel.close()
        for callback in (raising, raising_later, cancelled):
            seen = []
            module = Talker()
            channel = quiet(open_channel(module))
            channel.on("^DATADISCONN", callback)
            channel.on("+CPIN", seen.append)
            await sound(channel, module)
            for _ in range(3):
                module.say(b"^DATADISCONN\r\n+CPIN: READY\r\n")
                await asyncio.sleep_ms(100)
                await sound(channel, module)
            assert seen == [["READY"]] * 3, (seen, callback)
            channel.close()
        module = Talker()
        channel = quiet(open_channel(module))
        channel.sinks["$"] = channel.watchers["+LSIPCLOSE"] = raising
        channel.on_restart.append(raising)
        await sound(channel, module)
        for line in (NMEA, b"+LSIPCLOSE:1,0,0,0\r", b"RDY\r\n", b"^EXITPSMMODE\r\n"):
            module.say(line + line)
            await sound(channel, module)
        assert channel.stats["faults"] >= 6
        channel.close()


async def test_lengths_that_cannot_be_leave_nobody_deaf():
    heads = (b'+MQTTMSG:"a/b",1,0,', b"+LSHTTPGET: 0,200,", b"+LSIPRTCP=1,")
    for head in heads:
        for length in (b"100000007", b"99999", b"-5", b"1e3", b"", b'"', b"9" * 30, b"5"):
            end = b"\r\n" if b"GET" in head else b",hello\r\n"
            module = Deaf(b"", 250)
            module.deaf = False
            channel = quiet(open_channel(module))
            channel.payloads["+LSIPRTCP"] = Faulty("", None)
            channel.payloads["+LSIPRTCP"].limit = 4096
            channel.sinks["$"] = lambda text: None
            await sound(channel, module)
            module.say(head + length + end + (b"hello\r\n" if b"GET" in head else b""))
            module.line = NMEA
            module.next = time.ticks_ms()
            await asyncio.sleep_ms(8000 if length == b"99999" else 1000)
            begin = time.ticks_ms()
            await sound(channel, module)
            assert time.ticks_diff(time.ticks_ms(), begin) < 1000, (head, length)
            channel.close()


async def test_a_uart_that_takes_bytes_slowly_or_never():
    for take in (0, 1):
        module = Talker()
        channel = open_channel(module)
        module.write = lambda data, take=take: take if time.ticks_ms() % 100 < 10 else None
        got, spent = await took(channel.run(dialect.MQTT_TEXT, "x" * 1000))
        assert got == "Timeout"
        assert spent < 2100 + 4 * 1100, spent
        channel.close()
    # One that takes 9600 baud takes all of it, however long that is.
    module = Talker(("AT+LSHTTPPOST=4096", b">"), (b"y" * 4096, b"+LSHTTPPOST: 0,200,0\r\n0\r"))
    channel = open_channel(module)
    write = module.write
    module.write = lambda data: write(data[:5])
    got, spent = await took(channel.run(dialect.HTTP_POST, 4096, data=b"y" * 4096))
    assert got == ["+LSHTTPPOST: 0,200,0"], got
    channel.close()


async def test_a_stream_that_fails_for_ever():
    for error in ERRORS[:4]:
        module = Talker()
        channel = quiet(open_channel(module))

        def readinto(buf, error=error):
            raise error

        module.readinto = readinto
        got, spent = await took(channel.raw("+CSQ", 1))
        assert got == "Timeout" and spent < 1100, (got, spent)
        channel.close()


async def test_a_channel_that_is_closed_ends_every_wait():
    """In each of the places where a command may wait, at each moment of its life."""
    for after_ms in range(0, 30000, 700):
        module = Deaf(b"", 1)
        channel = open_channel(module)
        first = asyncio.create_task(attempt(channel.run(dialect.SIGNAL)))
        second = asyncio.create_task(attempt(channel.run(dialect.OPERATOR)))
        await asyncio.sleep_ms(after_ms)
        channel.close()
        begin = time.ticks_ms()
        assert await first in ("Timeout", "NotConnected")
        assert await second in ("Timeout", "NotConnected")
        assert time.ticks_diff(time.ticks_ms(), begin) < 2100, after_ms
        await fails(at.NotConnected, channel.run(dialect.SIGNAL))


async def test_prompts_without_end():
    for prompts in (b">", b"> ", b">>>>", b"\r\n> \r\n> ", b"> > > " * 50):
        module = Talker(
            ("AT+LSHTTPURL=4", prompts), (b"data", prompts + b"\r\n0\r"), ("AT+CSQ", prompts)
        )
        channel = open_channel(module)
        assert await attempt(channel.run(dialect.HTTP_URL, 4, data=b"data")) == [], prompts
        got, spent = await took(channel.run(dialect.SIGNAL))  # which asks for nothing
        assert got == "Timeout" and spent <= CALLER_MS
        await attempt(channel.run(dialect.SIGNAL))
        await sound(channel, module)
        channel.close()
