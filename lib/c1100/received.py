"""What has come for one socket and is not read yet: a stream of bytes, or datagrams.

Sans-IO. The buffer is allocated once.
"""


class Received:
    """size -- bytes that may wait; datagrams -- each payload is one, and read by itself

    total -- bytes that have come for the stream, read or not
    """

    def __init__(self, size: int, datagrams: bool) -> None:
        self.total = 0
        self._buf = bytearray(size)
        self._at = 0  # first unread byte
        self._end = 0
        self._lengths = [] if datagrams else None  # of the datagrams in the buffer
        self._payload = 0  # bytes of the payload that is arriving
        self._skip = False  # the rest of it has no room

    @property
    def ready(self) -> int:
        """Bytes that one read can give."""
        if self._lengths is None:
            return self._end - self._at
        return self._lengths[0] if self._lengths else 0

    def put(self, view) -> bool:
        """Take a piece of a payload. Returns False when there is no room for it."""
        n = len(view)
        self.total += n
        if self._end + n > len(self._buf):
            waiting = self._end - self._at
            self._buf[:waiting] = self._buf[self._at : self._end]
            self._at, self._end = 0, waiting
        self._skip = self._skip or self._end + n > len(self._buf)
        if self._skip:
            return False
        self._buf[self._end : self._end + n] = view
        self._end += n
        self._payload += n
        return True

    def finish(self, good: bool) -> bool:
        """A payload has ended, well or not. Returns whether it can be read: a datagram that is
        damaged or had no room is dropped as a whole.
        """
        good = good and not self._skip
        if self._lengths is not None:
            if not good:
                self._end -= self._payload
            elif self._payload:
                self._lengths.append(self._payload)
        self._payload = 0
        self._skip = False
        return good

    def take(self, buf, n: int) -> None:
        """Read n bytes, of those that are ready, into a buffer."""
        buf[:n] = memoryview(self._buf)[self._at : self._at + n]
        if self._lengths is not None:
            n = self._lengths.pop(0)  # the rest of a datagram is gone, as with any UDP socket
        self._at += n

    def line(self) -> int:
        """Bytes of the first line, its end included, or of what is there of it."""
        end = self._buf.find(b"\n", self._at, self._at + self.ready)
        return self.ready if end < 0 else end + 1 - self._at
