"""A file system in RAM, on CPython and on MicroPython, that fails where it is told to.

    ram = RamFiles()
    ram.files["box/confirmed"] = b"..."
    with ram.under(outbox, files):      # their open() and os are this one's
        ...

Like LittleFS it makes what was written visible when a file is closed, as a whole.
"""

from errno import EEXIST, EISDIR, ENOENT

ENOTDIR = 20
ENOTEMPTY = 39


def _error(code):
    return OSError(code, "as told")  # CPython has no errno otherwise


class RamFiles:
    """files   -- path: bytes
    folders -- paths
    fault   -- called with (what is done, path) before it is: open, read, write, close, remove,
               rename, rename to, stat, mkdir, listdir; and behind it: closed, removed, renamed;
               it may raise OSError
    """

    def __init__(self):
        self.files = {}
        self.folders = {""}
        self.fault = None
        self.calls = 0

    def copy(self):
        """Another one with the same content."""
        other = RamFiles()
        other.files = dict(self.files)
        other.folders = set(self.folders)
        return other

    def under(self, *modules):
        """While this lasts, these modules see no other file system."""
        return _Under(self, modules)

    def meet(self, what, path):
        """Count a call, and let it fail."""
        self.calls += 1
        if self.fault is not None:
            self.fault(what, path)

    # As the built-in function, and as module os -------------------------------------------------

    def open(self, path, mode="r"):
        self.meet("open", path)
        if path in self.folders:
            raise _error(EISDIR)
        if mode[0] == "r" and path not in self.files:
            raise _error(ENOENT)
        if mode[0] != "r":
            self._parent(path)
        return _File(self, path, mode)

    def _parent(self, path):
        above = path[: path.rfind("/")] if "/" in path else ""
        if above not in self.folders:
            raise _error(ENOTDIR if above in self.files else ENOENT)

    def mkdir(self, path):
        self.meet("mkdir", path)
        if path in self.folders or path in self.files:
            raise _error(EEXIST)
        self._parent(path)
        self.folders.add(path)

    def listdir(self, path=""):
        self.meet("listdir", path)
        if path not in self.folders:
            raise _error(ENOTDIR if path in self.files else ENOENT)
        begin = path + "/" if path else ""
        names = [name for name in list(self.files) + list(self.folders) if name]
        names = [name[len(begin) :] for name in names if name[: len(begin)] == begin]
        return sorted([name for name in names if "/" not in name])

    def remove(self, path):
        self.meet("remove", path)
        if path in self.folders:
            if self.listdir(path):
                raise _error(ENOTEMPTY)
            self.folders.remove(path)
        elif path in self.files:
            del self.files[path]
        else:
            raise _error(ENOENT)
        self.meet("removed", path)

    rmdir = remove

    def rename(self, old, new):
        self.meet("rename", old)
        self.meet("rename to", new)
        if old in self.folders:
            if new in self.files:
                raise _error(ENOTDIR)
            if new in self.folders and self.listdir(new):
                raise _error(ENOTEMPTY)
            self.folders.remove(old)
            self.folders.add(new)
            for name in [name for name in self.files if name[: len(old) + 1] == old + "/"]:
                self.files[new + name[len(old) :]] = self.files.pop(name)
            self.meet("renamed", new)
            return
        if old not in self.files:
            raise _error(ENOENT)
        if new in self.folders:
            raise _error(EISDIR)
        self._parent(new)
        self.files[new] = self.files.pop(old)
        self.meet("renamed", new)

    def stat(self, path):
        self.meet("stat", path)
        if path in self.folders:
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        if path not in self.files:
            raise _error(ENOENT)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)


class _File:
    def __init__(self, ram, path, mode):
        self._ram = ram
        self._path = path
        self._writes = mode[0] != "r"
        self._binary = "b" in mode
        self._at = 0
        self._data = b"" if mode[0] == "w" else ram.files.get(path, b"")
        if self._writes and path not in ram.files:
            ram.files[path] = b""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()

    def seek(self, at):
        self._at = at

    def read(self, size=-1):
        self._ram.meet("read", self._path)
        end = len(self._data) if size < 0 else self._at + size
        data = self._data[self._at : end]
        self._at += len(data)
        return data if self._binary else data.decode()

    def write(self, data):
        try:
            self._ram.meet("write", self._path)
        except OSError:
            self._writes = False  # LittleFS keeps the old content
            raise
        self._data += data if self._binary else data.encode()
        return len(data)

    def close(self):
        if self._writes:
            self._writes = False
            self._ram.meet("close", self._path)
            self._ram.files[self._path] = self._data
            self._ram.meet("closed", self._path)


class _Under:
    def __init__(self, ram, modules):
        self._ram = ram
        self._modules = modules
        self._before = []

    def __enter__(self):
        for module in self._modules:
            for name, value in (("open", self._ram.open), ("os", self._ram)):
                self._before.append((module, name, getattr(module, name, None)))
                setattr(module, name, value)
        return self._ram

    def __exit__(self, *_):
        for module, name, before in self._before:
            if before is None:
                delattr(module, name)
            else:
                setattr(module, name, before)
