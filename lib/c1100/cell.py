"""The cell as the module sees it, by AT+LSCELLINFO: names and lines F, forms of values I."""

from collections import namedtuple

from micropython import const

from . import at

# Reference signal's power in dBm and quality in dB, signal to noise in dB, all power in dBm; None
# where the module does not know, or the cell has none: EGPRS has RSSI alone. NB-IoT's coverage
# levels go by RSRP; RSSI hardly tells them apart.
Cell = namedtuple("Cell", ("rsrp", "rsrq", "sinr", "rssi"))

# What may be measured (TS 36.133 9.1; SINR: I). What stands for "not known" (99, 255, 32767, ...)
# lies outside, and so does 0 of a level in dBm.
_NAMES = "RSRP RSRQ SINR RSSI BAND"
_LIMITS = ((-156, -31), (-46, 20), (-30, 50), (-140, -10), (1, 255))
_ENDS = " \t,;:=\"'\r\n"
_MOST = const(7)  # characters of a number
_COMMAND = "+LSCELLINFO"
_WAIT_S = const(5)
_NO_SERVICE = (30, 31, 32)  # +CME ERROR of a module that has no network now
_NEVER = const(3)  # of C1100.silent_cell


async def cell(modem) -> Cell:
    """RSRP, RSRQ, SINR and RSSI of the cell in use.

    Raises CommandError where the module has no AT+LSCELLINFO, or no cell; see signal() then.
    """
    return parse(await modem.command(_COMMAND))


async def read(modem) -> list:
    """RSRP, RSRQ, SINR, RSSI and the number of the band, each of them None where the module does
    not tell it: it need not have the command. What came of it is in C1100.silent_cell.
    """
    try:
        found = _values(await modem._channel.raw(_COMMAND, _WAIT_S))
        if found[0] is not None or found[3] is not None:
            modem.silent_cell = 0
            return found
        modem.silent_cell += 1
    except at.CommandError as error:
        if getattr(error, "code", None) not in _NO_SERVICE:
            modem.silent_cell = _NEVER
    except (at.BadAnswer, at.Timeout) as error:
        if isinstance(error, at.NoModule):
            raise
        modem.silent_cell += 1
    return [None] * len(_LIMITS)


def parse(lines: list) -> Cell:
    """Of the lines of an answer: the first cell is the one in use, others are its neighbours. What
    is missing, damaged, or can be no such value is None.
    """
    return Cell(*_values(lines)[:4])


def _values(lines: list) -> list:
    names = _NAMES.split()
    found: list = [None] * len(names)
    for line in lines:
        words = _words(line.upper())
        for i, name in enumerate(words):
            if name in names:
                n = names.index(name)
                names[n] = ""  # the first one counts
                found[n] = _number(words[i + 1] if i + 1 < len(words) else "", _LIMITS[n])
    return found


def _words(line: str) -> list:
    for end in _ENDS:
        line = line.replace(end, " ")
    return line.split()


def _number(word: str, limits: tuple) -> int | None:
    """A whole number, rounded, with or without its unit."""
    for unit in ("DBM", "DB"):
        if word.endswith(unit):
            word = word[: -len(unit)]
    digits = word[1:] if word[:1] in ("-", "+") else word
    if not 0 < len(word) <= _MOST:
        return None
    whole, dot, part = digits.partition(".")
    for c in whole + part:
        if not "0" <= c <= "9":
            return None
    if not whole or (dot and not part):
        return None
    value = int(whole) + (part[:1] >= "5")
    if word[0] == "-":
        value = -value
    least, most = limits
    return value if least <= value <= most else None
