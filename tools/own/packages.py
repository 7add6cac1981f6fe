"""Packages for a node's sensors, by mpremote's own `mip`, into the folder instead of onto a board.

An index is somebody else's: nothing of it is written outside of lib/, what is too large or never
ends is left, and lib/ changes only once all of a package is there.
"""

import contextlib
import hashlib
import http.client
import io
import json
import re
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.response import addinfourl

from mpremote import mip
from mpremote.commands import CommandError

from tools import failure
from tools.deploy import DeployError
from tools.own.folder import INSTALLED, LIBRARIES, Folder

INDEX = "https://micropython.org/pi/v2"
MOST_BYTES = 1 << 20  # of a file: more than any board has room for
MOST_FILES = 200  # of a package and all that it needs
MOST_CHARACTERS = 128  # of a path
PATIENCE_S, WHOLE_S = 30.0, 120.0  # with a server that says nothing; with all of a file
_HASHED = re.compile(r"/file/[0-9a-f]{2}/([0-9a-f]{8,64})$")  # how an index names its files
_REFUSED = (
    CommandError, OSError, http.client.HTTPException, ValueError, TypeError, AttributeError,
    LookupError, RecursionError,
)  # fmt: skip


def install(node: Folder, index: str | None) -> dict[str, list[str]]:
    """Bring what sensors.txt names into lib/. Returns package -> its files. Raises DeployError."""
    known = node.installed()
    for package in node.packages():
        known[package] = _install(node.path / LIBRARIES, package, (index or INDEX).rstrip("/"))
        kept = {name: known[name] for name in node.packages() if name in known}
        (node.path / LIBRARIES / INSTALLED).write_text(json.dumps(kept, indent=2) + "\n")
    return {name: known[name] for name in node.packages()}


def _install(target: Path, package: str, index: str) -> list[str]:
    name, _, version = package.partition("@")
    with tempfile.TemporaryDirectory(prefix="mip.") as staging:
        shelf = _Shelf(Path(staging))
        try:
            with _careful(), contextlib.redirect_stdout(io.StringIO()):
                mip._install_package(shelf, name, index, ".", version or None, False)
        except _REFUSED as error:
            why = str(error) if isinstance(error, CommandError) else _told(error)
            raise DeployError(f"{package} cannot be installed: {_line(why)}") from error
        if not shelf.files:
            raise DeployError(f"{package} cannot be installed: it has no files")
        for path in shelf.files:
            with failure.naming(target / path):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(staging, path), target / path)
    return sorted(shelf.files)


def _told(error: BaseException) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"what the index gives is no JSON: {error}"
    if isinstance(error, RecursionError):
        return "its packages need one another without end"
    if isinstance(error, OSError | http.client.HTTPException):
        return failure.words(error) or type(error).__name__
    return f"what the index gives is no package: {type(error).__name__}: {error}"


def _line(text: str) -> str:
    words = "".join(c if c.isprintable() else " " for c in text)
    return words if len(words) <= 300 else words[:300] + "..."


class _Shelf:
    """A folder, where mip expects a board."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.files: list[str] = []

    def _at(self, path: str) -> Path:
        inner = PurePosixPath(path)
        odd = inner.is_absolute() or ".." in inner.parts
        if (
            odd
            or len(path) > MOST_CHARACTERS
            or any(not c.isprintable() or c in '\\:*?"<>|' for c in path)
        ):
            raise CommandError(f"no path in {LIBRARIES}/: {path!r}")
        return self._path / inner

    def fs_exists(self, path: str) -> bool:
        return self._at(path).exists()

    def fs_mkdir(self, path: str) -> None:
        self._at(path).mkdir()

    def fs_hashfile(self, path: str, _algorithm: str) -> bytes:
        if not self._at(path).is_file():
            raise FileNotFoundError
        return hashlib.sha256(self._at(path).read_bytes()).digest()

    def fs_writefile(self, path: str, data: bytes, **_shown: object) -> None:
        if self._at(path).is_dir():
            raise CommandError(f"no file in {LIBRARIES}/: {path!r}")
        self._at(path).write_bytes(data)
        name = PurePosixPath(path).as_posix()
        if name not in self.files:
            self.files.append(name)


class _Read(addinfourl):
    msg = ""  # of an error it is asked for


class _Limits(urllib.request.BaseHandler):
    """What is fetched: no more of it than a board could take, and as its hash says."""

    handler_order = 900  # before errors and redirections are looked at

    def __init__(self) -> None:
        self._fetched = 0

    def _looked_at(self, request: urllib.request.Request, response: Any) -> Any:
        self._fetched += 1
        if self._fetched > MOST_FILES:
            raise CommandError(f"it has more than {MOST_FILES} files")
        data = bytearray()
        deadline = time.monotonic() + WHOLE_S
        while chunk := response.read1(1 << 16):
            data += chunk
            if len(data) > MOST_BYTES:
                raise CommandError(f"more than {MOST_BYTES} bytes: {request.full_url}")
            if time.monotonic() > deadline:
                raise CommandError(f"not all of it in {WHOLE_S:g} s: {request.full_url}")
        named = _HASHED.search(request.full_url)
        if response.status == 200 and named:
            found = hashlib.sha256(data).hexdigest()
            if not found.startswith(named[1]):
                raise CommandError(f"not what its hash says: {request.full_url}")
        read = _Read(io.BytesIO(data), response.headers, request.full_url, response.status)
        read.msg = response.msg
        return read

    http_response = https_response = _looked_at


@contextlib.contextmanager
def _careful() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_S)
    urllib.request.install_opener(urllib.request.build_opener(_Limits()))
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
        urllib.request.install_opener(urllib.request.build_opener())
