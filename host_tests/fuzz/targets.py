"""What is fuzzed: name -> function(data). A target returns for any bytes; whatever it raises is a
finding. What may be raised inside, it catches by name.
"""

import json
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from c1100 import C1100Error, LineRing, at, dialect, edrx, nmea, payload, timers, variants
from firmware import clock, commands, config, last_good, outbox, state, telemetry, trial
from host_tests.fuzz import hostile
from host_tests.fuzz.feed import Feed

SHM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # else where it is usual
KEY, OTHER = bytes(range(32)), bytes(32)
GOOD = b'{"id": "n1", "mqtt": {"host": "h"}}'


class Chunks:
    """A stream of the fuzzer's bytes in pieces of the fuzzer's sizes."""

    def __init__(self, data: bytes, sizes: Feed) -> None:
        self._data, self._sizes = data, sizes

    def readinto(self, buf) -> int | None:
        n = min(1 + self._sizes.below(64), len(buf), len(self._data))
        buf[:n] = self._data[:n]
        self._data = self._data[n:]
        return n or None


def ring(data: bytes) -> None:
    """Every line and every piece stands in what came, in that order; nothing is invented."""
    feed = Feed(data)
    plan = Feed(feed.take(40))
    came = feed.rest()
    small = LineRing(16 + plan.below(64))
    stream = Chunks(came, plan)
    at_ = 0
    for _ in range(4 * len(came) + 8):
        small.readfrom(stream)
        what = plan.below(8) if plan.left else 0
        if what == 5:
            view = small.take(plan.below(small.size + 1))
        elif what == 6:
            small.prompt()
            continue
        elif what == 7:
            small.skip_line()
            continue
        else:
            view = small.line()
        if view is None:
            continue
        piece = bytes(view)
        found = came.find(piece, at_)
        assert found >= 0, f"{piece!r} did not come behind byte {at_}"
        at_ = found + len(piece)
        assert small.unread >= 0


def grammar(data: bytes) -> None:
    """Any line is read as something, by every form of the dialect."""
    if not data:
        return
    line = at.text(data)
    if not line:
        return
    for value in at.params(line):
        assert value is None or type(value) in (int, str), value
    at.result(line)
    error = at.error(line, "+X")
    assert error is None or isinstance(error, C1100Error)
    for form in FORMS:
        values = at.read(line, form.shape)
        assert values is None or len(values) >= len(form.shape) or form.shape == "r"
    for name in (line, line[:4]):
        try:
            variants.parse(name)
        except at.NotSupported:
            continue


FORMS = list(dialect.forms().values())


def arguments(data: bytes) -> None:
    """What is rendered is one line of printable ASCII, whatever the caller gives."""
    feed = Feed(data)
    form = FORMS[feed.below(len(FORMS))]
    given: list[object] = []
    for _ in range(form.send.count("{")):
        kind = feed.below(5)
        text = feed.take(40).decode("latin-1")
        given.append((text, feed.byte(), text.encode(), -feed.byte(), None)[kind])
    try:
        line = at.render(form.send, tuple(given))
    except at.BadArgument:
        return
    assert all(" " <= c <= "~" for c in line), line
    assert line.startswith(form.send.split("{")[0])


class Handler:
    """Counts what it is given."""

    limit = 4096

    def __init__(self, fields: int, is_hex: bool) -> None:
        self.fields, self.hex = fields, is_hex
        self.got = self.ends = 0
        self.want = 0

    def begin(self, values: list) -> int:
        number = values[-1] if values else None
        self.want = number if isinstance(number, int) and 0 <= number <= 4096 else 0
        return self.want

    def data(self, view) -> None:
        self.got += len(view)

    def end(self, error) -> None:
        self.ends += 1

    def damaged(self, values: list) -> None:
        """A header that could not be read."""


def payloads(data: bytes) -> None:
    """A payload gives what has come, no more than was announced, and one end."""
    feed = Feed(data)
    sizes = Feed(feed.take(20))
    handler = Handler(2 + feed.below(2), bool(feed.below(2)))
    small = LineRing(256)
    stream = Chunks(b"+LSIPRTCP=1," + feed.rest() + b"\r\r\r", sizes)
    found = None
    for _ in range(200):
        small.readfrom(stream)
        if isinstance(found, payload.Payload):
            if found.feed(small):
                break
        elif found is None or found is True:
            found = payload.header(small, {"+LSIPRTCP": handler})
        else:
            break
    if isinstance(found, payload.Payload):
        found.give_up() if not handler.ends else None
        assert handler.got <= handler.want
        assert handler.ends == 1


def codecs(data: bytes) -> None:
    """Bits are seconds or None, or BadArgument; what was encoded is decoded."""
    feed = Feed(data)
    bits, act = feed.take(10).decode("latin-1"), feed.below(8)
    for decode, given in (
        (timers.decode_t3412, (bits,)), (timers.decode_t3324, (bits,)),
        (edrx.decode_cycle, (bits, act)), (edrx.decode_ptw, (bits, act)),
    ):  # fmt: skip
        try:
            seconds = decode(*given)
        except at.BadArgument:
            continue
        assert seconds is None or seconds >= 0
    seconds = int.from_bytes(feed.take(4), "little") / 8
    for encode, decode in (
        (timers.encode_t3412, timers.decode_t3412), (timers.encode_t3324, timers.decode_t3324),
    ):  # fmt: skip
        try:
            assert decode(encode(seconds)) is not None
        except at.BadArgument:
            continue


def sentences(data: bytes) -> None:
    """A fix is a place on Earth at a moment, in whole numbers."""
    feed = Feed(data)
    found = []
    for _ in range(2):
        text = feed.take(100).decode("latin-1")
        total = 0
        for c in text:
            total ^= ord(c)
        found.append(nmea.sentence(f"${text}*{total:02X}"))
        nmea.sentence(text)
    for pair in (found, found[::-1]):
        fix = nmea.combine(*pair)
        if fix is not None:
            assert abs(fix.latitude_e7) <= 900000000
            assert abs(fix.longitude_e7) <= 1800000000
            assert 1 <= fix.time[1] <= 12
            json.loads(telemetry.senml("n", [("lat", "lat", telemetry.Fixed(fix.latitude_e7, 7))]))


def times(data: bytes) -> None:
    """A told time is within what this firmware can live to see, or None."""
    feed = Feed(data)
    text = feed.take(40).decode("latin-1")
    told = clock.parse(text)
    assert told is None or 1_600_000_000 < told < 4_200_000_000, told


def configuration(data: bytes) -> None:
    """What the firmware takes, CPython's json takes too, and says the same."""
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        path = Path(folder, "config.json")
        path.write_bytes(data)
        try:
            given = config.read(str(path), True)
        except config.ConfigError:
            return
        assert given == json.loads(data), "read as something else"
        try:
            config.check(given, config.SCHEMA, "config.json")
        except config.ConfigError:
            return


def orders(data: bytes) -> None:
    """No command without the key; and with it, only one that is well formed."""
    order, result = commands.Gate("n1", OTHER, 7).judge(data)
    assert order is None
    assert result["result"] == commands.REFUSED
    gate = commands.Gate("n1", KEY, 7)
    gate.judge(data)
    text = data.decode("latin-1")
    mac = commands.signature(KEY, "n1", "a", 9, text).hex()
    order, _ = gate.judge(json.dumps({"id": "a", "counter": 9, "body": text, "mac": mac}).encode())
    assert order is None or order.do in commands._BODIES


def queue(data: bytes) -> None:
    """A queue in which something was overwritten opens, gives what is good, and goes on."""
    feed = Feed(data)
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        name = folder + "/box"
        box = outbox.Outbox(name, 16384)
        stored = {}
        for _ in range(1 + feed.below(40)):
            record = bytes((feed.byte(),)) * (1 + feed.below(250))
            stored[box.append(record)] = record
        if feed.below(2):
            box.ack(1 + feed.below(len(stored)))
        highest = box.next
        files = sorted(Path(name).iterdir())
        for _ in range(1 + feed.below(4)):
            _damage(files[feed.below(len(files))], feed)
        again = outbox.Outbox(name, 16384)
        for seq, record in again.peek(1 << 20):
            assert stored.get(seq) == record, f"record {seq} was never stored so"
        assert again.append(b"new") >= highest, "a number is given twice"
        outbox.Outbox(name, 16384)


def _damage(path: Path, feed: Feed) -> None:
    content = bytearray(path.read_bytes())
    place = int.from_bytes((feed.byte(), feed.byte()), "little") % (len(content) + 1)
    what = feed.below(4)
    if what == 0:
        content[place : place + 1] = bytes((feed.byte(),))
    elif what == 1:
        del content[place:]
    elif what == 2:
        content[place:place] = feed.take(32)
    else:
        content[place : place + 64] = b"\xff" * 64
    path.write_bytes(content)


def memory(data: bytes) -> None:
    """What RTC memory holds is a state, or none; a state is packed and read again."""
    found = state.unpack(data)
    if found is not None:
        assert state.unpack(found.pack()) is not None
    made = state.State()
    feed = Feed(data)
    for name, _ in state._FIELDS:
        setattr(made, name, int.from_bytes(feed.take(6), "little", signed=True))
    again = state.unpack(made.pack())  # None, or with what cannot be put right
    assert again is None or state.unpack(again.pack()) is not None


def small_files(data: bytes) -> None:
    """Whatever is in the configuration's files, the node has settings or says why not."""
    feed = Feed(data)
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        for name in ("config.json", "config.good", "secrets.json", "secrets.good", "config.trial"):
            if feed.below(2):
                Path(folder, name).write_bytes(feed.take(80))
            elif name == "config.json":
                Path(folder, name).write_bytes(GOOD)
        try:
            found, problem = last_good.settings(folder + "/")
        except config.ConfigError:
            return
        assert found["id"]
        assert isinstance(problem, str)
        trial.count(folder + "/")
        trial.outcome(folder + "/")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "ring": ring, "grammar": grammar, "arguments": arguments, "payloads": payloads,
    "codecs": codecs, "nmea": sentences, "times": times, "config": configuration,
    "commands": orders, "outbox": queue, "state": memory, "trial": small_files,
    **{name: partial(hostile.flow, name) for name in hostile.FLOWS},
}  # fmt: skip
