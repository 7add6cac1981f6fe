"""Parts of the picture with time from left to right: the whole run, and one wake enlarged.

A run whose wakes can be told from each other is one curve of its current. Of a longer one the
charge is shown piece by piece, and below it the current of a typical stretch.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from tools.power import over_time
from tools.power.account import DAY_US, NAUS_PER_MAH
from tools.power.basis import Basis
from tools.power.curve import Step, levels
from tools.power.looks import COLOURS, DARK, FAINT, GRID, INK, plain, title
from tools.power.wakes import Wake, typical
from tools.power.wording import SHOWN, ampere, duration, number, short, time_unit

COLUMNS = 720  # of a curve
MOST_WAKES = 60  # of a run that is one curve
LOWEST_A = 1e-6
LETTER_IN, LINE_IN = 0.066, 0.17  # size of a name's letters and lines, in inches
STEEP = 40  # degrees, of names beside each other
BRIDGE = 0.02  # of the picture: a shorter state in between does not end a stretch
SOLID = 0.7  # of a stretch must be its state, for a name inside
AGAIN = 0.12  # of the picture: a stretch of this length is named although its state has a name


def whole(
    figure: Figure, place: SubplotSpec, basis: Basis, found: list[Step], lives: Sequence[Wake]
) -> None:
    """All of the run."""
    run = basis.run
    if len(lives) <= MOST_WAKES:
        axes = figure.add_subplot(place)
        _curve(axes, found, run.begin_us, run.end_us)
        title(axes, "The whole run: current from the battery")
        return
    both = place.subgridspec(2, 1, hspace=0.5)
    _pieces(figure.add_subplot(both[0]), basis, found)
    stretch = over_time.typical(found, run.begin_us, run.end_us, len(lives))
    axes = figure.add_subplot(both[1])
    _curve(axes, found, stretch.begin_us, stretch.end_us)
    if stretch.name:
        since_us = stretch.begin_us - run.begin_us
        which = f"day {since_us // DAY_US + 1}"
        if stretch.end_us - stretch.begin_us < DAY_US:
            which += f", from {short(since_us % DAY_US / 3600e6)} h on"
        title(axes, f"A typical {stretch.name}: current from the battery", which)
    else:
        title(axes, "The whole run: current from the battery")


def _pieces(axes: Axes, basis: Basis, found: list[Step]) -> None:
    """Charge of each piece, by state, as a rate: the area is the charge."""
    run = basis.run
    width_us = over_time.piece_us(run.span_us)
    pieces = over_time.charges(found, run.begin_us, run.end_us, width_us)
    factor, unit = time_unit(run.span_us)
    begins = [n * width_us for n in range(len(pieces))]
    lengths = [min(width_us, run.span_us - begin) for begin in begins]
    base = [0.0] * len(pieces)
    for state in reversed(COLOURS):  # what hardly draws anything lies at the bottom
        heights = [
            piece.get(state, 0) / NAUS_PER_MAH * DAY_US / us
            for piece, us in zip(pieces, lengths, strict=True)
        ]
        if any(heights):
            axes.bar(
                [begin / factor for begin in begins], heights, bottom=base, align="edge",
                width=[0.94 * us / factor for us in lengths], color=COLOURS[state],
            )  # fmt: skip
        base = [a + b for a, b in zip(base, heights, strict=True)]
    mean = basis.mah_per_day
    axes.axhline(mean, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_xlim(0, run.span_us / factor)
    axes.set_ylim(0, 1.15 * max(base))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_ylabel("mAh a day")
    axes.set_xlabel(f"time in {unit}")
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    plain(axes)
    title(
        axes,
        "The whole run: charge by what was going on",
        f"a bar for each {_each(width_us)}; dashed: the mean, {number(mean)} mAh a day",
    )


def _each(us: int) -> str:
    return {DAY_US: "day", DAY_US // 24: "hour"}.get(us, duration(us))


def _curve(axes: Axes, found: list[Step], begin_us: int, end_us: int) -> None:
    """Current from `begin_us` to `end_us`."""
    span_us = end_us - begin_us
    factor, unit = time_unit(span_us)
    part = [
        step._replace(start_us=max(step.start_us, begin_us), end_us=min(step.end_us, end_us))
        for step in found
        if step.start_us < end_us and step.end_us > begin_us
    ]
    width = max(1, -(-span_us // COLUMNS))
    bars = levels(part, begin_us, end_us, COLUMNS)
    for column, piece in enumerate(over_time.charges(part, begin_us, end_us, width)):
        for state in _hidden(piece, {state: bars[column, state] for state in piece}):
            del bars[column, state]
    tallest = sorted(bars.items(), key=lambda item: -item[1])  # lower levels in front
    _fill(
        axes,
        [
            (column * width / factor, (column + 1) * width / factor, na, state)
            for (column, state), na in tallest
        ],
    )
    _current_axis(axes, part)
    axes.set_xlim(0, span_us / factor)
    axes.set_xlabel(f"time in {unit}")


def _hidden(charges: dict[str, int], highest: dict[str, int]) -> list[str]:
    """What is not shown of a column: what draws less than the dearest state, except for sleep."""
    active = [state for state in charges if not state.startswith("asleep")]
    dearest = max(active, key=lambda state: charges[state], default="")
    return [state for state in active if highest[state] < highest[dearest]]


def _fill(axes: Axes, boxes: list[tuple[float, float, int, str]]) -> None:
    axes.add_collection(
        PolyCollection(
            [
                [(a, LOWEST_A / 10), (a, na * 1e-9), (b, na * 1e-9), (b, LOWEST_A / 10)]
                for a, b, na, _ in boxes
            ],
            facecolors=[COLOURS.get(state, FAINT) for _, _, _, state in boxes],
            linewidths=0,
            antialiased=False,
        )
    )


def _current_axis(axes: Axes, found: list[Step], room_in: float = 0.0) -> None:
    """A log axis up to the highest current, and `room_in` inches above it."""
    highest = max(*(step.na * 1e-9 for step in found), 1e-3)
    axes.set_yscale("log")
    _, height_in = _inches(axes)
    exponent = height_in / (height_in - room_in)
    axes.set_ylim(LOWEST_A, LOWEST_A * (2 * highest / LOWEST_A) ** exponent)
    ticks = [10.0**n for n in range(-6, 2) if 10.0**n < 3 * highest]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: ampere(value)))
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    plain(axes)


def _inches(axes: Axes) -> tuple[float, float]:
    """Width and height."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    box = axes.get_position()
    return box.width * figure.get_figwidth(), box.height * figure.get_figheight()


# One wake ---------------------------------------------------------------------------------------


class Part(NamedTuple):
    """A stretch of one state in the enlarged wake: seconds, and its highest current in A.

    own -- seconds of it that are really this state, and not a short one in between
    step -- the longest of these without a break
    """

    begin: float
    end: float
    state: str
    amperes: float
    own: float
    step: tuple[float, float]

    @property
    def middle(self) -> float:
        return (self.begin + self.end) / 2

    @property
    def point(self) -> float:
        """Where it is surely this state."""
        return sum(self.step) / 2

    @property
    def length(self) -> float:
        return self.end - self.begin


def one_wake(axes: Axes, found: list[Step], lives: Sequence[Wake]) -> None:
    """The most telling wake, with every state named."""
    wake = typical(lives)
    begin, end = wake.start_us, wake.shown_us
    seconds = [
        ((max(s.start_us, begin) - begin) / 1e6, (min(s.end_us, end) - begin) / 1e6, s)
        for s in found
        if s.end_us > begin and s.start_us < end
    ]
    _fill(axes, [(a, b, s.na, s.state) for a, b, s in seconds])
    line = [(x, s.na * 1e-9) for a, b, s in seconds for x in (a, b)]
    axes.plot([x for x, _ in line], [y for _, y in line], color=INK, linewidth=0.7)
    _current_axis(axes, [s for _, _, s in seconds], room_in=1.15)
    span = (end - begin) / 1e6
    axes.set_xlim(0, span)
    axes.set_xlabel("time in s")
    charge = sum((b - a) * s.na for a, b, s in seconds) / 3600 / 1000
    title(
        axes,
        f"Wake {wake.number}, {'a typical' if len(lives) > 1 else 'the only'} one: {wake.kind}",
        f"{number(charge)} \N{MICRO SIGN}Ah in {duration(end - begin)}",
    )
    _name(axes, _parts(seconds, span), span)


def _parts(seconds: list[tuple[float, float, Step]], span: float) -> list[Part]:
    """The stretches that get a name: of each state the longest, and others that are long."""
    found: list[Part] = []
    last: dict[str, int] = {}
    for a, b, step in seconds:
        n = last.get(step.state)
        if n is not None and a - found[n].end < BRIDGE * span:
            part = found[n]
            amperes = max(part.amperes, step.na * 1e-9)
            longer = max(part.step, (a, b), key=lambda step: step[1] - step[0])
            found[n] = part._replace(end=b, amperes=amperes, own=part.own + b - a, step=longer)
        else:
            last[step.state] = len(found)
            found.append(Part(a, b, step.state, step.na * 1e-9, b - a, (a, b)))
    longest = {part.state: part for part in sorted(found, key=lambda part: part.own)}
    return [p for p in found if p == longest[p.state] or p.own > AGAIN * span]


def _name(axes: Axes, parts: list[Part], span: float) -> None:
    """Names in their stretches where they fit, else above the curve with a line to them."""
    wide_in, high_in = _inches(axes)
    wide = wide_in / span  # inches for a second
    low, high = axes.get_ylim()
    outside = []
    for part in parts:
        name = SHOWN.get(part.state, part.state)
        width, needed = part.length * wide, len(name) * LETTER_IN + 0.1
        tall = _height(part.amperes, low, high) * high_in
        if part.own < SOLID * part.length or width < LINE_IN + 0.04:
            outside.append(part)
            continue
        within = tall > (2 * LINE_IN if width > needed else needed)
        axes.text(
            part.middle, low * (part.amperes / low) ** 0.5 if within else 1.4 * part.amperes, name,
            fontsize=8.5, ha="center", va="center" if within else "bottom",
            rotation=0 if width > needed else 90,
            color="white" if within and part.state in DARK else INK,
            bbox={"facecolor": COLOURS.get(part.state, FAINT) if within else "none",
                  "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    outside.sort(key=lambda part: part.step)
    _name_outside(axes, outside, span, LINE_IN * 1.5 / wide, max(part.amperes for part in parts))


def _height(amperes: float, low: float, high: float) -> float:
    """Where a current lies on the axis, 0 to 1."""
    return math.log(max(amperes, low) / low) / math.log(high / low)


def _name_outside(
    axes: Axes, parts: list[Part], span: float, apart: float, highest: float
) -> None:
    """Names beside each other above the curve; a line leads from each to what it means."""
    places = []
    for part in parts:
        places.append(max(part.point, places[-1] + apart if places else 0.5 * apart))
    late = max(0.0, places[-1] - 0.97 * span) if places else 0.0
    for part, place in zip(parts, places, strict=True):
        place -= late
        left = place < 0.75 * span
        axes.annotate(
            SHOWN.get(part.state, part.state), (part.point, part.amperes), (place, 1.9 * highest),
            fontsize=8.5, ha="left" if left else "right", va="bottom", rotation_mode="anchor",
            rotation=STEEP if left else -STEEP, color=INK,
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkB": 0},
        )  # fmt: skip
