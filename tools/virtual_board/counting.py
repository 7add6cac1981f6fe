"""Counts the bytecode instructions that the interpreter executes: exactly, and for nothing.

MicroPython's loop jumps from one instruction to the next through a table of 256 addresses, one for
each opcode. `install` puts a few bytes of machine code before each, which add one to a counter and
go on. No flag, register or stack of the interpreter is touched; what it executes stays the
same, instruction by instruction. Children that are forked later count each for itself.

Only for x86-64 on Linux, and an interpreter that is a library with such a table. Elsewhere nothing
is counted, and what asks for computing time has to do without.
"""

import ctypes
import mmap
import platform
import struct
from collections.abc import Iterator

OPCODES = 256
ENTRY_BYTES = 16  # of code for each opcode
LOOP_BYTES = 0x8000  # at most, of the function that the table points into
LOOP = "mp_execute_bytecode"
ADD_ONE = b"\x48\xff\x05"  # inc qword [rip + i32]
JUMP = b"\xff\x25"  # jmp qword [rip + i32]
READ, WRITE, EXECUTE = 1, 2, 4


def install(binary: str) -> int:
    """Count in the loaded library `binary`, its whole path. Returns the address of the counter
    (u64, little-endian); 0 where that is not possible.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return 0
    try:
        loop = ctypes.cast(getattr(ctypes.CDLL(binary), LOOP), ctypes.c_void_p).value or 0
    except (OSError, AttributeError):
        return 0
    table = _table(binary, loop)
    if not table:
        return 0
    counter, entries = _entries(ctypes.string_at(table, 8 * OPCODES))
    first = table // mmap.PAGESIZE * mmap.PAGESIZE
    _protect(first, table + 8 * OPCODES - first, READ | WRITE)
    ctypes.memmove(table, entries, len(entries))
    _protect(first, table + 8 * OPCODES - first, READ)
    return counter


def _table(binary: str, loop: int) -> int:
    """Where the addresses of the opcodes are: 256 in a row, all within the loop. 0: nowhere."""
    for begin, end in _constants(binary):
        row = 0
        words = struct.unpack(f"<{(end - begin) // 8}Q", ctypes.string_at(begin, end - begin))
        for n, word in enumerate(words):
            row = row + 1 if loop < word < loop + LOOP_BYTES else 0
            if row == OPCODES:
                return begin + 8 * (n + 1 - OPCODES)
    return 0


def _constants(binary: str) -> Iterator[tuple[int, int]]:
    """From where to where the library's memory is readable, and neither written nor executed."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, rights, *_, name = line.split(maxsplit=5)
            if rights.startswith("r--") and name.strip() == binary:
                begin, end = (int(address, 16) for address in span.split("-"))
                yield begin, end


def _entries(targets: bytes) -> tuple[int, bytes]:
    """Make the code in front of each opcode. Returns (address of the counter, the new table)."""
    code_bytes = OPCODES * ENTRY_BYTES
    size = -(-(code_bytes + 8 + len(targets)) // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, READ | WRITE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))  # which keeps it for ever
    counter = base + code_bytes
    code = b""
    for n in range(OPCODES):
        here = base + n * ENTRY_BYTES
        added = here + len(ADD_ONE) + 4
        gone = added + len(JUMP) + 4
        code += ADD_ONE + struct.pack("<i", counter - added)
        code += JUMP + struct.pack("<i", counter + 8 + 8 * n - gone)
        code = code.ljust((n + 1) * ENTRY_BYTES, b"\x90")
    memory[:code_bytes] = code
    memory[code_bytes + 8 : code_bytes + 8 + len(targets)] = targets
    _protect(base, code_bytes, READ | EXECUTE)
    _kept.append(memory)
    return counter, struct.pack(f"<{OPCODES}Q", *range(base, counter, ENTRY_BYTES))


_kept: list[mmap.mmap] = []  # code that the interpreter runs must not be given back


def _protect(address: int, size: int, rights: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), rights):
        raise OSError(ctypes.get_errno(), "mprotect")
