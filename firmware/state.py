"""What a node remembers from one wake to the next: a small, versioned block with a CRC.

RTC memory keeps it over deep sleep. A cold start is counted on flash, which is written at no other
time, so (starts, wakes) never repeats.
"""

import struct
from binascii import crc32

_VERSION = 1
_LAYOUT = "<BII"  # version, cold starts, wakes since
_FILE = "starts"


class State:
    """starts -- cold starts in the node's life; wakes -- wakes since the last of them"""

    def __init__(self, starts: int, wakes: int) -> None:
        self.starts = starts
        self.wakes = wakes

    def pack(self) -> bytes:
        block = struct.pack(_LAYOUT, _VERSION, self.starts, self.wakes)
        return block + struct.pack("<I", crc32(block))


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
        state = State(_count_start(), 0)
    state.wakes += 1
    board.store(state.pack())
    return state


def _count_start() -> int:
    try:
        with open(_FILE) as file:
            starts = int(file.read())
    except (OSError, ValueError):  # the first start, or a write that was cut off
        starts = 0
    with open(_FILE, "w") as file:
        file.write(str(starts + 1))
    return starts + 1
