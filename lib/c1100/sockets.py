"""The PDP context and the four TCP and UDP sockets of the module (manual 3.3.1.1, 3.5.1.2)."""

import asyncio

from . import at, dialect
from .connection import Socket

_IDS = (1, 2, 3, 4)


class Sockets:
    """The module's PDP context and its four sockets."""

    def __init__(self, channel) -> None:
        self._channel = channel
        self._open = {}  # id -> Socket
        self._hex = False  # AT+LSIPHEX=1 holds
        self._choosing = asyncio.Lock()  # one at a time looks for a free number
        self.unowned = 0  # bytes for sockets that are not open: counted and discarded
        for name in dialect.IP_DATA:
            channel.payloads[name] = _Incoming(self)
        channel.on(dialect.IP_CLOSE.answer, self.closed)
        channel.on(dialect.IP_STATE.answer, self._on_call)
        channel.on_restart.append(self._on_restart)

    # The PDP context ------------------------------------------------------------------------

    async def call(self, apn: str) -> str:
        """Open the PDP context. Returns the address that the network gave.

        Raises BadArgument, CommandError, NotConnected, Timeout.
        """
        run = self._channel.run
        await run(dialect.IP_PROFILE, apn)
        # A late URC of an earlier context has the answer's form too: the last line counts.
        lines = await run(dialect.IP_CALL)
        address = _address(at.params(lines[-1])) if lines else await self.address()
        if address is None:
            raise at.NotConnected("the network opens no PDP context", dialect.IP_CALL.send)
        return address

    async def address(self) -> str | None:
        """The node's address; None without a PDP context (manual 3.3.1.1 step 3)."""
        address = _address(await self._channel.ask(dialect.IP_STATE))
        if address is None:
            self._lose("the network has closed the PDP context")
        return address

    async def hang_up(self) -> None:
        """Close the PDP context (manual 3.5.1.2 step 3); sockets that are open end with it."""
        self._lose("the PDP context was closed")
        try:
            await self._channel.run(dialect.IP_HANG_UP)
        except at.CommandError:
            if await self.address() is not None:
                raise  # else the network, or a restart, was faster

    # Sockets --------------------------------------------------------------------------------

    async def open(self, host: str, port: int, kind: int, local_port: int, rxbuf: int):
        """Open a socket (manual 3.3.1.1 step 4).

        host, port -- the far end, by name or address
        kind       -- connection.TCP or UDP
        local_port -- 0 lets the module choose
        rxbuf      -- bytes that may wait to be read

        Returns a Socket. Raises NotConnected without a PDP context, Overflow when all four are in
        use, CommandError when the far end refuses, BadArgument, Timeout.
        """
        if await self.address() is None:
            raise at.NotConnected("no PDP context: use modem.pdp() first", dialect.IP_OPEN.send)
        # The manual sets hex mode after opening. But the far end's first bytes may come at once.
        await self._set_hex(at.CommandError)
        async with self._choosing:
            number = await self._free_number()
            socket = self._open[number] = Socket(self._channel, self, number, kind, rxbuf)
        try:
            await self._channel.run(dialect.IP_OPEN, number, local_port, host, port, kind)
            await self._set_hex()
        except BaseException:
            # What opens all the same is closed when its number is needed.
            self._open.pop(number, None)
            raise
        socket.begin()
        return socket

    async def _set_hex(self, tolerated=()) -> None:
        if self._hex:
            return
        try:
            await self._channel.run(dialect.IP_HEX, 1)
        except tolerated:
            return  # a module that keeps to the manual's order: again when the socket is open
        self._hex = True

    async def _free_number(self) -> int:
        """A socket that is free, or that is made so: one that nobody here has opened is left over
        from before a restart of the board, or from an attempt that was given up.
        """
        free = await self._channel.ask(dialect.IP_FREE)
        for number in _IDS:
            if number in free and number not in self._open:
                return number
        for number in _IDS:
            if number not in self._open:
                try:
                    await self._channel.run(dialect.IP_CLOSE, number)
                except at.CommandError:
                    pass  # it has closed by itself
                return number
        raise at.Overflow("all four sockets are in use", dialect.IP_OPEN.send)

    async def check(self, socket) -> None:
        """Find out whether the module still has a connection: the line that told of its end may
        have been lost.
        """
        if socket.number in await self._channel.ask(dialect.IP_FREE):
            socket.lost("the module has closed the connection")

    def forget(self, number: int) -> None:
        """A socket is closed."""
        self._open.pop(number, None)

    def owner(self, number: int):
        """The Socket of an id, None when there is none."""
        return self._open.get(number)

    def damaged(self, values: list) -> None:
        """The parameters of a line that should have brought data: a stream with a gap is none."""
        known = self._open.get(values[0]) if values else None
        error = at.BadAnswer("data that came cannot be read: %s" % values, dialect.IP_DATA[0])
        for socket in list(self._open.values()) if known is None else [known]:
            socket.message_ended(error)

    def closed(self, values: list) -> None:
        """The parameters of a +LSIPCLOSE line."""
        socket = self._open.get(values[0]) if values else None
        if socket is not None:
            received = values[2] if len(values) > 2 else None
            socket.lost("the far end has closed the connection", received)

    def _on_call(self, values: list) -> None:
        if values and values[0] == 0:
            self._lose("the network has closed the PDP context")

    def _on_restart(self) -> None:
        self._hex = False
        self._lose("the module restarted")

    def _lose(self, why: str) -> None:
        for socket in list(self._open.values()):
            socket.lost(why)


def _address(values: list) -> str | None:
    return str(values[1]) if len(values) > 1 and values[0] == 1 else None


class Context:
    """``async with modem.pdp(apn):`` -- the PDP context is open inside.

    address -- what the network gave, as text
    """

    def __init__(self, sockets: Sockets, apn: str) -> None:
        self._sockets = sockets
        self._apn = apn
        self.address = None

    async def __aenter__(self):
        self.address = await self._sockets.call(self._apn)
        return self

    async def __aexit__(self, kind, error, trace) -> None:
        try:
            await self._sockets.hang_up()
        except at.C1100Error:
            if kind is None:
                raise  # else what went wrong inside is what counts


class _Incoming:
    """Takes +LSIPRTCP and +LSIPRUDP payloads (payload.py) to the socket that they are for."""

    fields = 2
    hex = True
    shape = "ii"
    limit = 4096  # more than the module has room for

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._socket = None

    def begin(self, values: list) -> int:
        self._socket = self._sockets.owner(values[0])
        return values[1]

    def damaged(self, line: str) -> None:
        """Bytes are lost, and it may not be known whose."""
        self._sockets.damaged(at.params(line))

    def data(self, view) -> None:
        if self._socket is None:
            self._sockets.unowned += len(view)
        else:
            self._socket.received(view)

    def end(self, error) -> None:
        if self._socket is not None:
            self._socket.message_ended(error)
