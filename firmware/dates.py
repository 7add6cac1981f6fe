"""Records made before the node knew the time: stored with the board's clock, dated when sent.

Until the clock is set it counts from where it began at the cold start, so what it showed is worth
something as soon as it is known by how much it was then set. That is kept in a small file, for a
few cold starts: a record may wait for longer than its own.
"""

from micropython import const

from . import clock, files

_FILE = "clock.steps"
_KEPT = const(4)  # cold starts
# cold start, clock: as long as the base time that it becomes, so that no record grows
_STAMP = b"~%04x%010d~"
BYTES = const(16)


def stamped(record: bytes, start: int, now_s: int) -> bytes:
    """A record without a base time as it is stored: with cold start, and what the clock shows."""
    return _STAMP % (start & 0xFFFF, max(now_s, 0)) + record


def learned(start: int, step: int) -> None:
    """The clock of this cold start is about to be set by so many seconds, for the first time.
    Raises OSError.
    """
    start &= 0xFFFF
    known = [(start, step)] + [pair for pair in steps() if pair[0] != start]
    lines = ["%d %d" % pair for pair in known[:_KEPT]]
    files.replace(_FILE, "\n".join(lines).encode())


def steps() -> list:
    """What is known: (cold start, by how many seconds its clock was set), the latest first."""
    found = []
    try:
        for line in (files.read(_FILE) or b"").split(b"\n")[:_KEPT]:
            start, step = line.split()
            found.append((int(start), int(step)))
    except (OSError, ValueError):  # damage: what stands before it is good
        pass
    return found


def dated(stored: bytes, known: list) -> bytes:
    """A stored record as it is sent: with its base time if that has become known.

    known -- as steps() gives it
    """
    record = stored[BYTES:]
    is_cbor = record[:1] >= b"\x80"
    if stored[:1] != b"~" or stored[BYTES - 1 : BYTES] != b"~":
        return stored
    if not is_cbor and record[:2] != b"[{":
        return stored
    try:
        stamp, shown = int(stored[1:5], 16), int(stored[5 : BYTES - 1])
    except ValueError:
        return record
    for start, step in known:
        if start == stamp:
            at = clock.unix(shown + step)
            if at is None:
                return record
            if not is_cbor:
                return _with_time(record, at)
            from . import cbor

            return cbor.dated(record, at)
    return record


def _with_time(record: bytes, at: int) -> bytes:
    """The base time where telemetry.senml() puts it: behind the base name, which earlier firmware
    has stored too.
    """
    end = 2
    if record[2:7] == b'"bn":':
        end = record.find(b'",', 8) + 2
    return record[:end] + b'"bt":%d,' % at + record[end:] if end > 1 else record
