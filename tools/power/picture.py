"""The run as a picture: current over time, one wake enlarged, and where the charge went."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from tools.power import curve
from tools.power.account import LOADS, NAUS_PER_MAH, Account
from tools.power.curve import Step
from tools.power.run import Run

COLUMNS = 900  # of the whole run
ROWS = 9  # of each table of bars
LOWEST_A = 1e-6
COLOURS = {
    "connected-tx": "#c1121f",
    "connected-rx": "#f4845f",
    "connected-tail": "#f7b267",
    "search": "#8338ec",
    "boot": "#b79ced",
    "awake": "#ffd60a",
    "gnss": "#2a9d8f",
    "board active": "#457b9d",
    "board light-sleep": "#a8dadc",
    "edrx": "#90be6d",
    "idle": "#43aa8b",
    "asleep, module edrx": "#90be6d",
    "asleep, module idle": "#43aa8b",
    "asleep, module psm": "#adb5bd",
    "asleep, module off": "#ced4da",
}
NAMES = {
    "connected-tx": "transmitting",
    "connected-rx": "receiving, signalling",
    "connected-tail": "connected, no traffic",
    "search": "searching",
    "boot": "module boots",
    "awake": "module awake",
    "gnss": "GNSS",
    "board active": "board active",
    "board light-sleep": "board in light sleep",
    "asleep, module edrx": "asleep, module in eDRX",
    "asleep, module idle": "asleep, module in DRX",
    "asleep, module psm": "asleep, module in PSM",
    "asleep, module off": "asleep, module off",
}
LOAD_COLOURS: dict[str, str] = dict(
    zip(LOADS, ("#c1121f", "#2a9d8f", "#457b9d", "#adb5bd"), strict=True)
)
INK, FAINT = "#212529", "#6c757d"
TIME_UNITS = ((2 * 86400e6, 86400e6, "days"), (3 * 3600e6, 3600e6, "h"), (300e6, 60e6, "min"))


def draw(run: Run, headline: Sequence[str], path: Path) -> Path:
    """Write the picture as PNG. `headline`: title and the lines under it. Returns `path`."""
    account = run.account()
    found = list(curve.steps(run.intervals))
    with plt.rc_context({"font.size": 9, "axes.edgecolor": FAINT, "text.color": INK}):
        figure = plt.figure(figsize=(16, 9.6), dpi=110)
        upper = figure.add_gridspec(
            1, 2, width_ratios=(1.45, 1), wspace=0.12, left=0.055, right=0.985, top=0.86,
            bottom=0.48,
        )  # fmt: skip
        lower = figure.add_gridspec(
            1, 4 if run.compared else 3, wspace=0.62, left=0.13, right=0.985, top=0.36, bottom=0.06
        )  # fmt: skip
        figure.text(0.055, 0.965, headline[0], fontsize=16, weight="bold", va="top")
        figure.text(0.055, 0.925, "\n".join(headline[1:]), fontsize=10.5, color=FAINT, va="top")
        _whole(figure.add_subplot(upper[0]), run, found)
        _one_wake(figure.add_subplot(upper[1]), run, account, found)
        _bars(figure.add_subplot(lower[0]), "by state", _states(account), run)
        _bars(figure.add_subplot(lower[1]), "by cause", _causes(account), run)
        _wakes(figure.add_subplot(lower[2]), account)
        if run.compared:
            _compared(figure.add_subplot(lower[3]), run, account)
        _legend(figure, found)
        figure.savefig(path)
        plt.close(figure)
    return path


# Current over time ------------------------------------------------------------------------------


def _whole(axes: Axes, run: Run, found: list[Step]) -> None:
    factor, unit = _time_unit(run.span_us)
    width = max(1, -(-run.span_us // COLUMNS))
    bars = curve.levels(found, run.begin_us, run.end_us, COLUMNS)
    tallest = sorted(bars.items(), key=lambda item: -item[1])  # lower levels in front
    _fill(
        axes,
        [
            (column * width / factor, (column + 1) * width / factor, na, state)
            for (column, state), na in tallest
        ],
    )
    _current_axis(axes, found)
    axes.set_xlim(0, run.span_us / factor)
    axes.set_xlabel(f"time in {unit}")
    axes.set_title("The whole run: current from the battery", loc="left", weight="bold")


def _one_wake(axes: Axes, run: Run, account: Account, found: list[Step]) -> None:
    number, begin, end = _typical_wake(run, account)
    part = [s for s in found if s.end_us > begin and s.start_us < end]
    seconds = [
        (max(s.start_us, begin) / 1e6 - begin / 1e6, min(s.end_us, end) / 1e6 - begin / 1e6, s)
        for s in part
    ]
    _fill(axes, [(a, b, s.na, s.state) for a, b, s in seconds])
    line = [(x, s.na * 1e-9) for a, b, s in seconds for x in (a, b)]
    axes.plot([x for x, _ in line], [y for _, y in line], color=INK, linewidth=0.8)
    _current_axis(axes, found)
    span = (end - begin) / 1e6
    axes.set_xlim(0, span)
    axes.set_xlabel("time in s")
    axes.set_title(f"Wake {number} enlarged", loc="left", weight="bold")
    _name_states(axes, seconds, span)


def _typical_wake(run: Run, account: Account) -> tuple[int, int, int]:
    """Number, begin and end of the wake with the median charge, cut when all sleeps again."""
    whole = sorted(account.by_wake)
    if len(whole) > 2:
        whole = whole[1:-1]  # neither the first start nor the cut end
    charges = {n: sum(s.charge for s in account.by_wake[n].values()) for n in whole}
    number = sorted(whole, key=lambda n: (charges[n], n))[len(whole) // 2]
    own = [i for i in run.intervals if i.wake == number]
    begin, end = min(i.start_us for i in own), max(i.end_us for i in own)
    floor = {"regulator", "gnss"}
    resting = ("off", "psm", "deep-sleep", "idle", "edrx")
    busy = [i.end_us for i in own if i.load not in floor and i.state not in resting]
    active = max(busy, default=end) - begin
    return number, begin, min(end, begin + round(active * 1.08) + 500_000)


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


def _name_states(axes: Axes, seconds: list[tuple[float, float, Step]], span: float) -> None:
    """A name over each stretch that is wide enough; short steps in between do not end one."""
    stretches: list[list] = []
    for a, b, step in seconds:
        last = stretches[-1] if stretches else None
        if last and last[2] == step.state and a - last[1] < 0.02 * span:
            last[1], last[3] = b, max(last[3], step.na)
        elif b - a > 0.012 * span:
            stretches.append([a, b, step.state, step.na])
    for a, b, state, na in stretches:
        if b - a > 0.025 * span:
            axes.text(
                (a + b) / 2, na * 1e-9 * 1.35, str(NAMES.get(state, state)), fontsize=8.5,
                ha="center", va="bottom", color=INK, rotation=0 if b - a > 0.3 * span else 90,
                clip_on=True,
            )  # fmt: skip


def _current_axis(axes: Axes, found: list[Step]) -> None:
    axes.set_yscale("log")
    axes.set_ylim(LOWEST_A, max(20 * max(s.na for s in found) * 1e-9, 1e-3))
    axes.yaxis.set_major_locator(FixedLocator([10.0**n for n in range(-6, 2)]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: ampere(value)))
    axes.grid(axis="y", color="#dee2e6", linewidth=0.6)
    axes.set_axisbelow(True)
    _plain(axes)


def ampere(value: float) -> str:
    """A current with its unit, such as 10 \N{MICRO SIGN}A."""
    for factor, unit in ((1, "A"), (1e-3, "mA")):
        if value >= factor * 0.999:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-6:.3g} \N{MICRO SIGN}A"


def _time_unit(span_us: int) -> tuple[float, str]:
    for least, factor, unit in TIME_UNITS:
        if span_us >= least:
            return factor, unit
    return 1e6, "s"


def _legend(figure: Figure, found: list[Step]) -> None:
    present = {step.state for step in found}
    handles = [
        Patch(color=colour, label=NAMES.get(state, state))
        for state, colour in COLOURS.items()
        if state in present
    ]
    figure.legend(
        handles=handles, loc="center", bbox_to_anchor=(0.52, 0.415), ncols=len(handles),
        frameon=False, fontsize=9, handlelength=1.1, columnspacing=1.6,
    )  # fmt: skip


# Where it went ----------------------------------------------------------------------------------


def _states(account: Account) -> list[tuple[str, int, str]]:
    found = []
    for (load, state), total in account.by_state.items():
        colour = COLOURS.get(state, COLOURS.get(f"asleep, module {state}", FAINT))
        if load != "module":
            colour = LOAD_COLOURS[load]
        name = load if state == "on" else f"{load}: {NAMES.get(state, state)}"
        found.append((name.replace("module: module", "module:"), total.charge, colour))
    return found


def _causes(account: Account) -> list[tuple[str, int, str]]:
    return [(cause, total.charge, "#5c677d") for cause, total in account.by_cause.items()]


def _bars(axes: Axes, title: str, parts: list[tuple[str, int, str]], run: Run) -> None:
    """The largest parts as bars, the others as one."""
    whole = sum(charge for _, charge, _ in parts) or 1
    largest = sorted((p for p in parts if p[1]), key=lambda part: -part[1])
    if len(largest) > ROWS:
        rest = sum(charge for _, charge, _ in largest[ROWS - 1 :])
        largest = [*largest[: ROWS - 1], ("all others", rest, FAINT)]
    per_day = 86400e6 / run.span_us / NAUS_PER_MAH
    values = [charge * per_day for _, charge, _ in largest]
    axes.barh(range(len(largest)), values, color=[p[2] for p in largest], height=0.68)
    for n, ((_, charge, _), value) in enumerate(zip(largest, values, strict=True)):
        axes.text(
            value + max(values) * 0.02, n, f"{value:.3g}  ({100 * charge / whole:.1f} %)",
            va="center", fontsize=8,
        )  # fmt: skip
    axes.set_yticks(range(len(largest)), [p[0] for p in largest])
    axes.set_xlim(0, max(values) * 1.42)
    axes.set_ylim(ROWS - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("mAh a day")
    axes.set_title(f"Charge {title}", loc="left", weight="bold")
    _plain(axes)


def _wakes(axes: Axes, account: Account) -> None:
    """Each wake with the sleep that follows it."""
    numbers = sorted(account.by_wake)
    base = [0.0] * len(numbers)
    for load in LOADS:
        sums = [account.by_wake[n].get(load) for n in numbers]
        heights = [s.mah * 1000 if s else 0.0 for s in sums]
        if any(heights):
            axes.bar(
                numbers, heights, bottom=base, color=LOAD_COLOURS[load], label=load,
                width=0.7 if len(numbers) < 100 else 1.0,
            )  # fmt: skip
        base = [a + b for a, b in zip(base, heights, strict=True)]
    axes.set_ylim(0, max(base) * 1.3)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.set_xlabel("wake, with the sleep after it")
    axes.set_ylabel("\N{MICRO SIGN}Ah")
    axes.set_title("Charge by wake", loc="left", weight="bold")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    _plain(axes)


def _compared(axes: Axes, run: Run, account: Account) -> None:
    """The same jobs done otherwise, on a log axis."""
    own = account.mah_per_day(run.span_us)
    rows = sorted([*run.compared.items(), ("this run", own)], key=lambda row: row[1])
    colours = ["#c1121f" if name == "this run" else "#adb5bd" for name, _ in rows]
    values = [value for _, value in rows]
    axes.barh(range(len(rows)), values, color=colours, height=0.6)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 3, max(values) * 12)
    for n, value in enumerate(values):
        axes.text(
            value * 1.15, n, f"{value:.3g}  ({value / min(values):.2f} x)", va="center", fontsize=8
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(ROWS - 0.5, -0.5)
    axes.set_xlabel("mAh a day (log)")
    axes.set_title("The same jobs otherwise", loc="left", weight="bold")
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
