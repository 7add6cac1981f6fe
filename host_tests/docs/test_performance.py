"""The figures in docs/performance.md are those that are recorded, and so is its picture."""

import re

from host_tests.docs.markdown import ROOT
from tools.bench import picture, recorded

ROW = re.compile(r"^\|.*\(`([\w.]+)`\) \|[^|]*\| ([\d,]+) \|", re.M)


def test_figures_are_those_that_are_recorded() -> None:
    kept = recorded.load()
    shown = dict(ROW.findall((ROOT / "docs/performance.md").read_text()))
    assert len(shown.keys() & kept.keys()) > 16
    for name in shown.keys() & kept.keys():
        value = int(shown[name].replace(",", ""))
        assert abs(value - kept[name]) <= recorded.SLACK * kept[name], name


def test_the_picture_shows_them() -> None:
    assert picture.FILE.read_text() == picture.draw(recorded.load())
