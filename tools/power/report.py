"""The power report of a run: a picture, and a page that needs nothing else."""

import base64
import math
from html import escape
from pathlib import Path

from tools.power import picture
from tools.power.account import Account
from tools.power.battery import life_years
from tools.power.profiles import Profile, load
from tools.power.run import Run

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #212529; max-width: 1180px; margin: 2em auto;
       padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0 } h2 { font-size: 1.15em; margin-top: 2em }
img { width: 100% } table { border-collapse: collapse; margin: .6em 0 }
th, td { padding: .22em .9em .22em 0; text-align: left; border-bottom: 1px solid #e9ecef;
         vertical-align: top } td.n { text-align: right; font-variant-numeric: tabular-nums }
.inferred { color: #9a6700 } .columns { display: flex; flex-wrap: wrap; gap: 0 4em }
"""
LONGEST = 100  # wakes listed one by one


def headline(run: Run, account: Account) -> list[str]:
    """Title, and what matters in two lines."""
    module, board, battery = profiles(run)
    daily = account.mah_per_day(run.span_us)
    mean_a = account.total.charge * 1e-15 / (run.span_us * 1e-6)
    wakes = len(account.by_wake)
    return [
        run.title,
        f"{daily:.3g} mAh a day, {picture.ampere(mean_a)} on average over "
        f"{duration(run.span_us)} and {wakes} wake{'s' * (wakes != 1)}. "
        f"{battery.title}: {life(life_years(battery, daily))}, self-discharge included.",
        f"Currents of {module.title} and {board.title}: profiles {run.module}, {run.board}.",
    ]


def profiles(run: Run) -> tuple[Profile, Profile, Profile]:
    """Module, board and battery of a run. ValueError when one does not exist."""
    return load(run.module, "module"), load(run.board, "board"), load(run.battery, "battery")


def duration(us: int) -> str:
    """A time span in the unit that fits."""
    for least, factor, unit in ((2 * 86400, 86400, "days"), (7200, 3600, "h"), (120, 60, "min")):
        if us >= least * 1e6:
            return f"{us / factor / 1e6:.3g} {unit}"
    return f"{us / 1e6:.3g} s"


def life(years: float) -> str:
    """How long a battery lasts, in the unit that fits."""
    if math.isinf(years):
        return "lasts for ever"
    return f"lasts {years:.1f} years" if years >= 2 else f"lasts {years * 365.25:.0f} days"


def write(run: Run, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `name`.png and `name`.html into `folder`. Returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    account = run.account()
    lines = headline(run, account)
    png = picture.draw(run, lines, folder / f"{name}.png")
    page = folder / f"{name}.html"
    page.write_text(_page(run, account, lines, png))
    return png, page


def _page(run: Run, account: Account, lines: list[str], png: Path) -> str:
    image = base64.b64encode(png.read_bytes()).decode()
    module, board, battery = profiles(run)
    parts = [
        f"<h1>{escape(lines[0])}</h1>",
        *(f"<p>{escape(line)}</p>" for line in lines[1:]),
        f'<img alt="current over time and charge" src="data:image/png;base64,{image}">',
        '<div class="columns">',
        _sums("By state", {f"{a}: {b}": s for (a, b), s in account.by_state.items()}, run),
        _sums("By cause", dict(account.by_cause), run),
        "</div>",
        _compared(run, account),
        _wakes(account),
        "<h2>What is in it</h2><ul>",
        *(f"<li>{escape(note)}</li>" for note in run.notes),
        "</ul>",
        *(_figures(profile) for profile in (module, board, battery)),
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(lines[0])}</title>"
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Rows of cells; a cell that begins with a digit is a number."""
    titles = "".join(f"<th>{escape(text)}" for text in head)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=n' if c[:1].isdigit() and n else ''}>{escape(c)}"
            for n, c in enumerate(row)
        )
        for row in rows
    )
    return f"<table><tr>{titles}{body}</table>"


def _sums(title: str, sums: dict, run: Run) -> str:
    volts = load(run.battery, "battery").figures["voltage"].value
    days = run.span_us / 86400e6
    whole = sum(s.charge for s in sums.values()) or 1
    rows = [
        [
            name,
            f"{s.us / 1e6:.1f}",
            f"{s.mah / days:.4g}",
            f"{s.joules(volts) / days:.4g}",
            f"{100 * s.charge / whole:.1f} %",
        ]
        for name, s in sorted(sums.items(), key=lambda item: -item[1].charge)
        if s.charge
    ]
    head = ["", "time in s", "mAh a day", "J a day", "share"]
    return f"<div><h2>{title}</h2>{_table(head, rows)}</div>"


def _compared(run: Run, account: Account) -> str:
    if not run.compared:
        return ""
    battery = load(run.battery, "battery")
    rows = sorted(
        [*run.compared.items(), ("this run", account.mah_per_day(run.span_us))],
        key=lambda row: row[1],
    )
    cells = [
        [name, f"{value:.4g}", f"{value / rows[0][1]:.2f}", life(life_years(battery, value))]
        for name, value in rows
    ]
    head = ["", "mAh a day", "times the least", "battery"]
    return f"<h2>The same jobs otherwise</h2>{_table(head, cells)}"


def _wakes(account: Account) -> str:
    loads = [load for load in account.by_load if account.by_load[load].charge]
    rows = [
        [str(n), *(f"{1000 * by[load].mah:.4g}" for load in loads),
         f"{1000 * sum(s.mah for s in by.values()):.4g}"]
        for n, by in sorted(account.by_wake.items())[:LONGEST]
    ]  # fmt: skip
    more = len(account.by_wake) - len(rows)
    rest = f"<p>and {more} more</p>" if more > 0 else ""
    unit = "\N{MICRO SIGN}Ah"
    head = ["wake", *(f"{load}, {unit}" for load in loads), f"in all, {unit}"]
    return f"<h2>By wake, each with the sleep after it</h2>{_table(head, rows)}{rest}"


def _figures(profile: Profile) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}<td class=n>{escape(str(figure))}"
        f"<td{' class=inferred' if figure.inferred else ''}>"
        f"{'inferred: ' if figure.inferred else ''}{escape(figure.source)}"
        for name, figure in profile.all_figures()
    )
    title = escape(f"Figures of the {profile.kind}: {profile.title}")
    return f"<h2>{title}</h2><table><tr><th>figure<th>value<th>source{rows}</table>"
