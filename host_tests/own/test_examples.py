"""The nodes in docs/examples do what their README says, in software."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from host_tests import deployed
from host_tests.deploy.conftest import command
from tools import demo
from tools.own import new
from tools.own.folder import Folder
from tools.power import simulate

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
NODES = sorted(path.parent.name for path in EXAMPLES.glob("*/config.json"))


@pytest.fixture
def demonstrated(tmp_path, monkeypatch):
    """demonstrated(folder) -> the trace of `demo --node` for one report. What takes its time there
    is left out, and tested elsewhere: mpremote, and the picture.
    """
    on_board, trace = tmp_path / "kept" / "flash", tmp_path / "trace"

    def deploy(bench, staging, tick, whole):
        assert whole
        deployed.put(on_board)
        shutil.copytree(staging, on_board, dirs_exist_ok=True)

    monkeypatch.setattr(demo.flash, "deploy", deploy)
    monkeypatch.setattr(demo.flash, "reset", lambda bench, cwd: bench.press_reset())
    monkeypatch.setattr(demo, "_picture", lambda *args: None)

    def run(folder: Path) -> str:
        args = ("--reports", 1, "--trace", trace, "--keep", tmp_path / "kept")
        assert command(demo, "--node", folder, *args) == 0
        return trace.read_text()

    return run


@pytest.mark.parametrize("name", NODES)
def test_each_has_what_new_makes_and_runs_in_the_demo(name, demonstrated):
    folder = EXAMPLES / name
    assert (folder / ".gitignore").read_text() == new.IGNORED
    readme = (folder / "README.md").read_text()
    assert readme.startswith(f"# {name}\n")
    assert f"python -m tools simulate --node docs/examples/{name}" in readme
    node = Folder.at(folder)
    assert node.whole["id"] == name
    assert node.secrets == {}
    assert "console  delivered 1 record" in demonstrated(folder)


PROGRAMS = {
    "driver-http": ["post 200 ", "get 200 /readings?last=1"],
    "driver-tcp": ["heard 3300 b'level 1.25'"],
    "driver-gnss": ["at 312"] * 6,  # three in each of two wakes
}


def test_the_programs_are_all_there_are():
    assert set(PROGRAMS) == {path.parent.name for path in EXAMPLES.glob("*/main.py")}


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_each_program_with_the_driver_alone_runs_in_the_demo(name, tmp_path, capsys):
    folder, trace = EXAMPLES / name, tmp_path / "trace"
    assert (folder / ".gitignore").read_text() == new.IGNORED
    readme = (folder / "README.md").read_text()
    assert readme.startswith(f"# {name}\n")
    assert f"python -m tools demo --node docs/examples/{name}" in readme
    assert command(demo, "--node", folder, "--reports", 2, "--trace", trace) == 0
    said = [line.partition("  prints  ")[2] for line in capsys.readouterr().out.splitlines()]
    found = [line for line in said if line]
    assert len(found) == len(PROGRAMS[name])
    for line, wanted in zip(found, PROGRAMS[name], strict=True):
        assert line.startswith(wanted)
    assert "goes off" in trace.read_text() or "QCPWRDN" in trace.read_text()


def test_a_program_that_fails_is_told(tmp_path, capsys):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "main.py").write_text("import nothing\n")
    assert command(demo, "--node", tmp_path / "p", "--trace", tmp_path / "trace") == 1
    assert "FAILED: ImportError: no module named 'nothing'" in capsys.readouterr().out
    assert command(simulate, "--node", tmp_path / "p", "--out", tmp_path / "out") == 1
    assert "is no node but a program" in capsys.readouterr().err


class Lived:
    """(virtual seconds, name -> value) of its records; the seconds in which reports began."""

    def __init__(self, name: str, tmp_path: Path, hours: float, *more: object) -> None:
        trace = tmp_path / "trace"
        args = ("--days", hours / 24, "--node", EXAMPLES / name, "--out", tmp_path / "out")
        assert command(simulate, *args, "--trace", trace, *more) == 0
        self.records: list[tuple[float, dict[str, Any]]] = []
        self.reports: list[float] = []
        for line in trace.read_text().splitlines():
            at, _, said = line.strip().partition(" console  ")
            if said.startswith("sampled "):
                pack = json.loads(said.removeprefix("sampled "))
                values = {f["n"]: f.get("v", f.get("vs", f.get("vb"))) for f in pack}
                self.records.append((int(at) / 1e6, values))
            elif said.startswith("delivered "):
                self.reports.append(int(at) / 1e6)

    @property
    def events(self) -> list[tuple[float, str]]:
        return [(at, record["event"]) for at, record in self.records if "event" in record]

    def is_told_at_once(self, at_s: float) -> bool:
        """Whether what was sampled then was in a report within two minutes."""
        return any(at_s < report < at_s + 120 for report in self.reports)


def test_soil_moisture(tmp_path):
    node = Lived("soil-moisture", tmp_path, 8.4)
    (dry, told), (wet, over) = node.events
    assert told == "rule dry: moisture 0.13 below 0.2"
    assert over == "rule dry: moisture 0.75 is over"
    assert 9000 + 1800 <= dry <= 9000 + 1800 + 900  # the first sample that it has held for so long
    assert 27000 <= wet <= 27000 + 900
    assert node.is_told_at_once(dry)
    assert not node.is_told_at_once(wet)
    assert all(0 <= record["moisture"] <= 1 for _, record in node.records)


def test_cold_chain(tmp_path):
    node = Lived("cold-chain", tmp_path, 3.05)
    (warm, told), (back, over) = node.events
    assert told == "rule warm: cargo 12.0 above 8"
    assert over == "rule warm: cargo 5.0 is over"
    assert 5400 + 600 <= warm <= 5400 + 600 + 120
    assert 8400 <= back <= 8400 + 120
    assert node.is_told_at_once(warm)
    folded = [record for _, record in node.records if "cargo.mean" in record]
    assert [record["cargo.max"] for record in folded] == [4.0, 10.0, 12.0]
    assert [record["cargo.min"] for record in folded] == [4.0, 4.0, 4.0]
    assert folded[1]["cargo.mean"] == pytest.approx(4 + 6 * 300 / 3600, abs=0.11)
    since_s = 10800 - 3600
    mean = 4 * 1800 + 12 * 3000 + 5 * 2400
    assert folded[2]["cargo.mean"] == pytest.approx(mean / since_s, abs=0.15)


def test_what_holds_from_the_start_on_is_no_alarm_before_its_time(tmp_path):
    folder = tmp_path / "node"
    shutil.copytree(EXAMPLES / "cold-chain", folder)
    (folder / "virtual" / "pin32.csv").write_text("0,0.7\n")  # 20 degrees; the clock is set then
    node = Lived(str(folder), tmp_path, 0.35)
    ((at, told),) = node.events
    assert told == "rule warm: cargo 20.0 above 8"
    assert 600 <= at <= 600 + 90


def test_pulse_meter(tmp_path):
    node = Lived("pulse-meter", tmp_path, 4.2)
    sensor = EXAMPLES / "pulse-meter" / "sensors" / "water.py"
    assert sensor.read_bytes() == new.ready()["pulse"].read_bytes()
    assert [record["water"] for _, record in node.records] == [0, 0.05, 0.11, 0.66, 1.26]
    assert [record["water_sum"] for _, record in node.records] == [0, 0.05, 0.06, 0.55, 0.6]
    ((leak, told),) = node.events
    assert told == "rule leak: water_sum 0.6 above 0.5"
    assert node.is_told_at_once(leak)


def test_tank_level(tmp_path):
    node = Lived("tank-level", tmp_path, 5.5)
    levels = [record["level"] for _, record in node.records]
    assert levels[-4:] == [2.0, 2.75, 2.75, 1.75][: len(levels)] or levels[-3:] == [
        2.0,
        2.75,
        2.75,
    ]
    full, told = node.events[0]
    assert told == "rule full: level 2.75 above 2.7"
    assert 18000 + 600 <= full <= 18000 + 1300
    assert node.is_told_at_once(full)
    assert len(node.records) <= 6  # of 33 samples


def test_tank_level_waits_for_a_better_signal(tmp_path):
    profile = tmp_path / "poor.toml"
    profile.write_text("cell = { rssi = 2 }\n")
    good, poor = (
        Lived("tank-level", tmp_path, 14, *more) for more in ((), ("--profile", profile))
    )
    assert poor.is_told_at_once(poor.events[0][0])
    assert poor.reports[-1] > good.reports[-1] + 3600 or len(poor.reports) < len(good.reports)


def test_tracker(tmp_path):
    module = EXAMPLES / "tracker" / "virtual" / "module.toml"
    node = Lived("tracker", tmp_path, 1.3, "--profile", module)
    told = [text for _, text in node.events]
    assert told[:3] == ["fence yard: outside", "fence yard: inside", "fence yard: outside"]
    assert all(node.is_told_at_once(at) for at, _ in node.events)
    still = Lived("tracker", tmp_path, 6)
    fixes = [at for at, record in still.records if "lat" in record]
    assert still.events == []
    assert len(fixes) == 3, fixes  # the second one shows that it stands still
    assert fixes[2] - fixes[1] >= 14400
