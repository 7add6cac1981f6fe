"""What the system refuses, in words: of which file or port, without numbers and quotes."""

import os
import re

_PORT = re.compile(r"could not open port (.+?): ")  # so pyserial names it
_NUMBER = re.compile(r"\[Errno -?\d+\] ")
_PAIR = re.compile(r"\(\d+, '([^']*)'\)")  # and so it quotes the system


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
    why = _PAIR.sub(r"\1", _NUMBER.sub("", str(error)))
    return f"{where}: {why}" if where else why
