"""The firmware's JSON reader, on CPython and on real MicroPython, against CPython's json."""

import json
import subprocess
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.strict_json import loads
from host_tests.patience import LIMIT_S
from host_tests.test_on_micropython import ROOT, micropython

LEVELS = 16
SEEDS = (
    '{"id": "n", "mqtt": {"host": "h", "port": 1883}, "report": {"period_s": 900}}',
    '{"id":"a7","counter":17,"body":"{\\"do\\":\\"ping\\"}","mac":"00"}',
    '{"a":[1,-2.5e+3,true,false,null,"\\u00e4\\ud83d\\ude00 \xe4\u20ac"],"b":{"c":{}}}',
)
PUT_IN = "{}[]:,\"\\ \t\n019-+.eEau/'tnN\x00\x1f\x7f\xe4"
# One text a line, in hexadecimal digits; answers with what it is, or with a "-" for an error.
ON_MICROPYTHON = """\
import sys
sys.path[:] = ["."]
from binascii import unhexlify
from firmware.strict_json import loads
def shown(value):
    if isinstance(value, dict):
        return "{%s}" % ",".join(["%s:%s" % (shown(k), shown(value[k])) for k in sorted(value)])
    if isinstance(value, list):
        return "[%s]" % ",".join([shown(each) for each in value])
    if isinstance(value, str):
        return "s" + value.encode().hex()
    return "%.6g" % value if isinstance(value, float) else repr(value)
for line in sys.stdin:
    try:
        print(shown(loads(unhexlify(line.strip()))))
    except ValueError:
        print("-")
"""


class Refused(ValueError):
    """CPython's json would take it."""


def by_the_letter(text: bytes) -> Any:
    """CPython's json, without what it takes besides RFC 8259."""

    def once(pairs: list) -> dict:
        if len(dict(pairs)) < len(pairs):
            raise Refused("a name twice")
        return dict(pairs)

    def no_constant(name: str) -> None:
        raise Refused(name)

    value = json.loads(text.decode(), object_pairs_hook=once, parse_constant=no_constant)
    json.dumps(value, ensure_ascii=False).encode()  # raises for half a surrogate pair
    if depth(value) > LEVELS:
        raise Refused("too deep")
    return value


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def outcome(reader, text: bytes) -> Any:
    try:
        return True, repr(reader(text))
    except (ValueError, RecursionError):
        return False, ""


def mutated() -> list[bytes]:
    """Each seed with each character left out, doubled, or replaced or preceded by another."""
    texts = []
    for seed in SEEDS:
        texts.append(seed)
        for at in range(len(seed)):
            texts += [seed[:at] + seed[at + 1 :], seed[:at] + seed[at] + seed[at:], seed[:at]]
            for c in PUT_IN:
                texts += [seed[:at] + c + seed[at:], seed[:at] + c + seed[at + 1 :]]
    found = [text.encode() for text in dict.fromkeys(texts)]
    raw = SEEDS[2].encode()
    for at in range(len(raw)):  # and each bit of what is not ASCII
        found += [raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :] for bit in range(8)]
    return found


def test_each_change_of_a_text_is_judged_as_by_cpython():
    wrong = right = 0
    for text in mutated():
        expected = outcome(by_the_letter, text)
        assert outcome(loads, text) == expected, text
        right += expected[0]
        wrong += not expected[0]
    print(f"{right} right, {wrong} wrong")
    assert right > 4000
    assert wrong > 8000


def test_micropython_reads_and_refuses_the_same():
    texts = mutated()[::3]
    done = subprocess.run(
        [micropython(), "-X", "heapsize=16M", "-c", ON_MICROPYTHON],
        input="\n".join(text.hex() for text in texts),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(texts)
    for text, answer in zip(texts, answers, strict=True):
        try:
            expected = shown(by_the_letter(text))
        except ValueError:
            expected = "-"
        assert answer == expected, text


def shown(value: Any) -> str:
    """As ON_MICROPYTHON has it."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{shown(k)}:{shown(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(shown, value)) + "]"
    if isinstance(value, str):
        return "s" + value.encode().hex()
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(
        st.characters(exclude_categories=["Cs"])), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
@settings(max_examples=300)
def test_whatever_is_written_is_read(value, escaped, indent):
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    if depth(value) <= LEVELS:
        assert loads(text) == value
        assert loads(text.encode()) == value


@given(st.binary(max_size=60) | st.text("{}[]:,\"\\ \n019-+.eEtrufalsn'/", max_size=40))
@settings(max_examples=1000)
def test_whatever_comes_is_judged_as_by_cpython(text):
    text = text.encode() if isinstance(text, str) else text
    assert outcome(loads, text) == outcome(by_the_letter, text), text
