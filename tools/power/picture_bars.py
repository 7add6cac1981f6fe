"""Parts of the picture with bars: charge by state, by cause and by wake, and of other ways."""

import math
import statistics
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from tools.power.account import LOADS, NAUS_PER_MAH
from tools.power.basis import Basis
from tools.power.battery import life_years
from tools.power.looks import FAINT, LOAD_COLOURS, colour, plain, title
from tools.power.profiles import load
from tools.power.wakes import BOARD, GNSS, ITSELF, MODULE, Wake, groups, wakes
from tools.power.wording import CAUSE_NAMES, count, life, number, percent, ratio, short, state

ROWS, LEAST_ROWS = 9, 5  # of a table of bars
MOST_WAKES = 40  # with a bar for each
ROOM = 1.62  # of the longest bar, for what is written beside it
FAR = 4  # times the median: a bar that is cut
CUT = 1.15  # times the longest of the others: where
OWN, LEAST = "this run", "least possible"
KIND_COLOURS = {GNSS: "#2a9d8f", MODULE: "#c1121f", ITSELF: "#f4845f", BOARD: "#457b9d"}
BINS = 32
LEAST_SPAN = 1.2  # of the histogram, in decades: a power of ten lies in it
UAH = "\N{MICRO SIGN}Ah"


def states(axes: Axes, basis: Basis) -> None:
    """Where the charge went, by state of each load."""
    parts = [
        (state(load, name), total.charge, colour(load, name))
        for (load, name), total in basis.account.by_state.items()
    ]
    _bars(axes, parts, basis)
    title(axes, "Charge by state")


def causes(axes: Axes, basis: Basis) -> None:
    """Where the charge went, by cause."""
    parts = [
        (CAUSE_NAMES.get(cause, cause), total.charge, "#5c677d")
        for cause, total in basis.account.by_cause.items()
    ]
    _bars(axes, parts, basis)
    title(axes, "Charge by cause")


def _bars(axes: Axes, parts: list[tuple[str, int, str]], basis: Basis) -> None:
    """The largest parts as bars, the others as one."""
    whole = sum(charge for _, charge, _ in parts) or 1
    largest = sorted((p for p in parts if p[1]), key=lambda part: -part[1])
    if len(largest) > ROWS:
        rest = sum(charge for _, charge, _ in largest[ROWS - 1 :])
        largest = [*largest[: ROWS - 1], ("all others", rest, FAINT)]
    values = [basis.rate(charge) for _, charge, _ in largest]
    axes.barh(range(len(largest)), values, color=[p[2] for p in largest], height=0.68)
    texts = [
        f"{number(value)}  ({percent(part[1] / whole)})"
        for part, value in zip(largest, values, strict=True)
    ]
    _rows(axes, [p[0] for p in largest], values, texts, basis.unit)


def _rows(
    axes: Axes,
    names: list[str],
    values: list[float],
    texts: list[str],
    unit: str,
    rows: int = ROWS,
) -> None:
    """`rows` rows: names at the left, texts at the right of bars; a linear axis in `unit`."""
    longest = max(values, default=0.0) or 1.0
    for n, (value, text) in enumerate(zip(values, texts, strict=True)):
        axes.text(value + longest * 0.02, n, text, va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, longest * ROOM)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_xlabel(unit)
    plain(axes)


def by_wake(figure: Figure, place: SubplotSpec, basis: Basis) -> None:
    """Each wake, or each kind of wake, with the sleep that follows."""
    lives = wakes(basis.part.intervals)
    if len(lives) <= MOST_WAKES:
        axes = figure.add_subplot(place)
        _stacked(axes, [wake.by_load for wake in lives], [wake.number for wake in lives])
        title(axes, "Charge by wake")
        return
    kinds = len(groups(lives))
    both = place.subgridspec(2, 1, hspace=0.75, height_ratios=(max(2, kinds), 2.1))
    _kinds(figure.add_subplot(both[0]), basis, lives)
    _spread(figure.add_subplot(both[1]), lives)


def _stacked(axes: Axes, charges: list[dict[str, int]], numbers: list[int]) -> None:
    base = [0.0] * len(numbers)
    for name in LOADS:
        heights = [1000 * by_load.get(name, 0) / NAUS_PER_MAH for by_load in charges]
        if any(heights):
            axes.bar(
                numbers, heights, bottom=base, color=LOAD_COLOURS[name], label=name, width=0.7
            )
        base = [a + b for a, b in zip(base, heights, strict=True)]
    axes.set_ylim(0, max(base) * 1.3)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.set_xlabel("wake, with the sleep after it")
    axes.set_ylabel(UAH)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
    plain(axes)


def _kinds(axes: Axes, basis: Basis, lives: Sequence[Wake]) -> None:
    """The kinds of wakes: how many, what each costs, and what all of them cost."""
    found = groups(lives)
    whole = sum(group.charge for group in found) or 1
    values = [basis.rate(group.charge) for group in found]
    axes.barh(range(len(found)), values, color=[KIND_COLOURS[g.kind] for g in found], height=0.6)
    texts = [
        f"{number(value)}  ({percent(group.charge / whole)})\n"
        f"median {number(group.median_uah)} {UAH}"
        for group, value in zip(found, values, strict=True)
    ]
    counts = [f"{g.kind}\n{count(len(g.wakes), 'wake')}" for g in found]
    _rows(axes, counts, values, texts, basis.unit, max(2, len(found)))
    title(axes, "Charge by kind of wake")


def _spread(axes: Axes, lives: Sequence[Wake]) -> None:
    """How many wakes need how much."""
    found = groups(lives)
    charges = [wake.uah for wake in lives if wake.charge]
    low, high = math.log10(min(charges)) - 0.1, math.log10(max(charges)) + 0.1
    if high - low < LEAST_SPAN:  # an axis needs figures on it
        middle = (low + high) / 2
        low, high = middle - LEAST_SPAN / 2, middle + LEAST_SPAN / 2
    edges = [10 ** (low + (high - low) * n / BINS) for n in range(BINS + 1)]
    axes.hist(
        [[wake.uah for wake in group.wakes] for group in found], edges, stacked=True, log=True,
        color=[KIND_COLOURS[group.kind] for group in found],
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(bottom=0.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"{UAH} of a wake, with the sleep after it")
    axes.set_ylabel("wakes")
    plain(axes)


def compared(axes: Axes, basis: Basis) -> None:
    """The same jobs done otherwise, from the start on. A bar that is far longer is cut."""
    run = basis.run
    account = run.account()
    rows = sorted(
        [*run.compared.items(), (OWN, account.mah_per_day(run.span_us))], key=lambda row: row[1]
    )
    values = [value for _, value in rows]
    least = run.compared.get(LEAST, values[0])
    lengths = cut(values)
    colours = ["#c1121f" if name == OWN else "#adb5bd" for name, _ in rows]
    axes.barh(range(len(rows)), lengths, color=colours, height=0.6)
    for n, (value, length) in enumerate(zip(values, lengths, strict=True)):
        if length < value:
            axes.text(0.86 * length, n, "//", va="center", ha="center", color="white", size=13,
                      weight="bold")  # fmt: skip
    battery = load(run.battery, "battery")
    texts = [
        f"{number(value)}  ({times(value, least)})\n{life(life_years(battery, value))}"
        for value in values
    ]
    own = [name for name, _ in rows].index(OWN)
    texts[own] += f"\n{between(basis, values[own], least)}"
    names = [name.replace(" between", "\nbetween") for name, _ in rows]
    _rows(axes, names, lengths, texts, "mAh a day, with the start", max(LEAST_ROWS, len(rows)))
    title(axes, "The same jobs otherwise")


def times(value: float, least: float) -> str:
    """How many times the least possible a consumption is."""
    return f"{ratio(value / least if least else 1.0)} \N{MULTIPLICATION SIGN}"


def between(basis: Basis, value: float, least: float) -> str:
    """How far off that may be, of a run: 1.02 to 1.10 times."""
    used = load(basis.run.module, "module"), load(basis.run.board, "board")
    low, high = basis.ratio_range(value / least if least else 1.0, used)
    return f"{ratio(low)} to {ratio(high)} \N{MULTIPLICATION SIGN}"


def cut(values: Sequence[float]) -> list[float]:
    """Lengths of bars: as long as the values, but no bar dwarfs the others."""
    limit = FAR * statistics.median(values)
    far = CUT * max(value for value in values if value <= limit)
    return [value if value <= limit else far for value in values]
