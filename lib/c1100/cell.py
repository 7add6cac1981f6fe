"""The cell as the module sees it, by AT+LSCELLINFO: names and lines F, forms of values I."""

from collections import namedtuple

from micropython import const

# Reference signal's power in dBm and quality in dB, signal to noise in dB, all power in dBm; None
# where the module does not know, or the cell has none: EGPRS has RSSI alone. NB-IoT's coverage
# levels go by RSRP; RSSI hardly tells them apart.
Cell = namedtuple("Cell", ("rsrp", "rsrq", "sinr", "rssi"))

# What may be measured (TS 36.133 9.1; SINR: I). What stands for "not known" (99, 255, 32767, ...)
# lies outside, and so does 0 of a level in dBm.
_LIMITS = {"RSRP": (-156, -31), "RSRQ": (-46, 20), "SINR": (-30, 50), "RSSI": (-140, -10)}
_ENDS = " \t,;:=\"'\r\n"
_MOST = const(7)  # characters of a number


async def cell(modem) -> Cell:
    """RSRP, RSRQ, SINR and RSSI of the cell in use.

    Raises CommandError where the module has no AT+LSCELLINFO, or no cell; see signal() then.
    """
    return parse(await modem.command("+LSCELLINFO"))


def parse(lines: list) -> Cell:
    """Of the lines of an answer: the first cell is the one in use, others are its neighbours. What
    is missing, damaged, or can be no such value is None.
    """
    found = {}
    for line in lines:
        words = _words(line.upper())
        for i, name in enumerate(words):
            if name in _LIMITS and name not in found:
                found[name] = _number(words[i + 1] if i + 1 < len(words) else "", name)
    return Cell(found.get("RSRP"), found.get("RSRQ"), found.get("SINR"), found.get("RSSI"))


def _words(line: str) -> list:
    for end in _ENDS:
        line = line.replace(end, " ")
    return line.split()


def _number(word: str, name: str) -> int | None:
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
    least, most = _LIMITS[name]
    return value if least <= value <= most else None
