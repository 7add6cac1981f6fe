"""Codecs of the network side: GPRS Timers 2 and 3, eDRX cycles, paging time windows.

3GPP TS 24.008 clauses 10.5.7.4 (T3324), 10.5.7.4a (T3412 extended) and 10.5.5.32 (eDRX).
"""

T3412_UNITS_S = (600, 3600, 36_000, 2, 30, 60, 1_152_000, None)
T3324_UNITS_S = (2, 60, 360, 60, 60, 60, 60, None)  # units not defined are read as 1 min

GERAN, WB_S1, NB_S1 = 2, 4, 5  # <AcT-type> of +CEDRXS, 27.007 clause 7.40
_WB = (5.12, 10.24, 20.48, 40.96, 61.44, 81.92, 102.4, 122.88, 143.36, 163.84, 327.68, 655.36,
       1310.72, 2621.44, 2621.44, 2621.44)  # fmt: skip
_NB = (20.48, 20.48, 20.48, 40.96, 20.48, 81.92, 20.48, 20.48, 20.48, 163.84, 327.68, 655.36,
       1310.72, 2621.44, 5242.88, 10485.76)  # fmt: skip
_GERAN = (1.88, 3.76, 7.53, 12.24, 24.48, 48.96, 97.92, 195.84, 391.68, 783.36, 1566.72, 3133.44,
          1.88, 1.88, 1.88, 1.88)  # fmt: skip
CYCLES_S = {GERAN: _GERAN, WB_S1: _WB, NB_S1: _NB}
WINDOW_STEP_S = {GERAN: 0.0, WB_S1: 1.28, NB_S1: 2.56}


def is_bits(text: str, count: int) -> bool:
    """`text` is `count` binary digits."""
    return len(text) == count and set(text) <= {"0", "1"}


def t3412_s(bits: str) -> int | None:
    """Seconds of a T3412 extended value of 8 bits; None: deactivated."""
    return _timer(bits, T3412_UNITS_S)


def t3324_s(bits: str) -> int | None:
    """Seconds of an active time of 8 bits; None: deactivated."""
    return _timer(bits, T3324_UNITS_S)


def _timer(bits: str, units_s: tuple[int | None, ...]) -> int | None:
    unit = units_s[int(bits[:3], 2)]
    return None if unit is None else unit * int(bits[3:], 2)


def t3412_bits(seconds: int) -> str:
    """The shortest T3412 extended value of at least `seconds`. ValueError: there is none."""
    return _timer_bits(seconds, T3412_UNITS_S, "T3412")


def t3324_bits(seconds: int) -> str:
    """The shortest active time of at least `seconds`. ValueError: there is none."""
    return _timer_bits(seconds, T3324_UNITS_S[:3], "T3324")


def _timer_bits(seconds: int, units_s: tuple[int | None, ...], name: str) -> str:
    values = [
        (unit * count, number, count)
        for number, unit in enumerate(units_s)
        if unit is not None
        for count in range(32)
        if unit * count >= seconds
    ]
    if not values:
        raise ValueError(f"no {name} value reaches {seconds} s")
    _, unit, count = min(values)
    return f"{unit:03b}{count:05b}"


def edrx_cycle_s(bits: str, act_type: int) -> float:
    """Seconds of an eDRX value of 4 bits."""
    return CYCLES_S[act_type][int(bits, 2)]


def window_s(bits: str, act_type: int) -> float:
    """Seconds of a paging time window of 4 bits."""
    return WINDOW_STEP_S[act_type] * (int(bits, 2) + 1)
