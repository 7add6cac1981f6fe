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


class Typed(Handler):
    """A handler as those of the driver are."""

    shape = "ii"
    limit = 1500

    def __init__(self, hex_digits):
        super().__init__(2, hex_digits)
        self.bad = []

    def damaged(self, line):
        self.bad.append(line)


# What a header may look like, whatever stands around its numbers: (id, length) and their payload.
READABLE = (
    b"+LSIPRTCP=1,3,",
    b"+LSIPRTCP:1,3,",
    b"+LSIPRTCP: 1,3,",
    b"+LSIPRTCP = 1, 3,",
    b"+LSIPRTCP=1 , 3 ,",
    b'+LSIPRTCP="1","3",',
    b"+LSIPRTCP=01,0003,",
    b" +LSIPRTCP=1,3,",
    b"\x00\xff\x80+LSIPRTCP=1,3,",
    b"\r\n \x07 +LSIPRTCP=1,3,",
)
# And what cannot be read: (header, whether the handler was told before begin() or by end()).
UNREADABLE = (
    (b"+LSIPRTCP=1,7o0,", True),
    (b"+LSIPRTCP=1,,", True),
    (b"+LSIPRTCP=x,3,", True),
    (b"+LSIPRTCP=,3,", True),
    (b"+LSIPRTCP=1;3,3132,", True),
    (b'+LSIPRTCP="1,3",x,', True),
    (b"+LSIPRTCP=1,3.0,", True),
    (b"+LSIPRTCP=1,0x3,", True),
    (b"\xff+LSIPRTCP=1,\x803,", True),
    (b"+LSIPRTCP=1,-3,", False),
    (b"+LSIPRTCP=1,1501,", False),
    (b"+LSIPRTCP=1,100000007,", False),
    (b"+LSIPRTCP=1,99999999999999999999999,", False),
)


def test_a_header_is_read_in_every_form_that_has_one_reading():
    for head in READABLE:
        for hex_digits, data in (
            (True, b"616263"),
            (True, b" 616263 "),
            (True, b'"616263"'),
            (True, b' "616263" '),
            (False, b"abc"),
        ):
            for end in (b"\r", b"\r\n", b" \r", b"  \r\r\n"):
                for chunk in (1, 7, 64):
                    handler = Typed(hex_digits)
                    lines = receive(head + data + end + b"+CSQ: 1,99\r\n0\r", handler, chunk)
                    assert lines == [b"+CSQ: 1,99", b"0"], (head, data, end, chunk, lines)
                    assert (handler.header, handler.got) == ([1, 3], b"abc"), (head, data)
                    assert handler.error is None and not handler.bad


def test_a_header_that_cannot_be_read_is_told_and_its_line_is_no_line():
    for head, at_once in UNREADABLE:
        for hex_digits in (True, False):
            for data in (b"616263", b"0", b"", b"+LSIPRTCP=1,3,616263", b"> OK"):
                for chunk in (1, 7, 64):
                    handler = Typed(hex_digits)
                    lines = receive(head + data + b"\r\n+CSQ: 1,99\r\n0\r", handler, chunk)
                    assert lines == [b"+CSQ: 1,99", b"0"], (head, data, chunk, lines)
                    assert handler.got == b""
                    if at_once:
                        assert len(handler.bad) == 1 and handler.bad[0][:9] == "+LSIPRTCP", head
                        assert handler.header is None
                    else:
                        assert not handler.bad
                        assert isinstance(handler.error, at.BadAnswer), head


class Faulty(Typed):
    """Raises where it is told to."""

    def __init__(self, hex_digits, where):
        super().__init__(hex_digits)
        self.where = where

    def begin(self, values):
        if self.where == "begin":
            raise IndexError("begin")
        return super().begin(values)

    def data(self, view):
        if self.where == "data":
            raise MemoryError
        super().data(view)

    def end(self, error):
        super().end(error)
        if self.where == "end":
            raise KeyError("end")

    def damaged(self, line):
        super().damaged(line)
        if self.where == "damaged":
            raise ValueError("damaged")


def test_a_fault_of_a_handler_makes_no_lines_of_its_payload():
    for hex_digits, data in ((True, hexlify(NASTY)), (False, NASTY)):
        for where in ("begin", "data", "end", "damaged"):
            for chunk in (7, 64):
                handler = Faulty(hex_digits, where)
                length = b"x" if where == "damaged" else b"%d" % len(NASTY)
                tail = b"0" if where in ("begin", "damaged") else data
                ring = LineRing(256)
                stream = Chunks(b"+LSIPRTCP=1,%s,%s\r+CSQ: 1,99\r" % (length, tail), chunk)
                lines = []
                faults = 0
                pending = None
                more = True
                while more:
                    try:
                        found, pending = pending, None
                        if found is not None and not found.feed(ring):
                            pending = found
                        else:
                            found = payload.header(ring, {"+LSIPRTCP": handler})
                            if isinstance(found, payload.Payload):
                                pending = found
                                continue
                            view = None if found else ring.line()
                            if view is not None:
                                lines.append(bytes(view))
                                continue
                    except (IndexError, MemoryError, KeyError, ValueError):
                        faults += 1
                        continue
                    more = ring.readfrom(stream)
                assert lines == [b"+CSQ: 1,99"], (where, hex_digits, lines)
                assert faults == 1, (where, hex_digits)
                if where == "data":
                    assert isinstance(handler.error, at.PayloadError)


class Careful(Handler):
    """One that reads its header by a shape, and its length itself."""

    shape = "SS"

    def __init__(self, fields=2):
        super().__init__(fields, False)

    def begin(self, values):
        self.header = values
        if values[-1] is None:
            return payload.REST
        if not values[-1].isdigit() or int(values[-1]) > 1000:
            raise at.BadAnswer("no length")
        return int(values[-1])


def test_rest_of_the_line():
    for data in (b"", b"hello", b'"hel"lo', b"0", b"\x00\xff", b"x" * 1500):
        for chunk in (1, 7, 64):
            for end in (b"\r\n", b"\r", b"\n", b"\r\r\n"):
                handler = Careful()
                wire = b' +LSIPRTCP=007,"",' + data + end + b"0\r"
                assert receive(wire, handler, chunk) == [b"0"]
                assert (handler.header, handler.got) == (["007", None], data)
                assert handler.error is None
    handler = Careful()
    assert receive(b'+LSIPRTCP=007,"",abc', handler, 64) == []
    assert handler.got == b"abc"
    assert isinstance(handler.error, at.BadAnswer)


def test_header_with_and_without_ls():
    for name in ("+LSIPRTCP", "+IPRTCP"):
        handler = Careful()
        assert receive(b"%s=1,2,ab\r0\r" % name.encode(), handler) == [b"0"]
        assert handler.got == b"ab"
    assert payload.find({"+HTTPGET": 1, "+LSIP": 2}, "+LSHTTPGET") == 1
    assert payload.find({"+HTTPGET": 1, "+LSIP": 2}, "+HTTPGETS") is None


def body(data, length, chunk, fields=0):
    """What a handler gets of the data behind its header, and what is left for lines."""
    handler = Handler(fields, False)
    handler.begin = lambda values: length
    ring = LineRing(64)
    stream = Chunks(b"+LSHTTPGET: 0\r" + data, chunk)
    while ring.readfrom(stream) and ring.line() is None:
        pass
    pending = payload.Payload(handler, [])
    done = pending.feed(ring)
    while not done and ring.readfrom(stream):
        done = pending.feed(ring)
    if not done:
        pending.give_up(ring)
    rest = []
    while True:
        view = ring.line()
        if view is not None:
            rest.append(bytes(view))
        elif not ring.readfrom(stream):
            break
    return handler.got, handler.error, rest


def test_what_ends_the_header_is_not_payload():
    for end in (b"", b"\n", b"\r\n"):  # behind its first CR
        for data in (b"a\r\nOK\r\nb", b"\n\n", b"x", b""):
            if not end and data[:1] in b"\r\n" and data:
                continue
            for between in (b"", b"\r\n"):
                for chunk in (1, 7, 64):
                    wire = end + data + between + b"0\r"
                    assert body(wire, len(data), chunk) == (data, None, [b"0"]), wire


def test_result_code_that_a_length_too_long_has_taken_is_given_back():
    for code in (b"0\r", b"\r\n0\r", b"\r\nOK\r\n", b"\r\r\nOK\r\n", b"\r\nERROR\r\n", b"4\r\n"):
        for data in (b"", b"a", b"a\r\nOK\r\nb", b"x" * 300):
            for chunk in (1, 7, 64):
                got, error, rest = body(b"\n" + data + code, len(data) + len(code) + 1, chunk)
                assert (got, rest) == (data, [code.strip()]), (data, code)
                assert (error.got, error.want) == (len(data), len(data) + len(code) + 1)
    for data in (b"", b"a", b"10", b"a" * 30 + b"NOK", b"x" * 300):  # nothing that ends a command
        got, error, rest = body(b"\n" + data, len(data) + 9, 64)
        assert (got, rest) == (data, [])
        assert (error.got, error.want) == (len(data), len(data) + 9)


def test_without_a_length_all_that_comes_is_the_payload():
    for code in (b"0\r", b"\r\n0\r", b"\r\nOK\r\n"):
        for data in (b"", b"a", b"a\r\nOK\r\nb", b"x" * 300):
            for chunk in (1, 7, 64):
                wire = b"\n" + data + code
                assert body(wire, payload.REST, chunk) == (data, None, [code.strip()]), wire


def test_payloads_that_nobody_waits_for():
    handlers = payload.unheard()
    for wire in (
        b'+MQTTMSG:"a",1,0,10,\r\nOK\r0\r\r\n\r\n',
        b'+MQTTMSG:"a",1,0,100000007,hello\r\n',
        b'+MQTTMSG:"a",1,0,x,hello\r\n',
    ):
        ring = LineRing(256)
        ring.readfrom(Chunks(wire + b"0\r", 256))
        found = payload.header(ring, handlers)
        assert not found or found.feed(ring)
        assert bytes(ring.line()) == b"0"
        assert ring.line() is None
