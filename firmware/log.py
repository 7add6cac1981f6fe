"""The node's log: what it says goes to the console, and the last of it onto flash.

    >>> import firmware.log
    >>> firmware.log.show()

Flash is written once in a wake, by flush(), and for the first few errors at once. Two files take
turns: when one is full the other begins anew, so the last 4 to 8 KiB are kept. With level ``off``
no file is looked at, and nothing is kept in memory.
"""

import io
import os
import sys
import time

from micropython import const

LEVELS = ("off", "error", "warning", "info", "debug")
_FILES = ("log.0", "log.1")
_FILE_BYTES = const(4096)
_LINE_CHARACTERS = const(160)
_WAITING_LINES = const(32)
_MOST_SERIAL = const(999999999)
_AT_ONCE = const(3)  # errors of a wake that are written without delay
_LEAST_SECRET = const(8)  # what is shorter stands in other numbers, which hiding it would tell
_HIDDEN = "***"

_folder = ""
_kept = 0  # index of the level
_secrets = []
_waiting = []
_told = []
_lost = 0
_at_once = 0


def begin(level: str, secrets: list | None = None, folder: str = "") -> None:
    """Begin a wake.

    level   -- what is kept on flash: this and what is worse; the console shows all
    secrets -- texts that are never kept: passwords and keys, should an error quote one
    """
    global _folder, _kept, _secrets, _at_once
    _folder = folder
    _kept = LEVELS.index(level)
    _secrets = [text for text in secrets or [] if len(text) >= _LEAST_SECRET]
    _at_once = _AT_ONCE


def error(text: str, *args) -> None:
    """What costs a report or a record; ``args`` go into the text as with ``%``."""
    global _at_once
    _say(1, text, args)
    if _kept and _at_once:
        _at_once -= 1
        flush()


def tell(text: str, *args) -> None:
    """An error that whoever looks after the node should hear of: it goes into a record too."""
    if args:
        text = text % args
    if text not in _told:
        _told.append(text)
        error("%s", text)


def told() -> list:
    """What tell() was called with, once."""
    texts = list(_told)
    _told.clear()
    return texts


def warning(text: str, *args) -> None:
    """What went wrong and was overcome."""
    _say(2, text, args)


def info(text: str, *args) -> None:
    """What happens in every wake."""
    _say(3, text, args)


def debug(text: str, *args) -> None:
    """What is of use only in search of a fault."""
    _say(4, text, args)


def crash(fault: BaseException) -> None:
    """An error that nobody expected, with where it came from."""
    sys.print_exception(fault)
    if _kept:
        text = io.StringIO()
        sys.print_exception(fault, text)  # pyright: ignore[reportArgumentType] -- stub
        said = text.getvalue()  # pyright: ignore[reportAttributeAccessIssue] -- stub
        # The last lines say most: where it was raised, and what.
        lines = [line.strip() for line in said.split("\n") if line.strip()]
        _keep(1, " | ".join(lines[-3:])[-_LINE_CHARACTERS:])
        flush()


def _say(level: int, text: str, args: tuple) -> None:
    if args:
        text = text % args
    print(text)
    if level <= _kept:
        _keep(level, text)


def _keep(level: int, text: str) -> None:
    global _lost
    if len(_waiting) >= _WAITING_LINES:  # the first ones tell how it began
        _lost += 1
        return
    for secret in _secrets:
        text = text.replace(secret, _HIDDEN)
    text = text.replace("\r", "").replace("\n", " | ")[:_LINE_CHARACTERS]
    when = "%04d-%02d-%02d %02d:%02d:%02d" % time.gmtime()[:6]
    _waiting.append("%s %s %s" % (when, LEVELS[level][0].upper(), text))


def count(n: int, noun: str) -> str:
    """So many of something: 1 record, 2 records."""
    return "%d %s" % (n, noun if n == 1 else noun + "s")


def flush() -> None:
    """Write what waits. A flash that cannot be written is told on the console, once a wake."""
    global _lost
    if not _waiting:
        return
    if _lost:
        _waiting.append("%s lost" % count(_lost, "line"))
    # A line that a loss of power has cut off ends here, wherever that was.
    block = "\n%s\n" % "\n".join(_waiting)
    _waiting.clear()
    _lost = 0
    try:
        _append(block.encode())
    except OSError as fault:
        print("log not written:", fault)


def _append(block: bytes) -> None:
    serials = [_serial(name) for name in _FILES]
    newest = 0 if serials[0] >= serials[1] else 1
    if serials[newest]:
        path = _folder + _FILES[newest]
        try:
            if os.stat(path)[6] + len(block) <= _FILE_BYTES:
                with open(path, "ab") as file:
                    file.write(block)
                return
        except OSError:
            serials[newest] = 0  # it is begun anew, or the other one
    begun = b"#%d" % (max(serials) % _MOST_SERIAL + 1) + block
    # The one that is not the newer first; where a folder stands, or flash is damaged, the other.
    first = 1 - newest if serials[newest] else 0
    try:
        _begin_file(_FILES[first], begun)
    except OSError:
        _begin_file(_FILES[1 - first], begun)


def _begin_file(name: str, block: bytes) -> None:
    with open(_folder + name, "wb") as file:
        file.write(block)


def _serial(name: str) -> int:
    """Which of the two files is the newer one; 0: it is none of ours."""
    try:
        with open(_folder + name, "rb") as file:
            head = file.read(12).split(b"\n")[0]
        return max(int(head[1:]), 0) if head[:1] == b"#" else 0
    except (OSError, ValueError):
        return 0


def lines() -> list:
    """All lines that are kept, the oldest first; those of this wake too."""
    found = []
    for serial, name in sorted([(_serial(name), name) for name in _FILES]):
        if not serial:
            continue
        try:
            with open(_folder + name, "rb") as file:
                text = file.read(_FILE_BYTES)
        except OSError:
            continue
        for line in text.split(b"\n")[1:]:
            try:
                line = line.decode()
            except ValueError:  # damage
                continue
            if line:
                found.append(line)
    return found + _waiting


def show() -> None:
    """Print all lines that are kept."""
    for line in lines():
        print(line)
