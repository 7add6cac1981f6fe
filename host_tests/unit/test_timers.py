"""3GPP codecs, every code point."""

from c1100 import BadArgument, edrx, timers
from host_tests.support import raises

UNITS_3412 = (600, 3600, 36000, 2, 30, 60, 1152000, None)
UNITS_3324 = (2, 60, 360, 60, 60, 60, 60, None)
WB = (5.12, 10.24, 20.48, 40.96, 61.44, 81.92, 102.4, 122.88, 143.36, 163.84, 327.68, 655.36)
WB += (1310.72, 2621.44, 2621.44, 2621.44)
NB = (20.48, 20.48, 20.48, 40.96, 20.48, 81.92, 20.48, 20.48, 20.48, 163.84, 327.68, 655.36)
NB += (1310.72, 2621.44, 5242.88, 10485.76)
GERAN = (1.88, 3.76, 7.53, 12.24, 24.48, 48.96, 97.92, 195.84, 391.68, 783.36, 1566.72, 3133.44)
GERAN += (1.88,) * 4
NB_DEFINED = (2, 3, 5, 9, 10, 11, 12, 13, 14, 15)


def bits(value, count):
    return ("0" * count + bin(value)[2:])[-count:]


def test_every_code_of_t3412_and_t3324():
    for decode, units in (
        (timers.decode_t3412, UNITS_3412),
        (timers.decode_t3324, UNITS_3324),
    ):
        for code in range(256):
            unit = units[code >> 5]
            want = None if unit is None else unit * (code & 31)
            assert decode(bits(code, 8)) == want, code


def test_every_value_comes_back():
    for encode, decode in (
        (timers.encode_t3412, timers.decode_t3412),
        (timers.encode_t3324, timers.decode_t3324),
    ):
        for code in range(256):
            value = decode(bits(code, 8))
            assert decode(encode(value)) == value, code
        assert encode(None) == "11100000"


def test_nearest_value_at_or_above():
    for encode, decode, units in (
        (timers.encode_t3412, timers.decode_t3412, UNITS_3412),
        (timers.encode_t3324, timers.decode_t3324, UNITS_3324),
    ):
        values = sorted({unit * n for unit in units if unit for n in range(32)})
        for low, high in [(values[i], values[i + 1]) for i in range(len(values) - 1)]:
            for wanted in {low + 1, low + 0.5, (low + high) / 2, high}:
                if low < wanted <= high:
                    assert decode(encode(wanted)) == high, wanted
        for wanted in (values[-1] + 1, -1):
            with raises(BadArgument):
                encode(wanted)
    assert timers.encode_t3412(0) == "01100000"
    assert timers.encode_t3412(60) == "01111110"
    assert timers.encode_t3412(3600) == "00000110"
    assert timers.encode_t3324(10) == "00000101"
    assert timers.decode_t3324("00001000") == 16


def test_every_edrx_code():
    for act, row in ((timers.WB_S1, WB), (timers.NB_S1, NB), (timers.GERAN, GERAN)):
        for code in range(16):
            assert edrx.decode_cycle(bits(code, 4), act) == row[code], (act, code)


def test_edrx_is_never_encoded_to_a_code_that_is_not_defined():
    defined = {
        timers.WB_S1: range(14),
        timers.NB_S1: NB_DEFINED,
        timers.GERAN: range(12),
    }
    for act, codes in defined.items():
        reached = set()
        for code in codes:
            cycle = edrx.decode_cycle(bits(code, 4), act)
            for wanted in (cycle, cycle - 0.01):
                encoded = edrx.encode_cycle(wanted, act)
                assert int(encoded, 2) in codes
                assert edrx.decode_cycle(encoded, act) == cycle
                reached.add(int(encoded, 2))
        assert sorted(reached) == sorted(codes)
        with raises(BadArgument):
            edrx.encode_cycle(20000, act)
    with raises(BadArgument):
        edrx.encode_cycle(20, 7)


def test_every_paging_time_window():
    for act, step in ((timers.WB_S1, 1.28), (timers.NB_S1, 2.56)):
        for code in range(16):
            window = edrx.decode_ptw(bits(code, 4), act)
            assert abs(window - step * (code + 1)) < 1e-9
            assert edrx.encode_ptw(window, act) == bits(code, 4)
            assert edrx.encode_ptw(window - 0.5, act) == bits(code, 4)
        with raises(BadArgument):
            edrx.encode_ptw(step * 17, act)
    assert edrx.encode_ptw(0, timers.NB_S1) == "0000"
    with raises(BadArgument):
        edrx.decode_ptw("0000", timers.GERAN)


def test_what_are_not_bits():
    for text in ("", "0000000", "000000000", "0000000x", "11 00000"):
        with raises(BadArgument):
            timers.decode_t3412(text)
    with raises(BadArgument):
        edrx.decode_cycle("00000", timers.WB_S1)
