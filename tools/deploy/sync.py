"""Making a board's files what they should be, with as few writes as possible.

A deployment that is interrupted leaves each file either old or new, and the board at its prompt,
never with a program that is half old and half new: main.py is out of the way meanwhile.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

from tools.deploy import DeployError, project
from tools.deploy.connection import PART, Connection

BLOCK = 4096  # a file takes whole blocks of flash
MAIN = "main.py"
ASIDE = "main.off"

Tree = dict[str, str | None]


@dataclass(frozen=True)
class Plan:
    """What there is to do, in the order of the fields. `stale` is what would be pruned."""

    park_main: bool
    remove: list[str]
    remove_folders: list[str]
    make_folders: list[str]
    write: dict[str, bytes]
    stale: list[str]
    needed: int  # bytes of flash that must be free

    @property
    def bytes(self) -> int:
        """How much is to be written."""
        return sum(map(len, self.write.values()))


def asked_for(want: dict[str, bytes], others: Collection[str] = ()) -> list[str]:
    """The paths whose trees a plan needs (Connection.tree). others -- folders, besides ours"""
    whole = [*project.FOLDERS, *others]
    single = [path for path in want if not any(_below(path, folder) for folder in whole)]
    return [*whole, *single, PART, ASIDE]


def plan(
    have: Tree,
    want: dict[str, bytes],
    prune: bool,
    rom: Collection[str] = (),
    idle: bool = False,
    others: Collection[str] = (),
) -> Plan:
    """What makes the board's tree hold the wanted files.

    prune -- also remove what this project once put there and does not need any more
    rom -- modules that are in ROMFS instead, which files would hide
    idle -- main.py has to be out of the way for something else, too
    others -- folders of which nothing may stay but what is wanted: a sensor there would be read
    """
    write = {
        path: data for path, data in want.items() if have.get(path) != sha256(data).hexdigest()
    }
    files = {path for path, kind in have.items() if kind is not None}
    gone = sorted(path for path in files - set(want) if project.ours(path))
    # app.py would be imported before app.mpy, so such a twin can never stay.
    twins = [p for p in gone if p in rom or _twin(p) in rom or _twin(p) in want]
    stale = [path for path in gone if path not in twins]
    twins += sorted(p for p in files - set(want) if any(_below(p, other) for other in others))
    left_over = [path for path in (PART, ASIDE) if path in files]
    remove = left_over + twins + (stale if prune else [])
    park_main = MAIN in files and bool(write or remove or idle)
    if park_main and ASIDE in remove:
        remove.remove(ASIDE)  # the renaming replaces it
    kept = set(want) | files - set(remove)
    empty = [
        folder for folder in set(have) - files if not any(_below(path, folder) for path in kept)
    ]
    parents = {str(parent) for path in write for parent in PurePosixPath(path).parents} - {"."}
    replaced = [_blocks(data) for path, data in write.items() if path in files]
    return Plan(
        park_main=park_main,
        remove=remove,
        remove_folders=sorted(empty, reverse=True) if prune or rom else [],
        make_folders=sorted(parents - set(have)),
        write=write,
        stale=[] if prune else stale,
        # What is replaced is there twice for a moment, what is removed gives at least a block.
        needed=sum(_blocks(data) for path, data in write.items() if path not in files)
        + max(replaced, default=0)
        - BLOCK * len(remove),
    )


def carry_out(
    board: Connection,
    todo: Plan,
    free: int | None,
    progress: Callable[[int], None],
    first: Callable[[], None] = lambda: None,
) -> None:
    """Do what the plan says; each file is verified. `progress(count)`: bytes written.

    free -- bytes of flash, None when the board cannot tell
    first -- called when main.py is out of the way, before anything is removed

    Raises DeployError; then the next deployment does what is left.
    """
    if free is not None and todo.needed > free:
        raise DeployError(
            f"{todo.needed} bytes of flash are needed and {free} are free: use --prune, or "
            "remove files by hand (mpremote fs rm)"
        )
    if todo.park_main:
        board.rename(MAIN, ASIDE)
    first()
    for path in todo.remove:
        board.remove(path)
    for folder in todo.remove_folders:
        board.remove(folder, folder=True)
    for folder in todo.make_folders:
        board.make_folder(folder)
    for path, data in todo.write.items():
        board.write(path, data, progress)
    if todo.park_main:
        if MAIN in todo.write:
            board.remove(ASIDE)
        else:
            board.rename(ASIDE, MAIN)


def _blocks(data: bytes) -> int:
    return -(-len(data) // BLOCK) * BLOCK


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder + "/")


def _twin(path: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}{dot}{'mpy' if suffix == 'py' else 'py'}"
