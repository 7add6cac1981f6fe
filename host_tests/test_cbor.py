"""SenML CBOR of the firmware against cbor2, which shares no code with it, and the tools'."""

import base64
import json
import math

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import host_tests.shim  # noqa: F401
from firmware import cbor, cbor_text, telemetry
from firmware.telemetry import Fixed
from tools.demo.subscriber import records
from tools.monitor import cbor as reader
from tools.monitor import senml

# RFC 8428 table 4, and the registry of labels.
LABELS = {"bn": -2, "bt": -3, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "vd": 8}
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-3e38, max_value=3e38),
    st.builds(Fixed, st.integers(-(10**12), 10**12), st.integers(0, 9)),
)
SAMPLES = st.one_of(
    st.tuples(NAMES, st.sampled_from((None, "V", "Cel", "%RH")), NUMBERS),
    st.tuples(NAMES, st.none(), st.one_of(st.booleans(), NAMES, st.binary(max_size=300))),
)


def expected(text):
    """What JSON says, by label; data as bytes."""
    found = []
    for record in json.loads(text):
        fields = {LABELS[name]: value for name, value in record.items()}
        if "vd" in record:
            fields[8] = base64.urlsafe_b64decode(record["vd"] + "==")
        found.append(fields)
    return found


@settings(max_examples=150)
@given(st.lists(SAMPLES, min_size=1, max_size=30), st.none() | st.integers(1, 2**33))
def test_an_independent_reader_finds_what_json_says(samples, at):
    text = telemetry.senml("n1", samples, at).encode()
    made = cbor.encoded(text)
    found = cbor2.loads(made)
    assert [{k: float(v) if hasattr(v, "as_tuple") else v for k, v in record.items()}
            for record in found] == expected(text)  # fmt: skip
    assert cbor2.loads(cbor2.dumps(found)) == found
    assert json.loads(cbor_text.decoded(made)) == json.loads(text)
    assert senml.resolve(made, 2e9) == senml.resolve(text, 2e9)
    assert senml.resolve(records(made)[0], 2e9) == senml.resolve(text, 2e9)


@pytest.mark.parametrize(
    ("value", "hexadecimal"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (-1, "20"),
        (-256, "38ff"),
        (2**64, "c249010000000000000000"),
        (3.61, "c48221190169"),
        (-21.4, "c4822038d5"),
        (1e22, "c4821601"),
        (True, "f5"),
        ("ü", "62c3bc"),
        (b"\x01", "4101"),
    ],
)
def test_bytes_by_hand(value, hexadecimal):
    label = {bool: "04", str: "03", bytes: "08"}.get(type(value), "02")
    made = cbor.encoded(telemetry.senml("n", [("x", None, value)]).encode())
    assert made.hex() == "81a321626e3a006178" + label + hexadecimal


def test_what_others_write_is_read_too():
    """All labels, floats of each size, text labels, later ones."""
    pack = [{-1: 10, -2: "d:", -3: 1.2e9, -4: "A", -5: 20.0, 0: "x", 2: 1.5, 6: -5},
            {0: "y", 4: False, "z_": 1, 77: None}, {0: "s", 5: 1e9, 7: 60}]  # fmt: skip
    found = [(v.name, v.value, v.unit, v.at) for v in senml.resolve(cbor2.dumps(pack), 2e9)]
    assert found == [("d:x", 21.5, "A", 1.2e9 - 5), ("d:y", False, "A", 1.2e9),
                     ("d:s (sum)", 1e9, "A·s", 1.2e9)]  # fmt: skip
    for value in (1.5, 1e300, -0.0, 2**70):
        for canonical in (True, False):
            text = cbor2.dumps([{0: "x", 2: value}], canonical=canonical)
            assert senml.resolve(text, 2e9)[0].value == value


HOSTILE = [
    b"\x80" * 2000, b"\x9f", b"\x81", b"\x81\xa1\x00", b"\x9b" + b"\xff" * 8, b"\x81\x01",
    b"\x81\xa0\x00",
    b"\x9f" * 5000, b"\x81\xa1\x00\xc0\x61x", b"\x81\xa1\x02\xc4\x82\x1b" + b"\xff" * 8 + b"\x01",
    b"\x81\xa1\x02\xc4\x01", b"\x81\xa1\x00\x62\xff\xfe", b"\x81\xa1\x02\xf6", b"\x81\xa1\xa0\x01",
    b"\x81\xa1\x02\x80", b"\x81\xd8\x1d\x00", b"\x81\xa1\x02\xc5\x82\x1b" + b"\x7f" * 8 + b"\x01",
    cbor2.dumps([{0: "x", 2: math.nan, 4: True}]), cbor2.dumps({0: "x"}) ,
]  # fmt: skip


@pytest.mark.parametrize("payload", HOSTILE)
def test_damage_is_told_and_nothing_else(payload):
    try:
        found = senml.resolve(payload, 2e9)
    except ValueError as error:
        assert str(error)
    else:
        assert isinstance(found, list)
    records(payload)


@settings(max_examples=300)
@given(st.binary(min_size=1, max_size=60).map(lambda data: bytes((0x80 | data[0] & 31,)) + data))
def test_any_bytes(payload):
    try:
        reader.pack(payload)
    except ValueError:
        pass
