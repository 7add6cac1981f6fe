"""Small files that are replaced as a whole: after a loss of power there is the old or the new one.

LittleFS renames at one stroke. FAT removes the old name first; what is then left is the new
content under its other name, and is found there.

What stands in the way of a file, a folder of its name or what flash has made of it, is renamed to
``.bad``. What must not be mistaken is kept twice, by store().
"""

import os
from binascii import crc32
from errno import ENOENT

from micropython import const

_NEW = ".new"
_BAD = ".bad"
_COPY = ".2"
_FOLDER = const(0x4000)  # of st_mode
_MOST = const(8192)  # no small file is longer; a length that is damaged must not cost the heap
_PIECE = const(512)
writes = 0  # of flash, since the start
_SEAL = const(9)  # characters of a line feed and a CRC


def replace(path: str, data: bytes) -> None:
    """Make this the content of a file. Raises OSError; the old content is kept then."""
    try:
        _write(path + _NEW, data)
    except OSError:
        # A flash that is full cannot hold what is new, and needs the room that it has taken.
        if not is_removed(path + _NEW) and not put_aside(path + _NEW):
            raise
        _write(path + _NEW, data)
    try:
        os.rename(path + _NEW, path)
    except OSError:
        if not _is_done_aside(path, lambda: os.rename(path + _NEW, path)):
            raise


def overwrite(path: str, data: bytes) -> None:
    """As replace(), at half its cost: only on LittleFS, where a file changes when it is closed."""
    try:
        _write(path, data)
    except OSError:
        if not _is_done_aside(path, lambda: _write(path, data)):
            raise


def read(path: str) -> bytes | None:
    """The content of a file; None if there is none. Raises OSError when it cannot be read."""
    for name in (path, path + _NEW):
        try:
            return _read(name)
        except OSError as error:
            if error.errno != ENOENT:
                return _read(name)  # it may have been the moment
    return None


def is_there(path: str) -> bool:
    """Whether there is anything of this name, and be it unreadable."""
    try:
        return read(path) is not None
    except OSError:
        return True


def is_folder(path: str) -> bool:
    """Whether there is a folder of this name."""
    try:
        return bool(os.stat(path)[0] & _FOLDER)
    except OSError:
        return False


def remove(path: str) -> None:
    """Remove a file, and what a write that was cut off has left of it."""
    # The other name first: otherwise it would come back in place of the file.
    for name in (path + _NEW, path):
        try:
            os.remove(name)
        except OSError as error:
            if error.errno != ENOENT and not put_aside(name):
                raise


def put_aside(path: str, to: str | None = None) -> bool:
    """Rename what cannot be used, so that its name is free. Only the last one of them is kept.

    Returns whether it is.
    """
    to = to or path + _BAD
    for _ in range(2):
        try:
            os.rename(path, to)
            return True
        except OSError:
            if not is_removed(to):
                return False
    return False


# Kept twice -------------------------------------------------------------------------------------


def store(path: str, data: bytes, write=replace) -> None:
    """Keep data in two files, one of which has a CRC. Raises OSError when load() would not give
    them.
    """
    try:
        write(path + _COPY, _sealed(path, data))
    except OSError:
        # Without it the other one will do. What is older must not be believed.
        if _copy(path, read) is not None and not is_removed(path + _COPY):
            raise
        write(path, data)
        return
    try:
        write(path, data)
    except OSError:
        if _copy(path, read) != data:
            raise


def load(path: str, get=read) -> bytes | None:
    """What store() has kept, or what there is under that name; None if nothing. Raises OSError
    when it cannot be read.
    """
    data = _copy(path, get)
    return get(path) if data is None else data


def _copy(path: str, get) -> bytes | None:
    try:
        block = get(path + _COPY) or b""
    except OSError:
        return None
    data = block[:-_SEAL]
    return data if block and block == _sealed(path, data) else None


def _sealed(path: str, data: bytes) -> bytes:
    # With its name: what stands under another one is something else.
    name = path[path.rfind("/") + 1 :]
    return data + b"\n%08x" % crc32(data, crc32(name.encode()))


# ------------------------------------------------------------------------------------------------


def _write(path: str, data: bytes) -> None:
    global writes
    writes += 1
    with open(path, "wb") as file:
        file.write(data)


def _read(path: str) -> bytes:
    data = part(path, 0, _MOST + 1)
    if len(data) > _MOST:
        raise OSError("more than %d bytes" % _MOST)
    return data


def part(path: str, offset: int, most: int) -> bytes:
    """What a file holds from an offset on. Raises OSError.

    In small pieces: the heap need not have ``most`` bytes in one, and most files are short.
    """
    pieces = []
    with open(path, "rb") as file:
        if offset:
            file.seek(offset)
        while most > 0:
            piece = file.read(min(most, _PIECE))
            if not piece:
                break
            pieces.append(piece)
            most -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _is_done_aside(path: str, write) -> bool:
    """Put aside what may stand in the way of a file, and write again."""
    if _is_readable(path) or not put_aside(path):
        return False
    try:
        write()
        return True
    except OSError:
        put_aside(path + _BAD, path)  # it was not to blame
        return False


def _is_readable(path: str) -> bool:
    try:
        return read(path) is not None
    except OSError:
        return False


def is_removed(path: str) -> bool:
    """Remove a file; whether it is."""
    try:
        os.remove(path)
        return True
    except OSError:
        return False
