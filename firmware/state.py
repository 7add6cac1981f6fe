"""What a node remembers from one wake to the next: a small, versioned block with a CRC.

RTC memory keeps it over deep sleep. Flash is written only for a cold start: when it is counted,
and when its first wake has ended in sleep. So (starts, wakes) never repeats, and a node that never
gets as far as sleeping is noticed, whether its resets keep RTC memory or not.
"""

import struct
from binascii import crc32

from micropython import const

_VERSION = const(2)
_LAYOUT = "<BIIBB"  # version, cold starts, wakes since, failures, wakes that did not end
_FILE = "starts"
_MOST = const(255)
UNFINISHED_LIMIT = const(5)


class State:
    """starts     -- cold starts in the node's life
    wakes      -- wakes since the last of them
    failures   -- wakes in a row that delivered nothing
    unfinished -- wakes in a row that did not end in sleep, this one included
    """

    def __init__(self, starts: int, wakes: int, failures: int = 0, unfinished: int = 0) -> None:
        self.starts = starts
        self.wakes = wakes
        self.failures = failures
        self.unfinished = unfinished

    def pack(self) -> bytes:
        block = struct.pack(
            _LAYOUT,
            _VERSION,
            self.starts,
            self.wakes,
            min(self.failures, _MOST),
            min(self.unfinished, _MOST),
        )
        return block + struct.pack("<I", crc32(block))

    @property
    def is_stuck(self) -> bool:
        """Whether the node keeps restarting without ever getting as far as sleeping."""
        return self.unfinished > UNFINISHED_LIMIT


def unpack(data: bytes) -> State | None:
    """The state in a block; None if it is empty, damaged or of another version."""
    size = struct.calcsize(_LAYOUT)
    if len(data) < size + 4:
        return None
    block = bytes(data[:size])
    if struct.unpack("<I", data[size : size + 4])[0] != crc32(block) or block[0] != _VERSION:
        return None
    return State(*struct.unpack(_LAYOUT, block)[1:])


def begin(board) -> State:
    """Count this wake and keep the count. A damaged block makes it a cold start."""
    state = unpack(board.load())
    if state is None:
        starts, settled = _read_starts()
        state = State(starts + 1, 0, 0, starts - settled)
        _write_starts(starts + 1, settled)
    state.wakes += 1
    state.unfinished += 1
    board.store(state.pack())
    return state


def finish(board, state: State, delivered: bool) -> None:
    """This wake ends in sleep. delivered -- whether something was, or nothing waited."""
    state.unfinished = 0
    state.failures = 0 if delivered else min(state.failures + 1, _MOST)
    board.store(state.pack())
    starts, settled = _read_starts()
    if settled != starts:
        _write_starts(starts, starts)


def _read_starts() -> tuple:
    """(cold starts, the last of them whose first wake ended in sleep)"""
    try:
        with open(_FILE) as file:
            starts, settled = file.read().split()
        return int(starts), int(settled)
    except (OSError, ValueError):  # the first start, or a write that was cut off
        return 0, 0


def _write_starts(starts: int, settled: int) -> None:
    with open(_FILE, "w") as file:
        file.write("%d %d" % (starts, settled))
