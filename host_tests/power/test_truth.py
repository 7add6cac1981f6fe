"""No figure that is not true: what was not delivered, what is too short, what cannot be."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host_tests.deploy.conftest import command
from host_tests.patience import LIMIT_S
from host_tests.power.test_report import S, lived, report, sample
from tools.deploy import settings
from tools.power import compare, delivery, model, oracle, simulate
from tools.power.basis import Basis
from tools.power.model import Conditions, Exchange
from tools.power.oracle import Costs
from tools.power.profiles import load
from tools.power.report import headline
from tools.power.scenario import NODE, Scenario
from tools.virtual_c1100 import Profile

ROOT = Path(__file__).resolve().parents[2]
UPLINKS = ("mqtt", "http", "tcp")
SECURE = ("mqtts", "https")
HOSTS = {"http": {"url": "http://http.simulated/in"}, "tcp": {"host": "tcp.simulated"}}
TLS = {"tls": {"ca": "ca.pem"}, "http": {"url": "https://http.simulated/in"}}
ODD = (  # scenarios that are wrong, and what is said of them
    ('days = "x"', "days is a number"),
    ("days = 0", "days is a number"),
    ("days = nan", "days is a number"),
    ("node = 5", "node is a table"),
    ("[node]\nid = 2020-01-01", "[node]"),
    ("frozen = 1", "frozen is true or false"),
    ("title = 3", "title is text"),
    ("change = 5", "change is a list"),
    ("change = [5]", "a change has"),
    ('[[change]]\nhour = "x"\ncoverage = 0\nrssi = 1', "the hour of a change"),
    ("[[change]]\nhour = -1\ncoverage = 0\nrssi = 1", "the hour of a change"),
    ("[[change]]\nhour = 1\ncoverage = []\nrssi = 1", "no coverage level"),
    ("[[change]]\nhour = 1\ncoverage = 0\nrssi = 32", "rssi is"),
    ("module = 3", "module is a table"),
    ("[module]\nlatency = 5", "latency is a table"),
    ('[module]\nlatency = { boot = "x" }', "boot is like"),
    ("[module]\nroutes = 5", "routes is a table"),
    ("[module]\nfaults = [5]", "faults is like"),
    ('[module]\ncell = { acts = ["x"] }', "acts is like"),
    ("foo = 1", "unknown table or key 'foo'"),
    ("= broken", "is not valid TOML"),
)


def node(uplink: str, then: str = "none") -> dict:
    hosts = HOSTS | TLS if uplink in SECURE else HOSTS
    return NODE | hosts | {"uplink": {"first": uplink, "then": then}}


@pytest.mark.parametrize("uplink", UPLINKS + SECURE)
def test_each_uplink_delivers_to_a_server_of_our_own_and_never_beats_the_bound(uplink):
    life = simulate.simulate(Scenario("", 0.15, node(uplink)))
    assert life.records.problem == life.impossible == ""
    assert life.records.arrived > 30
    assert life.records.waiting <= 12  # of the hour that is not over
    assert life.records.arrived + life.records.waiting == life.records.sampled
    assert life.ratio >= 1
    assert life.said("delivered ")[0].endswith(f"by {uplink}")
    # A session over TLS is longer, and may have the node sample a moment later.
    assert life.wakes - life.estimates[0].wakes in ((0, 1) if uplink in SECURE else (0,))
    assert life.sessions == life.estimates[0].sessions


def test_the_bound_is_of_the_form_in_which_records_go():
    wanted = Scenario("", 0.3, node("mqtt") | {"payload": {"format": "senml+cbor"}})
    life = simulate.simulate(wanted)
    assert life.impossible == ""
    assert 1 <= life.ratio < 1.1


@pytest.mark.parametrize(("first", "then"), list(itertools.permutations(UPLINKS, 2)))
def test_the_second_uplink_has_a_server_too_and_the_bound_is_of_the_cheaper_one(first, then):
    profile = Profile()
    checked = settings.checked({"config.json": json.dumps(node(first, then)).encode()})
    powers = load("mdm9206", "module"), load("esp32", "board")
    both = compare.estimates(profile, checked, powers, 86400, 1000)[0]
    alone = [
        compare.estimates(profile, checked | {"uplink.first": u, "uplink.then": "none"}, powers,
                          86400, 1000)[0].charge_uc
        for u in (first, then)
    ]  # fmt: skip
    assert both.charge_uc == min(alone)


@pytest.mark.parametrize("uplink", UPLINKS)
def test_a_session_says_more_when_it_has_more_to_report(uplink):
    conditions = Conditions.of(Profile(), "lte-m")
    costs = Costs(load("mdm9206", "module"), load("esp32", "board"), conditions, uplink=uplink)
    charges = [costs.payload_uc(size) for size in (0, 1, 500, 1500, 4096, 4097, 9000)]
    assert charges == sorted(charges)
    assert charges[0] == 0 < charges[2]
    what = Exchange.least(uplink, Profile().latency, 9000)
    assert sum(what.up) + sum(Exchange.call(Profile().latency).up) > 9000  # the bearer is apart
    assert model.seconds(costs.talk(9000)) > costs.talk_s > 0


def test_a_run_below_the_bound_is_no_success(monkeypatch, tmp_path, capsys):
    def dear(*args, **kw):
        found = estimates(*args, **kw)
        return [oracle.Estimate(e.name, e.span_s, 2 * e.charge_uc, 1, 1) for e in found]

    estimates = compare.estimates
    monkeypatch.setattr(compare, "estimates", dear)
    assert command(simulate, "--days", "0.05", "--out", tmp_path) == 1
    said = capsys.readouterr().out
    assert said.startswith("BELOW THE LEAST POSSIBLE")
    assert "lasts" not in said
    assert "times the least" not in said


@pytest.mark.parametrize(
    ("config", "profile", "says"),
    [
        ({}, "[cell]\ncovered = false\n", "wake failed: "),
        (
            {"uplink": {"first": "http"}, "http": {"url": "https://h.simulated/"}},
            "",
            "wake failed",
        ),
        ({"mqtt": {"host": "127.0.0.1", "port": 1}}, "", "wake failed: "),
        ({"uplink": {"first": "tcp"}, "tcp": {"host": "127.0.0.1", "port": 1}}, "", "wake failed"),
    ],
)
def test_what_was_not_delivered_is_said_first(tmp_path: Path, capsys, config, profile, says):
    (tmp_path / "c.json").write_text(json.dumps(NODE | config))
    (tmp_path / "p.toml").write_text(profile)
    asked = ("--days", "0.05", "--config", tmp_path / "c.json", "--out", tmp_path,
             "--profile", tmp_path / "p.toml")  # fmt: skip
    assert command(simulate, *asked) == 1
    said = capsys.readouterr().out
    assert re.match(r"NOT DELIVERED: \d+ of \d+ records that were due. The node says", said)
    assert says in said.splitlines()[0]
    assert "lasts" not in said
    assert "times the least" not in said
    page = (tmp_path / "power.html").read_text()
    assert "class=problem>NOT DELIVERED" in page
    assert "lasts" not in page
    assert command(simulate, *asked, "--allow-loss") == 0
    said = capsys.readouterr().out
    assert said.startswith("NOT DELIVERED")
    assert "times the least" not in said


def test_the_smallest_configuration_delivers_and_tells_the_truth(tmp_path: Path, capsys):
    """No power key is wired, so the module starts by itself, as on a desk."""
    path = tmp_path / "c.json"
    path.write_text('{"id": "n1", "mqtt": {"host": "broker.example"}}')
    assert command(simulate, "--days", "0.2", "--config", path, "--out", tmp_path) == 0
    said = capsys.readouterr().out
    assert "NOT DELIVERED" not in said
    assert "lasts" in said
    found = re.search(r"([\d.]+) times the least possible \(([\d.]+) to ([\d.]+)\) for", said)
    assert found
    ratio, low, high = map(float, found.groups())
    assert 1 <= low <= ratio < high


MINUTE = 60_000_000
PLAIN = {"report.period_s": 600, "sample.period_s": 600, "report.flex_s": 0,
         "report.deadline_s": 0, "battery.low_v": 0.0, "battery.critical_v": 0.0}  # fmt: skip


@pytest.mark.parametrize(
    ("console", "arrived", "minutes", "expected"),
    [
        # console: minute and what is said; expected: arrived, waiting, overdue, strange
        ([], [], 5, (0, 0, 0, 0)),
        ([(0, "sampled a")], [b"a"], 60, (1, 0, 0, 0)),
        ([(0, "sampled a")], [b"a", b"a"], 60, (1, 0, 0, 0)),
        ([(0, "sampled a")], [], 5, (0, 1, 0, 0)),  # it is not due yet
        ([(0, "sampled a")], [], 60, (0, 0, 1, 0)),
        ([(0, "sampled a"), (1, "wake failed: X")], [], 5, (0, 0, 1, 0)),
        ([(0, "sampled a"), (1, "wake failed: X"), (3, "sampled b")], [], 5, (0, 1, 1, 0)),
        ([(0, "wake failed: X"), (1, "sampled a")], [], 5, (0, 1, 0, 0)),
        ([(0, "sampled a"), (1, "wake failed: X")], [b"a"], 60, (1, 0, 0, 0)),
        ([(0, "sampled a")], [b"b"], 5, (0, 1, 0, 1)),
        ([(0, "sampled a"), (1, "delivered 1 records by http")], None, 60, (1, 0, 0, 0)),
        ([(0, "sampled a"), (1, "sampled b"), (2, "delivered 1 record by x")], None, 5,
         (1, 1, 0, 0)),
        ([(0, "sampled a")], None, 60, (0, 0, 1, 0)),
    ],
)  # fmt: skip
def test_what_waits_for_the_next_report_is_no_loss(console, arrived, minutes, expected):
    lines = [(minute * MINUTE, text) for minute, text in console]
    found = delivery.of(lines, arrived, minutes * 60, PLAIN)
    assert (found.arrived, found.waiting, found.overdue, found.strange) == expected
    assert bool(found.problem) is bool(expected[2] or expected[3])
    if found.overdue and any("failed" in text for _, text in lines):
        assert "wake failed: X" in found.problem


def test_a_node_that_samples_nothing_is_no_success():
    found = delivery.of([(0, "configuration: id is missing")], [], 86400, PLAIN)
    assert found.problem.startswith("NOTHING WAS SAMPLED")
    assert "configuration: id is missing" in found.problem
    assert "printed nothing" in delivery.of([], [], 86400, PLAIN).problem


@pytest.mark.parametrize(
    ("volts", "times"), [((3.6,), 1), ((3.6, 3.4), 2), ((3.6, 3.1), 4), ((), 1), (("x",), 1)]
)
def test_a_low_battery_makes_the_periods_longer(volts, times):
    records = [json.dumps([{"bn": "n:"}, {"n": "battery", "v": v}]).encode() for v in volts]
    limits = PLAIN | {"battery.low_v": 3.5, "battery.critical_v": 3.2}
    assert delivery.stretch(records, limits) == times
    assert delivery.stretch(records, PLAIN) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 5, 40])
def test_a_figure_per_day_is_of_whole_periods_and_the_same_however_long_the_run(count):
    run = lived(*[report] * count, compared=False)
    run.period_us = 600 * S
    basis = Basis.of(run)
    text = " ".join(headline(run))
    if count < 2:
        assert not basis.daily
        assert "mAh a day" not in text
        assert "lasts" not in text
        return
    assert basis.periods == count - 1
    one = lived(*[report] * 3)
    one.period_us = 600 * S
    assert basis.mah_per_day == pytest.approx(Basis.of(one).mah_per_day)
    assert f"{basis.periods} whole period{'s' * (basis.periods != 1)} of 10 min" in text
    assert re.search(r"mAh a day \([\d.]+ to [\d.]+\)", text)
    assert re.search(r"lasts [\d.]+ \w+ \([\d.]+ \w+ to [\d.]+ \w+\)", text)


def test_the_range_holds_the_days_and_what_the_profiles_do_not_know():
    run = lived(*[report, *[sample] * 5] * 72)
    run.period_us = 3600 * S
    basis = Basis.of(run)
    found = basis.range([load("mdm9206", "module"), load("esp32", "board")])
    assert found.count == 2 and found.each == "days"
    assert found.low < 0.86 * found.least < found.most < 0.87 * found.high
    assert 0 < found.inferred < 1
    total = basis.mah_per_day
    assert found.least <= total <= found.most


@pytest.mark.parametrize(("text", "says"), ODD)
def test_a_scenario_that_is_wrong_is_said(tmp_path: Path, capsys, text, says):
    path = tmp_path / "s.toml"
    path.write_text(text)
    assert command(simulate, "--scenario", path, "--out", tmp_path) == 1
    said = capsys.readouterr().err
    assert f"{path}" in said and says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "data", [b'{"id": "n", }', b"\xff\xfe{", b"[1]", b"[" * 99999, b'"x"', b""], ids=repr
)
def test_a_broken_configuration_is_named(tmp_path: Path, capsys, data):
    path = tmp_path / "mine.json"
    path.write_bytes(data)
    assert command(simulate, "--config", path) == 1
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "-3", "x", "nan", "inf", "1e9", ""])
def test_days_are_a_number_above_0(capsys, days):
    with pytest.raises(SystemExit) as ended:
        command(simulate, f"--days={days}")
    assert ended.value.code == 2
    assert "is not a number of days above 0" in capsys.readouterr().err


# A run may end anywhere: at no whole microsecond, before the first report, in the middle of one.
@pytest.mark.parametrize("seconds", [1e-8, 86.4e-6, 4.0, 604.8])
def test_a_run_of_any_length_ends_and_says_nothing_untrue(tmp_path: Path, capsys, seconds):
    status = command(simulate, f"--days={seconds / 86400!r}", "--out", tmp_path)
    said = capsys.readouterr().out
    assert "BELOW" not in said and "mAh a day" not in said
    if seconds < 5:
        assert status == 1
        assert said.startswith("NOTHING WAS DELIVERED YET") and "times the least" not in said
    else:
        assert status == 0 and "times the least" in said


@pytest.mark.parametrize("more_s", [0.5, 3.0, 6.0])  # into the second report
def test_the_bound_is_not_beaten_by_an_end_within_a_report(tmp_path: Path, capsys, more_s):
    # its window closes and its wake begins at 3693.6 s
    assert command(simulate, f"--days={(3701 + more_s) / 86400}", "--out", tmp_path) == 0
    assert "1 with the module), its start included" in capsys.readouterr().out


def test_ctrl_c_keeps_and_reports_the_run_so_far(tmp_path: Path):
    job = subprocess.Popen(
        [sys.executable, "-m", "tools", "simulate", "--days", "3000", "--out", str(tmp_path),
         "--trace", str(tmp_path / "trace")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    trace, limit = tmp_path / "trace", time.monotonic() + LIMIT_S
    while time.monotonic() < limit and not (trace.exists() and trace.stat().st_size > 40_000):
        time.sleep(0.1)
    os.killpg(job.pid, signal.SIGINT)  # as a terminal does
    out, err = job.communicate(timeout=LIMIT_S)
    assert job.returncode == 130, out + err
    assert "Traceback" not in err
    assert re.search(r"simulate: stopped after [\d.]+ of 3000 days", err)
    assert "records delivered" in out
    assert (tmp_path / "run.json").exists()
    assert (tmp_path / "power.html").exists()
