"""eDRX (manual 3.8.2): asked for and granted, and the codes of its cycle and paging time window.

Methods of power.Power, loaded when first called.
"""

from collections import namedtuple

from . import at, dialect, timers
from .power import decoded
from .timers import GERAN, NB_S1, WB_S1

_FEATURES = {GERAN: "gsm", WB_S1: "lte-m", NB_S1: "nb-iot"}

# Seconds; ptw_s None where there is no window
Granted = namedtuple("Granted", ("cycle_s", "ptw_s"))

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


async def edrx(power, cycle_s: float, rat: int) -> Granted | None:
    """Ask for extended discontinuous reception (manual 3.8.2).

    cycle_s -- seconds between the moments at which the module can be reached
    rat     -- timers.WB_S1 (Cat-M1), timers.NB_S1 (NB-IoT) or timers.GERAN

    Returns what is granted by now, an edrx.Granted; None when nothing is; edrx_granted() asks
    again. Raises BadArgument, NotSupported when the variant lacks this radio.
    """
    cycle = encode_cycle(cycle_s, rat)
    try:
        await power._channel.run(dialect.EDRX_ON, rat, cycle)
    except at.CommandError as error:
        from .variants import explain

        await explain(power._channel, error, _FEATURES[rat])
    return await edrx_granted(power)


async def edrx_granted(power) -> Granted | None:
    """Cycle and paging time window that the network has granted (manual 3.8.2 step 3), an
    edrx.Granted; None when it has granted none, and where the module does not tell. Raises
    BadAnswer.
    """
    form = dialect.EDRX_GRANTED
    try:
        values = await power._channel.ask(form)
    except at.CommandError:
        return None
    act, _, cycle, window = values[:4]
    if not act or cycle is None:
        return None
    if act == GERAN:
        window = None  # whatever it tells: GSM has none
    window_s = decoded(form, decode_ptw, window, act)
    return Granted(decoded(form, decode_cycle, cycle, act), window_s)


async def edrx_off(power) -> None:
    """No extended discontinuous reception any more, and its parameters forgotten."""
    await power._channel.run(dialect.EDRX_OFF)


def encode_cycle(seconds: float, act: int) -> str:
    """eDRX cycle (TS 24.008 10.5.5.32). act -- GERAN, WB_S1 or NB_S1"""
    wanted = seconds * 100 - _ROUNDING
    best = code = None
    for number, cycle in enumerate(_row(_EDRX, act)):
        if cycle is not None and cycle >= wanted and (best is None or cycle < best):
            best, code = cycle, number
    if code is None:
        raise at.BadArgument("no eDRX cycle is as long as %s s" % seconds)
    return timers.bits_of(code, 4)


def decode_cycle(bits: str, act: int) -> float:
    """Seconds of an eDRX cycle; what the network reads where the code is not defined."""
    cycle = _row(_EDRX, act)[timers.number(bits, 4)]
    return (_EDRX_ELSE[act] if cycle is None else cycle) / 100


def encode_ptw(seconds: float, act: int) -> str:
    """Paging time window (TS 24.008 10.5.5.32). act -- WB_S1 or NB_S1"""
    step = _row(_PTW_STEP, act)
    steps = -int((_ROUNDING - seconds * 100) // step)
    if steps > 16:
        raise at.BadArgument("a paging time window has at most %s s" % (step * 16 / 100))
    return timers.bits_of(max(steps, 1) - 1, 4)


def decode_ptw(bits: str, act: int) -> float:
    """Seconds of a paging time window."""
    return (timers.number(bits, 4) + 1) * _row(_PTW_STEP, act) / 100


def _row(table: dict, act: int):
    if act not in table:
        raise at.BadArgument("<AcT-type> %r has none of this" % (act,))
    return table[act]
