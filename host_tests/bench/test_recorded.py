"""Figures that are the same in every run do not get worse: sizes, heap, commands of a wake."""

import json
import os

import pytest

from host_tests.test_figures import bench
from tools import installed
from tools.bench import cli, recorded
from tools.bench.figures import Figures, NotMeasured


def measured(measure) -> Figures:
    """What a measure finds; a peer that is missing is one for the test, too."""
    try:
        return measure()
    except NotMeasured as reason:
        if isinstance(reason.__cause__, installed.PeerMissing):
            raise reason.__cause__ from reason
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))


@pytest.mark.parametrize("measure", recorded.MEASURES, ids=lambda measure: measure.__name__)
def test_nothing_is_worse_than_recorded(measure) -> None:
    found = measured(measure)
    print(found)
    assert not recorded.worse(found), "\n".join(recorded.worse(found))


def test_what_is_recorded_is_measured_and_part_of_the_bench() -> None:
    assert set(recorded.MEASURES) <= set(cli.MEASURES)


def test_worse_by_more_than_a_little_is_told_with_the_remedy(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(recorded, "FILE", tmp_path / "recorded.json")
    recorded.record({"a": (100, "B"), "b": (10, "1"), "c": (0, "B")})
    recorded.record({"b": (20, "1")})
    assert json.loads(recorded.FILE.read_text()) == {"a": 100, "b": 20, "c": 0}
    assert recorded.worse({"a": (103, "B"), "b": (1, "1"), "c": (0, "B")}) == []
    told = recorded.worse({"a": (104, "B"), "c": (1, "B"), "new": (5, "ms")})
    assert [line.split(" ")[0] for line in told] == ["a", "c", "new"]
    assert "104 B, 4.0 % more than the 100 that are recorded" in told[0]
    assert all("python -m tools bench --record" in line for line in told)


def test_what_others_take_is_recorded_and_held_by_nobody(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(recorded, "FILE", tmp_path / "recorded.json")
    recorded.record({"rx.floor": (194, "1"), "rx": (194, "1")})
    assert recorded.worse({"rx.floor": (207, "1")}) == []
    assert len(recorded.worse({"rx": (207, "1"), "rx.usual": (1, "1")})) == 2


def test_one_command_records(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(recorded, "FILE", tmp_path / "recorded.json")
    monkeypatch.setattr(recorded, "MEASURES", (lambda: {"rx.x": (7, "1")},))
    assert bench("--record") == 0
    assert recorded.load() == {"rx.x": 7}
    assert "rx.x" in capsys.readouterr().out
