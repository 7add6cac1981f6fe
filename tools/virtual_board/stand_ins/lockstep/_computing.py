# How long the board has computed. The interpreter counts its bytecode instructions (the host's
# counting.py), and the host has said how long one takes, and how long it takes to load a byte of
# code. What a board has in C is a stand-in here, whose instructions do not count.
import os
import sys

import _link

_count = None  # .n: instructions since the board's own programs began; None: computing is free
_instruction_ns = 0
_load_ns = 0
_held = None  # the count when a stand-in was called
_files = 0  # that code was loaded from, with all modules of the interpreter
_sizes = {}  # name of a module -> bytes of its file
_there = {}  # name of a module -> id() of what is there now: it may be forgotten, and loaded again
_loaded = 0  # bytes, so far in this life
_loading_us = 0
_told = (0, 0)  # what the host knows of: microseconds, those of them for loading code


def start(about):
    """Take over from the host's description of this life whether computing takes time."""
    global _count, _instruction_ns, _load_ns
    if about["counter"] and about["instruction_ns"]:
        import uctypes

        _count = uctypes.struct(about["counter"], {"n": uctypes.UINT64 | 0})
        _instruction_ns = about["instruction_ns"]
        _load_ns = about["load_ns"]


def begin():
    """The board's own programs follow: from here on it is counted."""
    if _count:
        _link.before = _tell
        _count.n = 0


def free(function):
    """A function that stands for one in C. It takes no keywords while it is counted."""
    if not _count:
        return function

    def run(*args):
        global _held
        if _held is not None:
            return function(*args)
        _held = _count.n
        try:
            return function(*args)
        finally:
            _count.n = _held
            _held = None

    return run


def us():
    """Microseconds of computing so far in this life."""
    if not _count:
        return 0
    n = _count.n if _held is None else _held
    if len(sys.modules) != _files:
        _measure(n)
    return n * _instruction_ns // 1000 + _loading_us


def _measure(n):
    # How long it has taken to load what was not there before.
    global _files, _loaded, _loading_us, _there
    _files = len(sys.modules)
    before, _there = _there, {}
    for name, module in sys.modules.items():
        _there[name] = id(module)
        if before.get(name) == id(module):
            continue
        if name not in _sizes:
            try:
                _sizes[name] = os.stat(module.__file__)[6]
            except (AttributeError, OSError):  # of the interpreter
                _sizes[name] = 0
        _loaded += _sizes[name]
    _loading_us = _loaded * _load_ns // 1000  # of all: no part of a microsecond is lost
    if _held is None:
        _count.n = n


@free
def _tell():
    # The next message happens that much later.
    global _told
    now = us(), _loading_us
    if now[0] != _told[0]:
        _link.before = None
        _link.send("C", "II", now[0] - _told[0], now[1] - _told[1])
        _link.before = _tell
        _told = now
