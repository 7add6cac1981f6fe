"""The file of the monitor's store: whose it is, who may write it, and what is wrong with it."""

import fcntl
import os
import sqlite3
import stat
from pathlib import Path

PROGRAM = 0x0C1100  # SQLite's application_id: whose file it is
FORMAT = 1  # user_version: of the tables below
SCHEMA = f"""
CREATE TABLE node (id TEXT PRIMARY KEY, heard REAL NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE record (node TEXT, life INTEGER, seq INTEGER, at REAL NOT NULL, heard REAL NOT NULL,
    PRIMARY KEY (node, life, seq)) WITHOUT ROWID;
CREATE TABLE series (id INTEGER PRIMARY KEY, node TEXT NOT NULL, name TEXT NOT NULL,
    unit TEXT NOT NULL, at REAL NOT NULL, value, UNIQUE (node, name));
CREATE TABLE sample (series INTEGER, at REAL, value, life INTEGER NOT NULL, seq INTEGER,
    heard REAL NOT NULL, PRIMARY KEY (series, at)) WITHOUT ROWID;
CREATE TABLE event (id INTEGER PRIMARY KEY, node TEXT NOT NULL, at REAL NOT NULL,
    heard REAL NOT NULL, text TEXT NOT NULL);
PRAGMA application_id = {PROGRAM};
PRAGMA user_version = {FORMAT};
"""


class StoreError(Exception):
    """The file cannot be used; the text names it and says what to do."""


def opened(path: Path) -> sqlite3.Connection:
    """The database, made when it is missing. Raises StoreError."""
    try:
        file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(said(path, error)) from error
    try:
        _begin(path, file)
    except (sqlite3.Error, StoreError) as error:
        file.close()
        raise StoreError(said(path, error)) from error
    return file


def _begin(path: Path, file: sqlite3.Connection) -> None:
    program = pragma(file, "application_id")
    version = pragma(file, "user_version")
    is_empty = not file.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not is_empty:
        if program != PROGRAM:
            raise StoreError(f"{path} belongs to another program: name another file")
        if version != FORMAT:
            than = "a newer" if version > FORMAT else "an older"
            raise StoreError(
                f"{path} was written by {than} monitor (format {version}, this one has "
                f"{FORMAT}): name another file, or read it with that one"
            )
        found = file.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError("malformed")
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = NORMAL")
    if is_empty:
        file.executescript(f"BEGIN IMMEDIATE;{SCHEMA}COMMIT;")
    file.execute("BEGIN IMMEDIATE")  # what may not be written is said now
    file.execute(f"PRAGMA user_version = {FORMAT}")
    file.execute("ROLLBACK")


def pragma(file: sqlite3.Connection, name: str) -> int:
    """A number that SQLite keeps."""
    return file.execute(f"PRAGMA {name}").fetchone()[0]


def look_at(path: Path) -> None:
    """Whether a file could be there at all. Raises StoreError."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise StoreError(f"{path}: there is no folder {path.parent}: make it") from None
        return
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}: name another file") from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no file"
        raise StoreError(f"{path} is {what}: name a file")
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEAD))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}: name another file") from error
    if head and head != _HEAD:  # SQLite would write over what is short
        raise StoreError(said(path, sqlite3.DatabaseError("not a database")))


def lock(path: Path) -> int:
    """One monitor at a time. Beside the file: SQLite's own locks would go with a handle on it."""
    name = f"{path}-lock"
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}: name a file in a folder of yours"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise StoreError(
            f"{path} is in use by another monitor: end that one, or name another file"
        ) from error
    return handle


_HEAD = b"SQLite format 3\0"
_SAYS = (
    ("taken away", "was taken away: start the monitor again"),
    ("not a database", "is no database: name another file"),
    ("malformed", "is damaged: move it away, a new one is made"),
    ("full", "cannot be written, the disk is full: make room"),
    ("readonly", "may not be written: change its rights, or name another file"),
    ("unable to open", "cannot be opened: look at the rights of file and folder"),
    ("locked", "is in use by another program: end that one, or name another file"),
    (
        "disk I/O",
        "cannot be read or written, the disk fails or is full: name a file on another one",
    ),
)


def said(path: Path, error: Exception) -> str:
    """What is wrong with a file, and what to do."""
    if isinstance(error, StoreError):
        return str(error)
    text = str(error) if isinstance(error, sqlite3.Error) else "malformed"
    words = next((words for key, words in _SAYS if key in text), "")
    return f"{path} {words or f'cannot be used: {text}: name another file'}"
