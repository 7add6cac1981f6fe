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
