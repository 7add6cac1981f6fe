"""Positions keep 1e-7 degrees from the receiver to the payload, whatever floats the board has.

No MicroPython with floats of 32 bits is to be had here (the WebAssembly port has 64). So it is
proved that no float is touched on the way, and the arithmetic is compared with exact fractions.
"""

import ast
import inspect
import json
import textwrap
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1100 import nmea
from firmware import telemetry
from firmware.sensors import position

EXACT = (
    nmea.sentence, nmea.combine, nmea.scaled, nmea._is_number, nmea._degrees, nmea._clock,
    nmea._moment, nmea.Fix.__init__, telemetry.number, telemetry._decimal, position.read,
)  # fmt: skip
# What these functions may call by name: text, whole numbers, and each other.
CALLS = {
    "abs", "all", "int", "isinstance", "len", "ord", "str", "tuple",
    "Fix", "Fixed", "_clock", "_decimal", "_degrees", "_is_number", "_moment", "scaled",
}  # fmt: skip


def float_operations(source: str) -> list[str]:
    """What in Python source may make a float: true division, powers, literals, calls."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div | ast.Pow):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append(f"line {node.lineno}: {node.value}")
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id not in CALLS
        ):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("function", EXACT, ids=lambda function: function.__qualname__)
def test_no_float_on_the_way(function):
    assert float_operations(textwrap.dedent(inspect.getsource(function))) == []


def test_the_proof_sees_floats():
    for source in ("a / b", "a **= 2", "x = 1.5", "float(a)", "round(a)", "a /= 2"):
        assert float_operations(source), source


@given(st.integers(0, 89), st.integers(0, 59), st.integers(0, 9_999_999), st.integers(1, 7))
def test_degrees_are_the_nearest(degrees, minutes, part, places):
    text = f"{degrees:02}{minutes:02}.{part // 10 ** (7 - places):0{places}}"
    exact = degrees + Fraction(text[2:]) / 60
    got = nmea._degrees(text, 2, 90, "N", "NS")
    assert abs(got - exact * 10**7) <= Fraction(1, 2)


@given(st.integers(-1_800_000_000, 1_800_000_000))
def test_records_keep_every_digit(whole):
    payload = telemetry.senml("n", [("lon", "lon", telemetry.Fixed(whole, 7))])
    [record] = json.loads(payload, parse_float=Fraction, parse_int=Fraction)
    assert record["v"] == Fraction(whole, 10**7)
