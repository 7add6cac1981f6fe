"""What flash may do to a queue, enumerated, and what the queue must then still do.

    .venv/bin/python -m host_tests.damage            all of it: some 10 minutes
    .venv/bin/python -m host_tests.damage --step 50

Segments are made small, so that every bit of queues of several shapes can be tried.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import host_tests.shim  # noqa: F401 (installs MicroPython's dialect before firmware/ is imported)
from firmware import files, log, outbox, segment
from firmware.segment import record
from host_tests.support.ram_files import RamFiles

BOX = "box"
SEGMENT = 256
BLOCK = 64  # of flash, to be erased or filled with anything
LIVES = 5000


@dataclass
class Queue:
    """A queue on its flash, and what is known of it without looking there."""

    name: str
    capacity: int
    policy: str
    flash: RamFiles
    waiting: dict[int, bytes]  # what has to be delivered
    known: dict[int, bytes]  # all that was ever stored
    given: int  # the highest sequence number
    dropped: int

    def open(self, flash: RamFiles, least: int = 1) -> outbox.Outbox:
        with flash.under(*MODULES):
            return outbox.Outbox(BOX, self.capacity, self.policy, least)


MODULES = (outbox, segment, files)
SHAPES: dict[str, tuple[int, str, Callable[[outbox.Outbox], None]]] = {}


def shape(capacity: int, policy: str = "oldest"):
    def note(build):
        SHAPES[build.__name__] = (capacity, policy, build)
        return build

    return note


def payload(seq: int, size: int = 20) -> bytes:
    return b"%05d" % seq + bytes([seq * 7 % 251]) * (size - 5)


def fill(box: outbox.Outbox, count: int, sizes: tuple = (20,)) -> None:
    for n in range(count):
        box.append(payload(box.next, sizes[n % len(sizes)]))


@shape(4096)
def one(box):
    fill(box, 1)


@shape(4096)
def one_segment(box):
    fill(box, 6)


@shape(4096)
def several(box):
    fill(box, 20, (20, 5, 43, 8))


@shape(4096)
def partly_confirmed(box):
    fill(box, 20)
    box.ack(4)
    fill(box, 2)


@shape(4096)
def confirmed_in_steps(box):
    fill(box, 24)
    for seq in (3, 9, 11):
        box.ack(seq)


@shape(4096)
def all_confirmed(box):
    fill(box, 9)
    box.ack(9)


@shape(4096)
def begun_again(box):
    fill(box, 9)
    box.ack(9)
    fill(box, 3)


@shape(768)
def oldest_dropped(box):
    fill(box, 50)


@shape(768)
def dropped_and_confirmed(box):
    fill(box, 40)
    box.ack(box.confirmed + 3)
    fill(box, 3)


@shape(768, "newest")
def newest_refused(box):
    try:
        fill(box, 50)
    except outbox.Full:
        pass


@shape(1024, "thin")
def thinned(box):
    fill(box, 60)


@shape(1024, "thin")
def thinned_and_confirmed(box):
    fill(box, 50)
    box.ack(box.peek(80)[-1][0])
    fill(box, 2)


def made(name: str) -> Queue:
    """A queue of this shape."""
    capacity, policy, build = SHAPES[name]
    flash = RamFiles()
    known = {}
    with flash.under(*MODULES):
        box = outbox.Outbox(BOX, capacity, policy)
        append = box.append

        def noted(data: bytes) -> int:
            seq = append(data)
            known[seq] = data
            return seq

        box.append = noted
        build(box)
        waiting = dict(box.peek(1 << 20))
        return Queue(name, capacity, policy, flash, waiting, known, box.next - 1, box.dropped)


# Damage -----------------------------------------------------------------------------------------


def damages(queue: Queue) -> Iterator[tuple[str, RamFiles]]:
    """Each damage of one kind to one place: (what it is, the flash after it)."""
    for path, data in sorted(queue.flash.files.items()):

        def put(what: str, new: bytes | None, path=path) -> tuple[str, RamFiles]:
            flash = queue.flash.copy()
            if new is None:
                del flash.files[path]
            else:
                flash.files[path] = new
            return f"{path}: {what}", flash

        yield put("gone", None)
        yield put("empty", b"")
        for at in range(len(data)):
            for bit in range(8):
                flipped = bytes([data[at] ^ 1 << bit])
                yield put(f"bit {bit} of byte {at}", data[:at] + flipped + data[at + 1 :])
            for new in (b"\x00", b"\xff", bytes([at * 37 + 11 & 0xFF])):
                if data[at : at + 1] != new:
                    yield put(f"byte {at} is {new!r}", data[:at] + new + data[at + 1 :])
            yield put(f"cut at {at}", data[:at])
            yield put(f"without byte {at}", data[:at] + data[at + 1 :])
            yield put(f"a byte more at {at}", data[:at] + b"\x5a" + data[at:])
        dice = random.Random(path)
        for at in range(0, len(data), BLOCK):
            size = len(data[at : at + BLOCK])
            for what, block in (
                ("zeroed", bytes(size)),
                ("erased", b"\xff" * size),
                ("rubbish", dice.randbytes(size)),
                ("the block before it", (data[:at] or data)[-BLOCK:][:size]),
            ):
                yield put(f"block at {at} is {what}", data[:at] + block + data[at + size :])
        yield put("with rubbish behind it", data + dice.randbytes(300))
        yield put("zeros", bytes(len(data)))
        yield put("rubbish", dice.randbytes(len(data)))
    paths = sorted(queue.flash.files)
    for i, a in enumerate(paths):
        for b in paths[i + 1 :]:
            flash = queue.flash.copy()
            flash.files[a], flash.files[b] = flash.files[b], flash.files[a]
            yield f"{a} and {b}: swapped", flash
    for name in ("notes.seg", "00000001.seg.bad", "x", ".seg", "zzzzzzzz.seg", "ffffffff.seg",
                 "00000000.seg", "confirmed.new", "00000005.seg.new"):  # fmt: skip
        for what, data in (("empty", b""), ("text", b"do not touch\n"), ("long", b"\xa5" * 9000)):
            flash = queue.flash.copy()
            flash.files[f"{BOX}/{name}"] = data
            yield f"{name}, {what}, is there", flash
        flash = queue.flash.copy()
        flash.folders.add(f"{BOX}/{name}")
        yield f"a folder {name} is there", flash
    for path in paths:
        flash = queue.flash.copy()
        del flash.files[path]
        flash.folders.add(path)
        yield f"{path} is a folder", flash.copy()
        flash.files[path + "/x"] = b"y"
        yield f"{path} is a folder with a file", flash
    flash = queue.flash.copy()
    flash.files = {path: data for path, data in flash.files.items() if "/" not in path}
    yield "the folder is empty", flash.copy()
    flash.folders.remove(BOX)
    yield "the folder is gone", flash.copy()
    flash.files[BOX] = b"none of ours"
    yield "the folder is a file", flash


# The oracle -------------------------------------------------------------------------------------


def check(queue: Queue, flash: RamFiles, whole: bool = False) -> list[str]:
    """What is wrong with the queue on this flash: words, none if all is well.

    whole -- all of it is gone: nobody can count that
    """
    stored = list(flash.files.values())
    intact = {seq: data for seq, data in queue.waiting.items() if _is_in(seq, data, stored)}
    lost = len(queue.waiting) - len(intact)
    wrong = []
    with flash.under(*MODULES):
        try:
            box = queue.open(flash)
            wrong += _compare(queue, box, intact, 0 if whole else lost)
            dropped, before = box.dropped, box.peek(1 << 20)
            box = queue.open(flash)
            if (box.dropped, box.peek(1 << 20)) != (dropped, before):
                wrong.append("another queue when it is opened again")
            last = box.append(b"the next")
            if last <= queue.given:
                wrong.append("a number twice")
            box = queue.open(flash)
            found = box.peek(1 << 20)
            if not found or found[-1] != (last, b"the next"):
                wrong.append("it does not go on")
            if queue.policy != "newest" and box.dropped != dropped and not _is_full(queue):
                wrong.append("counted again")
            box.ack(last)
            box = queue.open(flash)
            if box.peek(1 << 20) or len(box) or box.append(b"") <= last:
                wrong.append("it does not end")
        except outbox.Full:
            if queue.policy != "newest":
                wrong.append("full")
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
    return wrong


def _is_full(queue: Queue) -> bool:
    return queue.capacity < 4096


def _is_in(seq: int, data: bytes, stored: list[bytes]) -> bool:
    whole = record(seq, data)
    return any(whole in content for content in stored)


def _compare(queue: Queue, box, intact: dict, lost: int) -> list[str]:
    wrong = []
    got = box.peek(1 << 20)
    seqs = [seq for seq, _ in got]
    if seqs != sorted(set(seqs)):
        wrong.append("out of order")
    if any(queue.known.get(seq) != data for seq, data in got):
        wrong.append("a damaged record")
    missing = [seq for seq in intact if seq not in seqs]
    if missing:
        wrong.append(f"lost though it is good: {missing}")
    counted = box.dropped - queue.dropped
    if counted != lost and (lost or counted > 0):
        wrong.append(f"{lost} lost, {counted} counted")
    if len(box) != len(got):
        wrong.append("another length")
    if box.next <= queue.given:
        wrong.append(f"number {box.next} is given twice")
    return wrong


# Calls that fail --------------------------------------------------------------------------------

HIDE_ALL = ("each open", "each read", "each listdir", f"all to {BOX}")
ERRORS = (5, 84, 28)  # EIO, what LittleFS says of damage, ENOSPC


class Failing:
    """Raises OSError in calls of the file system.

    when -- whether call number n, which does something to a path, fails
    late -- it is done before it fails
    """

    def __init__(
        self, error: int, when: Callable[[int, str, str], bool], hides_all: bool = False
    ) -> None:
        self.hides_all = hides_all  # all records, or all marks
        self._error = error
        self._when = when
        self.calls: list[tuple[str, str]] = []

    def __call__(self, what: str, path: str) -> None:
        number = len(self.calls)
        self.calls.append((what, path))
        if self._when(number, what, path):
            raise OSError(self._error, what)


def failures(
    calls: list[tuple[str, str]],
) -> Iterator[tuple[str, Callable[[int, str, str], bool]]]:
    """Which of these calls fail: each once, all from one on, all of a kind, all to a path."""
    for n in range(len(calls)):
        yield f"call {n}, {calls[n]}", lambda number, what, path, n=n: number == n
        yield f"calls from {n} on", lambda number, what, path, n=n: number >= n
        yield f"calls {n} to {n + 4}", lambda number, what, path, n=n: n <= number < n + 5
    for each in sorted({what for what, _ in calls}):
        yield f"each {each}", lambda number, what, path, each=each: what == each
    for each in sorted({path for _, path in calls}):
        yield f"all to {each}", lambda number, what, path, each=each: path == each
        for kind in ("open", "read", "write", "close", "closed", "remove", "rename"):
            yield (
                f"each {kind} of {each}",
                lambda number, what, path, each=each, kind=kind: (what, path) == (kind, each),
            )


def live(queue: Queue, flash: RamFiles) -> tuple[list[str], dict[int, bytes], dict[int, bytes]]:
    """A queue is opened, filled, and delivered for a while.

    Returns (what is wrong, what append() has stored, what was delivered).
    """
    wrong = []
    stored: dict[int, bytes] = {}
    delivered: dict[int, bytes] = {}
    box = queue.open(flash, queue.given + 1)  # which RTC memory knows
    for n in range(6):
        data = payload(90000 + n)
        before = box.next
        try:
            stored[box.append(data)] = data
        except OSError:
            pass  # it waits in RAM
        except outbox.Full:
            if queue.policy != "newest":
                wrong.append("full")
            continue
        if box.next <= before:
            wrong.append("a number twice in one life")
        if n % 2:
            batch = box.peek(60)
            for seq, got in batch:
                if {**queue.known, **stored}.get(seq, got) != got:
                    wrong.append("a damaged record")
                if delivered.get(seq, got) != got:
                    wrong.append("another record under the same number")
            if batch:
                delivered |= dict(batch)
                box.ack(batch[-1][0])
    return wrong, stored, delivered


def check_failing(queue: Queue, failing: Failing) -> list[str]:
    """What is wrong with a queue that such a file system has had, when it is well again."""
    flash = queue.flash.copy()
    flash.fault = failing
    wrong: list[str] = []
    with flash.under(*MODULES):
        try:
            wrong, stored, delivered = live(queue, flash)
            flash.fault = None
            known = {**queue.known, **stored, **delivered}
            box = queue.open(flash, max([queue.given, *delivered]) + 1)
            found = box.peek(1 << 20)
            seqs = {seq for seq, _ in found}
            lost = [seq for seq in [*queue.waiting, *stored] if seq not in seqs | set(delivered)]
            # A count that cannot be read, but written, is begun anew.
            if len(lost) > box.dropped - queue.dropped and not failing.hides_all:
                wrong.append(f"{lost} lost, {box.dropped - queue.dropped} counted")
            if sorted(seqs) != [seq for seq, _ in found]:
                wrong.append("out of order")
            if any(known.get(seq, data) != data for seq, data in found):
                wrong.append("a damaged record")
            if queue.policy != "newest":
                last = box.append(b"the next")
                if last in known:
                    wrong.append(f"number {last} twice")
                if queue.open(flash).peek(1 << 20)[-1] != (last, b"the next"):
                    wrong.append("it does not go on")
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
    return wrong


def failures_of(queue: Queue, step: int) -> Iterator[tuple[str, list[str]]]:
    """(which calls fail, what was wrong then), every step-th."""
    watch = Failing(0, lambda number, what, path: False)
    flash = queue.flash.copy()
    flash.fault = watch
    with flash.under(*MODULES):
        live(queue, flash)
    number = 0
    for what, when in failures(watch.calls):
        for error in ERRORS:
            number += 1
            if number % step == 0:
                failing = Failing(error, when, what in HIDE_ALL or what.startswith("calls from "))
                yield f"{what}: {error}", check_failing(queue, failing)


# Long lives -------------------------------------------------------------------------------------


def lived(seed: int, steps: int = 120) -> list[str]:
    """A life of a queue in which anything may happen, more than once. Returns what is wrong."""
    dice = random.Random(seed)
    policy = dice.choice(outbox.POLICIES)
    flash = RamFiles()
    queue = Queue("life", dice.choice((768, 1024, 2048)), policy, flash, {}, {}, 0, 0)
    wrong: list[str] = []
    known: dict[int, bytes] = {}
    with flash.under(*MODULES):
        box = queue.open(flash)
        for step in range(steps):
            what = dice.choices(("append", "report", "sleep", "damage", "fail"), (6, 3, 3, 1, 1))[
                0
            ]
            if what == "append":
                data = payload(step, dice.randrange(5, 60))
                seq = box.next
                if seq in known:
                    wrong.append(f"step {step}: number {seq} twice")
                try:
                    box.append(data)
                except outbox.Full:
                    continue
                except OSError:
                    if flash.fault is None and box._folder:
                        wrong.append(f"step {step}: refused")
                known[seq] = data
            elif what == "report":
                batch = box.peek(dice.randrange(20, 400))
                seqs = [seq for seq, _ in batch]
                if seqs != sorted(set(seqs)) or any(known.get(s) != d for s, d in batch):
                    wrong.append(f"step {step}: {batch}")
                if batch:
                    box.ack(seqs[dice.randrange(len(seqs))])
            elif what == "fail":
                error, rate = dice.choice(ERRORS), dice.choice((0.05, 0.3, 1))
                flash.fault = Failing(error, lambda *_, rate=rate: dice.random() < rate)
            else:
                flash.fault = flash.fault if dice.random() < 0.3 else None
                if what == "damage" and flash.files:
                    _damage(flash, dice)
                box = queue.open(flash, box.next)  # RTC memory knows the next number
    return wrong


def _damage(flash: RamFiles, dice: random.Random) -> None:
    """Something happens to a file, or to two."""
    path = dice.choice(sorted(flash.files))
    data = flash.files[path]
    what = dice.randrange(6)
    at = dice.randrange(len(data) + 1)
    if what == 0:
        del flash.files[path]
    elif what == 1:
        flash.files[path] = data[:at]
    elif what == 2:
        other = dice.choice(sorted(flash.files))
        flash.files[path], flash.files[other] = flash.files[other], flash.files[path]
    elif what == 3:
        del flash.files[path]
        flash.folders.add(path)
    elif what == 4:
        flash.files[path] = data[:at] + dice.randbytes(dice.randrange(100)) + data[at + 30 :]
    elif data:
        flipped = bytes([data[at - 1] ^ 1 << dice.randrange(8)])
        flash.files[path] = data[: at - 1] + flipped + data[at:] if at else flipped + data[1:]


def tried(step: int, offset: int = 0) -> tuple[Counter, list[str]]:
    """Every step-th damage and failure of all shapes: (how many of each, what went wrong)."""
    counts: Counter = Counter()
    wrong: list[str] = []
    before, tell = outbox.BYTES, log.tell
    outbox.BYTES = segment.BYTES = SEGMENT
    log.tell = lambda text, *args: None
    try:
        for name in SHAPES:
            queue = made(name)
            for number, (what, flash) in enumerate(damages(queue)):
                if number % step != offset % step:
                    continue
                counts[name] += 1
                whole = what.startswith("the folder")
                wrong += [f"{name}: {what}: {why}" for why in check(queue, flash, whole)]
            for what, found in failures_of(made(name), step):
                counts[name + ", calls fail"] += 1
                wrong += [f"{name}: {what}: {why}" for why in found]
        for seed in range(offset, LIVES, step):
            counts["lives"] += 1
            try:
                wrong += [f"life {seed}: {why}" for why in lived(seed)]
            except Exception as error:
                wrong.append(f"life {seed}: {type(error).__name__}: {error}")
    finally:
        outbox.BYTES = segment.BYTES = before
        log.tell = tell
    return counts, wrong


def main(attempt: Callable[[int, int], tuple[Counter, list[str]]], what: str) -> int:
    """Try all, or a part of it, and print what is wrong. what -- that is tried, in words"""
    parser = argparse.ArgumentParser()
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--offset", type=int, default=0)
    args = parser.parse_args()
    counts, wrong = attempt(args.step, args.offset)
    for line in wrong[:100]:
        print(line[:300])
    print(f"{sum(counts.values())} {what}, {len(wrong)} faults: {dict(counts)}")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main(tried, "damaged queues"))
