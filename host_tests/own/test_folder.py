"""The way of a newcomer: a folder, a line of a sensor, a life in software, a board."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.deploy.conftest import command
from tools import demo
from tools.deploy import DeployError, deploy, image
from tools.deploy.boards import BOARDS
from tools.own import new
from tools.own.folder import Folder
from tools.power import simulate
from tools.provision import cli as provision

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def made(tmp_path):
    """made("sensor", ...) -> a new folder of a node called n1"""

    def make(*sensors: str) -> Path:
        folder = tmp_path / "n1"
        options = [option for sensor in sensors for option in ("--sensor", sensor)]
        assert command(new, folder, *options) == 0
        return folder

    return make


def lived(folder: Path, tmp_path: Path, days: float = 0.05) -> list[dict[str, object]]:
    """Its records in software: name -> value."""
    trace = tmp_path / "trace"
    args = ("--days", days, "--node", folder, "--out", tmp_path / "out", "--trace", trace)
    assert command(simulate, *args) == 0
    records = []
    for line in trace.read_text().splitlines():
        _, found, pack = line.partition("console  sampled ")
        if found:
            records.append(
                {f["n"]: f.get("v", f.get("vs", f.get("vb"))) for f in json.loads(pack)}
            )
    return records


def test_a_newcomers_path(made, tmp_path, boards, capsys):
    folder = made()
    sensor = folder / "sensors" / "example.py"
    sensor.write_text(sensor.read_text().replace('"moisture"', '"wetness"'))
    records = lived(folder, tmp_path)
    assert len(records) >= 4
    assert [record["wetness"] for record in records if "wetness" in record][:2] == [0.75, 0.75]
    assert sum("restarts_power" in record for record in records) == 1  # its health, once a day
    assert "records delivered" in capsys.readouterr().out
    board = boards()
    args = ("--node", folder, "--port", board.tty, "--no-reset")
    assert command(deploy, *args) == 0
    out = capsys.readouterr().out
    assert "node n1: driver 0.1.0, firmware 0.1.0" in out
    assert {"config.json", "secrets.json", "sensors/example.mpy"} <= board.files()
    # Another file, and one that is gone: what is on the board is what is in the folder.
    sensor.rename(sensor.with_name("soil.py"))
    assert command(deploy, *args) == 0
    found = board.files()
    assert "sensors/soil.mpy" in found
    assert "sensors/example.mpy" not in found


def test_the_demo_lives_with_the_folder(made, tmp_path, capsys):
    folder = made()
    kept = json.loads((folder / "config.json").read_text())
    kept |= {"sample": {"period_s": 300, "record": "report"}, "uplink": {"first": "http"},
             "http": {"url": "http://server.example/x"}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(kept))
    trace = tmp_path / "trace"
    assert command(demo, "--node", folder, "--reports", 2, "--trace", trace) == 0
    out = capsys.readouterr().out
    assert "http: a server of our own stands in for server.example:80" in out
    assert "Every record arrived" in out
    assert '"n":"moisture"' in trace.read_text()
    assert command(demo, "--node", folder, "--uplink", "tcp") == 2
    (folder / "virtual" / "pin32.csv").write_text("0;1\n")
    assert command(demo, "--node", folder, "--trace", trace) == 1
    assert "pin32.csv, line 1" in capsys.readouterr().out


def test_what_the_demo_tells_is_of_one_moment(made, tmp_path, capsys):
    """A node made by `new` reports its health, too: two records in its first wake."""
    trace = tmp_path / "trace"
    assert command(demo, "--node", made(), "--reports", 2, "--trace", trace) == 0
    out = capsys.readouterr().out
    told = dict(re.findall(r"│ (records \w+|wakes) +│ (\d+)", out))
    assert told == {"wakes": "2", "records sampled": "3", "records arrived": "3"}
    assert trace.read_text().count(" console  sampled ") == 3


def test_a_folder_that_cannot_be_used_leaves_the_last_trace(made, tmp_path, capsys):
    trace = tmp_path / "trace"
    trace.write_text("of an earlier demo")
    assert command(demo, "--node", tmp_path / "nowhere", "--trace", trace) == 1
    folder = made()
    kept = json.loads((folder / "config.json").read_text())
    kept["sample"] = {"perod_s": 900}
    (folder / "config.json").write_text(json.dumps(kept))
    assert command(demo, "--node", folder, "--trace", trace) == 1
    assert trace.read_text() == "of an earlier demo"
    out = capsys.readouterr().out
    assert "there is no setting sample.perod_s: did you mean sample.period_s?" in out
    assert "Everything that happened" not in out


def test_the_command_line_says_the_next_step(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools", "new", tmp_path / "field-17"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"python -m tools demo --node {tmp_path / 'field-17'}" in done.stdout
    assert json.loads((tmp_path / "field-17" / "config.json").read_text())["id"] == "field-17"
    assert "secrets.json" in (tmp_path / "field-17" / ".gitignore").read_text()


@pytest.mark.parametrize("sensor", list(new.ready()))
def test_each_ready_sensor_lives_with_what_is_in_virtual_and_without(made, tmp_path, sensor):
    folder = made(sensor)
    records = lived(folder, tmp_path)
    usual = {"seq", "reset", "version", "start", "wake", "signal", "clock_step", "event"}
    assert set(records[1]) - usual, records[1]
    assert "event" not in records[1]
    shutil.rmtree(folder / "virtual")
    records = lived(folder, tmp_path)
    if sensor in ("bme280", "ds18x20"):  # a pin always has some level
        assert records[0]["event"] == f"sensor {sensor} failed: OSError 19"
    assert len(records) >= 4


def test_what_a_bme280_gives_is_boschs_worked_example(made, tmp_path):
    record = lived(made("bme280"), tmp_path, 0.02)[0]
    assert record["temperature"] == 25.08
    assert record["pressure"] == 100653


@pytest.mark.parametrize(
    ("name", "words"),
    [("a b", "no name"), ("n#1", "no name"), ("x" * 40, "no name")],
)
def test_a_name_that_no_node_can_have_is_refused(tmp_path, capsys, name, words):
    target = tmp_path / name
    assert command(new, target) == 1
    assert words in capsys.readouterr().err
    assert not target.exists()


def test_a_folder_with_something_in_it_is_left_alone(made, capsys):
    folder = made()
    before = (folder / "config.json").read_bytes()
    assert command(new, folder) == 1
    assert "not empty" in capsys.readouterr().err
    assert (folder / "config.json").read_bytes() == before


WRONG = {
    "def read(node:\n": "line 1",
    "x = 1\n": "no function read(node)",
    "SETTINGS = make()\ndef read(node): return []\n": "SETTINGS must be written out",
    "SETTINGS = {1: (1, int, 0, 2)}\ndef read(node): return []\n": "SETTINGS must be written out",
    "SETTINGS = {'a': 1}\ndef read(node): return []\n": "SETTINGS must be written out",
    "SETTINGS = {'a': (1, len, 0, 2)}\ndef read(n): return []\n": "SETTINGS must be written out",
}


@pytest.mark.parametrize("text", list(WRONG))
def test_a_sensor_that_cannot_be_one_is_named_before_anything_is_done(
    made, tmp_path, capsys, text
):
    folder = made()
    (folder / "sensors" / "bad.py").write_text(text)
    for module, args in (
        (simulate, ("--days", 0.01, "--out", tmp_path / "out")),
        (deploy, ("--port", tmp_path / "nobody")),
        (image, ("--board", "esp32-4m", "--out", tmp_path / "image")),
        (provision, ("--no-input", "--set", "apn=internet")),
    ):
        assert command(module, "--node", folder, *args) == 1
        said = "".join(capsys.readouterr())
        assert WRONG[text] in said, module
        assert "bad.py" in said, module


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sensors.example.dry_v", "9", "sensors.example.dry_v: 9 is not allowed"),
        ("sensors.example.gain", "1", "there is no setting sensors.example.gain"),
        ("sensors.soil.dry_v", "1", "no file sensors/soil.py"),
        ("rules.wet.above", "1", "rules.wet.of is missing"),
        ("fences.f.circle", "[1, 2]", "fences.f.circle"),
    ],
)
def test_what_a_setting_of_its_own_may_be_is_checked_on_the_host(made, capsys, key, value, words):
    folder = made()
    before = (folder / "config.json").read_bytes()
    assert command(provision, "--node", folder, "--no-input", "--set", f"{key}={value}") == 1
    assert words in capsys.readouterr().err
    assert (folder / "config.json").read_bytes() == before


def test_settings_of_its_own_are_kept(made):
    folder = made()
    sets = ("sensors.example.dry_v=2.5", "rules.wet.of=moisture", "rules.wet.above=0.9")
    options = [option for each in sets for option in ("--set", each)]
    for _ in range(2):
        assert command(provision, "--node", folder, "--no-input", *options) == 0
        kept = json.loads((folder / "config.json").read_text())
        assert kept["sensors"] == {"example": {"dry_v": 2.5}}
        assert kept["rules"] == {"wet": {"of": "moisture", "above": 0.9}}
        options = []


def test_an_image_holds_the_folder(made, tmp_path, capsys):
    folder = made("bme280")
    out = tmp_path / "image.bin"
    assert command(image, "--board", "esp32-4m", "--node", folder, "--out", out) == 0
    assert out.stat().st_size == BOARDS["esp32-4m"].size
    assert b"sensors.bme280" in out.read_bytes()  # compiled: what a traceback calls it
    args = ("--board", "esp32-4m", "--node", folder, "--config", folder / "config.json")
    assert command(image, *args) == 1
    assert "--node has its own config.json" in capsys.readouterr().err


def test_what_is_compiled_already_goes_as_it_is_and_a_users_names_stay(made, tmp_path):
    folder = made()
    (folder / "lib").mkdir()
    (folder / "lib" / "done.mpy").write_bytes(b"M\x06\x00\x1f\xff")
    text = "class Own:\n    def __init__(self):\n        self._of_a_class_elsewhere = 1\n"
    (folder / "lib" / "other.py").write_text(text)
    flash = BOARDS["esp32-4m"]
    found = image.contents(flash, source=False, node=Folder.at(folder))
    assert found["lib/done.mpy"] == b"M\x06\x00\x1f\xff"
    assert b"_of_a_class_elsewhere" in found["lib/other.mpy"]


def test_the_folders_wiring_counts_and_not_the_boards_which_it_replaces(made, boards, capsys):
    folder = made()
    board = boards()
    (board.flash / "config.json").write_text("{ no JSON")
    args = ("--node", folder, "--port", board.tty, "--no-reset")
    assert command(deploy, *args) == 0
    assert "JSON" not in capsys.readouterr().out
    assert (board.flash / "config.json").read_bytes() == (folder / "config.json").read_bytes()


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(DeployError, match="no node's folder"):
        Folder.at(tmp_path)


def test_a_package_that_is_not_there_yet_is_asked_for(made, capsys):
    folder = made()
    (folder / "sensors.txt").write_text("hts221  # humidity\n\nlps22h@1.0\n")
    assert command(deploy, "--node", folder, "--port", "/dev/null") == 1
    said = capsys.readouterr().err
    assert "hts221, lps22h@1.0 is not in" in said
    assert f"mip --node {folder}" in said
    (folder / "lib").mkdir()
    (folder / "lib" / "hts221.py").write_text("")
    (folder / "lib" / "lps22h.mpy").write_text("")
    assert Folder.at(folder).missing() == []
