"""The model beside what others have published. `pytest -s` shows the table."""

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from host_tests.deploy.conftest import command
from host_tests.docs.markdown import ROOT, Document
from tools.power.profiles import load as profile
from tools.power.published import cases as published
from tools.power.published import cli
from tools.power.published.values import EVENTS, FIGURES, Spec, value

CASES = published.load()
DATA = published.FOLDER


def of(words: str, **wanted: object) -> list[published.Case]:
    """The cases whose source has `words`, and whose attributes are as wanted."""
    return [
        case
        for case in CASES
        if words in case.source and all(getattr(case, k) == v for k, v in wanted.items())
    ]


def test_model_and_publication_side_by_side():
    cli.show(CASES, Console(width=150, highlight=False), rows=True)
    missed = [f"{c.what}: {c.deviation:+.1%}" for c in CASES if not c.reason and not c.met]
    assert not missed


def test_the_document_says_what_the_command_says():
    told = re.findall(r"\d+", cli.summary(CASES))
    text = re.search(
        r"\d+ published figures; .*? arithmetic", Document(ROOT / "docs/energy.md").text, re.S
    )
    assert text, "docs/energy.md: `python -m tools published` has its figures"
    assert re.findall(r"\d+", text[0]) == told


def test_a_case_with_a_reason_is_really_missed():
    stale = [f"{c.what}: {c.deviation:+.1%}" for c in CASES if c.reason and c.met]
    assert not stale


def test_a_reason_is_never_given_for_arithmetic_or_for_what_was_calibrated():
    assert not [c.what for c in CASES if c.reason and (c.calibrated or c.kind == "arithmetic")]


def test_there_is_evidence_that_was_not_put_in():
    free = [c for c in CASES if c.kind == "model" and not c.calibrated and c.met]
    assert len(free) >= 12
    for words in ("nRF9160", "45.820", "Challenging Smart City", "boaks", "Robinson"):
        assert any(words in case.source for case in free), words


def test_the_required_publications_are_covered():
    nordic = of("nRF9160")
    assert {c.published for c in nordic if c.spec.event == "tau"} == {105, 550}
    assert sorted(c.published for c in nordic if c.spec.state == "edrx") == [6, 9, 18, 37]
    loss = {c.spec.coverage: c.published for c in of("Challenging Smart City")}
    assert loss == {0: 25, 1: 18, 2: 4}
    table = of("45.820", where="")
    assert len({(c.spec.up, c.spec.period_s, c.spec.coverage) for c in table}) == 12
    assert [c.published for c in of("45.820") if not c.spec.period_s] == [38.0]
    days = of("boaks", unit="days")
    hourly = {(c.spec.lasts_s, c.spec.event_ma) for c in days if c.spec.lasts_s}
    assert hourly >= {(3.0, 17), (2.7, 26), (2.9, 26), (3.3, 31), (6.4, 18.5), (2.4, 29),
                      (12, 8.5), (12, 9), (2.9, 15.7)}  # fmt: skip
    assert {358, 1125} <= {c.published for c in days}
    events = {c.published for c in of("boaks", unit="mJ") if c.spec.event == "wake-tau"}
    assert events == {round(3.0 * 17 * 5), round(2.4 * 29 * 5)}
    rows = Counter(c.group for c in of("Robinson") if c.group)
    assert len(rows) == 3
    assert set(rows.values()) == {72}


def test_the_mean_currents_of_robinsons_rows_are_their_energy_over_latency():
    with (DATA / "robinson2019.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            joules = float(row["energy_uWh"]) * 3.6e-3
            milliamperes = 1000 * joules / 3.6 / float(row["latency_s"])
            assert float(row["mean_mA"]) == pytest.approx(milliamperes, abs=0.06), row


def test_robinsons_limits_are_those_of_the_profile():
    module = profile("sara-n2", "module")
    send, receive = module.tx["nb-iot"][0][1].value, module.figures["nb-iot.rx"].value
    share = 0.04  # of transmission in signalling, as in tools.virtual_c1100.air
    assert send == 200
    assert round(share * send + (1 - share) * receive) == 75
    assert module.figures["nb-iot.tail"].value == 50


@pytest.mark.parametrize("case", [c for c in CASES if not c.group], ids=lambda case: case.what)
def test_the_figure_is_computed_from_the_model_not_from_the_publication(case):
    """Another publication, the same model: only arithmetic may know the published event."""
    assert replace(case, published=2 * case.published).modelled == case.modelled
    if case.kind != "arithmetic":
        assert not case.spec.event_ma
        assert not case.spec.event_uwh


def test_the_command_prints_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    assert command(cli) == 0
    said = capsys.readouterr().out
    assert "72 rows" in said
    assert "say something" in said


def test_a_case_that_is_not_met_fails_the_command(monkeypatch):
    bad = [replace(c, reason="") for c in CASES]
    monkeypatch.setattr(cli, "load", lambda: bad)
    assert command(cli) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[case]]\nwhat = "x"', "'source'"),
        ('[source]\ntext = "s"\n[[case]]\nwhat = "x"\nkind = "guess"\nunit = "mJ"', "guess"),
        ('[source]\ntext = "s"\n[[case]]\nwhat = "x"\ncolour = 1', "colour"),
        ("[source", "bad.toml"),
    ],
)
def test_a_bad_file_is_said(tmp_path: Path, text, says):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(ValueError, match=r"bad\.toml") as caught:
        published.load(tmp_path)
    assert says in str(caught.value)


def test_what_cannot_be_computed_is_said():
    with pytest.raises(ValueError, match=next(iter(FIGURES))):
        value(Spec("colour"))
    with pytest.raises(ValueError, match=next(iter(EVENTS))):
        value(Spec("energy", module="nrf9160", event="dance"))
    with pytest.raises(ValueError, match="every 1 s"):
        value(Spec("life", "bg96", "tr45820", "report", period_s=1))


def test_a_narrow_terminal_still_shows_every_case():
    out = io.StringIO()
    cli.show([c for c in CASES if not c.group], Console(file=out, width=80, highlight=False))
    for case in CASES:
        assert case.group or f"{case.deviation:+.1%}" in out.getvalue(), case.what
