"""Days of a node's life in minutes: the real firmware, in lockstep, and where each mAh went.

    python -m tools simulate --days 30 --config config.json

Every deep sleep is a real restart of MicroPython. The broker is one of our own unless the
configuration's is on this machine. The same seed gives the same trace, byte for byte.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tools import broker as brokers
from tools.broker import Address, BrokerError
from tools.deploy import DeployError, image, settings
from tools.deploy.boards import BOARDS
from tools.events import Event
from tools.lockstep import Bench
from tools.power import oracle
from tools.power.meter import Meter
from tools.power.model import Conditions
from tools.power.oracle import Costs, Job
from tools.power.profiles import load, names
from tools.power.run import Run
from tools.power.watch import Watch
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_board.process import BoardError
from tools.virtual_c1100 import Profile, VirtualC1100
from tools.virtual_c1100 import profile as profiles

DAY_S = 86400
STEP_S = 600.0
BYTES = 160  # of a record, for the other ways
NODE = {
    "id": "simulated",
    "sample": {"period_s": 300},
    "report": {"period_s": 3600},
    "mqtt": {"host": "mqtt.simulated"},
    "pins": {"pwrkey": 4, "wake": 5, "status": 18, "battery": 34, "temperature": 35},
}


@dataclass
class Life:
    """What a simulation leaves besides its run."""

    run: Run
    wakes: int
    reports: int
    machine_s: float  # of this machine
    interpreter_s: float  # of that, while the interpreter was there
    lines: list[str] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--days", type=float, default=1.0, help="virtual days (default 1)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the node's config.json")
    parser.add_argument("--profile", type=Path, metavar="FILE",
                        help="of the virtual module and its network (TOML)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of sensor values and module")
    for kind, usual in (("module", "mdm9206"), ("board", "esp32"), ("battery", "ls26500")):
        parser.add_argument(f"--{kind}", default=usual,
                            help=f"power profile ({usual}): {', '.join(names(kind))}")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("build/simulation"), metavar="DIR",
                        help="for run.json and the report (build/simulation)")  # fmt: skip
    parser.add_argument("--trace", type=Path, metavar="FILE", help="log of everything")


def run(args: argparse.Namespace) -> int:
    """Simulate, and report. Returns 0, or 1 with a message."""
    console = Console(highlight=False, soft_wrap=True)
    columns = (TextColumn("day {task.completed:.1f} of {task.total:g}"), BarColumn(),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    try:
        given = json.loads(args.config.read_text()) if args.config else NODE
        with contextlib.ExitStack() as stack:
            trace = stack.enter_context(args.trace.open("w")) if args.trace else None
            bar = stack.enter_context(
                Progress(*columns, console=console, disable=not console.is_terminal)
            )
            task = bar.add_task("", total=args.days)
            made = simulate(
                given, args.days,
                profile=profiles.load(args.profile) if args.profile else None,
                seed=args.seed, trace=trace, powers=(args.module, args.board, args.battery),
                tell=lambda days: bar.update(task, completed=days),
            )  # fmt: skip
        from tools.power import report  # late: matplotlib takes a second

        made.run.save(args.out)
        png, page = report.write(made.run, args.out, "power")
    except (OSError, ValueError, DeployError, BoardError, BrokerError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    for line in (*report.headline(made.run, made.run.account())[1:], *made.lines):
        console.print(line, markup=False)
    console.print(f"Picture: {png}, page: {page}", markup=False)
    return 0


def simulate(
    given: dict[str, Any],
    days: float,
    *,
    profile: Profile | None = None,
    seed: int = 1,
    trace: TextIO | None = None,
    powers: tuple[str, str, str] = ("mdm9206", "esp32", "ls26500"),
    tell: Any = lambda days: None,
) -> Life:
    """Let a node with this configuration live so many days.

    profile -- of the virtual module; powers -- profiles of module, board and battery

    Raises DeployError for a configuration that the firmware refuses, BoardError when it stops.
    """
    checked = settings.checked({"config.json": json.dumps(given).encode()})
    profile = replace(profile or Profile(), seed=seed)
    module, board = load(powers[0], "module"), load(powers[1], "board")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_routed(profile, checked))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="simulation.")))
        _fill(folder, given)
        watch = Watch(Meter(module, board))

        def happened(event: Event) -> None:
            if trace is not None:
                trace.write(f"{event}\n")
            watch.event(event)

        bench = Bench(
            Board(flash_folder(folder), seed=seed),
            watch.module(lambda timeline, send: VirtualC1100(timeline, profile, send)),
            seed=seed,
            on_event=happened,
            on_board_state=watch.board_state,
        )
        stack.callback(bench.close)
        begin = time.perf_counter()
        while (now_s := bench.timeline.now_us / 1e6) < days * DAY_S:
            bench.run(until=min(now_s + STEP_S, days * DAY_S))
            tell(bench.timeline.now_us / 1e6 / DAY_S)
        spent = time.perf_counter() - begin
        title = f"{days:g} days of {checked['id']}"
        made = watch.finish(title, powers[2])
        delivered = [text for _, text in bench.console if text.startswith("delivered ")]
        awake_s = sum(w.machine_s for w in bench.wakes)
        life = Life(made, len(bench.wakes), _sessions(bench), spent, awake_s)
        records = sum(int(text.split()[1]) for text in delivered)
    costs = Costs(module, board, _conditions(profile, checked))
    size = BYTES * max(1, records) // max(1, life.reports)
    made.compared = _compared(checked, costs, days * DAY_S, size)
    life.lines = _lines(life, records)
    return life


def _sessions(bench: Bench) -> int:
    return sum(text.startswith("registered ") for _, text in bench.console)


def _lines(life: Life, records: int) -> list[str]:
    per_wake = 1000 * life.machine_s / max(1, life.wakes)
    inside = 1000 * life.interpreter_s / max(1, life.wakes)
    mah = life.run.account().mah_per_day(life.run.span_us)
    least = life.run.compared["least possible"]
    return [
        f"{mah / least:.2f} times the least possible for these jobs ({least:.3g} mAh a day).",
        f"{life.wakes} wakes, {life.reports} with the module, {records} records delivered.",
        f"{life.machine_s:.1f} s of machine time, {per_wake:.1f} ms per wake: {inside:.1f} ms "
        f"while the interpreter runs, {per_wake - inside:.1f} ms for bench and module alone.",
    ]


@contextlib.contextmanager
def _routed(profile: Profile, checked: dict[str, Any]) -> Iterator[None]:
    """The node's broker: as configured if that is on this machine, else one of our own."""
    asked = Address(checked["mqtt.host"], checked["mqtt.port"])
    if asked in profile.routes or asked.host in ("127.0.0.1", "localhost"):
        yield
        return
    with brokers.embedded() as address:
        profile.routes[asked] = address
        yield


def _fill(folder: Path, given: dict[str, Any]) -> None:
    """The board's flash: compiled code, as deployed."""
    flash = replace(BOARDS["esp32-4m"], arch="")
    for name, data in image.contents(flash, source=False).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "config.json").write_text(json.dumps(given))


# The least possible, and other ways -------------------------------------------------------------


def _conditions(profile: Profile, checked: dict[str, Any]) -> Conditions:
    granted = profile.grants.psm and checked["sleep.module"] in ("auto", "psm")
    return Conditions.of(
        profile,
        "lte-m",
        t3324_s=float(checked["sleep.active_s"]) if granted else None,
        t3412_s=float(checked["sleep.tau_s"]) if granted else None,
    )


def _compared(checked: dict[str, Any], costs: Costs, span_s: float, size: int) -> dict[str, float]:
    """mAh a day of the oracle's schedule and of three usual firmwares for the same jobs."""
    jobs = [
        Job("sample", checked["sample.period_s"], flex_s=checked["sample.flex_s"]),
        Job("report", checked["report.period_s"], flex_s=checked["report.flex_s"], size=size),
    ]
    found = [way(jobs, span_s, costs) for way in (oracle.least, *oracle.FIRMWARES)]
    return {estimate.name: estimate.mah_per_day for estimate in found}
