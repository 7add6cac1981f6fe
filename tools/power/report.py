"""The power report of a run: a picture, and a page that needs nothing else."""

from pathlib import Path

from tools import failure
from tools.power import page, picture
from tools.power.basis import Basis
from tools.power.battery import life_years
from tools.power.profiles import Profile, load
from tools.power.run import Run
from tools.power.wakes import GNSS, MODULE, wakes
from tools.power.wording import ampere, count, duration, life, number


def headline(run: Run) -> list[str]:
    """Title, and what matters in a few lines."""
    module, board, battery = profiles(run)
    used = f"Currents of {module.title} and {board.title}: profiles {run.module}, {run.board}."
    return [run.title, *([run.problem] if run.problem else []), *_figures(run, battery), used]


def _figures(run: Run, battery: Profile) -> list[str]:
    basis = Basis.of(run)
    lives = wakes(run.intervals)
    with_module = sum(wake.kind in (MODULE, GNSS) for wake in lives)
    of_them = f", {with_module or 'none'} of them with the module"
    lived = f"{duration(run.span_us)} and {count(len(lives), 'wake')}"
    lived += of_them if with_module < len(lives) else ""
    if not basis.daily:
        return [
            f"Too short for figures of a day: {lived}, and no whole period of "
            f"{duration(run.period_us)} after the first. {number(basis.rate(_charge(run)))} "
            f"{basis.unit}."
        ]
    daily = basis.mah_per_day
    between = basis.range(profiles(run))
    text = (
        f"{number(daily)} mAh a day ({number(between.low, 2)} to {number(between.high, 2)}), "
        f"{ampere(daily / 24000)} on average over {basis.words}; the run has {lived}."
    )
    if not run.problem:
        text += (
            f" {battery.title}: lasts {life(life_years(battery, daily))} "
            f"({life(life_years(battery, between.high))} to "
            f"{life(life_years(battery, between.low))}), self-discharge included."
        )
    return [text, between.words]


def _charge(run: Run) -> int:
    return run.account().total.charge


def profiles(run: Run) -> tuple[Profile, Profile, Profile]:
    """Module, board and battery of a run. ValueError when one does not exist."""
    return load(run.module, "module"), load(run.board, "board"), load(run.battery, "battery")


def write(run: Run, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `name`.png and `name`.html into `folder`. Returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = headline(run)
    with failure.naming(folder / f"{name}.png"):
        png = picture.draw(run, lines, folder / f"{name}.png")
    path = folder / f"{name}.html"
    text = page.html(Basis.of(run), lines, picture.without_words(png, lines), profiles(run))
    with failure.naming(path):
        path.write_text(text)
    return png, path
