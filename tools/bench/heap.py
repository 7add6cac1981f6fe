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
from tools.bench.figures import Figures, MeasureFailed, NotMeasured
from tools.broker import Address
from tools.demo import flash
from tools.deploy import compiler, project, romfs

HERE = Path(__file__).parent
WASM = "@micropython/micropython-webassembly-pyscript"
WASM_VERSION = "1.29.0-6"  # the 32-bit port; the tag "latest" is older
PERIOD_S = 900
DAYS_BYTES = 32 * 1024  # with less the port grows its heap, and another one is measured

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


@functools.cache
def _wake(in_romfs: bool) -> dict[str, Any]:
    """A timed wake of the node with PSM and MQTT (node.mjs)."""
    with placed(in_romfs) as lib, tempfile.TemporaryDirectory(prefix="heap.") as name:
        broker = Address("mqtt.example", 1883)
        flash.configure(Path(name), "node", broker, PERIOD_S, sleep={"module": "psm"})
        return run("node.mjs", lib, HERE / "on_32_bit", Path(name, "config.json"))


def days(wakes: int, count: int, in_romfs: bool = False) -> list[dict[str, int]]:
    """Of a node that never restarts, at the end of each day: the largest free block, what is free
    at all, and the heap's total (days.mjs). In the smallest heap in which a wake succeeds, and
    what days need besides: a backlog, a module that is found awake, a clock that is told off.
    """
    smallest = _wake(in_romfs)["smallest"] + DAYS_BYTES
    with placed(in_romfs) as lib, tempfile.TemporaryDirectory(prefix="heap.") as name:
        broker = Address("mqtt.example", 1883)
        flash.configure(Path(name), "node", broker, PERIOD_S, sleep={"module": "psm"})
        config = Path(name, "config.json")
        numbers = map(str, (smallest, wakes, count))
        return run("days.mjs", lib, HERE / "on_32_bit", config, *numbers)


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
        found[f"heap.smallest_32{suffix}"] = (wake["smallest"], "B")
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
    loaded = {f"lib/{name.replace('.', '/')}" for name in _wake(True)["modules"]}
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
)
