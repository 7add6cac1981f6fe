"""When a handshake is over, by the records that go and come."""

from c1100.tls_stream import _Wire

ALERT, CHANGE, HANDSHAKE, DATA = 21, 20, 22, 23


class Records:
    """A socket which has what the far end sends, and takes all."""

    def __init__(self, data, piece):
        self._data = data
        self._piece = piece

    def readinto(self, buf):
        n = min(len(buf), len(self._data), self._piece)
        buf[:n] = self._data[:n]
        self._data = self._data[n:]
        return n or None

    def write(self, buf):
        return len(buf)


def record(kind, size):
    return bytes([kind, 3, 3, size >> 8, size & 255]) + bytes(size)


def over_after(far_end, piece):
    """The number of records that are read when it is over; None if it is not."""
    wire = _Wire(Records(b"".join(record(*each) for each in far_end), piece))
    for number, (_, size) in enumerate(far_end):
        for wanted in (5, size):  # as mbedtls reads
            while wanted:
                wanted -= wire.readinto(memoryview(bytearray(wanted)))
        if wire.done:
            return number + 1
    return None


FLIGHT = [(HANDSHAKE, 90), (HANDSHAKE, 900), (HANDSHAKE, 300), (HANDSHAKE, 4)]
CASES = {  # what the far end sends, and the record with which it is over
    "1.2, GCM": (FLIGHT + [(CHANGE, 1), (HANDSHAKE, 40)], 6),
    "1.2, ChaCha20": (FLIGHT + [(CHANGE, 1), (HANDSHAKE, 32)], 6),
    "1.2, CBC and SHA-384": (FLIGHT + [(CHANGE, 1), (HANDSHAKE, 96)], 6),
    "1.2, a ticket before it": (FLIGHT + [(HANDSHAKE, 200), (CHANGE, 1), (HANDSHAKE, 40)], 7),
    "1.2, one record for all": ([(HANDSHAKE, 1300), (CHANGE, 1), (HANDSHAKE, 40)], 3),
    "1.2, and data at once": (FLIGHT + [(CHANGE, 1), (HANDSHAKE, 40), (DATA, 30)], 6),
    "1.2, not yet": (FLIGHT + [(CHANGE, 1)], None),
    "1.2, refused": (FLIGHT + [(CHANGE, 1), (ALERT, 26)], None),
    "1.3": ([(HANDSHAKE, 122), (CHANGE, 1), (DATA, 27), (DATA, 900), (DATA, 53)], None),
    "1.3, nothing for old boxes": ([(HANDSHAKE, 90), (DATA, 27), (DATA, 900)], None),
    "1.3, another key is wanted": (
        [(HANDSHAKE, 88), (CHANGE, 1), (HANDSHAKE, 122), (DATA, 27), (DATA, 900)],
        None,
    ),
}


def test_by_what_comes():
    for name, (far_end, number) in CASES.items():
        for piece in (1, 2, 3, 7, 4096):
            assert over_after(far_end, piece) == number, (name, piece)


def test_by_what_goes():
    for first, done in (
        (record(HANDSHAKE, 200), False),
        (record(CHANGE, 1), False),
        (record(ALERT, 2), False),
        (record(DATA, 53), True),
    ):
        wire = _Wire(Records(b"", 1))
        assert wire.write(first) == len(first)
        assert wire.done is done, first[0]
