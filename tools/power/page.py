"""The page of a power report: HTML with the picture inside."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

from tools.power.account import DAY_US, LOADS, NAUS_PER_MAH, Sum
from tools.power.basis import Basis
from tools.power.battery import DAYS_PER_YEAR, life_years
from tools.power.picture_bars import LEAST, OWN, UAH, between, times
from tools.power.profiles import Figure, Profile
from tools.power.run import Run
from tools.power.wakes import KINDS, Wake, groups, wakes
from tools.power.wording import CAUSES, STATES, WAYS, duration, life, number, percent

STYLE = """
:root { color-scheme: light dark; --ink: #212529; --faint: #6c757d; --line: #e9ecef;
        --paper: #fff; --doubt: #9a6700; --bad: #c1121f }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 1180px; margin: 2em auto; padding: 0 1em; overflow-wrap: break-word }
h1 { font-size: 1.6em; margin-bottom: 0 } h2 { font-size: 1.15em; margin-top: 2em }
img { width: 100% } .wide { overflow-x: auto }
table { border-collapse: collapse; margin: .6em 0 }
th, td { padding: .22em 1.6em .22em 0; text-align: left; border-bottom: 1px solid var(--line);
         vertical-align: top }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td:first-child { white-space: nowrap } tr.own { font-weight: bold }
tr.all td { border-top: 1px solid var(--faint) }
.inferred { color: var(--doubt) } .note, .what { color: var(--faint) } p.note { margin: .2em 0 }
.problem { color: var(--bad); font-weight: bold }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9ecef; --faint: #adb5bd; --line: #343a40; --paper: #16191c; --doubt: #e3b341;
          --bad: #ff7b72 }
  img { filter: invert(.91) hue-rotate(180deg) }
}
@media (max-width: 600px) {
  body { margin: 1em auto; padding: 0 .7em } h1 { font-size: 1.3em }
  .picture { overflow-x: auto } .picture img { width: 900px }
  th, td { padding-right: .9em; min-width: 3em } td:first-child { white-space: normal }
  th.n { white-space: normal; min-width: 5.5em }
  td:first-child { position: sticky; left: 0; background: var(--paper) }
  td:not(.n):not(:first-child) { min-width: 13em }
}
"""
LONGEST = 100  # wakes that are listed one by one
DEAREST = 25  # of more


def html(
    basis: Basis,
    lines: Sequence[str],
    picture: bytes,
    profiles: tuple[Profile, Profile, Profile],
) -> str:
    """The whole page. `lines`: title, and what is said under it; picture: a PNG without."""
    run, part, account = basis.run, basis.part, basis.account
    image = base64.b64encode(picture).decode()
    battery = profiles[2]
    volts = battery.figures["voltage"].value
    lives = wakes(part.intervals)
    states = [
        (f"{a}: {b}", STATES.get((a, b), ""), total) for (a, b), total in account.by_state.items()
    ]
    causes = [(name, CAUSES.get(name, ""), total) for name, total in account.by_cause.items()]
    parts = [
        f"<h1>{escape(lines[0])}</h1>",
        *(
            f"<p{' class=problem' if line == run.problem else ''}>{escape(line)}</p>"
            for line in lines[1:]
        ),
        f'<div class=picture tabindex=0><img alt="current over time and charge" '
        f'src="data:image/png;base64,{image}"></div>',
        *(
            []
            if run.problem or not basis.daily
            else [_compared(basis, battery), _battery(basis, battery)]
        ),
        f"<p class=note>What follows is of {escape(basis.words)}.</p>",
        _sums("By state", states, basis, volts),
        _sums("By cause", causes, basis, volts),
        _kinds(basis, lives),
        _wakes(run, lives),
        "<h2>What is in it</h2><ul>",
        *(f"<li>{escape(note)}</li>" for note in run.notes),
        "</ul>",
        *(_figures(profile) for profile in profiles),
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8>"
        f'<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{escape(lines[0])}</title>"
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: Iterable[int] = (0,)) -> str:
    """Rows of cells. The columns `texts` hold text, the others numbers."""
    left = set(texts)

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{'' if n in left else ' class=n'}>{escape(cell)}" for n, cell in enumerate(row)
        )

    body = "".join(f"<tr{MARKED.get(row[0], '')}>{cells('td', row)}" for row in rows)
    return f"<div class=wide tabindex=0><table><tr>{cells('th', head)}{body}</table></div>"


MARKED = {OWN: " class=own", "in all": " class=all"}


def _sums(title: str, sums: list[tuple[str, str, Sum]], basis: Basis, volts: float) -> str:
    """Time, charge and energy of each. Two loads run at the same time, so times add up to more."""
    days = basis.part.span_us / DAY_US if basis.daily else 1.0
    found = sorted((row for row in sums if row[2].charge), key=lambda row: -row[2].charge)
    whole = Sum(0, sum(s.charge for *_, s in found))
    rows = [
        [
            name,
            what,
            duration(s.us) if s.us else "",
            number(basis.rate(s.charge)),
            number(s.joules(volts) / days),
            percent(s.charge / (whole.charge or 1)),
        ]
        for name, what, s in [*found, ("in all", "", whole)]
    ]
    joules = f"J{' a day' * basis.daily} at {volts:g} V"
    head = ["", "what it is", "time", basis.unit, joules, "share"]
    return f"<h2>{title}</h2>{_table(head, rows, (0, 1))}"


def _compared(basis: Basis, battery: Profile) -> str:
    """Ours, the least possible and usual firmwares."""
    run = basis.run
    if not run.compared:
        return ""
    own = run.account().mah_per_day(run.span_us)
    rows = sorted([*run.compared.items(), (OWN, own)], key=lambda row: row[1])
    least = run.compared.get(LEAST, rows[0][1])
    cells = [
        [
            name,
            number(value),
            times(value, least) + (f" ({between(basis, value, least)})" if name == OWN else ""),
            life(life_years(battery, value)),
            WAYS.get(name, ""),
        ]
        for name, value in rows
    ]
    head = [
        "",
        "mAh a day, with the start",
        "of the least possible",
        "battery lasts",
        "what it is",
    ]
    note = (
        "How many times the least: what is beyond it may be off one way, and the least the other, "
        "as far as the currents are; and days differ."
    )
    return f"<h2>The same jobs otherwise</h2>{_table(head, cells, (0, 4))}<p class=note>{note}</p>"


def _battery(basis: Basis, battery: Profile) -> str:
    """What the battery has, what is drawn, and how long it lasts with and without losses."""
    daily = basis.mah_per_day
    figures = battery.figures
    capacity, usable = figures["capacity"].value, figures["usable"].value
    lost = figures["self-discharge"].value
    years = life_years(battery, daily)
    drawn = min(1.0, years * daily * DAYS_PER_YEAR / (capacity * usable)) if daily else 0.0
    rows = [
        ["usable charge", f"{number(capacity * usable, 4)} mAh",
         f"{percent(usable)} of {number(capacity, 4)} mAh"],
        ["drawn by the node", f"{number(daily)} mAh a day",
         f"{percent(drawn)} of the usable charge until it is empty"],
        ["self-discharge",
         f"{number(capacity * usable * lost / DAYS_PER_YEAR)} mAh a day at first",
         f"{percent(lost)} a year of what is left: {percent(1 - drawn)} until it is empty"],
        ["lasts", life(years),
         f"without self-discharge {life(capacity * usable / daily / DAYS_PER_YEAR)}"
         if daily else ""],
    ]  # fmt: skip
    return f"<h2>Battery: {escape(battery.title)}</h2>{_table(['', '', 'which is'], rows, (0, 2))}"


def _kinds(basis: Basis, lives: list[Wake]) -> str:
    """The wakes in groups. Their sums are the whole part."""
    days = basis.part.span_us / DAY_US
    found = groups(lives)
    whole = sum(group.charge for group in found)
    rows = [
        [
            group.kind,
            KINDS[group.kind],
            f"{len(group.wakes)}",
            number(len(group.wakes) / days) if basis.daily else "",
            number(1000 * group.charge / NAUS_PER_MAH / len(group.wakes)),
            number(group.median_uah),
            number(min(wake.uah for wake in group.wakes)),
            number(max(wake.uah for wake in group.wakes)),
            number(basis.rate(group.charge)),
            percent(group.charge / (whole or 1)),
        ]
        for group in found
    ]
    each_day = number(len(lives) / days) if basis.daily else ""
    total = ["in all", "", f"{len(lives)}", each_day, "", "", "", "",
             number(basis.rate(whole)), percent(1)]  # fmt: skip
    head = ["", "what it is", "wakes", "a day", f"mean {UAH}", "median", "least", "most",
            basis.unit, "share"]  # fmt: skip
    return (
        f"<h2>By kind of wake, with the sleep after it</h2>{_table(head, [*rows, total], (0, 1))}"
    )


def _wakes(run: Run, lives: list[Wake]) -> str:
    """All wakes, or the dearest."""
    title, listed = "Wake by wake", lives
    if len(lives) > LONGEST:
        title = f"The dearest {DEAREST} of {len(lives)} wakes"
        listed = sorted(lives, key=lambda wake: (-wake.charge, wake.number))[:DEAREST]
    loads = [load for load in LOADS if any(wake.by_load.get(load) for wake in lives)]
    rows = [
        [
            str(wake.number),
            wake.kind,
            duration(wake.start_us - run.begin_us),
            duration(wake.awake_us - wake.start_us),
            duration(wake.busy_us - wake.start_us),
            *(number(1000 * wake.by_load.get(load, 0) / NAUS_PER_MAH) for load in loads),
            number(wake.uah),
        ]
        for wake in listed
    ]
    head = ["wake", "kind", "begins after", "board awake", "until all sleep",
            *(f"{load}, {UAH}" for load in loads), f"in all, {UAH}"]  # fmt: skip
    return f"<h2>{title}</h2>{_table(head, rows, (1,))}"


def _figures(profile: Profile) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}<td class=n>{escape(_value(figure))}"
        f"<td{' class=inferred' if figure.inferred else ''}>"
        f"{'inferred: ' if figure.inferred else ''}{escape(figure.source)}"
        for name, figure in profile.all_figures()
    )
    title = escape(f"Figures of the {profile.kind}: {profile.title}")
    head = "<tr><th>figure<th class=n>value<th>source"
    return f"<h2>{title}</h2><div class=wide tabindex=0><table>{head}{rows}</table></div>"


def _value(figure: Figure) -> str:
    if figure.unit == "share":
        return f"{100 * figure.value:g} %"
    unit = figure.unit.replace("u", "\N{MICRO SIGN}")
    return f"{figure.value:g} {unit}"
