"""The power report of a run: figures, picture and page."""

import base64
import io
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from host_tests.deploy.conftest import command
from host_tests.power.test_oracle import costs
from tools.power import cli, curve, oracle, over_time, picture, picture_bars, wakes, wording
from tools.power import run as runs
from tools.power.basis import Basis
from tools.power.currents import Link
from tools.power.meter import Meter
from tools.power.picture_bars import cut
from tools.power.profiles import load

S = 1_000_000  # us
X = "\N{MULTIPLICATION SIGN}"


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


def report(meter: Meter, at: int, tail_s: float = 5.0) -> None:
    """A wake in which the board uses the module, with an active time of 2 s before PSM."""
    meter.board_state(at, "active")
    meter.module_state(at + S, "boot", "power key")
    meter.module_state(at + 3 * S, "search", "search")
    meter.module_state(at + 4 * S, "connected-rx", "attach", Link("lte-m"))
    meter.module_state(at + 5 * S, "connected-tx", "mqtt", Link("lte-m"))
    meter.module_state(at + 5 * S + 30_000, "connected-tail", "mqtt", Link("lte-m"))
    meter.board_state(at + 6 * S, "deep-sleep")
    meter.module_state(at + round((6 + tail_s) * S), "idle", "release", Link("lte-m"))
    meter.module_state(at + round((8 + tail_s) * S), "psm", "t3324")


def sample(meter: Meter, at: int) -> None:
    """A wake without the module."""
    meter.board_state(at, "active")
    meter.board_state(at + S // 2, "deep-sleep")


def position(meter: Meter, at: int) -> None:
    """A wake with the receiver."""
    meter.board_state(at, "active")
    meter.module_state(at, "awake", "gnss")
    meter.gnss(at, True)
    meter.gnss(at + 30 * S, False)
    meter.module_state(at + 30 * S, "psm", "")
    meter.board_state(at + 31 * S, "deep-sleep")


def update(meter: Meter, at: int) -> None:
    """A wake without the module, which updates its location by itself much later."""
    sample(meter, at)
    meter.module_state(at + 60 * S, "connected-rx", "t3412", Link("lte-m"))
    meter.module_state(at + 62 * S, "psm", "")


def lived(
    *lives: Callable[[Meter, int], None], period_s: int = 600, compared: bool = False
) -> runs.Run:
    """A run with these wakes, one in each period."""
    meter = Meter(load("mdm9206", "module"), load("esp32", "board"))
    for n, live in enumerate(lives):
        live(meter, n * period_s * S)
    meter.close(len(lives) * period_s * S)
    made = runs.Run.of(meter, "A run", "ls26500", [])
    if compared:
        made.compared = {"least possible": 5.95, "always connected": 1227.5}
    return made


def days(count: int) -> runs.Run:
    """A wake every ten minutes, one of six with the module."""
    return lived(*[report, *[sample] * 5] * 24 * count, compared=True)


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Draws a run, and gives the figure instead of closing it."""
    kept: list[Figure] = []
    with monkeypatch.context() as patch:
        patch.setattr(plt, "close", kept.append)

        def draw(run: runs.Run) -> Figure:
            path = picture.draw(run, ["Title", "what matters"], tmp_path / "p.png")
            assert path.read_bytes().startswith(b"\x89PNG")
            return kept[-1]

        yield draw
    for figure in kept:
        plt.close(figure)


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1227.5, "1230"),
        (8.3691, "8.37"),
        (9.996, "10.0"),
        (238.99, "239"),
        (0.0733, "0.0733"),
        (12232.9, "12,200"),
        (0, "0"),
        (4.5e-05, "< 0.001"),
    ],
)
def test_numbers_are_written_as_people_write_them(value, text):
    assert wording.number(value) == text


def test_times_and_currents_have_the_unit_that_fits():
    assert wording.duration(30 * 86400 * S) == "30 days"
    assert wording.duration(1500 * 86400 * S) == "1500 days"
    assert wording.duration(S // 2) == "0.5 s"
    assert wording.ampere(0.1) == "100 mA"
    assert wording.ampere(349e-6) == "349 \N{MICRO SIGN}A"
    assert wording.percent(0.0001) == "< 0.1 %"


def test_the_enlarged_wake_is_the_median_one_with_the_module():
    def tail(seconds: float) -> Callable[[Meter, int], None]:
        return lambda meter, at: report(meter, at, seconds)

    dear, cheap, middle = tail(200), tail(1), tail(20)
    run = lived(dear, sample, sample, dear, sample, cheap, sample, middle, sample, sample, cheap)
    lives = wakes.wakes(run.intervals)
    wake = wakes.typical(lives)
    assert wake.number == 8
    assert wake.kind == wakes.MODULE
    # Tail and active time are seen, and of the sleep after it only a little.
    seconds = (wake.shown_us - wake.start_us) / S
    assert 6 + 20 + 2 < seconds < 1.2 * (6 + 20 + 2)


def test_the_enlarged_wake_without_any_module_is_one_of_the_others():
    assert wakes.typical(wakes.wakes(lived(sample, sample, sample).intervals)).number == 2
    assert wakes.typical(wakes.wakes(lived(sample).intervals)).number == 1


def test_a_long_active_time_is_not_drawn_to_its_end():
    meter = Meter(load("mdm9206", "module"), load("esp32", "board"))
    meter.board_state(0, "active")
    meter.module_state(0, "connected-tail", "mqtt", Link("lte-m"))
    meter.board_state(5 * S, "deep-sleep")
    meter.module_state(10 * S, "idle", "release", Link("lte-m"))
    meter.module_state(600 * S, "psm", "t3324")
    meter.close(3600 * S)
    (wake,) = wakes.wakes(runs.Run.of(meter, "", "ls26500", []).intervals)
    assert wake.busy_us == 10 * S
    assert wake.rest_us == 600 * S
    assert 10 * S < wake.shown_us < 12 * S


def test_the_kinds_of_wakes_are_the_whole_run():
    run = lived(report, sample, position, update, sample, sample)
    found = wakes.groups(wakes.wakes(run.intervals))
    assert {group.kind: [wake.number for wake in group.wakes] for group in found} == {
        wakes.GNSS: [3],
        wakes.MODULE: [1],
        wakes.ITSELF: [4],
        wakes.BOARD: [2, 5, 6],
    }
    account = run.account()
    assert sum(group.charge for group in found) == account.total.charge
    for name, total in account.by_load.items():
        assert sum(group.by_load[name] for group in found) == total.charge


def test_the_receiver_is_named_while_the_module_is_awake_for_it():
    states = [step.state for step in curve.steps(lived(position).intervals)]
    assert states[0] == "gnss"


@pytest.mark.parametrize("width_s", [600, 700, 86400])
def test_the_pieces_of_a_run_are_the_whole_run(width_s):
    run = days(1)
    steps = list(curve.steps(run.intervals))
    pieces = over_time.charges(steps, run.begin_us, run.end_us, width_s * S)
    assert len(pieces) == -(-86400 // width_s)
    assert sum(sum(piece.values()) for piece in pieces) == run.account().total.charge


def test_a_typical_stretch_is_the_median_one_and_its_wakes_can_be_told_apart():
    quiet = [sample] * 144
    run = lived(
        *[report] * 144, *quiet, *[report, *[sample] * 143], *[*[report] * 9, *[sample] * 135]
    )
    steps = list(curve.steps(run.intervals))
    day = over_time.typical(steps, run.begin_us, run.end_us, 144 * 4)
    assert (day.begin_us, day.end_us, day.name) == (2 * 86400 * S, 3 * 86400 * S, "day")
    assert over_time.typical(steps, run.begin_us, run.end_us, 4000).name == "6 hours"
    assert over_time.typical(steps, 0, 86400 * S, 144).end_us == 86400 * S


def test_a_short_run_is_one_curve_and_a_bar_for_each_wake(drawn):
    found = titles(drawn(made()))
    assert found[0] == "The whole run: current from the battery"
    assert found[1] == "Wake 2, a typical one: with the module"
    assert found[-1] == "Charge by wake"


def test_a_long_run_shows_its_days_a_typical_one_and_the_kinds_of_wakes(drawn):
    found = titles(drawn(days(3)))
    assert found[0] == "The whole run: charge by what was going on"
    assert found[1] == "A typical day: current from the battery"
    assert found[2].endswith("a typical one: with the module")
    assert "Charge by kind of wake" in found
    assert "Charge by wake" not in found


@pytest.mark.parametrize("run", [made(), days(3), lived(*[position, update] * 40, report)])
def test_nothing_that_is_written_is_cut_at_the_edge(drawn, run):
    figure = drawn(run)
    width, height = figure.get_size_inches() * figure.dpi
    for part in (*figure.axes, *figure.legends, *figure.texts):
        box = part.get_tightbbox()
        assert box.x0 >= 0 and box.x1 <= width, part
        assert box.y0 >= 0 and box.y1 <= height, part
    for axes in figure.axes:
        for text in axes.texts:
            assert "e+" not in text.get_text()


def test_every_state_of_the_enlarged_wake_is_named_once(drawn):
    figure = drawn(lived(report, report, report))
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("Wake"))
    names = sorted(text.get_text() for text in axes.texts)
    assert names == sorted(
        ["board active", "module boots", "searching", "receiving, signalling", "transmitting",
         "connected, no traffic", "asleep, module in DRX", "asleep, module in PSM"]
    )  # fmt: skip


def test_no_bar_dwarfs_the_others():
    assert cut([5.0, 6.0, 8.0]) == [5.0, 6.0, 8.0]
    lengths = cut([5.0, 6.0, 8.0, 9.0, 1230.0])
    assert lengths[:4] == [5.0, 6.0, 8.0, 9.0]
    assert 9.0 < lengths[4] < 12.0


def test_the_page_of_a_long_run_has_groups_first_and_the_dearest_wakes(tmp_path: Path):
    run = days(3)
    run.save(tmp_path)
    assert command(cli, tmp_path) == 0
    page = (tmp_path / "power.html").read_text()
    kinds, single = page.index("By kind of wake"), page.index("The dearest 25 of 432 wakes")
    assert kinds < single
    listed = page[single : page.index("</table>", single)]
    assert listed.count("<tr>") == 1 + 25
    # What is said above the picture is not said once more in it.
    found = re.search(r'base64,([^"]+)"', page)
    assert found
    inside = Image.open(io.BytesIO(base64.b64decode(found[1])))
    with inside, Image.open(tmp_path / "power.png") as alone:
        assert inside.height < 0.9 * alone.height
        assert inside.width == alone.width


def test_the_page_names_every_way_to_do_the_jobs_and_ours_beside_the_least(tmp_path: Path, capsys):
    run = made()
    own = run.account().mah_per_day(run.span_us)
    wanted = oracle.windows([oracle.Job("report", 3600, size=100)], 86400)
    ways = [way(wanted, 86400, costs(5.0)) for way in (oracle.least, *oracle.FIRMWARES)]
    run.compared = {way.name: own / 2 + n for n, way in enumerate(ways)}
    run.save(tmp_path)
    assert command(cli, tmp_path) == 0
    page = (tmp_path / "power.html").read_text()
    for way in ways:
        assert wording.WAYS[way.name] in page
    assert re.search(r"<tr class=own><td>this run<td class=n>[^<]*<td class=n>2\.00 ", page)
    assert "self-discharge" in page


def of_kinds(*counts: int) -> runs.Run:
    """A run of reports and samples, so many of each, more than have a bar of their own."""
    kinds = (report, sample, position, update)
    return lived(*(kinds[n] for n, many in enumerate(counts) for _ in range(many)))


@pytest.mark.parametrize("counts", [(50,), (0, 50), (0, 0, 50), (0, 0, 0, 50), (25, 25), (49, 1)])
def test_the_spread_of_wakes_has_an_axis_also_when_they_are_all_alike(drawn, counts):
    figure = drawn(of_kinds(*counts))
    figure.canvas.draw()
    axes = next(
        a for a in figure.axes if a.get_xlabel().startswith(f"{picture_bars.UAH} of a wake")
    )
    low, high = axes.get_xlim()
    shown = [
        tick.label1.get_text()
        for tick in axes.xaxis.get_major_ticks()
        if low <= tick.get_loc() <= high and tick.label1.get_text()
    ]
    assert shown, (low, high)
    assert all(float(text.replace(",", "")) > 0 for text in shown)
    assert high / low >= 10


@pytest.mark.parametrize("ratio", [1.0, 1.05, 1.4, 12.0, 239.0])
def test_how_many_times_the_least_has_a_range_around_it(ratio):
    profiles = load("mdm9206", "module"), load("esp32", "board")
    run = days(3)
    run.period_us = 3600 * S
    for basis in (Basis.of(run), Basis.of(lived(report, sample)), Basis.of(lived(sample))):
        low, high = basis.ratio_range(ratio, profiles)
        assert 1 <= low <= ratio <= high < math.inf
        off = basis.range(profiles).off
        assert 0.15 <= off <= 0.30
        if ratio > 1:
            assert low < ratio < high
            assert high <= (1 + (ratio - 1) * 1.3 / 0.7) * 1.1


def test_the_page_and_the_picture_say_the_range_of_the_ratio(tmp_path: Path, drawn):
    run = days(3)
    run.save(tmp_path)
    assert command(cli, tmp_path) == 0
    page = (tmp_path / "power.html").read_text()
    found = re.search(r"<tr class=own><td>this run<td class=n>[^<]*<td class=n>([^<]*)<", page)
    assert found
    assert re.fullmatch(rf"1\.0\d {X} \(1\.0\d to 1\.\d\d {X}\)", found[1])
    figure = drawn(run)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any(re.search(rf"\n1\.0\d to 1\.\d\d {X}$", text) for text in texts)
