"""What the system refuses, in words: of which file or port, without numbers and quotes."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PORT = re.compile(r"could not open port (.+?): ")  # so pyserial names it
_NUMBER = re.compile(r"\[Errno -?\d+\] ")
_PAIR = re.compile(r"\(\d+, '([^']*)'\)")  # and so it quotes the system

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """What the system refuses meanwhile is of this file, or in this folder, unless it says where:
    of a disk that is full, while a file is written, it does not.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def fullest(error: OSError) -> str:
    """Of a disk that is full, where the error does not say which: the one of our folders with the
    least room. "" of all other errors.
    """
    if error.errno not in FULL or error.filename is not None:
        return ""
    free = {}
    for folder in (os.getcwd(), tempfile.gettempdir()):
        with contextlib.suppress(OSError):
            free[folder] = shutil.disk_usage(folder).free
    return min(free, key=lambda folder: free[folder], default="")


def words(error: Exception, name: object = "") -> str:
    """An error as a person reads it: "/dev/ttyUSB9: No such file or directory".

    name -- of the file or port, where the error may not know it
    """
    if not isinstance(error, OSError):
        return f"{name}: {error}" if name else str(error)
    port = _PORT.search(str(error))
    where = name or error.filename2 or error.filename or (port and port[1])
    if error.errno and error.errno > 0 and where:
        return f"{where}: {os.strerror(error.errno)}"
    # A library's own has neither a number nor the system's words, and no room for them.
    text = str(error.args[0]) if error.errno is None and error.args else str(error)
    why = _PAIR.sub(r"\1", _NUMBER.sub("", text))
    return f"{where}: {why}" if where else why
