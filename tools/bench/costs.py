"""What code costs of a heap on a 32-bit MicroPython: each kind of thing, each module of the driver
that MQTT loads, and the least driver there can be.

The costs of things are measured on modules made for it: MANY of one, less what a module without
them takes. The least driver is on_32_bit/least_driver.py: what it lacks is what the driver's other
bytes are for.
"""

import ast
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tools.bench import heap
from tools.bench.figures import Figures
from tools.deploy import compiler, parts, romfs

MANY = 100
LEAST = heap.HERE / "on_32_bit" / "least_driver.py"
KINDS = (("", False), (".romfs", True))

# Names come again each time, but for the last.
_BEGIN = f"K = [None] * {MANY}\n"
THINGS: dict[str, Callable[[int], str]] = {
    "function": lambda n: f"def f(self):\n    return self\nK[{n}] = f\n",
    "class": lambda n: f"class C:\n    pass\nK[{n}] = C\n",
    "text of 20 bytes": lambda n: f"K[{n}] = 'a text of {n:03} letters'\n",
    "name of 8 bytes": lambda n: f"K.append(lambda: K.name_{n:03})\n",
    "lambda": lambda n: "K.append(lambda: K.append)\n",
}


@contextlib.contextmanager
def _placed(code: dict[str, bytes], in_romfs: bool) -> Iterator[Path]:
    """Path below lib/ -> content, as memory.mjs takes it."""
    with tempfile.TemporaryDirectory(prefix="costs.") as name:
        lib = Path(name, "lib")
        if in_romfs:
            lib.write_bytes(romfs.build({f"lib/{file}": data for file, data in code.items()}))
        for file, data in code.items() if not in_romfs else ():
            (lib / file).parent.mkdir(parents=True, exist_ok=True)
            (lib / file).write_bytes(data)
        yield lib


def _compiled(source: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="costs.") as name:
        path = Path(name, "m.py")
        path.write_text(source)
        return compiler.compiled({"m.py": path}, replace(compiler.emitted(), arch=""))


def _retained(source: str, in_romfs: bool) -> int:
    """Of the heap, what importing a module of this source keeps."""
    with _placed(_compiled(source), in_romfs) as lib:
        return heap.run("memory.mjs", lib, "import asyncio, time", "import m")[1]


def heap_costs() -> Figures:
    """Bytes for each of a thing, and of the least driver when its MQTT client is ready."""
    found: Figures = {}
    for suffix, in_romfs in KINDS:
        none = _retained(_BEGIN, in_romfs)
        each = {
            name: (_retained(_BEGIN + "".join(map(thing, range(MANY))), in_romfs) - none) / MANY
            for name, thing in THINGS.items()
        }
        each["name of 8 bytes"] -= each.pop("lambda")
        for name, size in each.items():
            found[f"heap.cost.{name}{suffix}"] = (round(size), "B")
        ready = LEAST.read_text() + "session = Modem(None).mqtt('node', 'mqtt.example')\n"
        found[f"heap.least_driver_32{suffix}"] = (_retained(ready, in_romfs), "B")
    found["mpy.least_driver"] = (len(_compiled(LEAST.read_text())["m.mpy"]), "B")
    return found


def heap_of_modules() -> Figures:
    """Of each module of the driver that MQTT loads: what importing it keeps, after those that it
    needs. The tables of names double now and then, in whichever module that happens.
    """
    names = _order(["modem", "ring", "mqtt"])
    code = {
        path.removeprefix("lib/"): data
        for path, data in heap.code().items()
        if path.startswith("lib/")
    }
    del code["c1100/__init__.mpy"]
    code["c1100/__init__.py"] = b""  # imports none of them
    before = "import asyncio, binascii, collections, errno, io, micropython, struct, time"
    steps = [before, "import c1100", *(f"import c1100.{name}" for name in names)]
    found: Figures = {}
    for suffix, in_romfs in KINDS:
        with _placed(code, in_romfs) as lib:
            sizes = heap.run("memory.mjs", lib, *steps)[2:]
        for name, size in zip(names, sizes, strict=True):
            found[f"heap.module.{name}{suffix}"] = (size, "B")
    return found


def _order(names: list[str]) -> list[str]:
    """Modules and those that they import at once, each behind what it needs."""
    order: list[str] = []

    def add(name: str) -> None:
        if name in order:
            return
        tree = ast.parse((parts.folder() / f"{name}.py").read_text())
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                for needed in [node.module] if node.module else [a.name for a in node.names]:
                    add(needed)
        order.append(name)

    for name in names:
        add(name)
    return order


MEASURES = (heap_costs, heap_of_modules)
