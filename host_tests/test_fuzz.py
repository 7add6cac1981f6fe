"""A short slice of fuzzing, the same in every run; `make fuzz` goes on as long as one likes."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tests.fuzz.__main__ import CORPUS, fuzz
from host_tests.fuzz.hostile import FLOWS
from host_tests.fuzz.targets import TARGETS

EXAMPLES = {True: 40, False: 300}  # of a flow with the module, which takes longer, or of others
RUNS = 2000
# Pieces of which the wire and the files are made.
WORDS = st.sampled_from(
    [
        b"+CSQ: ",
        b"+CEREG: ",
        b"+LSIPRTCP=1,",
        b'+MQTTMSG:"a/b",',
        b"OK",
        b"0\r",
        b"\r\n",
        b",",
        b'"',
        b"1",
        b"00",
        b"255",
        b"nan",
        b"$GPGGA,",
        b"A,3114.19,N,12128.42,E",
        b"{",
        b"}",
        b":",
        b"[",
        b"]",
        b'"id":',
        b"null",
        b"1e9",
        b"\xff",
        b"\x00",
        b"24/01/31,23:59:60+32",
        b"+CME ERROR: ",
    ]
)
INPUTS = st.binary(max_size=200) | st.lists(WORDS, max_size=40).map(b"".join)


@pytest.mark.parametrize("name", TARGETS)
def test_a_slice(name):
    @settings(
        max_examples=EXAMPLES[name in FLOWS], derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(INPUTS)
    def anything(data: bytes) -> None:
        TARGETS[name](data)

    anything()


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_reached_and_found_before(name):
    kept = sorted((CORPUS / name).iterdir())
    assert kept, "no corpus"
    for path in kept:
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", ["grammar", "mqtt"])
def test_the_fuzzer_itself(name):
    outcome = fuzz(name, 20, seed=1, runs=RUNS // 10 if name in FLOWS else RUNS)
    assert outcome.findings == []
    assert outcome.edges > 100
    assert outcome.runs >= RUNS // 10


def test_what_is_found_is_told(monkeypatch, tmp_path):
    """A target that cannot bear one byte: found, kept, and said how to see it again."""
    from host_tests.fuzz import __main__ as tool

    monkeypatch.setattr(tool, "FOUND", tmp_path)
    real = tool._child

    def child(name, options, limit_s):
        Path(tmp_path, name, "crash-1").write_bytes(b"x")
        return real("codecs", ["-runs=10"], limit_s)

    monkeypatch.setattr(tool, "_child", child)
    outcome = tool.fuzz("codecs", 5, 1)
    assert [path.name for path in outcome.findings][:1] == ["crash-1"]
    assert (tmp_path / "codecs" / "crash-1.txt").exists()
