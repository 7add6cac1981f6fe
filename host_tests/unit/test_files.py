"""Files that are replaced whole: the old content or the new one, wherever the power goes."""

import os

from firmware import files
from host_tests.support import raises
from host_tests.support.ram_files import RamFiles
from host_tests.support.scratch import made


def place():
    where = made()
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


# What stands in the way, and calls that fail -----------------------------------------------------


def ram():
    made = RamFiles()
    made.files["file"] = b"old"
    return made


def test_what_stands_in_the_way_is_put_aside():
    for name in ("file", "file.new", "file.bad"):
        for inside in (False, True):
            flash = ram()
            flash.files.pop(name, None)
            flash.folders.add(name)
            if inside:
                flash.files[name + "/x"] = b"y"
            with flash.under(files):
                for write in (files.replace, files.overwrite):
                    for data in (b"new", b"newer"):
                        write("file", data)
                        assert files.read("file") == data, name
                files.remove("file")
                assert files.read("file") is None


def test_the_old_content_is_kept_when_the_new_cannot_be_written():
    for write in (files.replace, files.overwrite):
        for kind in ("open", "write", "close", "rename", "rename to", "renamed", "closed"):
            for path in ("file", "file.new", None):
                for error in (5, 28, 84):
                    flash = ram()
                    flash.fault = Fault(kind, path, error)
                    with flash.under(files):
                        try:
                            write("file", b"new")
                        except OSError:
                            pass
                        flash.fault = None
                        assert files.read("file") in (b"old", b"new"), (kind, path)


def test_what_cannot_be_read_is_tried_once_more_and_may_be_replaced():
    flash = ram()
    flash.fault = Fault("read", "file", 5, 1)
    with flash.under(files):
        assert files.read("file") == b"old"
        flash.fault = Fault("read", "file", 5)
        with raises(OSError):
            files.read("file")
        flash.fault = Fault("rename to", "file", 5, 1)  # unreadable, and so in the way
        flash.files["file"] = bytes(9000)
        files.replace("file", b"new")
        assert flash.files["file"] == b"new"


def test_a_file_that_is_too_long_does_not_cost_the_heap():
    flash = ram()
    flash.files["file"] = bytes(8192)
    with flash.under(files):
        assert len(files.read("file")) == 8192
        flash.files["file"] = bytes(100000)
        with raises(OSError) as caught:
            files.read("file")
        assert "8192" in str(caught.error)
        files.replace("file", b"short")
        assert files.read("file") == b"short"


def test_what_is_kept_twice_survives_any_damage_to_one():
    flash = ram()
    with flash.under(files):
        files.store("n", b"12")
        files.store("n", b"13")
        assert flash.files["n"] == b"13"
        whole = dict(flash.files)
        for name in ("n", "n.2"):
            good = whole[name]
            for data in (
                [None, b"", b"\xff" * 20, bytes(9), b"14", good + b"x", bytes(9000)]
                + [good[:cut] for cut in range(len(good))]
                + [
                    good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
                    for at in range(len(good))
                    for bit in range(8)
                ]
            ):
                flash.files = dict(whole)
                del flash.files[name]
                if data is not None:
                    flash.files[name] = data
                assert files.load("n") == b"13", (name, data)
            flash.files = dict(whole)
            del flash.files[name]
            flash.folders.add(name)
            assert files.load("n") == b"13"
            files.store("n", b"14")
            assert files.load("n") == b"14"
            flash.folders.discard(name)
        # One of another name is not believed.
        flash.files = {"n": b"rubbish", "n.2": whole["n.2"], "m.2": whole["n.2"]}
        assert files.load("n") == b"13"
        assert files.load("m") is None


def test_what_is_stored_is_what_is_loaded_or_an_error():
    for kind in ("open", "write", "close", "rename", "rename to", "remove", "read", "stat"):
        for path in ("n", "n.new", "n.2", "n.2.new", None):
            for times in (1, 2, 99):
                flash = ram()
                with flash.under(files):
                    files.store("n", b"12")
                    flash.fault = Fault(kind, path, 5, times)
                    try:
                        files.store("n", b"13")
                        stored = True
                    except OSError:
                        stored = False
                    flash.fault = None
                    found = files.load("n")
                    assert found == b"13" or (not stored and found == b"12"), (kind, path, times)


class Fault:
    """Lets calls of a kind fail, some times; path -- None: any"""

    def __init__(self, kind, path, error, times=99):
        self.kind = kind
        self.path = path
        self.error = error
        self.times = times

    def __call__(self, what, path):
        if what == self.kind and self.path in (None, path) and self.times:
            self.times -= 1
            raise OSError(self.error, "as told")
