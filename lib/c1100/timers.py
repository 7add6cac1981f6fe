"""3GPP timer and cycle codecs: T3412, T3324, eDRX cycle, paging time window.

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

# Cycles in hundredths of a second by code; None: not defined, read by the network as the first of
# the row (TS 24.008 10.5.5.32).
_EDRX = {
    GERAN: (188, 376, 753, 1224, 2448, 4896, 9792, 19584, 39168, 78336, 156672, 313344)
    + (None,) * 4,
    WB_S1: (512, 1024, 2048, 4096, 6144, 8192, 10240, 12288)
    + (14336, 16384, 32768, 65536, 131072, 262144, None, None),
    NB_S1: (None, None, 2048, 4096, None, 8192, None, None)
    + (None, 16384, 32768, 65536, 131072, 262144, 524288, 1048576),
}
# What the network reads where a code is not defined.
_EDRX_ELSE = {GERAN: 188, WB_S1: 262144, NB_S1: 2048}
_ROUNDING = 0.01  # of a hundredth: what a float may be off
_PTW_STEP = {WB_S1: 128, NB_S1: 256}  # hundredths of a second


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


def encode_edrx(seconds: float, act: int) -> str:
    """eDRX cycle (TS 24.008 10.5.5.32). act -- GERAN, WB_S1 or NB_S1"""
    wanted = seconds * 100 - _ROUNDING
    best = code = None
    for number, cycle in enumerate(_row(_EDRX, act)):
        if cycle is not None and cycle >= wanted and (best is None or cycle < best):
            best, code = cycle, number
    if code is None:
        raise at.BadArgument("no eDRX cycle is as long as %s s" % seconds)
    return _bits(code, 4)


def decode_edrx(bits: str, act: int) -> float:
    """Seconds of an eDRX cycle; what the network reads where the code is not defined."""
    cycle = _row(_EDRX, act)[_number(bits, 4)]
    return (_EDRX_ELSE[act] if cycle is None else cycle) / 100


def encode_ptw(seconds: float, act: int) -> str:
    """Paging time window (TS 24.008 10.5.5.32). act -- WB_S1 or NB_S1"""
    step = _row(_PTW_STEP, act)
    steps = -int((_ROUNDING - seconds * 100) // step)
    if steps > 16:
        raise at.BadArgument("a paging time window has at most %s s" % (step * 16 / 100))
    return _bits(max(steps, 1) - 1, 4)


def decode_ptw(bits: str, act: int) -> float:
    """Seconds of a paging time window."""
    return (_number(bits, 4) + 1) * _row(_PTW_STEP, act) / 100


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
    return _bits(code, 8)


def _decode(bits: str, units: tuple, name: str) -> int | None:
    code = _number(bits, 8)
    if code >> 5 == 7:
        return None
    for unit, size in units:
        if unit == code >> 5:
            return (code & 31) * size
    return (code & 31) * 60


def _row(table: dict, act: int):
    if act not in table:
        raise at.BadArgument("<AcT-type> %r has none of this" % (act,))
    return table[act]


def _bits(value: int, count: int) -> str:
    return "".join(["1" if value >> i & 1 else "0" for i in range(count - 1, -1, -1)])


def _number(bits: str, count: int) -> int:
    if len(bits) != count or bits.strip("01"):
        raise at.BadArgument("%r is not %d bits" % (bits, count))
    return int(bits, 2)
