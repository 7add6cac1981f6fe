"""The power report of a run: a picture, and a page that needs nothing else."""

from pathlib import Path

from tools.power import page, picture
from tools.power.account import Account
from tools.power.battery import life_years
from tools.power.profiles import Profile, load
from tools.power.run import Run
from tools.power.wakes import GNSS, MODULE, wakes
from tools.power.wording import ampere, duration, life, number


def headline(run: Run, account: Account) -> list[str]:
    """Title, and what matters in two lines."""
    module, board, battery = profiles(run)
    daily = account.mah_per_day(run.span_us)
    mean_a = account.total.charge * 1e-15 / (run.span_us * 1e-6)
    lives = wakes(run.intervals)
    used = sum(wake.kind in (MODULE, GNSS) for wake in lives)
    of_them = f", {used or 'none'} of them with the module" if used < len(lives) else ""
    return [
        run.title,
        f"{number(daily)} mAh a day, {ampere(mean_a)} on average over "
        f"{duration(run.span_us)} and {len(lives)} wake{'s' * (len(lives) != 1)}{of_them}. "
        f"{battery.title}: lasts {life(life_years(battery, daily))}, self-discharge included.",
        f"Currents of {module.title} and {board.title}: profiles {run.module}, {run.board}.",
    ]


def profiles(run: Run) -> tuple[Profile, Profile, Profile]:
    """Module, board and battery of a run. ValueError when one does not exist."""
    return load(run.module, "module"), load(run.board, "board"), load(run.battery, "battery")


def write(run: Run, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `name`.png and `name`.html into `folder`. Returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    account = run.account()
    lines = headline(run, account)
    png = picture.draw(run, lines, folder / f"{name}.png")
    path = folder / f"{name}.html"
    path.write_text(page.html(run, account, lines, png, profiles(run)))
    return png, path
