"""A run's file that is damaged anywhere is said in a line, and never ends in a traceback."""

import json
import random
from pathlib import Path

import pytest

from host_tests.deploy.conftest import command
from host_tests.power.test_report import made
from tools.power import cli
from tools.power import run as runs

WRONG = (None, True, -1, 1.5, 10**30, "x", [], {}, [[]], float("nan"))


def written(tmp_path: Path) -> dict:
    return json.loads(made().save(tmp_path).read_text())


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_wrong_value_anywhere_is_said(tmp_path: Path, wrong):
    good = written(tmp_path)
    path = tmp_path / "run.json"
    places = [(key,) for key in good] + [("intervals", 3, n) for n in range(7)] + [("names", 0)]
    for place in places:
        bad = json.loads(json.dumps(good))
        part = bad
        for key in place[:-1]:
            part = part[key]
        if type(part[place[-1]]) is type(wrong):
            continue  # of its kind: it may be right
        part[place[-1]] = wrong
        path.write_text(json.dumps(bad))
        try:
            runs.load(path)
        except ValueError as error:
            assert str(path) in str(error)
        else:
            pytest.fail(f"{place} may be {wrong!r}")


@pytest.mark.parametrize("part", ["title", "module", "intervals", "names", "begin_us"])
def test_what_is_missing_is_said(tmp_path: Path, capsys, part):
    bad = written(tmp_path)
    del bad[part]
    (tmp_path / "run.json").write_text(json.dumps(bad))
    assert command(cli, tmp_path) == 1
    assert "is damaged" in capsys.readouterr().out


def test_a_file_that_was_cut_or_overwritten_is_said(tmp_path: Path, capsys):
    data = made().save(tmp_path).read_bytes()
    r = random.Random(3)
    for n in range(60):
        at = r.randrange(len(data) - 2)
        bad = data[:at] if n % 2 else data[:at] + b"\xff\x00" + data[at + 2 :]
        (tmp_path / "run.json").write_bytes(bad)
        assert command(cli, tmp_path) == 1
    assert str(tmp_path) in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["module", "board", "battery"])
def test_an_unknown_profile_is_said(tmp_path: Path, capsys, kind):
    bad = written(tmp_path) | {kind: "nobody's"}
    (tmp_path / "run.json").write_text(json.dumps(bad))
    assert command(cli, tmp_path) == 1
    assert f"no {kind} profile nobody's" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, capsys):
    made().save(tmp_path)
    (tmp_path / "file").write_text("")
    assert command(cli, tmp_path, "--out", tmp_path / "file" / "x") == 1
    assert "file" in capsys.readouterr().out
