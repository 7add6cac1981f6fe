"""What driver and node take of a board's memory: as .mpy files, and on a 32-bit MicroPython."""

import contextlib
import functools
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools import installed
from tools.bench.figures import RECORDED, Figures, MeasureFailed, NotMeasured
from tools.broker import Address
from tools.demo import flash
from tools.deploy import compiler, project, romfs

HERE = Path(__file__).parent
WASM = "@micropython/micropython-webassembly-pyscript"
WASM_VERSION = "1.29.0-6"  # the 32-bit port; the tag "latest" is older
PERIOD_S = 900
MONTH_DAYS = 30
WAKES_A_DAY = 24
SMALLEST = "heap.smallest_32"
SLACK_BYTES = 1024  # where the last block of a wake lies differs by less than that
MORE_STEP, MOST_MORE = 4096, 8192  # that a month may take more than a wake

# Of a node's own: what a farmer's may have.
OWN_SENSORS = ("level", "flow", "soil")
OWN_SENSOR = "def read(node):\n    return [(%r, None, 21.5)]\n"
OWN_RULES = {
    "full": {"of": "level", "above": 90, "hysteresis": 2, "for_s": 600, "max_per_day": 4},
    "dry": {"of": "soil", "below": 10, "hysteresis": 1},
    "burst": {"of": "flow", "rate": 20},
    "drift": {"of": "temperature", "change": 5, "do": "event"},
}

# Every program has these; then each of the others is imported alone, after them.
CORE = {
    "asyncio": "import asyncio",
    "the driver's core": "import c1100",
    "one C1100": "modem = c1100.C1100(None)",
}
MORE = {
    **{name: f"import c1100.{name}" for name in ("mqtt", "sockets", "passthrough", "http")},
    **{name: f"import c1100.{name}" for name in ("gnss", "lwm2m", "ppp", "power", "variants")},
    "the node's firmware with MQTT": "import firmware.app",
}
READY = (
    "import asyncio",  # a board has it frozen
    "from c1100 import C1100",
    "modem = C1100(None)",
    "mqtt = modem.mqtt('node', 'mqtt.example')",
)


def port() -> Path:
    """The 32-bit MicroPython, installed by npm. Raises NotMeasured."""
    try:
        npm = installed.find("node", "npm")
        installed.find("node", "node")
    except installed.PeerMissing as error:
        raise NotMeasured("node and npm are needed for the 32-bit port") from error
    home = Path("build/wasm").absolute()
    found = home / "node_modules" / WASM
    if not (found / "micropython.mjs").exists():
        home.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--silent", "--prefix", home, f"{WASM}@{WASM_VERSION}"]
        if subprocess.run(command, check=False).returncode:
            raise NotMeasured(f"npm could not install {WASM}@{WASM_VERSION}")
    return found


@functools.cache
def code() -> dict[str, bytes]:
    """Path on a board -> content, as `deploy` has it."""
    return compiler.compiled(project.sources(), replace(compiler.emitted(), arch=""))


@contextlib.contextmanager
def placed(in_romfs: bool) -> Iterator[Path]:
    """The code as the scripts take it: a folder with packages, or a ROMFS image."""
    files = romfs.contents(code())
    with tempfile.TemporaryDirectory(prefix="heap.") as name:
        folder = Path(name)
        if in_romfs:
            image = folder / "image.romfs"
            image.write_bytes(romfs.build(files))
            yield image
            return
        for target, data in files.items():
            path = folder / target.removeprefix("lib/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield folder


def run(script: str, *arguments: str | Path) -> Any:
    """What a script of this folder prints as JSON."""
    command = ["node", HERE / script, port(), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(done.stderr)
    return json.loads(done.stdout)


def heap_32_bit() -> Figures:
    with placed(in_romfs=False) as lib:
        found = dict(zip(CORE, run("memory.mjs", lib, *CORE.values()), strict=True))
        for name, statement in MORE.items():
            found[name] = run("memory.mjs", lib, *CORE.values(), statement)[-1]
    return {f"heap, 32-bit: {name}": (size, "B") for name, size in found.items()}


@contextlib.contextmanager
def _stand_ins() -> Iterator[Path]:
    """A folder with what stands in for a board's hardware, compiled: a source's own names would
    all be names of the node's heap.
    """
    sources = {path.name: path for path in (HERE / "on_32_bit").glob("*.py")}
    compiled = compiler.compiled(sources, replace(compiler.emitted(), arch=""))
    with tempfile.TemporaryDirectory(prefix="heap.") as name:
        for target, data in compiled.items():
            Path(name, target).write_bytes(data)
        yield Path(name)


@contextlib.contextmanager
def _node(has_own: bool = False) -> Iterator[Path]:
    """A folder with the files of a node with PSM and MQTT; with sensors and rules of its own."""
    with tempfile.TemporaryDirectory(prefix="heap.") as name:
        folder = Path(name)
        own = {"rules": OWN_RULES} if has_own else {}
        broker = Address("mqtt.example", 1883)
        flash.configure(folder, "node", broker, PERIOD_S, sleep={"module": "psm"}, **own)
        for sensor in OWN_SENSORS if has_own else ():
            path = folder / "sensors" / f"{sensor}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(OWN_SENSOR % sensor)
        yield folder


@functools.cache
def _wake(in_romfs: bool, has_own: bool = False) -> dict[str, Any]:
    """A timed wake of the node (node.mjs); of one with its own sensors not the smallest heap."""
    expected = "none" if has_own else str(_smallest_before(in_romfs))
    with placed(in_romfs) as lib, _stand_ins() as stand_ins, _node(has_own) as node:
        return run("node.mjs", lib, stand_ins, node, expected)


def _smallest_before(in_romfs: bool) -> int:
    """The smallest heap that is recorded, where the search begins; 0: none."""
    if not RECORDED.exists():
        return 0
    name = SMALLEST + (".romfs" if in_romfs else "")
    return int(json.loads(RECORDED.read_text()).get(name, 0))


def days(wakes: int, count: int, in_romfs: bool = False, more: int = 0) -> list[dict[str, int]]:
    """Of a node that never restarts, for each day: the least of what is the largest free block
    behind a wake, and of what is free at all then; and the heap's total (days.mjs). In the
    smallest heap in which one wake succeeds, and `more` bytes.
    """
    smallest = _wake(in_romfs)["smallest"] + more
    with placed(in_romfs) as lib, _stand_ins() as stand_ins, _node() as node:
        numbers = map(str, (smallest, wakes, count))
        return run("days.mjs", lib, stand_ins, node, *numbers)


def _worn(month: list[dict[str, int]]) -> str:
    """What speaks against a month, "" if nothing does."""
    if {day["total"] for day in month} != {month[0]["total"]}:
        return "the heap has grown"
    if month[-1]["largest"] < month[0]["largest"] - SLACK_BYTES:
        return "the largest free block has become smaller"
    return ""


def month_heap() -> Figures:
    """A month on one heap, from files and from ROMFS: the largest free block at its end beside
    that after the first day. In the smallest heap of a wake, or a few KiB more than that, which
    are told. Raises MeasureFailed where that is not enough.
    """
    found: Figures = {}
    for suffix, in_romfs in (("", False), (".romfs", True)):
        more = 0
        month = days(WAKES_A_DAY, MONTH_DAYS, in_romfs)
        while (worn := _worn(month)) and more < MOST_MORE:
            more += MORE_STEP
            month = days(WAKES_A_DAY, MONTH_DAYS, in_romfs, more)
        if worn:
            raise MeasureFailed(f"{worn}{suffix}: {month}")
        first, last = month[0], month[-1]
        for name, value in (
            ("more", more),
            ("total", first["total"]),
            ("largest_first_day", first["largest"]),
            ("largest_last_day", last["largest"]),
            ("free_first_day", first["free"]),
            ("free_last_day", last["free"]),
        ):
            found[f"heap.month.{name}{suffix}"] = (value, "B")
    return found


def heap_of_own() -> Figures:
    """What three sensors and four rules of a node's own take through a report, beside the node
    without them.
    """
    found = {}
    for suffix, in_romfs in (("", False), (".romfs", True)):
        more = _wake(in_romfs, True)["retained"] - _wake(in_romfs)["retained"]
        found[f"heap.node_own_32{suffix}"] = (more, "B")
    return found


def heap_of_phases() -> Figures:
    """What the node keeps of the heap, from one change of what is loaded to the next; the last is
    named of what has come, "-" of what has gone.
    """
    found: Figures = {}
    for suffix, in_romfs in (("", False), (".romfs", True)):
        for number, phase in enumerate(_wake(in_romfs)["phases"], 1):
            last = (phase["came"] or [f"-{phase['gone'][-1]}"])[-1]
            found[f"heap.phase.{number:02} {last}{suffix}"] = (phase["kept"], "B")
    return found


def heap_ready() -> Figures:
    """From `from c1100 import C1100` to an MQTT client, asyncio not counted."""
    found = {}
    for suffix, in_romfs in (("", False), (".romfs", True)):
        with placed(in_romfs) as lib:
            size = sum(run("memory.mjs", lib, *READY)[1:])
        found[f"heap.driver_ready_32{suffix}"] = (size, "B")
    return found


def heap_of_a_wake() -> Figures:
    """The whole node through a report, and the smallest heap in which one succeeds."""
    found = {}
    for suffix, in_romfs in (("", False), (".romfs", True)):
        wake = _wake(in_romfs)
        found[f"heap.node_report_32{suffix}"] = (wake["retained"], "B")
        found[SMALLEST + suffix] = (wake["smallest"], "B")
    return found


def mpy() -> Figures:
    """Flash that all of the driver takes, all of the firmware, what of it only a node with sensors
    and rules of its own loads, and the whole image.
    """
    folders = {"driver": "lib/c1100", "firmware": "firmware", "own": "firmware/own"}
    sizes = {
        name: sum(len(data) for path, data in code().items() if path.startswith(folder + "/"))
        for name, folder in folders.items()
    }
    sizes["firmware"] -= sizes["own"]
    image = len(romfs.build(romfs.contents(code())))
    return {f"mpy.{name}": (size, "B") for name, size in sizes.items()} | {
        "romfs.image": (image, "B")
    }


def mpy_of_mqtt() -> Figures:
    """Of the driver, what a timed wake with MQTT loads."""
    came = {name for phase in _wake(True)["phases"] for name in phase["came"]}
    loaded = {f"lib/{name.replace('.', '/')}" for name in came}
    loaded |= {f"{path}/__init__" for path in loaded}
    sizes = [
        len(data)
        for path, data in code().items()
        if path.startswith("lib/") and path.removesuffix(".mpy") in loaded
    ]
    return {"mpy.mqtt": (sum(sizes), "B")}


MEASURES: tuple[Callable[[], Figures], ...] = (
    mpy,
    mpy_of_mqtt,
    heap_32_bit,
    heap_ready,
    heap_of_a_wake,
    heap_of_own,
    heap_of_phases,
)
ON_REQUEST = (month_heap,)  # minutes
