"""Small files that are replaced as a whole: after a loss of power there is the old or the new one.

LittleFS renames at one stroke. FAT removes the old name first; what is then left is the new
content under its other name, and is found there.
"""

import os
from errno import ENOENT

_NEW = ".new"


def replace(path: str, data: bytes) -> None:
    """Make this the content of a file. Raises OSError; the old content is kept then."""
    with open(path + _NEW, "wb") as file:
        file.write(data)
    os.rename(path + _NEW, path)


def read(path: str) -> bytes | None:
    """The content of a file; None if there is none. Raises OSError when it cannot be read."""
    for name in (path, path + _NEW):
        try:
            with open(name, "rb") as file:
                return file.read()
        except OSError as error:
            if error.errno != ENOENT:
                raise
    return None


def remove(path: str) -> None:
    """Remove a file, and what a write that was cut off has left of it."""
    # The other name first: otherwise it would come back in place of the file.
    for name in (path + _NEW, path):
        try:
            os.remove(name)
        except OSError as error:
            if error.errno != ENOENT:
                raise
