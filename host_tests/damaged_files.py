"""What may be in any file that the firmware reads, enumerated, and what the node must then do.

    .venv/bin/python -m host_tests.damaged_files            all of it: some minutes
    .venv/bin/python -m host_tests.damaged_files --step 50

A node that has lived some days finds one file damaged, or some calls of the file system fail. It
must sample, report what is good, number no record twice, and sleep.
"""

import contextlib
import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import host_tests.shim  # noqa: F401 (installs MicroPython's dialect before firmware/ is imported)
from firmware import config
from firmware.segment import record
from firmware.trials import _seal
from host_tests.damage import ERRORS, Failing, failures, main
from host_tests.support import json_texts, node_life
from host_tests.support.node_life import Life
from host_tests.support.ram_files import RamFiles

WAKES = 8  # two reports, at the least
HUGE = 100_000  # bytes: more than a board's heap has in one piece


@dataclass
class Node:
    """A node on its flash; what waits there, and what is known of it."""

    flash: RamFiles
    life: Life
    waiting: dict[int, bytes]
    given: int

    def again(self, memory: bool) -> Life:
        """The life goes on; without its memory after a loss of supply."""
        life = Life()
        life.now = self.life.now
        life.memory = self.life.memory if memory else b""
        return life


def lived() -> Node:
    """A node that has all its files."""
    flash = RamFiles()
    life = Life()
    with _quiet(), flash.under(*node_life.MODULES):
        node_life.begin(flash.files.__setitem__)
        node_life.lived(life)
        waiting = node_life.records()
        box_next = max(waiting) + 1
    assert not life.crashes
    return Node(flash, life, waiting, box_next - 1)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


# Damage -----------------------------------------------------------------------------------------


def contents(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """What may be in a file instead of this."""
    dice = random.Random(name)
    for at in range(len(data)):
        for bit in range(8):
            yield f"bit {bit} of byte {at}", _put(data, at, bytes([data[at] ^ 1 << bit]))
        for new in (b"\x00", b"\xff", b"0", b"}", dice.randbytes(1)):
            yield f"byte {at} is {new!r}", _put(data, at, new)
        yield f"cut at {at}", data[:at]
    for size in (0, 1, 2, 12, 20, 100, len(data), 512, 4096, 9000, HUGE):
        yield f"{size} zeros", bytes(size)
        yield f"{size} times 0xff", b"\xff" * size
        yield f"{size} bytes of rubbish", dice.randbytes(size)
        yield f"{size} digits", b"7" * size
        yield f"{size} lines", b"\n" * size
    for text in json_texts.wrong_texts():
        yield f"{text!r}", text.encode()
    for raw in json_texts.BYTES:
        yield f"{raw!r}", raw
    for text, _ in json_texts.RIGHT:
        yield f"{text!r}", text.encode()
    for text in ("12 12", "-1 -1", "0 0", "5 9", "9 5", "1000000 0", "1e3 1", "1 2 3", "9999999 1",
                 "-5", "9007199254740993", "1" * 400, "0x10", "1_0", " 7", "7\n"):  # fmt: skip
        yield f"{text!r}", text.encode()


def _put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + 1 :]


TRIAL = {"name": "c1", "key": "report.period_s", "value": 600, "left": 3, "state": "trying"}
VALUES = (0, 1, 3, None, True, False, -1, 2**31, 2**70, 1.5, 1e300, "", "3", "x" * 300, [], [1],
          {}, {"a": 1}, "\ud7ff", "trying", "kept", "taken back", "apn", "pin")  # fmt: skip


def trials() -> Iterator[tuple[str, bytes]]:
    """Trials with each part missing, or of any type."""
    for part in (*TRIAL, "why", "more"):
        without = {k: v for k, v in TRIAL.items() if k != part}
        yield f"a trial without {part}", json.dumps(without).encode()
        for value in VALUES:
            text = json.dumps(TRIAL | {part: value}).encode()
            yield f"a trial with {part} {value!r}", text
            yield f"the same with a CRC, {part} {value!r}", text + _seal(text)


def configurations() -> Iterator[tuple[str, str, bytes]]:
    """Settings and secrets of any type."""
    for name, schema, base in (
        ("config.json", config.SCHEMA, node_life.CONFIG),
        ("secrets.json", config.SECRETS, node_life.SECRETS),
    ):
        for key in (*schema, "mqtt", "", "x", "x.y"):
            section, _, inner = key.rpartition(".")
            for value in VALUES[3:] if key == "position.period_s" else VALUES:
                given = json.loads(json.dumps(base))
                (given.setdefault(section, {}) if section else given)[inner] = value
                yield name, f"{key} is {value!r}", json.dumps(given).encode()


def damages(node: Node) -> Iterator[tuple[str, str, RamFiles]]:
    """Each damage of one kind to one file: (its path, what it is, the flash after it)."""
    files = node.flash.files
    missing = ("clock.steps", "commands.counter", "commands.counter.2", "outbox.1", "set_aside")
    for path in sorted([*files, *(each for each in missing if each not in files)]):
        for what, data in contents(path, files.get(path, b"")):
            yield path, what, _with(node, path, data)
        yield path, "gone", _with(node, path, None)
        for name in (path, path + ".new", path + ".bad"):
            flash = _with(node, name, None)
            flash.folders.add(name)
            yield path, f"a folder {name}", flash.copy()
            flash.files[name + "/x"] = b"y"
            yield path, f"a folder {name} with a file", flash
        for data in (b"", b"{", b"\xff" * 300, files.get(path, b"")[:-1], bytes(HUGE)):
            yield (
                path,
                f"a write that was cut off: {data[:20]!r}",
                _with(node, path + ".new", data),
            )
            flash = _with(node, path + ".new", data)
            flash.files.pop(path, None)
            yield path, f"only a write that was cut off: {data[:20]!r}", flash
    for what, data in trials():
        yield "config.trial", what, _with(node, "config.trial", data)
    for name, what, data in configurations():
        yield name, what, _with(node, name, data)
    paths = sorted(files)
    for i, a in enumerate(paths):
        for b in paths[i + 1 :]:
            flash = node.flash.copy()
            flash.files[a], flash.files[b] = files[b], files[a]
            yield a, f"{b} in its place", flash
    flash = node.flash.copy()
    flash.files = {path: data for path, data in files.items() if not path.startswith("outbox/")}
    yield "outbox", "empty", flash.copy()
    flash.folders.remove("outbox")
    yield "outbox", "gone", flash.copy()
    flash.files["outbox"] = b"a file"
    yield "outbox", "a file", flash.copy()
    for what in ("config.json config.trial secrets.json", "config.good secrets.good config.trial"):
        flash = node.flash.copy()
        for path in what.split():
            flash.files[path] = b"\xff" * 40
        yield what, "all are damaged", flash


def _with(node: Node, path: str, data: bytes | None) -> RamFiles:
    flash = node.flash.copy()
    flash.files.pop(path, None)
    if data is not None:
        flash.files[path] = data
    return flash


# The oracle -------------------------------------------------------------------------------------


def check(node: Node, flash: RamFiles, memory: bool, fault: Failing | None = None) -> list[str]:
    """What is wrong with a node on this flash: words, none if all is well."""
    intact = {
        seq: data
        for seq, data in node.waiting.items()
        if any(
            record(seq, data) in content
            for path, content in flash.files.items()
            if path.startswith("outbox")
        )
    }
    life = node.again(memory)
    wrong = []
    flash.fault = fault
    with _quiet(), flash.under(*node_life.MODULES):
        for _ in range(WAKES):
            try:
                if not life.wake():
                    return ["the node is at its prompt"]
            except Exception as error:
                return [f"{type(error).__name__}: {error}"]
            if sum(seq > node.given for seq, _ in life.delivered) > 1:
                break
            if life.slept_ms > 3_700_000:
                wrong.append(f"it sleeps for {life.slept_ms} ms")
    wrong += [f"crash: {type(error).__name__}: {error}" for error in life.crashes]
    numbers = {}
    for seq, data in life.delivered:
        if node.waiting.get(seq, data) != data or numbers.get(seq, data) != data:
            wrong.append(f"number {seq} twice, or a damaged record")
        numbers[seq] = data
        for part in json.loads(data):
            if part["n"] == "seq" and part["v"] != seq:
                wrong.append(f"record {seq} says {part['v']}")
    if fault is None:
        missing = [seq for seq in intact if seq not in numbers]
        if missing:
            wrong.append(f"good records are lost: {missing}")
        if sum(seq > node.given for seq in numbers) < 2:
            wrong.append("new samples were not delivered")
    return wrong


def tried(step: int, offset: int = 0) -> tuple[Counter, list[str]]:
    """Every step-th damage and failure. Returns (how many of each file, what went wrong)."""
    counts: Counter = Counter()
    wrong = []
    node = lived()
    for number, (path, what, flash) in enumerate(damages(node)):
        if number % step == offset % step:
            counts[path] += 1
            # A cold start every second time.
            memory = number // step % 2 == 0
            wrong += [f"{path}: {what}: {why}" for why in check(node, flash, memory)]
    watch = Failing(0, lambda number, what, path: False)
    check(node, node.flash.copy(), True, watch)
    number = 0
    for what, when in failures(watch.calls):
        for error in ERRORS:
            number += 1
            if number % step == offset % step:
                counts["calls fail"] += 1
                # A node that can read nothing and remembers nothing counts from 1: that is all.
                memory = not what.startswith("call ") or number // step % 2 == 0
                found = check(node, node.flash.copy(), memory, Failing(error, when))
                wrong += [f"{what}: {error}: {why}" for why in found]
    return counts, wrong


if __name__ == "__main__":
    raise SystemExit(main(tried, "lives"))
