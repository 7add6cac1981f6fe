"""What a node tells of its signal, and what it makes of it: with RSRP, and without."""

import json

import pytest

from tools.virtual_c1100 import Profile
from tools.virtual_c1100.profile import GSM, NB_IOT, Cell, Quirks

CELL, CSQ = "AT+LSCELLINFO", "AT+CSQ"
BOTH = {"sample": {"period_s": 900}, "report": {"period_s": 900}}
LEVELS = ("signal", "rsrp", "rsrq", "sinr")
PERIOD_S = 3600


def told(n) -> list[tuple]:
    """(value, unit) of each record's levels; a record of an event has none."""
    found = []
    for text in n.said("sampled"):
        parts = {part["n"]: (part.get("v"), part.get("u")) for part in json.loads(text)}
        if "wake" in parts:
            found.append(tuple(parts.get(name) for name in LEVELS))
    return found


def asked(n, command: str) -> int:
    return sum(e.kind == "board" and e.detail.startswith(command + "\\r") for e in n.events)


@pytest.mark.parametrize(
    ("cell", "quirks", "levels", "times"),
    [
        (Cell(rssi=22), Quirks(), (-69, -89, -8, 12), 3),
        (Cell(rssi=4, rsrp=-124), Quirks(), (-105, -124, -11, 2), 3),
        (Cell(rssi=99, rsrp=-137), Quirks(), (None, -137, -18, -6), 3),
        (Cell(rssi=22), Quirks(cell_info=False), (-69, None, None, None), 1),
        (Cell(rssi=22, acts=(GSM,)), Quirks(), (-69, None, None, None), 1),
        (Cell(rssi=99), Quirks(cell_info=False), (None, None, None, None), 3),
    ],
    ids=["good", "poor", "RSRP alone", "no command", "EGPRS", "nothing"],
)
def test_a_report_tells_what_the_module_does_and_asks_once_for_what_it_does_not(
    node, cell, quirks, levels, times
):
    n = node(Profile(cell=cell, quirks=quirks), **BOTH)
    n.live(3)
    units = ("dBm", "dBm", "dB", "dB")
    expected = tuple(
        None if value is None else (value, unit) for value, unit in zip(levels, units, strict=True)
    )
    assert told(n) == [expected] * 3
    assert asked(n, CELL) == times


def test_a_report_waits_where_it_pays_and_not_for_ever(node):
    """-125 dBm from the second report on, -110 in the end: three reports wait in vain, and then
    none does before the signal has been better.
    """
    profile = Profile(variant="NGGT", cell=Cell(rssi=22, acts=(NB_IOT,)))
    n = node(profile, sample={"period_s": 900},
             report={"period_s": PERIOD_S, "deadline_s": 1800})  # fmt: skip
    late = []

    def live(wakes: int) -> None:
        for _ in range(wakes):
            reports = asked(n, CELL)
            n.bench.run(until=lambda r=reports: n.asleep and asked(n, CELL) > r, limit_s=1e9)
            late.append(n.bench.timeline.now_us / 1e6)

    live(2)
    n.module.network.degrade(1, 4, -125)
    live(7)
    n.module.network.degrade(0, 9, -110)
    live(2)
    n.module.network.degrade(1, 4, -125)
    live(3)
    put_off = [round((at - late[1]) % PERIOD_S, -2) == 1800 for at in late[1:]]
    assert put_off == [False, False] + [True] * 3 + [False] * 6 + [True] * 2
