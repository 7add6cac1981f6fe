"""Colours of states and loads, and what all parts of the picture have in common."""

from matplotlib.axes import Axes

from tools.power.account import LOADS

COLOURS = {
    "connected-tx": "#c1121f",
    "connected-rx": "#f4845f",
    "connected-open": "#d5573b",
    "connected-answer": "#f79d65",
    "connected-tail": "#f7b267",
    "search": "#8338ec",
    "boot": "#b79ced",
    "awake": "#ffd60a",
    "gnss": "#2a9d8f",
    "board active": "#457b9d",
    "board computing": "#1d3557",
    "board light-sleep": "#a8dadc",
    "asleep, module edrx": "#90be6d",
    "asleep, module idle": "#43aa8b",
    "asleep, module psm": "#adb5bd",
    "asleep, module off": "#ced4da",
}
DARK = {"connected-tx", "search", "gnss", "board active", "board computing"}  # written on in white
LOAD_COLOURS: dict[str, str] = dict(
    zip(LOADS, ("#c1121f", "#2a9d8f", "#457b9d", "#adb5bd"), strict=True)
)
INK, FAINT, GRID = "#212529", "#6c757d", "#dee2e6"


def colour(load: str, state: str) -> str:
    """Of a load in one of its states."""
    if load != "module":
        return LOAD_COLOURS[load]
    return COLOURS.get(state, COLOURS.get(f"asleep, module {state}", FAINT))


def title(axes: Axes, text: str, beside: str = "") -> None:
    """What the part shows, and in small letters a figure of it."""
    axes.set_title(text, loc="left", weight="bold")
    if beside:
        axes.set_title(beside, loc="right", fontsize=9, color=FAINT)


def plain(axes: Axes) -> None:
    """Without a frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
