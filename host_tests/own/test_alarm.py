"""A pin that wakes the node, on the virtual board: what it costs at the most, and what arrives."""

import json

import pytest

from host_tests.deploy.conftest import command
from tools.own import new
from tools.power import simulate


def lived(tmp_path, course: str, days: float = 0.1, **alarm: int) -> list[list[str]]:
    """The events of each record of a node whose contact does that."""
    folder = tmp_path / "n1"
    assert command(new, folder) == 0
    given = json.loads((folder / "config.json").read_text())
    given["pins"]["alarm"] = 33
    given |= {"sample": {"period_s": 3600}, "report": {"period_s": 3600}, "alarm": alarm}
    (folder / "config.json").write_text(json.dumps(given))
    (folder / "virtual" / "pin33.csv").write_text(course)
    trace = tmp_path / "trace"
    args = ("--days", days, "--node", folder, "--out", tmp_path / "out", "--trace", trace)
    assert command(simulate, *args) == 0
    packs = [
        json.loads(line.partition("console  sampled ")[2])
        for line in trace.read_text().splitlines()
        if "console  sampled " in line
    ]
    return [[field["vs"] for field in pack if field["n"] == "event"] for pack in packs]


def test_an_alarm_is_reported_at_once(tmp_path):
    events = lived(tmp_path, "0,0\n5000,3.3\n5030,0\n")
    assert events.count(["alarm pin"]) == 1
    trace = (tmp_path / "trace").read_text().splitlines()
    at = {
        word: next(int(line.split()[0]) for line in trace if word in line)
        for word in ("33 high", "woken by pins.alarm")
    }
    sent = [int(line.split()[0]) for line in trace if "console  delivered" in line]
    assert at["woken by pins.alarm"] - at["33 high"] < 2_000_000
    assert any(at["33 high"] < each < at["33 high"] + 30_000_000 for each in sent)


@pytest.mark.parametrize(
    ("course", "most"),
    [
        ("# repeats every 4\n0,0\n2,3.3\n", 5),  # chatters
        ("0,0\n3000,3.3\n", 1),  # stays closed
    ],
)
def test_a_contact_that_is_never_quiet_costs_what_is_allowed(tmp_path, course, most):
    events = lived(tmp_path, course, gap_s=60, max_per_day=5)
    assert 1 <= events.count(["alarm pin"]) <= most
    assert len(events) <= most + 4
