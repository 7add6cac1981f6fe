"""Uplink over a TCP connection (manual 3.3.1.1): lines of text, and an example of a protocol of
one's own.

    node   node-id
    node   7 [{"bn":"n:",...}]
    node   8 [{"bn":"n:",...}]
    server 8 1700000000           # everything up to 8 is stored; the time, if the server likes
"""

from micropython import const

import c1100.sockets  # noqa: F401 -- loaded now, while the heap is in one piece
from c1100 import BadAnswer, Timeout

_BATCH_BYTES = const(2048)
_ANSWER_S = const(30)
_LINE_BYTES = const(32)


class Uplink:
    """settings -- as config.load() returns them; modem -- a started C1100"""

    batch_bytes = _BATCH_BYTES
    time = None

    def __init__(self, settings: dict, modem) -> None:
        self._modem = modem
        self._far = (settings["tcp.host"], settings["tcp.port"])
        self._hello = settings["id"].encode() + b"\n"
        self._context = modem.pdp(settings["apn"])
        self._socket = None

    async def send(self, batch: list) -> int:
        """Send a batch, and wait until it is confirmed as far as the server does confirm it.

        Raises C1100Error when not even the first record is, and when the connection ends; it is
        given up then.
        """
        try:
            if self._socket is None:
                await self._context.__aenter__()
                self._socket = await self._modem.tcp(self._far[0], self._far[1])
                await self._socket.sendall(self._hello)
            for seq, record in batch:
                await self._socket.sendall(b"%d %s\n" % (seq, record))
            confirmed = 0
            while confirmed < batch[-1][0]:
                try:
                    confirmed = await self._answer(self._socket)
                except Timeout:
                    if confirmed < batch[0][0]:
                        raise
                    break
            return min(confirmed, batch[-1][0])
        except BaseException:
            await self.close()
            raise

    async def _answer(self, socket) -> int:
        line = b""
        while not line.endswith(b"\n"):
            piece = await socket.recv(1, _ANSWER_S)
            line += piece
            if not piece or len(line) > _LINE_BYTES:
                raise BadAnswer("the server does not confirm", "TCP")
        try:
            confirmed, _, told = line.partition(b" ")
            if told:
                self.time = int(told)
            return int(confirmed)
        except ValueError:
            raise BadAnswer("the server confirms with something that is no number", "TCP")

    async def close(self) -> None:
        """Close the connection and the PDP context, if they are open."""
        socket = self._socket
        self._socket = None
        if socket is not None:
            socket.close()
            await socket.wait_closed()
            await self._context.__aexit__(None, None, None)
