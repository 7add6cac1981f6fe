"""What a node remembers from one wake to the next: a small, versioned block with a CRC.

RTC memory keeps it over deep sleep. Flash is written only for a cold start: when it is counted,
and when its first wake has ended in sleep; in two files, because one may be damaged. So (starts,
wakes) never repeats, and a node that never gets as far as sleeping is noticed, whether its resets
keep RTC memory or not.
"""

import struct
from binascii import crc32

from micropython import const

from . import files, log

_VERSION = const(7)
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
    ("attach", "I"),
    ("doubted", "H"),
    ("seq", "H"),
    ("psm_active", "H"),
    ("edrx", "H"),
    ("signal", "b"),
    ("drift", "b"),
    ("failures", "B"),
    ("unfinished", "B"),
    ("module_cause", "B"),
    ("restless_battery", "B"),
    ("seq_high", "B"),
    ("told", "B"),
)
_LAYOUT = "<B" + "".join([code for _, code in _FIELDS])
_LIMITS = {"I": (0, 0xFFFFFFFF), "H": (0, 0xFFFF), "B": (0, 255), "b": (-128, 127)}
_CRC_BYTES = const(3)
_CRC = const(0xFFFFFF)
_FILE = "starts"
_MOST_COUNT = const(0x7FFFFFFF)  # of starts and wakes: more than any node lives through
_MOST_UNFINISHED = const(20)  # safe mode has come long before
_SEQ_BITS = const(24)
_FACTS = const(7)  # bits of `told`
UNFINISHED_LIMIT = const(5)
PIN_REFUSED = const(0x80)  # in `told`: the SIM has refused the PIN, and no file could say so
RSRP = const(157)  # what State.signal has more than that in dBm, which is -156 or more
WAITS = "waits"  # idle, while a timer of the network's runs: backoff.py
MODULE = ("unknown", "off", "psm", "edrx", "idle", WAITS)
_AWOKE = "deepsleep"  # what is no reset
_BY_HAND = ("power", "soft")  # starts with which somebody wants a try, wherever RTC memory lasts
# Of a start that no record has told of yet; the first: there is none.
CAUSES = ("", _AWOKE, "power", "reset", "watchdog", "soft", "unknown")


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
    attach = 0  # what was learned of it: coverage.py
    signal = 0  # RSSI in dBm, or that of RSRP + RSRP (1 to 126), as last told; 0: never
    drift = 0  # of the clock against the network's, in 10 ppm, as last noted
    failures = 0  # sessions in a row that delivered nothing
    unfinished = 0  # wakes in a row that did not end in sleep, this one included
    module = 0  # how the module was left, see MODULE
    cause = 0  # of a start that no record has told of yet, see CAUSES
    connects = 0  # times that an attach has been measured, up to 3
    restless = 0  # times in a row that it was to be in PSM and was found awake
    seq = seq_high = 0  # the outbox's next number, 24 bits of it; 0: not known
    memo = b""  # what others remember behind this block, where RTC memory has room: own/memory.py
    level = 0  # of the battery, see battery.LEVELS
    sags = False  # it does while the module transmits
    last_word = False  # one is to be said, before the module is left off
    told = 0  # what has been told and still holds, a bit for each, see is_news(); and PIN_REFUSED

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
        return block + struct.pack("<I", crc32(block) & _CRC)[:_CRC_BYTES] + self.memo

    @property
    def module_cause(self) -> int:
        """Three values in one byte."""
        connects = min(self.connects, 3)
        return self.module | (connects & 1) << 3 | self.cause << 4 | (connects & 2) << 6

    @module_cause.setter
    def module_cause(self, both: int) -> None:
        self.module, self.cause = both & 7, both >> 4 & 7
        self.connects = both >> 3 & 1 | both >> 6 & 2

    @property
    def restless_battery(self) -> int:
        """Four values in one byte."""
        return self.restless & 7 | self.level << 3 | self.sags << 6 | self.last_word << 7

    @restless_battery.setter
    def restless_battery(self, all: int) -> None:
        self.restless, self.level = all & 7, min(all >> 3 & 7, 4)
        self.sags, self.last_word = bool(all & 64), bool(all & 128)

    @property
    def is_stuck(self) -> bool:
        """Whether the node keeps restarting without ever getting as far as sleeping."""
        return self.unfinished > UNFINISHED_LIMIT

    @property
    def next_seq(self) -> int:
        """The number that the next record gets, as far as this block knows."""
        return max(self.seq_high << 16 | self.seq, 1)

    @next_seq.setter
    def next_seq(self, number: int) -> None:
        number = 0 if number >> _SEQ_BITS else number
        self.seq, self.seq_high = number & 0xFFFF, number >> 16

    def is_news(self, fault: str) -> bool:
        """Whether a fault has not been told since it began; it counts as told from now on."""
        bit = 1 << crc32(fault.encode()) % _FACTS
        is_news = not self.told & bit
        self.told |= bit
        return is_news

    def still(self, faults: list) -> None:
        """Only these are left: others are news when they come again."""
        before, self.told = self.told, self.told & PIN_REFUSED
        for fault in faults:
            self.is_news(fault)
        self.told &= before


def unpack(data: bytes) -> State | None:
    """The state in a block; None if it is empty, damaged, of another version, or cannot be."""
    size = struct.calcsize(_LAYOUT)
    if len(data) < size + _CRC_BYTES:
        return None
    block = bytes(data[:size])
    crc = struct.unpack("<I", bytes(data[size : size + _CRC_BYTES]) + b"\0")[0]
    if crc != crc32(block) & _CRC or block[0] != _VERSION:
        return None
    state = State()
    for (name, _), value in zip(_FIELDS, struct.unpack(_LAYOUT, block)[1:]):
        setattr(state, name, value)
    state.memo = bytes(data[size + _CRC_BYTES :])
    if max(state.starts, state.wakes) > _MOST_COUNT:
        return None
    # With a right CRC this is a firmware that thinks otherwise; the rest may be of use.
    if state.module >= len(MODULE):
        state.module = 0
    if state.cause >= len(CAUSES):
        state.cause = 0
    if state.unfinished > _MOST_UNFINISHED:
        state.unfinished = 0
    return state


def begin(board, cause: str = _AWOKE) -> State:
    """Count this wake and keep the count. A damaged block makes it a cold start.

    cause -- of the reset before it, as the board says; "deepsleep" where there was none
    """
    state = unpack(board.load())
    if state is None:
        starts, settled = _read_starts()
        state = State(starts=starts + 1, unfinished=starts - settled)
        _write_starts(starts + 1, settled)
        state.cause = CAUSES.index(_AWOKE)
    if cause != _AWOKE:
        state.cause = CAUSES.index(cause if cause in CAUSES else CAUSES[-1])
        if cause in _BY_HAND:
            state.hold = 0
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
        starts, settled = [int(word) for word in (files.load(_FILE) or b"0 0").split()]
    except (OSError, ValueError) as error:
        log.tell("%s is damaged: %s", _FILE, error)
        return 0, 0
    starts = min(max(starts, 0), _MOST_COUNT)
    return starts, min(max(settled, 0), starts)


def _write_starts(starts: int, settled: int) -> None:
    try:
        files.store(_FILE, b"%d %d" % (starts, settled))
    except OSError as error:  # what is not counted is done nevertheless
        log.tell("%s cannot be written: %s", _FILE, error)
