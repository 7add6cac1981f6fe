"""A short slice of fuzzing, the same in every run; `make fuzz` goes on as long as one likes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tests.fuzz import __main__ as tool
from host_tests.fuzz.__main__ import CORPUS, fuzz
from host_tests.fuzz.hostile import FLOWS
from host_tests.fuzz.seeds import SEEDS
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
    folder = CORPUS / name
    kept = sorted(folder.iterdir()) if folder.is_dir() else []
    for data in SEEDS.get(name, []):
        TARGETS[name](data)
    assert kept or name in SEEDS or name in FLOWS
    for path in kept:
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", ["grammar", "mqtt"])
def test_the_fuzzer_itself(name):
    outcome = fuzz(name, 600, seed=1, runs=RUNS // 20 if name in FLOWS else RUNS)
    assert outcome.findings == []
    assert outcome.edges > 100
    assert outcome.runs >= RUNS // 20


def test_what_is_found_is_told(monkeypatch, tmp_path):
    """What libFuzzer leaves is counted and kept, with what was said; what was slow is not."""
    monkeypatch.setattr(tool, "FOUND", tmp_path)
    said = iter(["number_of_executed_units: 7", "cov: 3"])

    def child(name, options, limit_s):
        if not (tmp_path / name / "crash-1").exists():
            (tmp_path / name / "crash-1").write_bytes(b"x")
            (tmp_path / name / "slow-unit-1").write_bytes(b"y")
        return next(said)

    monkeypatch.setattr(tool, "_child", child)
    outcome = tool.fuzz("codecs", 5, 1)
    assert outcome == (7, 3, [tmp_path / "codecs" / "crash-1"])
    assert (tmp_path / "codecs" / "crash-1.txt").read_text() == "number_of_executed_units: 7"
