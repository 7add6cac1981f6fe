"""The PDP context and the four TCP and UDP sockets of the module (manual 3.3.1.1, 3.5.1.2)."""

import asyncio
import time

from micropython import const

from . import apart, at, dialect
from .connection import TCP, UDP, Socket
from .incoming import Incoming
from .pdp import Pdp
from .room import Sizes

TYPE_CHECKING = const(0)  # those who check types take it for true

_APART = " check damaged find_out waiting =sockets_doubt "
_IDS = (1, 2, 3, 4)
_BY_ITSELF_MS = const(300)  # what the module refuses without asking the network, it refuses sooner


async def tcp(modem, host: str, port: int, local_port: int = 0, rxbuf: int = 4096) -> Socket:
    """modem.tcp(): open a TCP connection (manual 3.3.1.1); see Sockets.open, connection.Socket."""
    return await modem._sockets.open(host, port, TCP, local_port, rxbuf)


async def udp(modem, host: str, port: int, local_port: int = 0, rxbuf: int = 4096) -> Socket:
    """modem.udp(): open a UDP socket (manual 3.3.1.1, UDP as seen in the field); likewise."""
    return await modem._sockets.open(host, port, UDP, local_port, rxbuf)


def _sockets(modem) -> "Sockets":
    """What the sockets of a modem are made by, made once."""
    modem._sockets = made = Sockets(modem._channel)
    return made


class Sockets(Pdp):
    """The module's PDP context and its four sockets.

    What it has registered with the channel goes when the channel is closed; its sockets end then.
    """

    def __init__(self, channel) -> None:
        super().__init__(channel)
        self._open = {}  # id -> Socket
        self._hex = False  # AT+LSIPHEX=1 holds
        self._choosing = asyncio.Lock()  # one at a time looks for a free number
        self._doubtful = set()  # numbers that were given up: the module may have them open
        self._past = set()  # numbers that were open here
        self._todo = {}  # what is to be found out: name -> question
        self._finding = None  # the task that does
        self.sizes = Sizes()
        self.unowned = 0  # bytes for sockets that are not open: counted and discarded
        for kind in (TCP, UDP):
            channel.payloads[dialect.IP_DATA[kind]] = Incoming(self, kind)
        self._asked = channel.payloads[dialect.IP_READ_DATA] = Incoming(self, TCP)
        channel.watchers[dialect.IP_CLOSE.answer] = self._on_close
        channel.on_restart.append(self._on_restart)

    if TYPE_CHECKING:
        from .sockets_doubt import check, damaged, find_out, waiting
    else:

        def __getattr__(self, name: str):
            return apart.find(self, Sockets, _APART, name)

    # Sockets --------------------------------------------------------------------------------

    async def open(self, host: str, port: int, kind: int, local_port: int, rxbuf: int):
        """Open a socket (manual 3.3.1.1 step 4).

        host, port -- the far end, by name or address
        kind       -- connection.TCP or UDP
        local_port -- 0 lets the module choose
        rxbuf      -- bytes that may wait to be read

        Returns a Socket. Raises NotConnected without a PDP context, Overflow when all four are in
        use, Refused when the far end refuses, CommandError when the module does, BadArgument,
        Timeout.
        """
        if not host or port == 0:
            raise at.BadArgument("host and port must be given", dialect.IP_OPEN.send)
        if not isinstance(rxbuf, int) or rxbuf < 1:
            raise at.BadArgument("rxbuf must be a number of bytes", dialect.IP_OPEN.send)
        await self._check_context()
        # The manual sets hex mode after opening. But the far end's first bytes may come at once.
        await self._set_hex(at.CommandError)
        async with self._choosing:
            number = await self._free_number()
            socket = self._open[number] = Socket(self, number, kind, rxbuf)
        try:
            await self._connect(socket, host, port, local_port)
            await self._set_hex()
            socket.begin()
        except BaseException as error:
            self.forget(socket)
            if socket.opened or not isinstance(error, at.CommandError):
                self._doubtful.add(number)  # it may be open, or open yet
            raise
        return socket

    async def _check_context(self) -> None:
        try:
            if await self.address() is not None:
                return
        except (at.CommandError, at.BadAnswer):
            return  # a module that does not tell, or not so that it can be read
        raise at.NotConnected("no PDP context: use modem.pdp() first", dialect.IP_OPEN.send)

    async def _connect(self, socket, host: str, port: int, local_port: int) -> None:
        form = dialect.IP_OPEN
        begin = time.ticks_ms()
        try:
            await self.run(form, socket.number, local_port, host, port, socket.kind)
        except at.CommandError as error:
            if socket.error is not None:
                raise socket.error  # the context has gone
            took = time.ticks_diff(time.ticks_ms(), begin)
            by_itself = isinstance(error, at.CmeError) or took < _BY_ITSELF_MS
            if error.outcome is None and by_itself:
                raise
            text = "no connection to %s:%d: check host, port and server"
            raise at.Refused(text % (host, port))
        socket.opened = True

    async def _set_hex(self, tolerated=()) -> None:
        if self._hex:
            return
        try:
            await self.run(dialect.IP_HEX, 1)
        except tolerated:
            return  # a module that keeps to the manual's order: again when the socket is open
        except at.CommandError:
            # It may refuse what holds already.
            if (await self.ask(dialect.IP_HEX_STATE))[0] != 1:
                raise
        self._hex = True

    async def _free_number(self) -> int:
        """A socket that is free, or that is made so: one that nobody here has opened is left over
        from before a restart of the board, or from an attempt that was given up.
        """
        free = await self._free()
        for number in _IDS:
            if number in free and number not in self._open and number not in self._doubtful:
                return number
        for number in _IDS:
            if number not in self._open:
                try:
                    await self.run(dialect.IP_CLOSE, number)
                except at.CommandError:
                    pass  # it has closed by itself
                self._doubtful.discard(number)
                return number
        raise at.Overflow("all four sockets are in use", dialect.IP_OPEN.send)

    async def _free(self, again: bool = True) -> list:
        """The numbers that the module calls free; none if it does not tell."""
        try:
            lines = await self.run(dialect.IP_FREE)
        except at.Timeout:
            if not again:
                raise
            return await self._free(False)
        except at.CommandError:
            return []
        free = []
        for line in lines:
            free += _ids(line)
        return free

    async def end(self, socket) -> None:
        """Close a socket that the module has open."""
        try:
            await self.run(dialect.IP_CLOSE, socket.number)
        except at.CommandError:
            pass  # it has closed by itself

    def forget(self, socket) -> None:
        """A socket is closed."""
        if self._open.get(socket.number) is socket:
            del self._open[socket.number]
            self._past.add(socket.number)
        if self.recent is socket:
            self.recent = None

    def report(self, error: Exception) -> None:
        """A fault that is not the driver's kind of error."""
        self._channel.report("socket", error)

    # What the module tells ------------------------------------------------------------------

    def exists(self, number: int) -> bool:
        """Whether the module has a socket of that number, open or not."""
        return number in _IDS

    def owner(self, number: int):
        """The Socket that a line is for, None when there is none. What comes before a socket has
        been told to be open is of an earlier connection.
        """
        socket = self._open.get(number)
        if socket is None or socket.opened:
            return socket
        said = self._channel.outcome(dialect.IP_OPEN)
        values = at.read(said, "ii") if said else None
        return socket if values and values[0] == number else None

    def _on_close(self, line: str) -> None:
        counts = at.read(line, "iIII")
        values = at.read(line, "i")
        socket = self.owner(values[0]) if values else None
        if socket is None:
            if not values or values[0] not in self._past:
                self.find_out("sockets", self.check)
        elif counts and (counts[2] or 0) >= 0:
            socket.ended(counts[2])
        else:
            socket.lost(
                at.BadAnswer(
                    "closed, and how much had come cannot be read", dialect.IP_CLOSE.answer
                )
            )

    def _on_restart(self) -> None:
        self._hex = False
        self._doubtful.clear()
        self._lose("the module restarted")

    def _lose(self, why: str) -> None:
        for socket in list(self._open.values()):
            socket.lost(at.NotConnected(why, dialect.IP_OPEN.send))


def _ids(line: str) -> list:
    """The numbers of a list. They ascend; those of a late outcome do not: 2,1 or 1,1."""
    ids = []
    for value in at.params(line):
        if not isinstance(value, int) or (ids and value <= ids[-1]):
            return []
        ids.append(value)
    return ids
