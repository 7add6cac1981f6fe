"""Counted payloads in the line stream: bit-exact, or an error with what really came."""

from binascii import hexlify

from c1100 import at, payload
from c1100.ring import LineRing
from host_tests.support.streams import Chunks

ALL = bytes(range(256))
NASTY = b"\r\nOK\r\n0\r4\r+++\x1a\x1b\x00> \r\r\n+LSIPRTCP=1,2,ab\r"


class Handler:
    def __init__(self, fields, hex_digits):
        self.fields = fields
        self.hex = hex_digits
        self.header = None
        self.got = b""
        self.error = "not ended"

    def begin(self, values):
        self.header = values
        return values[-1]

    def data(self, view):
        self.got += bytes(view)

    def end(self, error):
        self.error = error


def receive(data, handler, chunk=64, size=256):
    """Lines around the payload, in order, as the channel would see them."""
    ring = LineRing(size)
    stream = Chunks(data, chunk)
    lines = []
    pending = None
    while ring.readfrom(stream):
        while True:
            if pending is not None:
                if not pending.feed(ring):
                    break
                pending = None
            found = payload.header(ring, {"+LSIPRTCP": handler})
            if isinstance(found, payload.Payload):
                pending = found
                continue
            if found:
                break
            view = ring.line()
            if view is None:
                break
            lines.append(bytes(view))
    if pending is not None:
        pending.give_up()
    return lines


def test_f24_every_byte_value_in_text_mode():
    for data in (ALL, NASTY, b"", b"x" * 1500):
        for chunk in (1, 7, 64, 256):
            handler = Handler(2, False)
            wire = b"\r\n+LSIPRTCP=1,%d,%s\r+CSQ: 1,99\r" % (len(data), data)
            assert receive(wire, handler, chunk) == [b"+CSQ: 1,99"]
            assert handler.got == data
            assert handler.error is None
            assert handler.header == [1, len(data)]


def test_f24_every_byte_value_in_hex_mode():
    for data in (ALL, NASTY, b"", b"x" * 1500):
        digits = hexlify(data).upper()
        for chunk in (1, 7, 64, 256):
            handler = Handler(2, True)
            wire = b"+LSIPRTCP: 1, %d,%s\r\n0\r" % (len(data), digits)
            assert receive(wire, handler, chunk) == [b"0"]
            assert handler.got == data
            assert handler.error is None


def test_f23_hex_payload_that_ends_early_keeps_the_lines_behind_it():
    for digits in (b"", b"31", b"3132", b"313", b"3132333"):
        for chunk in (1, 64):
            handler = Handler(2, True)
            wire = b"+LSIPRTCP=1,10," + digits + b"\r+CSQ: 1,99\r\n0\r"
            lines = receive(wire, handler, chunk)
            assert lines[-2:] == [b"+CSQ: 1,99", b"0"], (digits, lines)
            assert isinstance(handler.error, at.PayloadError)
            assert (handler.error.got, handler.error.want) == (len(digits) // 2, 10)
            assert handler.got == b"123"[: len(digits) // 2]


def test_f23_payload_longer_than_announced():
    for hex_digits, data in ((True, b"31323334"), (False, b"1234")):
        for chunk in (1, 64):
            handler = Handler(2, hex_digits)
            lines = receive(b"+LSIPRTCP=1,3," + data + b"\r0\r", handler, chunk)
            assert lines == [b"0"]
            assert handler.got == b"123"
            assert handler.error.got > handler.error.want == 3


def test_f23_text_payload_that_stops_is_given_up_without_invented_bytes():
    handler = Handler(2, False)
    assert receive(b"+LSIPRTCP=1,10,123456", handler) == []
    assert handler.got == b"123456"
    assert (handler.error.got, handler.error.want) == (6, 10)


def test_line_that_only_looks_like_a_header():
    handler = Handler(2, True)
    wire = b"+LSIPRTCP=1\r+LSIP:OK \r+CPIN: READY\r\n0\r\x80\xff\r^DATADISCONN\r"
    assert receive(wire, handler) == [
        b"+LSIPRTCP=1",
        b"+LSIP:OK ",
        b"+CPIN: READY",
        b"0",
        b"\x80\xff",
        b"^DATADISCONN",
    ]


def test_body_on_the_line_behind_the_header():
    for end in (b"\r", b"\r\n"):
        for chunk in (1, 7, 64):
            handler = Handler(0, False)
            ring = LineRing(64)
            stream = Chunks(b"+LSHTTPGET: 0,200,8" + end + b"a\r\nOK\r\nb" + b"\r\n0\r", chunk)
            while ring.readfrom(stream) and handler.header is None:
                view = ring.line()
                if view is not None:
                    body = payload.Payload(handler, at.params(at.text(view)))
                    break
            while not body.feed(ring):
                assert ring.readfrom(stream)
            assert handler.got == b"a\r\nOK\r\nb"
            assert handler.error is None
            rest = None
            while rest is None:
                rest = ring.line()
                if rest is None:
                    assert ring.readfrom(stream)
            assert bytes(rest) == b"0"
