"""LineRing: lines and payloads out of a byte stream, whatever the chunks and terminators."""

from c1100.ring import LineRing
from host_tests.support import raises
from host_tests.support.streams import Chunks

CHUNKS = (1, 7, 64, 256)
TERMINATORS = (b"\r", b"\r\n", b"\r\r\n", b"\n")


def lines_of(ring, data, chunk):
    stream = Chunks(data, chunk)
    found = []
    while ring.readfrom(stream):
        while True:
            view = ring.line()
            if view is None:
                break
            found.append(bytes(view))
    return found


def test_lines_for_every_chunk_and_terminator():
    want = [b"+CSQ: 22,99", b"0", b'+COPS: 0,2,"46000",0', b"x" * 200, b"+LSIP:OK ", b"y"]
    for terminator in TERMINATORS:
        data = b"".join([line + terminator for line in want]) * 5
        for chunk in CHUNKS:
            assert lines_of(LineRing(256), data, chunk) == want * 5, (terminator, chunk)


def test_terminators_may_be_mixed_and_lines_may_be_empty():
    data = b"\r\n\r\nOK\r\n\r\r\n+MQTTCALL:1\r\n0\r4\n\n"
    for chunk in CHUNKS:
        assert lines_of(LineRing(64), data, chunk) == [b"OK", b"+MQTTCALL:1", b"0", b"4"]


def test_line_without_its_terminator_waits():
    ring = LineRing(64)
    assert lines_of(ring, b"+CSQ: 2", 64) == []
    assert ring.unread == 7
    assert lines_of(ring, b"2,99\r", 64) == [b"+CSQ: 22,99"]
    assert ring.unread == 0


def test_one_readinto_for_each_readfrom():
    stream = Chunks(b"abc\rdef\rgh", 4)
    ring = LineRing(64)
    counts = []
    while True:
        n = ring.readfrom(stream)
        counts.append(n)
        if not n:
            break
    assert counts == [4, 4, 2, None]
    assert stream.reads == 4


def test_no_room_until_lines_are_taken():
    ring = LineRing(64)
    stream = Chunks(b"0123456789\r" * 40, 64)
    while ring.readfrom(stream):
        pass
    assert stream.at < len(stream.data)
    found = []
    while True:
        view = ring.line()
        if view is not None:
            found.append(bytes(view))
        elif not ring.readfrom(stream):
            break
    assert found == [b"0123456789"] * 40
    assert ring.overflows == 0


def test_longest_line_fits_and_a_longer_one_is_dropped_whole():
    for chunk in CHUNKS:
        ring = LineRing(64)
        data = b"a" * 64 + b"\r" + b"b" * 65 + b"\r" + b"c\r" + b"d" * 1000 + b"\r\n" + b"e\r"
        assert lines_of(ring, data, chunk) == [b"a" * 64, b"c", b"e"], chunk
        assert ring.overflows == 2, chunk


def test_end_of_a_dropped_line_is_never_a_line():
    for chunk in CHUNKS:
        ring = LineRing(64)
        data = b"x" * 100 + b"OK" + b"\r\n" + b"ERROR\r\n"
        assert lines_of(ring, data, chunk) == [b"ERROR"], chunk


def test_noise_does_not_break_it():
    for chunk in CHUNKS:
        ring = LineRing(64)
        data = b"\x00\x00+CSQ: 22,99\r\n\x000\r\xff\xfe\x80\r\x00\r\n\x00+A\x00B\x00\r\x00"
        assert lines_of(ring, data, chunk) == [
            b"+CSQ: 22,99",
            b"0",
            b"\xff\xfe\x80",
            b"+A\x00B",
        ], chunk
        assert ring.overflows == 0


def test_take_gives_raw_bytes_across_the_seam():
    payload = bytes(range(256))
    for chunk in CHUNKS:
        ring = LineRing(300)
        stream = Chunks((b"h\r" + payload) * 9, chunk)
        for _ in range(9):
            while ring.line() is None:
                assert ring.readfrom(stream)
            got = None
            while got is None:
                got = ring.take(256)
                if got is None:
                    assert ring.readfrom(stream)
            assert bytes(got) == payload, chunk


def test_take_waits_until_all_is_there():
    ring = LineRing(64)
    ring.readfrom(Chunks(b"abc", 64))
    assert ring.take(4) is None
    assert bytes(ring.take(2)) == b"ab"
    assert ring.unread == 1


def test_take_of_more_than_the_ring_holds_is_refused():
    with raises(ValueError):
        LineRing(64).take(65)


def test_head_shows_a_header_whose_payload_has_not_come():
    ring = LineRing(64)
    assert ring.head() is None
    ring.readfrom(Chunks(b"\r\n+LSIPRTCP=1,5,a\rb\r\n\r+CSQ: 1,99\r", 64))
    assert bytes(ring.head()[:10]) == b"+LSIPRTCP="
    assert bytes(ring.take(14)) == b"+LSIPRTCP=1,5,"
    assert bytes(ring.take(5)) == b"a\rb\r\n"
    assert bytes(ring.line()) == b"+CSQ: 1,99"


def test_untake_and_next():
    ring = LineRing(64)
    ring.readfrom(Chunks(b"abcd\r", 64))
    ring.take(3)
    ring.untake(2)
    assert ring.next() == ord("b")
    assert bytes(ring.line()) == b"bcd"
    assert ring.next() == -1


def test_skip_line_drops_up_to_the_terminator():
    for chunk in CHUNKS:
        ring = LineRing(64)
        ring.skip_line()
        assert lines_of(ring, b"rest of it\r\n0\r", chunk) == [b"0"], chunk
        ring.skip_line()
        assert lines_of(ring, b"\rOK\r", chunk) == [b"OK"], chunk
        assert ring.overflows == 0


def test_what_is_left_of_a_dropped_line_is_neither_head_nor_prompt():
    for rest in (b"+LSIPRTCP=1,3,", b"> ", b"\r", b"\x00+A"):
        for begin in (b"", b"x" * 200):
            ring = LineRing(64)
            ring.skip_line()
            lines_of(ring, begin, 64)
            ring.readfrom(Chunks(rest, 64))
            assert ring.head() is None, rest
            assert not ring.prompt(), rest
            assert lines_of(ring, b"\r\nOK\r", 64) == [b"OK"], rest


def test_prompt_needs_no_terminator():
    ring = LineRing(64)
    assert not ring.prompt()
    ring.readfrom(Chunks(b"\r\n> 0\r", 64))
    assert ring.prompt()
    assert not ring.prompt()
    assert bytes(ring.line()) == b"0"


def test_clear_forgets_everything():
    ring = LineRing(64)
    lines_of(ring, b"x" * 200, 64)
    ring.clear()
    assert lines_of(ring, b"OK\r", 64) == [b"OK"]


def test_high_water_mark():
    ring = LineRing(64)
    lines_of(ring, b"0123456789\r01234\r", 64)
    assert ring.high_water == 17
