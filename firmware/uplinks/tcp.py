"""Uplink over a TCP connection (manual 3.3.1.1): lines of text, and an example of a protocol of
one's own.

    node   node-id
    node   7 [{"bn":"n:",...}]
    node   8 [{"bn":"n:",...}]
    server 8 1700000000           # everything up to 8 is stored; the time, if the server likes

A record in CBOR stands in its line in base64. The time is a whole number, seconds or milliseconds.
A server that cannot store a record says nothing of it, or ends the connection: the node then goes
on behind it.
"""

import time
from binascii import b2a_base64

from micropython import const

import c1100.sockets  # noqa: F401 -- loaded now, while the heap is in one piece
from c1100 import C1100Error, NotConnected, Refused, Timeout

from .. import log
from . import refusal

_BATCH_BYTES = const(2048)
_ANSWER_MS = const(30000)  # until something more is confirmed
_LINE_BYTES = const(48)
_RX_BYTES = const(1024)  # confirmations of a batch; more is harder to find in a heap in pieces
_DIGITS = const(20)
_SILENT = "it confirms nothing for %d s" % (_ANSWER_MS // 1000)
_STRANGE = "it does not confirm what was sent: check tcp.port"


class Uplink:
    """settings -- as config.load() returns them; modem -- a started C1100"""

    batch_bytes = _BATCH_BYTES

    def __init__(self, settings: dict, modem) -> None:
        self._modem = modem
        self._far = (settings["tcp.host"], settings["tcp.port"])
        self._hello = settings["id"].encode() + b"\n"
        self._context = modem.pdp(settings["apn"])
        self._called = False  # the context is open
        self._socket = None
        self._ended = False  # the connection, before it was closed here
        self._told = b""

    async def send(self, batch: list) -> int:
        """Send a batch, and wait until it is confirmed as far as the server does confirm it.

        Raises C1100Error when not even the first record is; the connection is given up then.
        """
        fresh = self._socket is None
        try:
            return await self._exchange(batch)
        except refusal.Unfit:
            if fresh and not self._ended:
                raise
        # It may be the connection that was lost, or that the server was tired of.
        return await self._exchange(batch)

    async def _exchange(self, batch: list) -> int:
        first, last = batch[0][0], batch[-1][0]
        confirmed = 0
        self._ended = False
        try:
            hello = b"" if self._socket else self._hello
            socket = self._socket or await self._connect()
            try:
                for seq, record in batch:
                    if record[0] >= 0x80:  # CBOR, in a line of text
                        record = b2a_base64(record)[:-1]
                    await socket.sendall(hello + b"%d %s\n" % (seq, record))
                    hello = b""
            except NotConnected as error:
                log.debug("not all was sent: %s", error)  # what is confirmed has come before
            begin = time.ticks_ms()
            while confirmed < last:
                number = await self._confirmation(socket, begin)
                if number > last:
                    raise _refused(_STRANGE)
                if number > confirmed:
                    confirmed = number
                    begin = time.ticks_ms()
        except BaseException as error:
            await self._give_up()
            if confirmed < first or not isinstance(error, C1100Error):
                raise error
        return confirmed

    async def _connect(self):
        await self._context.__aenter__()
        self._called = True
        try:
            self._socket = await self._modem.tcp(self._far[0], self._far[1], rxbuf=_RX_BYTES)
        except Refused:
            log.error("%s:%d: check tcp.host, tcp.port and the server", *self._far)
            raise
        return self._socket

    async def _confirmation(self, socket, begin) -> int:
        """The number of the next line. What stands behind it is looked at later."""
        line = b""
        while not line.endswith(b"\n"):
            left_ms = _ANSWER_MS - time.ticks_diff(time.ticks_ms(), begin)
            if left_ms <= 0:
                raise _refused(_SILENT)
            try:
                piece = await socket.recv(1, left_ms / 1000)
            except NotConnected:
                piece = b""
            except Timeout as error:
                if error.command is not None:
                    raise  # the module does not answer
                raise _refused(_SILENT)
            if not piece:
                self._ended = True
                raise _refused("it ends the connection")
            line += piece
            if len(line) > _LINE_BYTES:
                raise _refused(_STRANGE)
        number, _, told = line.strip().partition(b" ")
        number = _whole(number)
        if number is None:
            raise _refused(_STRANGE)
        if told:
            self._told = told
        return number

    @property
    def time(self) -> int | None:
        """What the last confirmation told."""
        return _whole(self._told)

    async def _give_up(self) -> None:
        try:
            await self.close()
        except C1100Error as error:
            log.debug("connection not closed: %s", error)  # what went wrong before counts

    async def close(self) -> None:
        """Close the connection and the PDP context, if they are open."""
        socket, self._socket = self._socket, None
        try:
            if socket is not None:
                socket.close()
                await socket.wait_closed()
        finally:
            if self._called:
                self._called = False
                await self._context.__aexit__(None, None, None)


def _refused(why: str) -> refusal.Unfit:
    # It confirms line by line, so it has stumbled over the first that is not confirmed.
    return refusal.Unfit(Refused("the TCP server takes no record: " + why), True)


def _whole(text: bytes) -> int | None:
    """A whole number, as far as it is one and of a reasonable length."""
    digits = text.strip()
    if not 0 < len(digits) <= _DIGITS:
        return None
    for c in digits:
        if not 48 <= c <= 57:
            return None
    return int(digits)
