"""The run as a picture: current over time, one wake enlarged, and where the charge went."""

import io
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from tools.power import curve, picture_bars, picture_curves
from tools.power.basis import Basis
from tools.power.looks import COLOURS, FAINT, INK
from tools.power.run import Run
from tools.power.wakes import wakes
from tools.power.wording import SHOWN

LEFT, RIGHT = 0.055, 0.985
LINE = 205  # characters
USUAL_LINES, LINE_HEIGHT = 3, 0.018
WORDS_END = 0.877  # of the height, below the usual lines
IN_A_ROW = 7  # names of states in the legend


def draw(run: Run, headline: Sequence[str], path: Path) -> Path:
    """Write the picture as PNG. `headline`: title and the lines under it. Returns `path`."""
    found = list(curve.steps(run.intervals))
    lives = wakes(run.intervals)
    basis = Basis.of(run)
    shown = run.compared and basis.daily and not run.problem
    with plt.rc_context({"font.size": 9, "axes.edgecolor": FAINT, "text.color": INK}):
        figure = plt.figure(figsize=(16, 10.4), dpi=110)
        figure.text(LEFT, 0.97, headline[0], fontsize=16, weight="bold", va="top")
        said = _wrapped(headline[1:])
        more = _more(said)
        figure.text(LEFT, 0.934, "\n".join(said), fontsize=10.5, color=FAINT, va="top")
        upper = figure.add_gridspec(
            1, 2, width_ratios=(1.35, 1), wspace=0.12, left=LEFT, right=RIGHT, top=0.845 - more,
            bottom=0.465,
        )  # fmt: skip
        picture_curves.whole(figure, upper[0], basis, found, lives)
        picture_curves.one_wake(figure.add_subplot(upper[1]), found, lives)
        _legend(figure, (step.state for step in found))
        lower = figure.add_gridspec(
            1, 4 if shown else 3, wspace=0.72 if shown else 0.5, left=0.135,
            right=RIGHT, top=0.325, bottom=0.06,
        )  # fmt: skip
        picture_bars.states(figure.add_subplot(lower[0]), basis)
        picture_bars.causes(figure.add_subplot(lower[1]), basis)
        picture_bars.by_wake(figure, lower[2], basis)
        if shown:
            picture_bars.compared(figure.add_subplot(lower[3]), basis)
        figure.savefig(path)
        plt.close(figure)
    return path


def without_words(path: Path, headline: Sequence[str]) -> bytes:
    """The PNG that draw() has written, without title and lines: a page says them itself."""
    with Image.open(path) as picture:
        width, height = picture.size
        top = 1 - WORDS_END + _more(_wrapped(headline[1:]))
        buffer = io.BytesIO()
        picture.crop((0, round(top * height), width, height)).save(buffer, "PNG")
        return buffer.getvalue()


def _more(said: list[str]) -> float:
    """Height of the lines that are more than usual."""
    return LINE_HEIGHT * max(0, len(said) - USUAL_LINES)


def _wrapped(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, LINE)]


def _legend(figure: Figure, states: Iterable[str]) -> None:
    present = set(states)
    handles = [
        Patch(color=colour, label=SHOWN.get(state, state))
        for state, colour in COLOURS.items()
        if state in present
    ]
    rows = -(-len(handles) // IN_A_ROW)
    figure.legend(
        handles=handles, loc="center", bbox_to_anchor=(0.52, 0.395),
        ncols=-(-len(handles) // rows), frameon=False, fontsize=9, handlelength=1.1,
        columnspacing=1.6,
    )  # fmt: skip
