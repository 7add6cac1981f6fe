"""Figures that are the same in every run, held by a file: none gets worse unnoticed.

    python -m tools bench --record      measures them and writes host_tests/bench/recorded.json

Of all of ours less is better. A test fails when one is worse than recorded by more than SLACK.
What others take (receiving.OTHERS) stands there to be compared with: the least of it differs by
more than that with the folder that MicroPython runs in.
"""

import json
from collections.abc import Callable

from tools.bench import heap, picture, receiving, wake
from tools.bench.figures import RECORDED, Figures
from tools.calling import COMMAND

FILE = RECORDED
SLACK = 0.03

MEASURES: tuple[Callable[[], Figures], ...] = (
    heap.mpy,
    heap.mpy_of_mqtt,
    heap.heap_ready,
    heap.heap_of_a_wake,
    heap.heap_of_own,
    receiving.receiving,
    receiving.others,
    wake.wake,
)


def load() -> dict[str, float]:
    """Name -> value."""
    return json.loads(FILE.read_text())


def record(found: Figures) -> None:
    """Keep values, in place of those of the same names."""
    kept = load() if FILE.exists() else {}
    kept |= {name: value for name, (value, _) in found.items()}
    FILE.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
    if picture.RX + ".usual" in found:
        picture.FILE.write_text(picture.draw(kept))


def worse(found: Figures) -> list[str]:
    """What is worse than recorded, or not recorded yet, each as a line that says what to do."""
    kept = load()
    remedy = f"`{COMMAND} bench --record` records what is measured now"
    lines = []
    for name, (value, unit) in found.items():
        if name not in kept:
            lines.append(f"{name} is {value:g} {unit}, and not recorded: {remedy}")
        elif not name.endswith(receiving.OTHERS) and value > kept[name] * (1 + SLACK):
            more = 100 * (value / kept[name] - 1) if kept[name] else float("inf")
            lines.append(
                f"{name} is {value:g} {unit}, {more:.1f} % more than the {kept[name]:g} that are "
                f"recorded: make it smaller, or {remedy}"
            )
    return lines
