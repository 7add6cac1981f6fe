"""A Ctrl-C that waits for the next bytecode instruction, as on a board.

The unix port raises KeyboardInterrupt from within its signal handler, wherever the interpreter
is. In a garbage collection that leaves the heap locked, and the interpreter is of no use any more.
Boards note the interrupt, and their loop raises it. `install` makes the handler do what they do.

Only for x86-64 on Linux, and an interpreter that is a library. Elsewhere the port stays as it is.
"""

import ctypes
import mmap
import platform
import signal
import struct

CTRL_C = 3
JUMP = b"\xff\x25\x00\x00\x00\x00"  # jmp qword [rip]: to the address that follows
READ, WRITE, EXECUTE = 1, 2, 4


def install(binary: str) -> bool:
    """Change the loaded library `binary`, its whole path, for all children forked later.

    Returns whether that was possible. SIGINT is at its default afterwards.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return False
    try:
        library = ctypes.CDLL(binary)
        set_interrupt_char = library.mp_hal_set_interrupt_char
        note = ctypes.cast(library.mp_sched_keyboard_interrupt, ctypes.c_void_p).value or 0
    except (OSError, AttributeError):
        return False
    set_interrupt_char(ctypes.c_char(CTRL_C))
    handler = _handler(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = JUMP + struct.pack("<Q", note)
    first = handler // mmap.PAGESIZE * mmap.PAGESIZE
    size = handler + len(code) - first
    _protect(first, size, READ | WRITE | EXECUTE)
    ctypes.memmove(handler, code, len(code))
    _protect(first, size, READ | EXECUTE)
    return True


def _handler(number: int) -> int:
    """The address of the function that a signal calls."""
    action = ctypes.create_string_buffer(256)  # sigaction(2); its first member is the function
    if ctypes.CDLL(None, use_errno=True).sigaction(number, None, action):
        raise OSError(ctypes.get_errno(), "sigaction")
    return struct.unpack_from("<Q", action)[0]


def _protect(address: int, size: int, rights: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), rights):
        raise OSError(ctypes.get_errno(), "mprotect")
