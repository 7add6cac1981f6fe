"""A node's life, all in software: deployed with mpremote, then several reports.

Real MicroPython runs the project's firmware on a virtual board, wired to a virtual C1100 whose
MQTT goes to a real broker (--uplink http, tcp: its connections to a server of our own; mqtts,
https: with TLS, and a certificate made for this run). --node FOLDER: the node is the user's own,
with its sensors, and what they measure comes from its virtual/; or a program of the user's own,
where the folder has a main.py. Exit code 0 only if an independent subscriber, or that server, got
every sampled record exactly as it was sampled.
"""

import argparse
import contextlib
import secrets
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from tools import broker as brokers
from tools import failure, options
from tools.broker import Address, BrokerError, address
from tools.demo import check, far_side, flash, own, program
from tools.demo.subscriber import Subscriber
from tools.demo.view import View, clock
from tools.deploy import DeployError, project
from tools.events import Event
from tools.lockstep import Bench
from tools.own.folder import VIRTUAL, Folder, is_program
from tools.own.folder import add_argument as add_node
from tools.power import delivery
from tools.power.meter import Meter
from tools.power.profiles import load
from tools.power.watch import Watch, speed
from tools.power.wording import count
from tools.virtual_board.board import Board, flash_folder, rom_file
from tools.virtual_board.process import BoardError
from tools.virtual_board.runner import Awake
from tools.virtual_c1100 import measured
from tools.virtual_c1100.faults import checked
from tools.virtual_c1100.module import VirtualC1100
from tools.virtual_c1100.profile import Profile

PERIOD_S = 900
MOST_REPORTS = 100_000
WAKE_LIMIT_S = 1200  # virtual; a wake with all its time-outs, and the sleep after it
ASLEEP_S = 60.0  # virtual
MODULE, BOARD, BATTERY = "mdm9206", "esp32", "ls26500"
EMBEDDED = Address("mqtt.demo", 1883)
# What the node is told of a server of our own, and where its traffic then goes to.
CA = "ca.pem"  # the file of those whom the node trusts
TLS = {"tls": {"ca": CA}}
SERVERS: dict[str, tuple[dict[str, dict], Address]] = {
    "http": ({"http": {"url": "http://http.demo/telemetry"}}, Address("http.demo", 80)),
    "tcp": ({"tcp": {"host": "tcp.demo", "port": 7007}}, Address("tcp.demo", 7007)),
    "mqtts": (TLS, Address(EMBEDDED.host, 8883)),
    "https": ({"http": {"url": "https://http.demo/telemetry"}, **TLS}, Address("http.demo", 443)),
}
EARLY_S = 1.0  # before the next wake
TRACE = Path("build/demo-trace.txt")


@dataclass(frozen=True)
class Options:
    """One run. `node_broker`: where the module's connection really goes, if not to `broker`."""

    reports: int = 4
    seed: int = 1
    broker: Address | None = None
    node_broker: Address | None = None
    trace: Path = TRACE
    keep: Path | None = None
    faults: tuple[str, ...] = ()  # of the module
    uplink: str = "mqtt"
    node: Path | None = None  # a folder of the user's own, in place of the demo's node
    romfs: bool = False  # driver and firmware in the board's ROMFS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--broker", type=address, metavar="HOST[:PORT]", help="an MQTT broker instead of our own"
    )
    add_node(parser, "in place of the demo's node; servers of our own stand in for its own")
    parser.add_argument("--uplink", choices=("mqtt", *SERVERS), default="mqtt",
                        help="how the node reports (default mqtt)")  # fmt: skip
    parser.add_argument(
        "--reports",
        type=options.whole(1, MOST_REPORTS),
        default=4,
        metavar="N",
        help="wakes (default 4)",
    )
    parser.add_argument("--seed", type=options.seed, default=1, help="of sensor values and module")
    parser.add_argument(
        "--trace", type=Path, default=TRACE, metavar="FILE", help=f"log of all (default {TRACE})"
    )
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[:PARAMETER]",
                        type=checked,
                        help="of the module, as virtual-c1100 --help lists them")  # fmt: skip
    parser.add_argument("--romfs", action="store_true",
                        help="a board with a partition for ROMFS")  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the board's flash here")


def run(args: argparse.Namespace) -> int:
    """The demo. Returns 0 when all records arrived, 1 when not, 130 after Ctrl-C."""
    options = Options(
        args.reports, args.seed, args.broker, trace=args.trace, keep=args.keep,
        faults=tuple(args.fault), uplink=args.uplink, romfs=args.romfs, node=args.node,
    )  # fmt: skip
    if options.node and (options.broker or options.uplink != "mqtt"):
        print("demo: --node has its own uplink: no --broker, no --uplink", file=sys.stderr)
        return 2
    if options.broker and options.uplink != "mqtt":
        print(f"demo: --broker is for MQTT, --uplink {options.uplink} has its own server",
              file=sys.stderr)  # fmt: skip
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return demonstrate(options)


def demonstrate(options: Options) -> int:
    """Run with `options`, shown on the terminal. Returns the exit code."""
    view = View()
    begun = False
    try:
        # What cannot be used is refused before an earlier trace is lost.
        folder = None
        if options.node and not is_program(options.node):
            folder = Folder.at(options.node)
            _ = folder.whole
        options.trace.parent.mkdir(parents=True, exist_ok=True)
        begun = True
        with failure.naming(options.trace), options.trace.open("w") as trace, view:
            problems = _live(options, folder, view, trace)
    except KeyboardInterrupt:
        view.say("stopped")
        return 130
    except (BoardError, BrokerError, DeployError) as error:
        problems = [str(error)]
    for problem in problems:
        view.say(f"FAILED: {problem}", "bold red")
    if problems:
        if begun:
            view.say(f"Everything that happened is in {options.trace}")
        return 1
    if options.node and is_program(options.node):
        view.say("It ran to its end.", "bold green")
    else:
        view.say("Every record arrived exactly as it was sampled.", "bold green")
    return 0


@dataclass
class Life:
    """One node to be. staging -- what goes onto its board besides driver and firmware

    far -- what has arrived; own, given -- a folder of the user's own, and its settings
    """

    staging: Path
    far: far_side.Arrived
    routes: dict[tuple[str, int], tuple[str, int]]
    uplink: str
    period_s: int = PERIOD_S
    own: Folder | None = None
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def secured(self) -> bool:
        """Whether it uses TLS."""
        return self.uplink in far_side.SECURE

    def reports(self, bench: Bench, wakes: list[Awake]) -> int:
        """How many it has made: the demo's node makes one in each wake."""
        if self.own is None:
            return sum(bool(wake.end) for wake in wakes)
        delivered = sum(text.startswith(delivery.CONFIRMED) for _, text in bench.console)
        return min(delivered, sum(bool(wake.end) for wake in wakes))


def _users(node: Folder, stack: contextlib.ExitStack, work: Path, view: View) -> Life:
    """A node of the user's own, as its folder says; its far sides are stood in for."""
    given = node.whole
    routes: dict[tuple[str, int], tuple[str, int]] = {}
    arrived = stack.enter_context(far_side.stood_in(routes, given))
    for name in arrived.ours:
        view.say(f"{name}: a server of our own stands in for {far_side.asked(given, name)}")
    staging = work / node.path.resolve().name
    own.stage(node, staging, arrived)
    uplink = own.uplink(given)
    return Life(staging, arrived, routes, uplink, given["report.period_s"], node, given)


def _ours(options: Options, stack: contextlib.ExitStack, work: Path, view: View) -> Life:
    """The demo's own node."""
    # On a broker of somebody else's there may be another demo.
    node_id = "demo" if options.broker is None else f"demo-{secrets.token_hex(3)}"
    collected: Subscriber | far_side.Kept
    config: dict[str, dict] = {"sleep": {"module": "psm"}}
    secured = options.uplink in far_side.SECURE
    plain = options.uplink.removesuffix("s") if secured else options.uplink
    # A server of our own has another port each time; the node knows it by a name.
    known_as = options.broker or EMBEDDED
    if plain == "mqtt":
        broker = options.broker
        if broker is None:
            broker = stack.enter_context(brokers.embedded())
            view.say(f"embedded MQTT broker at {broker}")
        collected = Subscriber(broker, f"nodes/{node_id}/telemetry/#")
        stack.enter_context(collected)
        server = options.node_broker or broker
    else:
        collected = far_side.Kept()
        server = stack.enter_context(far_side.SERVERS[plain](collected))
        view.say(f"{plain} server at {server}")
    told, asked = SERVERS.get(options.uplink, ({}, known_as))
    if options.uplink != "mqtt":
        config |= {"uplink": {"first": options.uplink}, **told}
    trusted = b""
    if secured:
        from tools.demo import secure  # cryptography takes a moment to load

        server, trusted = stack.enter_context(secure.in_front_of(server, asked.host))
        view.say(f"TLS in front of it at {server}; its certificate is the node's {CA}")
    staging = work / "staging"
    staging.mkdir()
    with failure.naming(staging):
        flash.configure(staging, node_id, known_as, PERIOD_S, **config)
    if trusted:
        (staging / CA).write_bytes(trusted)
    arrived = far_side.Arrived({options.uplink: collected})
    return Life(staging, arrived, {asked: server}, options.uplink)


def _live(options: Options, folder: Folder | None, view: View, trace: TextIO) -> list[str]:
    """The node's life. Returns what went wrong. folder -- the user's, if it is of one"""
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo.")))
        if options.node and is_program(options.node):
            wakes = options.reports
            return program.live(options.node, options.seed, wakes, work, view, trace)
        life = _users(folder, stack, work, view) if folder else _ours(options, stack, work, view)
        view.say(f"not the defaults are: {', '.join(flash.differing(life.staging))}")
        on_board = options.keep / "flash" if options.keep else work / "flash"

        def log(event: Event) -> None:
            trace.write(f"{event}\n")
            view.event(event)

        power, module = load(BOARD, "board"), load(MODULE, "module")
        usual = Profile(seed=options.seed, routes=life.routes, faults=list(options.faults))
        profile = measured.fitting(usual, module.network)
        watch = Watch(Meter(module, power))
        in_rom = options.romfs or life.secured
        if life.secured and not options.romfs:
            view.say("driver and firmware go into ROMFS, where they take no heap: TLS needs it")
        rom = rom_file(work / "romfs") if in_rom else None
        virtual = life.own.path / VIRTUAL if life.own else None
        board = Board(flash_folder(on_board), seed=options.seed, rom=rom, virtual=virtual,
                      computing=speed(power))  # fmt: skip
        board.computing = None  # while it is deployed: that takes as long as this machine takes

        def happened(event: Event) -> None:
            log(event)
            watch.event(event)

        bench = Bench(
            board,
            watch.module(lambda timeline, send: VirtualC1100(timeline, profile, send)),
            seed=options.seed,
            on_event=happened,
            on_board_state=watch.board_state,
            console_pty=True,
        )
        stack.callback(bench.close)
        if life.own and life.given["pins.pwrkey"] == -1:
            assert isinstance(bench.module, VirtualC1100)
            bench.module.power_on()  # as README asks for: it starts by itself

        total = len(project.START if rom else project.sources()) + flash.count(life.staging)
        view.phase(f"deploying {count(total, 'file')} with mpremote to {bench.tty}", total)
        ticked = partial(_ticked, view, on_board)
        flash.deploy(bench, life.staging, ticked, whole=life.own is not None)

        text = f"the node lives: {count(options.reports, 'report')}, one every {life.period_s} s"
        view.phase(text, options.reports)
        view.live = True
        born = len(bench.wakes)
        board.computing = speed(power)
        flash.reset(bench, life.staging)
        watch.begin()

        def lived() -> bool:
            made = life.reports(bench, bench.wakes[born:])
            view.reached(made)
            return made >= options.reports

        each_s = max(WAKE_LIMIT_S, 2 * life.period_s)
        limit_s = bench.timeline.now_us / 1e6 + options.reports * each_s
        bench.run(until=lived, limit_s=limit_s)
        bench.run(until=_until(bench))  # all that is told is of the same time as the picture
        made = check.reports(bench, bench.wakes[born:])
        sampled = sum(text.startswith(check.SAMPLED) for _, text in bench.console)
        life.far.wait(delivery.confirmed(bench.console) if life.own else sampled)
        arrived = list(life.far.records or ())
        spent = time.monotonic() - begin
        view.live = False
        _summarise(view, bench, made, sampled, arrived, spent)
        _picture(view, watch, options, life.period_s)
        if life.own is None:
            return check.problems(made, arrived, options.reports)
        done = life.reports(bench, bench.wakes[born:])
        short = [] if done >= options.reports else [f"only {count(done, 'report')} came"]
        return short + own.problems(bench, life.far, life.given)


def _ticked(view: View, on_board: Path) -> None:
    view.reached(flash.count(on_board))


def _until(bench: Bench) -> float:
    """When to stop: just before the next wake, so that the last period is a whole one."""
    now_s = bench.timeline.now_us / 1e6
    at_us, text = bench.console[-1] if bench.console else (0, "")
    word, _, rest = text.partition(" ")
    if word != "sleeping":
        return now_s + ASLEEP_S
    return max(now_s, at_us / 1e6 + int(rest.split()[0]) / 1000 - EARLY_S)


def _picture(view: View, watch: Watch, options: Options, period_s: int) -> None:
    """Where the charge went, as a picture and a page beside the trace."""
    from tools.power import report  # late: matplotlib takes a second

    run = watch.finish(f"{count(options.reports, 'report')} of the demo", BATTERY)
    run.period_us = period_s * 1_000_000
    folder = options.trace.parent
    run.save(folder / "power.json")
    png, page = report.write(run, folder, "power")
    for line in report.headline(run)[1:]:
        view.say(line)
    view.say(f"Picture: {png}, page: {page}")


def _summarise(
    view: View,
    bench: Bench,
    made: list[check.Report],
    sampled: int,
    arrived: list[bytes],
    real_s: float,
) -> None:
    alive = [w.machine_s for w in bench.wakes[-len(made) :]] if made else [0.0]
    view.summary(
        [
            ("wakes", str(len(made))),
            ("records sampled", str(sampled)),
            ("records arrived", str(len(arrived))),
            ("bytes arrived", str(sum(map(len, arrived)))),
            ("virtual time lived", clock(bench.timeline.now_us)),
            ("machine time", f"{real_s:.1f} s, {1000 * sum(alive) / len(alive):.0f} ms per wake"),
        ]
    )
