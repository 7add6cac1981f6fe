"""What one wake of the node costs on the wire: commands, bytes, and how long it is awake."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.bench.figures import Figures, MeasureFailed
from tools.broker import embedded
from tools.demo import flash
from tools.events import Event
from tools.lockstep import Bench
from tools.power.profiles import load
from tools.power.watch import speed
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_c1100 import Profile, VirtualC1100

PERIOD_S = 900
BOARD = "esp32"
WARM = 3  # the wake that counts, out of PSM: the first is from power-up


def warm() -> tuple[list[Event], int, bool]:
    """A wake out of PSM with a report over MQTT: its events, how long it was awake in ms, and
    whether computing took time.
    """
    events: list[Event] = []
    with tempfile.TemporaryDirectory() as name, embedded() as broker:
        flash.build(Path(name), "bench", broker, PERIOD_S, sleep={"module": "psm"})
        with Bench(
            Board(flash_folder(Path(name)), computing=speed(load(BOARD, "board"))),
            lambda timeline, send: VirtualC1100(timeline, Profile(), send),
            on_event=events.append,
        ) as bench:
            bench.run(until=lambda: len(bench.wakes) >= WARM and bool(bench.wakes[-1].end))
            wake = bench.wakes[-1]
            delivered = any(text.startswith("delivered 1") for at, text in bench.console
                            if at >= wake.start_us)  # fmt: skip
    if not delivered:
        raise MeasureFailed("the node did not deliver in its third wake")
    assert wake.end_us is not None
    chosen = [event for event in events if wake.start_us <= event.at_us <= wake.end_us]
    return chosen, (wake.end_us - wake.start_us) // 1000, bool(wake.computing_us)


def _bytes(text: str) -> int:
    """How many bytes `tools.events.printable` has shown so."""
    return len(re.sub(r"\\x..|\\.", ".", text))


def wake() -> Figures:
    events, awake_ms, counted = warm()
    wire = [event for event in events if event.kind in ("board", "module")]
    commands = sum(event.kind == "board" and event.detail.startswith("AT") for event in wire)
    found = {
        "wake.commands": (commands, "1"),
        "wake.uart_bytes": (sum(_bytes(event.detail) for event in wire), "B"),
    }
    return found | ({"wake.awake_ms": (awake_ms, "ms")} if counted else {})


MEASURES: tuple[Callable[[], Figures], ...] = (wake,)
