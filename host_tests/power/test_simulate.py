"""Hours of a node's life by the command that does months."""

import argparse
import re
from pathlib import Path

import pytest

from host_tests.deploy.conftest import command
from tools.power import run as runs
from tools.power import simulate
from tools.power.scenario import NODE, Scenario
from tools.virtual_c1100.profile import Profile


def test_the_same_seed_gives_the_same_trace_and_the_report_says_where_it_went(tmp_path, capsys):
    said = []
    for name in ("a", "b"):
        assert command(simulate, "--days", "0.2", "--seed", "4", "--out", tmp_path / name,
                       "--trace", tmp_path / f"{name}.trace") == 0  # fmt: skip
        said.append(capsys.readouterr().out)
    assert (tmp_path / "a.trace").read_bytes() == (tmp_path / "b.trace").read_bytes()
    found = re.search(
        r"(\d+) wakes, (\d+) with the module in the network, (\d+) records delivered", said[0]
    )
    assert found
    wakes, sessions, records = map(int, found.groups())
    assert 56 <= wakes <= 60  # every 300 s for 4.8 h
    assert sessions in (5, 6)
    assert records >= wakes - 13  # the rest waits for the next report
    run = runs.load(tmp_path / "a")
    assert run.compared["least possible"] == min(run.compared.values())
    assert (tmp_path / "a" / "power.html").exists()


def test_what_the_board_computes_is_in_the_account():
    lives = [simulate.simulate(Scenario("", 0.3, frozen=frozen)) for frozen in (False, True)]
    flash, frozen = [life.run.account().by_state["board", "computing"] for life in lives]
    wakes = lives[0].wakes
    assert 0.1 < flash.us / 1e6 / wakes < 1  # s
    assert 0.03 < frozen.us / 1e6 / wakes < 0.15
    assert lives[0].mah_per_day > 1.03 * lives[1].mah_per_day
    assert any("instructions of MicroPython's virtual machine" in n for n in lives[0].run.notes)
    # The least possible pays for it as well.
    least = [life.estimates[0].mah_per_day for life in lives]
    assert least[0] > 1.03 * least[1]


@pytest.mark.parametrize("of_the_scenario", ["", "frozen = true", "frozen = false"])
@pytest.mark.parametrize("option", [[], ["--frozen"], ["--no-frozen"]])
def test_the_option_decides_else_the_scenario(tmp_path: Path, of_the_scenario, option):
    path = tmp_path / "s.toml"
    path.write_text(of_the_scenario)
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    wanted = simulate._wanted(parser.parse_args(["--scenario", str(path), *option]))
    said = {"--frozen": True, "--no-frozen": False}
    assert wanted.frozen == said.get("".join(option), of_the_scenario == "frozen = true")


def test_less_often_costs_less():
    def mah(period_s: int) -> float:
        node = NODE | {"report": {"period_s": period_s}}
        return simulate.simulate(Scenario("", 0.2, node)).mah_per_day

    assert mah(7200) < mah(1800)


@pytest.mark.parametrize(
    ("text", "says"), [("{", "simulate: "), ('{"id": "n"}', "mqtt.host is missing")]
)
def test_a_bad_configuration_is_said(tmp_path: Path, capsys, text, says):
    path = tmp_path / "c.json"
    path.write_text(text)
    assert command(simulate, "--config", path) == 1
    said = capsys.readouterr().err
    assert says in said and str(path) in said


@pytest.mark.parametrize(
    ("pins", "told"),
    [
        ({}, "no pins.pwrkey, no pins.wake: module never off nor in psm"),
        ({"wake": 5, "status": 18}, "no pins.pwrkey: module never off"),
        ({"pwrkey": 4}, ""),
        ({"pwrkey": 4, "wake": 5, "status": 18}, ""),
    ],
)
def test_who_leaves_out_wires_is_told_what_they_cost(pins, told):
    """Else a node of the smallest configuration looks like bad firmware."""
    life = simulate.simulate(Scenario("", 0.03, NODE | {"pins": pins}))
    said = [line for line in life.lines() if line.startswith("The node's wiring: ")]
    assert len(said) == bool(told)
    assert told in "".join(said)


def test_no_two_lines_disagree_about_the_module():
    """Awake and not in the network: the account counts the one, the records the other."""
    life = simulate.simulate(Scenario("", 0.05, profile=Profile(faults=["error"])))
    assert life.records.problem
    assert "0 with the module in the network, 0 records delivered" in "\n".join(life.lines())
