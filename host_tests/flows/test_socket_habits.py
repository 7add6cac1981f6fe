"""TCP and UDP over modules with habits of their own and over lines that damage: on MicroPython, as
a node has it, and as `--fault` shows it.
"""

import pytest

from host_tests.flows import echo
from tools.virtual_c1100 import Profile

LIVED_WITH = (
    "leading-blank",
    "blank-behind",
    "blank-fields",
    "colon-blank",
    "number-quoted",
    "rewrite:(?<=^.LSIPSEND:)1,=>001,00",
    "rewrite:(?<=^.LSIPRTCP=)(?=1,)=>0",
    "free-count:1024",
    "free-count:1460",
    "free-count:2048",
    "free-count:3000",
    "free-count:chars",
    "room-late:0.3",
    "room-late:2",
    "late-line:+LSIP:OK=0.3",
    "late-line:+LSIP:OK=2",
    "late-line:+LSIPCALL:1=4",
    "late-line:+LSIPOPEN==1",
    "reversed:+LSIPOPEN",
    "result-first:+LSIPOPEN",
    "result-first:+LSIPPUSH",
    "result-first:+LSIPCALL",
    "answer:+LSIPOPEN?=4",
    "answer:+LSIPOPEN?=+LSIPOPEN:|0",
    "answer:+LSIPOPEN?=+LSIPOPEN:2|+LSIPOPEN:3|0",
    "rewrite:^\\+LSIPOPEN==>+LSIPOPEN:",
    "rewrite:^\\+LSIP:OK=>^UNKNOWN",
    "echo-stuck",
    "verbose-stuck",
    "urc-between:+LSIPCLOSE:4,0,0,0",
    "line-before:+LSIPPUSH=^SIMST: 1",
)


@pytest.mark.parametrize("fault", LIVED_WITH)
def test_a_module_with_a_habit(flow, fault):
    with echo.Serving(echo.Tcp()) as tcp, echo.Serving(echo.Udp()) as udp:
        f = flow("tcp", {"tcp": tcp, "udp": udp}, Profile(faults=[fault]))
        f.run()
    assert f.said("tcp") == f.said("streams") == f.said("transparent") == ["True"], f.lines
    assert f.said("line") == ["b'a line\\n'"]
    assert f.said("datagram") == ["True"] * 3


# (fault, the error's name, seconds that it may take)
FAILURES = (
    ("answer:+LSIPPUSH=+LSIP:ERROR|0", "CommandError", 5),
    ("line-after:+LSIPPUSH=+LSIP:ERROR", "CommandError", 5),
    ("answer:+LSIPPUSH=4", "CommandError", 5),
    ("answer:+LSIPOPEN=+LSIP:ERROR|0", "Refused", 5),
    ("answer:+LSIPOPEN=+LSIPOPEN=1,0|4", "Refused", 5),
    ("answer:+LSIPOPEN=4", "CommandError", 5),
    ("answer:+LSIPOPEN=0", "Timeout", 80),
    ("answer:+LSIPCALL=0", "NotConnected", 40),
    ("answer:+LSIPCALL=+LSIPCALL:0|0", "NotConnected", 5),
    ("answer:+LSIPCALL=+LSIP:ERROR|0", "CommandError", 5),
    ("rewrite:^\\+LSIPSEND:1,8=>+LSIPSEND:1,8x", "BadAnswer", 5),
    ("rewrite:^\\+LSIPSEND:1,8=>+LSIPSEND:1,9", "PayloadError", 5),
    ("rewrite:^\\+LSIPRTCP=1,7=>+LSIPRTCP=1,o", "BadAnswer", 5),
    ("rewrite:^\\+LSIPRTCP=1,7=>+LSIPRTCP=1,", "PayloadError", 5),
    ("rewrite:^\\+LSIPRTCP=1,=>+LSIPRTCP=1", "BadAnswer", 5),
    ("rewrite:^\\+LSIPRTCP=1=>+LSIPRTCP=9", "BadAnswer", 5),
    ("payload-short:4", "PayloadError", 10),
    ("payload-long:4", "PayloadError", 10),
    ("urc-lost:+LSIPRTCP", "Timeout", 30),
    ("mute:+LSIPSEND", "Timeout", 30),
    ("mute:+LSIPPUSH", "Timeout", 90),
    ("urc-after:+LSIPPUSH=+LSIPCALL:0", "NotConnected", 5),
    ("urc-before:+LSIPPUSH=+LSIPCLOSE:1,1400,1x00,0", "BadAnswer", 30),
)


@pytest.mark.parametrize(("fault", "name", "within_s"), FAILURES)
def test_a_failure_is_an_error_in_its_time_and_no_more(flow, fault, name, within_s):
    with echo.Serving(echo.Tcp()) as tcp:
        f = flow("tcp_twice", {"tcp": tcp}, Profile(faults=[fault]))
        f.bench.run(until=lambda: bool(f.said("went")), limit_s=300)
        f.module.faults.clear()
        f.run()
    first, second = f.said("went")
    _, seconds, said = first.split(" ", 2)
    assert said.startswith(name), first
    assert int(seconds) <= within_s, first
    assert second.endswith("ok"), second
