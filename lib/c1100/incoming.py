"""Data that the module tells of, on its way from the line (payload.py) to the socket it is for."""

from . import at, dialect


class Incoming:
    """Takes the payloads of one prefix.

    kind  -- connection.TCP or UDP: whose they are when the number cannot be read
    count -- bytes so far
    """

    fields = 2
    hex = True
    shape = "ii"
    limit = 4096  # more than the module has room for

    def __init__(self, sockets, kind: int) -> None:
        self.count = 0
        self._sockets = sockets
        self._kind = kind
        self._socket = None

    def begin(self, values: list) -> int:
        number, length = values
        self._socket = self._sockets.owner(number)
        if not self._sockets.exists(number):
            self._sockets.damaged(self._kind)
        if length < 0:
            raise at.BadAnswer("%d bytes of data" % length, dialect.IP_DATA[self._kind])
        return length

    def damaged(self, line: str) -> None:
        values = at.read(line, "i")
        kept = values and len(values) == 1 and not self.count  # what has come by itself is not
        if values and kept and self._sockets.exists(values[0]):
            self._sockets.waiting(self._kind, values[0])
        else:
            self._sockets.damaged(self._kind, values[0] if values else None)

    def data(self, view) -> None:
        self.count += len(view)
        if self._socket is None:
            self._sockets.unowned += len(view)
        else:
            self._socket.received(view)

    def end(self, error) -> None:
        if self._socket is not None:
            self._socket.message_ended(error)
