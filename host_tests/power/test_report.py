"""The power report of a run: figures, picture and page."""

import re
from pathlib import Path

import pytest

from host_tests.deploy.conftest import command
from tools.power import cli
from tools.power import run as runs
from tools.power.currents import Link
from tools.power.meter import Meter
from tools.power.profiles import load


def made() -> runs.Run:
    """Two wakes of half a minute in an hour."""
    meter = Meter(load("mdm9206", "module"), load("esp32", "board"))
    for begin_s in (0, 1800):
        at = begin_s * 1_000_000
        meter.board_state(at, "active")
        meter.module_state(at + 300_000, "boot", "power key")
        meter.module_state(at + 3_300_000, "connected-tail", "mqtt", Link("lte-m"))
        meter.board_state(at + 20_000_000, "deep-sleep")
        meter.module_state(at + 30_000_000, "psm", "t3324")
    meter.close(3_600_000_000)
    return runs.Run.of(meter, "An hour", "ls26500", ["a note"])


def test_a_saved_run_is_the_same_run(tmp_path: Path):
    run = made()
    again = runs.load(run.save(tmp_path))
    assert again.intervals == run.intervals
    assert again.account().total.charge == run.account().total.charge


def test_picture_and_page_from_the_command_line(tmp_path: Path, capsys):
    run = made()
    run.compared = {"always connected": 900.0}
    run.save(tmp_path)
    assert command(cli, tmp_path) == 0
    said = capsys.readouterr().out
    mah = run.account().mah_per_day(run.span_us)
    assert f"{mah:.3g} mAh a day" in said
    assert "2 wakes" in said
    assert (tmp_path / "power.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "power.html").read_text()
    assert "always connected" in page
    assert not re.search(r'(src|href)="(?!data:)', page)  # it needs nothing else
    assert "inferred" in page


def test_the_battery_lasts_longer_when_less_is_used():
    from tools.power.battery import life_years

    battery = load("ls26500", "battery")
    years = [life_years(battery, mah) for mah in (0.0, 0.1, 1.0, 10.0)]
    assert years == sorted(years, reverse=True)
    assert years[-1] > 0


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "cannot be read"), ("{", "is not JSON"), ("[]", "is not a run of format 1")],
)
def test_what_is_no_run_is_said(tmp_path: Path, capsys, text, says):
    path = tmp_path / "run.json"
    if text is not None:
        path.write_text(text)
    assert command(cli, path) == 1
    assert says in capsys.readouterr().out
