"""What a node remembers from one wake to the next: a small, versioned block with a CRC.

RTC memory keeps it over deep sleep. Flash is written only for a cold start: when it is counted,
and when its first wake has ended in sleep. So (starts, wakes) never repeats, and a node that never
gets as far as sleeping is noticed, whether its resets keep RTC memory or not.
"""

import struct
from binascii import crc32

from micropython import const

_VERSION = const(5)
# The block fits into the 68 bytes that the smallest board keeps.
_FIELDS = (
    ("starts", "I"),
    ("wakes", "I"),
    ("sampled", "I"),
    ("reported", "I"),
    ("positioned", "I"),
    ("hold", "I"),
    ("tau", "I"),
    ("synced", "I"),
    ("doubt", "I"),
    ("psm_asked", "I"),
    ("psm_tau", "I"),
    ("doubted", "H"),
    ("psm_active", "H"),
    ("edrx", "H"),
    ("attach", "H"),
    ("attach_poor", "H"),
    ("signal", "b"),
    ("drift", "b"),
    ("failures", "B"),
    ("unfinished", "B"),
    ("module", "B"),
    ("restless", "B"),
)
_LAYOUT = "<B" + "".join([code for _, code in _FIELDS])
_LIMITS = {"I": (0, 0xFFFFFFFF), "H": (0, 0xFFFF), "B": (0, 255), "b": (-128, 127)}
_FILE = "starts"
UNFINISHED_LIMIT = const(5)
MODULE = ("unknown", "off", "psm", "edrx", "idle")


class State:
    """values -- of the attributes below that are not 0. Times are clock seconds, 0: never."""

    starts = 0  # cold starts in the node's life
    wakes = 0  # wakes since the last of them
    sampled = 0  # when the jobs ran
    reported = 0
    positioned = 0
    hold = 0  # the module is left alone until then
    tau = 0  # the module's next periodic tracking-area update
    synced = 0  # when the clock was last compared with a time that was believed
    doubt = 0  # step, in 32 bits, of a time that was told and not believed yet; 0: none
    doubted = 0  # when, in minutes of 16 bits
    psm_asked = 0  # when PSM was asked for
    psm_tau = 0  # granted, s
    psm_active = 0  # granted, s + 1; 0: no PSM
    edrx = 0  # granted cycle, s; 0: none
    attach = 0  # from the power key to registration, mean, in s / 4
    attach_poor = 0  # likewise, while the signal is poor
    signal = 0  # dBm, when the module last told; 0: never
    drift = 0  # of the clock against the network's, in 10 ppm, as last noted
    failures = 0  # sessions in a row that delivered nothing
    unfinished = 0  # wakes in a row that did not end in sleep, this one included
    module = 0  # how the module was left, see MODULE
    restless = 0  # times in a row that it was to be in PSM and was found awake

    def __init__(self, **values) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def pack(self) -> bytes:
        """The block; a value that does not fit is stored as the nearest that does."""
        values = []
        for name, code in _FIELDS:
            least, most = _LIMITS[code]
            values.append(min(max(int(getattr(self, name)), least), most))
        block = struct.pack(_LAYOUT, _VERSION, *values)
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
    state = State()
    for (name, _), value in zip(_FIELDS, struct.unpack(_LAYOUT, block)[1:]):
        setattr(state, name, value)
    return state


def begin(board) -> State:
    """Count this wake and keep the count. A damaged block makes it a cold start."""
    state = unpack(board.load())
    if state is None:
        starts, settled = _read_starts()
        state = State(starts=starts + 1, unfinished=starts - settled)
        _write_starts(starts + 1, settled)
    state.wakes += 1
    state.unfinished += 1
    board.store(state.pack())
    return state


def finish(board, state: State) -> None:
    """This wake ends in sleep."""
    state.unfinished = 0
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
