"""Days of a node's life in minutes: the real firmware, in lockstep, and where each mAh went.

    python -m tools simulate --days 30 --config config.json
    python -m tools simulate --days 30 --node field-17
    python -m tools simulate --scenario host_tests/scenarios/good-signal.toml

Every deep sleep is a real restart of MicroPython. Broker and servers are our own unless the
configuration's are on this machine. The same seed gives the same trace, byte for byte. Ctrl-C ends
the run early: what has been so far is reported.

Exit status: 0; 1 when what was sampled has not arrived (see --allow-loss), or a figure cannot be
true; 130 after Ctrl-C.
"""

import argparse
import contextlib
import json
import math
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tools import failure, options
from tools.broker import BrokerError
from tools.demo import far_side
from tools.deploy import DeployError, image, settings
from tools.deploy.boards import BOARDS
from tools.events import Event
from tools.lockstep import Bench
from tools.own import folder
from tools.power import compare, delivery, scenario
from tools.power.basis import Basis
from tools.power.delivery import Delivery
from tools.power.meter import Meter
from tools.power.oracle import Code, Estimate
from tools.power.profiles import load, names
from tools.power.run import Run
from tools.power.scenario import Scenario
from tools.power.wakes import done_us, wakes
from tools.power.watch import WOKEN, Watch, speed
from tools.power.wording import count, number, ratio
from tools.provision.node import CONFIG
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_board.process import BoardError
from tools.virtual_c1100 import VirtualC1100, measured
from tools.virtual_c1100.faults import checked

DAY_S = 86400
UC_PER_UAH = 3600
MOST_DAYS = 36525
STEP_US = 600_000_000
EXACT = 1e-6  # of the least possible: what rounding may take
INTERRUPTED = 130


@dataclass
class Life:
    """What a simulation leaves besides its run.

    console -- (virtual microseconds, line) of the board; estimates -- the least possible first
    """

    run: Run
    console: list[tuple[int, str]]
    estimates: list[Estimate]
    records: Delivery
    machine_s: float  # of this machine
    interpreter_s: float  # of that, while the interpreter was there
    start_s: float  # of that, until it had started
    messages: list[int] = field(default_factory=list)  # bytes of each payload
    secured: list[Any] = field(default_factory=list)  # secure.Counts of each TLS connection

    def said(self, start: str) -> list[str]:
        """Console lines that begin with this, without it."""
        return [text[len(start) :].strip() for _, text in self.console if text.startswith(start)]

    @property
    def wakes(self) -> int:
        """How often the node woke, out of whatever sleep."""
        return sum(text.startswith(WOKEN) for _, text in self.console)

    @property
    def sessions(self) -> int:
        """Wakes in which the module was in the network for the node."""
        found, registered = 0, False
        for _, text in self.console:
            if text.startswith(WOKEN):
                registered = False
            elif text.startswith("registered ") and not registered:
                found, registered = found + 1, True
        return found

    @property
    def delivered(self) -> int:
        """Records that have arrived."""
        return self.records.arrived

    @property
    def mah_per_day(self) -> float:
        """What the node used."""
        return self.run.account().mah_per_day(self.run.span_us)

    @property
    def ratio(self) -> float:
        """How many times the least possible that is."""
        return self.mah_per_day / self.estimates[0].mah_per_day

    @property
    def beside(self) -> dict[str, float]:
        """How many times the least possible the node has used, and usual firmwares would."""
        least, *usual = self.estimates
        return {"times the least possible": self.ratio} | {
            found.name: found.mah_per_day / least.mah_per_day for found in usual
        }

    @property
    def impossible(self) -> str:
        """What tells nothing, or cannot be true, of a node that does its jobs; "" when all may."""
        if self.records.problem:
            return ""
        if not self.delivered:
            return "NOTHING WAS DELIVERED YET: the run ended before the node's first report did."
        if self.ratio >= 1 - EXACT:
            return ""
        return (
            f"BELOW THE LEAST POSSIBLE: {self.mah_per_day:.4g} mAh a day, and these jobs cost "
            f"{self.estimates[0].mah_per_day:.4g} at the least. Either the node has not done all "
            "of them, or the bound is wrong (tools/power/oracle.py): trust neither figure."
        )

    def lines(self) -> list[str]:
        """For the console."""
        least = self.estimates[0]
        per_wake, inside, starting = (
            1000 * seconds / max(1, self.wakes)
            for seconds in (self.machine_s, self.interpreter_s, self.start_s)
        )
        found = [
            f"{count(self.wakes, 'wake')}, {self.sessions} with the module in the network, "
            f"{count(self.delivered, 'record')} delivered{self._waiting}.",
            f"{self.machine_s:.1f} s of machine time, {per_wake:.1f} ms per wake: "
            f"{starting:.1f} ms to start MicroPython, {inside - starting:.1f} ms for the firmware "
            f"and what it talks to, {per_wake - inside:.1f} ms between the wakes.",
        ]
        if least.sessions and not self.records.problem and not self.impossible:
            basis = Basis.of(self.run)
            used = load(self.run.module, "module"), load(self.run.board, "board")
            low, high = basis.ratio_range(self.ratio, used)
            each = least.mah_per_day if basis.daily else least.charge_uc / UC_PER_UAH
            found.insert(
                0,
                f"{ratio(self.ratio)} times the least possible ({ratio(low)} to {ratio(high)}) "
                f"for these jobs ({number(each)} {basis.unit}, "
                f"{count(least.wakes, 'wake')}, {least.sessions} with the module), "
                "its start included.",
            )
        for told in self.said("wiring: ")[:1]:  # at each start: what is not wired costs the most
            found.insert(0, f"The node's wiring: {told}.")
        return found

    @property
    def _waiting(self) -> str:
        waiting = self.records.waiting
        return f", {count(waiting, 'record')} for the next report" if waiting else ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--days", type=days, help="virtual days (1, or the scenario's)")
    parser.add_argument(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="node, network and how it changes (TOML), see tools/power/scenario.py",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the node's config.json")
    folder.add_argument(parser, "its configuration, its sensors, and what these measure")
    parser.add_argument(
        "--frozen",
        action=argparse.BooleanOptionalAction,
        help="code is frozen into the board's MicroPython (manifest.py); default: the scenario's",
    )
    parser.add_argument("--profile", type=Path, metavar="FILE",
                        help="of the virtual module and its network (TOML)")  # fmt: skip
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[:PARAMETER]",
                        type=checked,
                        help="of the module, as virtual-c1100 --help lists them")  # fmt: skip
    parser.add_argument("--seed", type=options.seed, default=1, help="of sensor values and module")
    for kind, usual in (("module", "mdm9206"), ("board", "esp32"), ("battery", "ls26500")):
        parser.add_argument(f"--{kind}", default=usual,
                            help=f"power profile ({usual}): {', '.join(names(kind))}")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("build/simulation"), metavar="DIR",
                        help="for run.json and the report (build/simulation)")  # fmt: skip
    parser.add_argument("--trace", type=Path, metavar="FILE", help="log of everything")
    parser.add_argument(
        "--allow-loss",
        action="store_true",
        help="exit with 0, with all figures, also when not all that was due has arrived",
    )


def days(text: str) -> float:
    """A type for argparse: virtual days. Raises argparse.ArgumentTypeError."""
    try:
        count = float(text)
    except ValueError:
        count = math.nan
    if not 0 < count <= MOST_DAYS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of days above 0, and no more than {MOST_DAYS}"
        )
    return count


def run(args: argparse.Namespace) -> int:
    """Simulate, and report. Returns the exit status."""
    console = Console(highlight=False, soft_wrap=True)
    columns = (TextColumn("day {task.completed:.1f} of {task.total:g}"), BarColumn(),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    powers = (args.module, args.board, args.battery)
    try:
        wanted = _wanted(args)
        load(args.battery, "battery")  # before the days are simulated
        args.out.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            trace = None
            if args.trace:
                stack.enter_context(failure.naming(args.trace))
                trace = stack.enter_context(args.trace.open("w"))
            bar = stack.enter_context(
                Progress(*columns, console=console, disable=not console.is_terminal)
            )
            task = bar.add_task("", total=wanted.days)
            stopped = stack.enter_context(_interruptible())
            made = simulate(
                wanted, seed=args.seed, trace=trace, powers=powers,
                tell=lambda days: bar.update(task, completed=days), stop=lambda: bool(stopped),
            )  # fmt: skip
        if stopped:
            lived = made.run.span_us / 86400e6
            print(f"simulate: stopped after {lived:.3g} of {wanted.days:g} days", file=sys.stderr)
            if not made.run.span_us:
                return INTERRUPTED
        from tools.power import report  # late: matplotlib takes a second

        problem = made.records.problem or made.impossible
        if not (args.allow_loss and made.records.problem):
            made.run.problem = problem
        made.run.save(args.out)
        png, page = report.write(made.run, args.out, "power")
    except OSError as error:
        print(f"simulate: {failure.words(error, failure.fullest(error))}", file=sys.stderr)
        return 1
    except (ValueError, DeployError, BoardError, BrokerError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    if problem:
        console.print(problem, markup=False, style="bold red")
    for line in (*report.headline(made.run)[1:], *made.lines()):
        if line != problem:
            console.print(line, markup=False)
    console.print(f"Picture: {png}, page: {page}", markup=False)
    if stopped:
        return INTERRUPTED
    return 1 if made.run.problem else 0


@contextlib.contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Ctrl-C once fills the list; twice ends everything."""
    seen: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


def _wanted(args: argparse.Namespace) -> Scenario:
    if args.scenario:
        if args.config or args.profile or args.node:
            raise ValueError(
                "--scenario has its own node and module: no --config, no --node, no --profile"
            )
        found = scenario.load(scenario.found(args.scenario))
    else:
        found = Scenario("")
        if args.config and args.node:
            raise ValueError("--node has its own config.json: no --config")
        if args.node:
            found.own = folder.Folder.at(args.node)
            args.config = args.node / CONFIG
        if args.config:
            found.node = scenario.node(args.config)
            found.where = str(args.config)
        if args.profile:
            found.profile = scenario.module(args.profile)
    if args.days is not None:
        found.days = args.days
    if args.frozen is not None:
        found.frozen = args.frozen
    found.profile.faults = [*found.profile.faults, *args.fault]
    return found


def simulate(
    wanted: Scenario,
    *,
    seed: int = 1,
    trace: TextIO | None = None,
    powers: tuple[str, str, str] = ("mdm9206", "esp32", "ls26500"),
    tell: Callable[[float], None] = lambda days: None,
    stop: Callable[[], bool] = lambda: False,
    tls_key: str = "P-256",
) -> Life:
    """Let a node live.

    seed -- of sensor values and module; powers -- profiles of module, board and battery
    tell -- called with the days that have passed; stop -- asked whether that is enough
    tls_key -- of servers of our own (tools.demo.secure.KEYS)

    Raises DeployError for a configuration that the firmware refuses, BoardError when it stops.
    """
    given = {"config.json": json.dumps(wanted.node).encode()}
    own = wanted.own
    tables = own.tables() if own else None
    checked = settings.checked(given, {"config.json": wanted.where}, tables)
    module, board = load(powers[0], "module"), load(powers[1], "board")
    network = measured.fitting(wanted.profile, module.network)
    # What a run changes is its own: the network's state, and where its traffic goes.
    profile = replace(
        network, seed=seed, radio=replace(network.radio), cell=replace(network.cell),
        routes=dict(network.routes),
    )  # fmt: skip
    span_s = wanted.days * DAY_S
    with contextlib.ExitStack() as stack:
        arrived = stack.enter_context(far_side.stood_in(profile.routes, checked, tls_key))
        flash = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="simulation.")))
        with failure.naming(flash):
            _fill(flash, wanted.node, own)
        for name, content in arrived.files.items():
            (flash / name).write_bytes(content)
        watch = Watch(Meter(module, board))

        def happened(event: Event) -> None:
            if trace is not None:
                trace.write(f"{event}\n")
            watch.event(event)

        bench = Bench(
            Board(
                flash_folder(flash),
                seed=seed,
                computing=speed(board, wanted.frozen),
                virtual=own.path / folder.VIRTUAL if own else None,
            ),
            watch.module(lambda timeline, send: VirtualC1100(timeline, profile, send)),
            seed=seed,
            on_event=happened,
            on_board_state=watch.board_state,
        )
        stack.callback(bench.close)
        if checked["pins.pwrkey"] == -1 and isinstance(bench.module, VirtualC1100):
            bench.module.power_on()  # as README asks for: it starts by itself
        begin = time.perf_counter()
        _live(bench, wanted, span_s, tell, stop)
        spent = time.perf_counter() - begin
        span_s = bench.timeline.now_us / 1e6
        made = watch.finish(wanted.title or _title(span_s, checked["id"]), powers[2])
        made.period_us = compare.period_us(checked)
        made.module, made.board = powers[:2]  # a file of the user's own is found again
        arrived.wait(delivery.confirmed(bench.console))
        records = delivery.of(bench.console, arrived.records, span_s, checked)
        awake_s = sum(w.machine_s for w in bench.wakes)
        start_s = sum(w.started_s for w in bench.wakes)
        sizes = [len(payload) for kept in arrived.ours.values() for payload in kept.payloads]
        life = Life(
            made, bench.console, [], records, spent, awake_s, start_s, sizes, arrived.sessions
        )
        code = _code(bench)
        luck = bench.module.radio.drawn if isinstance(bench.module, VirtualC1100) else []
    promised = _promised(life, checked)
    life.estimates = compare.estimates(
        network, promised, (module, board), span_s, _report_bytes(life, promised),
        wanted.changes, code, done_us(wakes(made.intervals)) / 1e6, luck,
    )  # fmt: skip
    made.compared = {found.name: found.mah_per_day for found in life.estimates}
    return life


def _title(span_s: float, name: str) -> str:
    days = span_s / DAY_S
    return f"{days:.3g} day{'s' * (days != 1)} of node {name}"


def _live(
    bench: Bench,
    wanted: Scenario,
    span_s: float,
    tell: Callable[[float], None],
    stop: Callable[[], bool],
) -> None:
    """Pass the time, and change the network when its hour has come."""
    ends = [*(change.at_s for change in wanted.changes), span_s]
    for change, end in zip((None, *wanted.changes), ends, strict=True):
        if change is not None:
            assert isinstance(bench.module, VirtualC1100)
            bench.module.network.degrade(change.coverage, change.rssi, change.rsrp)
        end_us = max(1, round(min(end, span_s) * 1e6))  # what seconds are that, no float may say
        while (now_us := bench.timeline.now_us) < end_us and not stop():
            bench.run(until=min(now_us + STEP_US, end_us) / 1e6)
            tell(bench.timeline.now_us / 1e6 / DAY_S)


def _promised(life: Life, checked: dict[str, Any]) -> dict[str, Any]:
    """The settings as the node has lived: with a low battery all its periods are longer."""
    times = delivery.stretch((text.encode() for text in life.said(delivery.SAMPLED)), checked)
    periods = {f"{name}.period_s": times * checked[f"{name}.period_s"] for name in compare.JOBS}
    return checked | periods


def _report_bytes(life: Life, checked: dict[str, Any]) -> int:
    """What one report has to deliver: as many records as are made in its period, as they are; in
    another form than the console's, as they have arrived.
    """
    records = life.said("sampled ")
    mean = sum(map(len, records)) / max(1, len(records))
    if checked["payload.format"] != "senml+json" and life.delivered:
        mean = min(mean, sum(life.messages) / life.delivered)
    period_s = checked["report.period_s"]
    made = period_s / checked["sample.period_s"]
    if checked["sample.record"] != "each" or checked["sample.at_least_s"]:
        # Not each sample is a record.
        made = min(made, len(records) * period_s * 1e6 / max(1, life.run.span_us))
    return round(mean * max(1.0, made))


def _code(bench: Bench) -> Code:
    """What no schedule spares the board: the code of a wake, and of one with the module."""
    ended = [wake for wake in bench.wakes if wake.end.startswith("deep sleep")]
    if not ended:
        return Code()
    registered = [at_us for at_us, text in bench.console if text.startswith("registered ")]
    least_us = min(wake.loading_us for wake in ended)
    alone, more = [], []
    for wake in ended:
        if any(wake.start_us <= at_us <= (wake.end_us or 0) for at_us in registered):
            more.append(wake.loading_us - least_us)
        elif wake.loading_us == least_us:
            alone.append(wake.computing_us)
    return Code(min(alone, default=least_us) / 1e6, min(more, default=0) / 1e6)


def _fill(flash: Path, given: dict[str, Any], own: folder.Folder | None) -> None:
    """The board's flash: compiled code, as deployed."""
    like = replace(BOARDS["esp32-4m"], arch="")
    for name, data in image.contents(like, source=False, node=own).items():
        path = flash / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (flash / "config.json").write_text(json.dumps(given))
    secrets = own.secrets if own else {}
    if secrets:
        (flash / "secrets.json").write_text(json.dumps(secrets))
