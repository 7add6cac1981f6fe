"""3GPP timer codecs: T3412, T3324. Those of eDRX are in edrx.py.

Sans-IO. Each code is a text of bits, as AT commands carry it. encode_...() picks the smallest
value at or above the wanted one, with the finest unit where several codes mean the same, and
raises BadArgument when there is none; decode_...() is exact.
"""

from . import at

GERAN, WB_S1, NB_S1 = 2, 4, 5  # <AcT-type> of +CEDRXS (TS 27.007 7.40)

DEACTIVATED = "11100000"

# Unit bits and seconds, finest first.
_T3412 = ((3, 2), (4, 30), (5, 60), (0, 600), (1, 3600), (2, 36000), (6, 1152000))
_T3324 = ((0, 2), (1, 60), (2, 360))


def encode_t3412(seconds: float | None) -> str:
    """Periodic TAU, GPRS Timer 3 (TS 24.008 10.5.7.4a). None deactivates it."""
    return _encode(seconds, _T3412, "T3412")


def decode_t3412(bits: str) -> int | None:
    """Seconds; None when it is deactivated."""
    return _decode(bits, _T3412, "T3412")


def encode_t3324(seconds: float | None) -> str:
    """Active time, GPRS Timer 2 (TS 24.008 10.5.7.4). None deactivates it."""
    return _encode(seconds, _T3324, "T3324")


def decode_t3324(bits: str) -> int | None:
    """Seconds; None when it is deactivated. Units that are not defined are read as a minute."""
    return _decode(bits, _T3324, "T3324")


def _encode(seconds: float | None, units: tuple, name: str) -> str:
    if seconds is None:
        return DEACTIVATED
    if seconds < 0:
        raise at.BadArgument("%s cannot be negative" % name)
    best = code = None
    for unit, size in units:
        count = -int(-seconds // size)
        if count <= 31 and (best is None or count * size < best):
            best, code = count * size, unit << 5 | count
    if code is None:
        most = max([31 * size for _, size in units])
        raise at.BadArgument("%s has at most %d s" % (name, most))
    return bits_of(code, 8)


def _decode(bits: str, units: tuple, name: str) -> int | None:
    code = number(bits, 8)
    if code >> 5 == 7:
        return None
    for unit, size in units:
        if unit == code >> 5:
            return (code & 31) * size
    return (code & 31) * 60


def bits_of(value: int, count: int) -> str:
    return "".join(["1" if value >> i & 1 else "0" for i in range(count - 1, -1, -1)])


def number(bits: str, count: int) -> int:
    if len(bits) != count or bits.strip("01"):
        raise at.BadArgument("%r is not %d bits" % (bits, count))
    return int(bits, 2)
