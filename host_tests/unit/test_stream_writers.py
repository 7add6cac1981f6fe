"""Tasks that write to one stream of open_connection(): each byte goes once, in its order."""

import asyncio

from c1100.streams import Stream


class Narrow:
    """A socket with room for some bytes at a time. The driver's own are in host_tests/plug."""

    def __init__(self, room):
        self.got = b""
        self._most = self._room = room

    def write(self, data):
        n = min(self._room, len(data))
        self.got += bytes(data[:n])
        self._room -= n
        return n or None

    async def writable(self):
        await asyncio.sleep_ms(10)
        self._room = self._most


async def send(stream, data, begin_ms, pause_ms=0):
    await asyncio.sleep_ms(begin_ms)
    stream.write(data)
    await asyncio.sleep_ms(pause_ms)
    await stream.drain()


async def test_each_byte_goes_once_in_its_order():
    for room in (1, 3, 4, 5, 12, 13, 100):
        for begin_ms in (0, 5, 15, 25, 200):
            for pause_ms in (0, 7, 30):
                narrow = Narrow(room)
                stream = Stream(narrow)
                await asyncio.gather(
                    send(stream, b"0123456789AB", 0),
                    send(stream, b"abcd", begin_ms, pause_ms),
                    send(stream, b"", begin_ms),
                )
                assert narrow.got == b"0123456789ABabcd", (room, begin_ms, pause_ms, narrow.got)


async def test_a_drain_that_is_cancelled_sends_nothing_twice():
    narrow = Narrow(4)
    stream = Stream(narrow)
    stream.write(b"0123456789AB")
    drain = asyncio.create_task(stream.drain())
    await asyncio.sleep_ms(15)
    drain.cancel()
    try:
        await drain
    except asyncio.CancelledError:
        stream.write(b"abcd")
    await stream.drain()
    assert narrow.got == b"0123456789ABabcd"
