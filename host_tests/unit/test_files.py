"""Files that are replaced whole: the old content or the new one, wherever the power goes."""

import os

from firmware import files
from host_tests.support.scratch import folder


def place():
    where = folder()
    try:
        os.mkdir(where)
    except OSError:
        pass  # on CPython only the folder above is new
    return where + "/file"


def test_what_is_replaced_is_read():
    path = place()
    assert files.read(path) is None
    files.replace(path, b"one")
    assert files.read(path) == b"one"
    files.replace(path, b"")
    assert files.read(path) == b""
    files.remove(path)
    files.remove(path)
    assert files.read(path) is None


def test_a_write_that_was_cut_off_leaves_the_old_content():
    path = place()
    files.replace(path, b"old")
    with open(path + ".new", "wb") as file:
        file.write(b"hal")
    assert files.read(path) == b"old"
    files.replace(path, b"next")
    assert files.read(path) == b"next"


def test_a_file_system_that_removes_before_it_renames():
    path = place()
    files.replace(path, b"old")
    os.rename(path, path + ".new")  # what FAT leaves when the power goes at the worst moment
    assert files.read(path) == b"old"
    files.remove(path)
    assert files.read(path) is None
