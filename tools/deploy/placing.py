"""Where driver and firmware go on a board: into its ROMFS, or onto its file system.

Modules of one name in both places: a board looks through sys.path, in which its current folder
comes before /rom, and /rom before /lib. So where the code is in ROMFS no file of it may stay, and
where it is files, no ROMFS of ours.
"""

import argparse
import functools
from collections.abc import Callable
from dataclasses import dataclass

from tools.deploy import DeployError, project, rom, romfs
from tools.deploy.connection import Connection
from tools.power.wording import count


@dataclass(frozen=True)
class Place:
    """What is a file, which modules are in ROMFS instead, and the work on ROMFS that that takes.

    work -- called with what gets the progress; None: there is none to do
    bytes -- that it writes
    said -- for whoever deploys
    """

    files: dict[str, bytes]
    rom: frozenset[str] = frozenset()
    work: Callable[[Callable[[int], None]], None] | None = None
    bytes: int = 0
    said: str = ""

    def first(self, progress: Callable[[int], None]) -> Callable[[], None]:
        """The work, for `sync.carry_out`."""
        return lambda: self.work(progress) if self.work else None


def found(
    board: Connection, want: dict[str, bytes], args: argparse.Namespace, say: Callable[[str], None]
) -> Place:
    """The board is asked. Raises DeployError where it cannot be as the arguments want it."""
    if args.romfs and args.source:
        raise DeployError("--source is not for --romfs: what runs in place is compiled")
    part = rom.find(board)
    if part is None:
        if args.romfs:
            raise DeployError(
                "the board's MicroPython has no ROMFS (vfs.rom_ioctl): deploy without --romfs, or "
                "put one on it that has"
            )
        return Place(want)
    ours, others = rom.others(board.tree([romfs.MOUNT]))
    code = romfs.contents(want)
    image = romfs.build(code)
    why = ""
    if len(image) > part.size:
        why = f"the image has {len(image)} bytes, the board's ROMFS {part.size}"
    elif others and not args.romfs:
        why = f"the board's ROMFS is in use ({some(others)}): --romfs replaces it"
    if why and args.romfs:
        raise DeployError(why + ": deploy without --romfs")
    if not (why or args.files or args.source):
        files = {path: data for path, data in want.items() if path not in code}
        about = f"ROMFS: {count(len(code), 'module')}, {len(image)} of {part.size} bytes"
        if rom.holds(board, image):
            return Place(files, frozenset(code), said=about + ", there already")
        done = functools.partial(rom.write, board, part, image)
        return Place(files, frozenset(code), done, len(image), about)
    if why:
        say(f"files, not ROMFS: {why}")
    if not ours:
        return Place(want)
    if others:
        raise DeployError(
            f"the board's ROMFS has {some(ours)} among others' files, which would be loaded "
            "instead of what is deployed: --romfs replaces it"
        )
    return Place(
        want, work=lambda _: rom.erase(board, part), said="ROMFS erased: it would hide the files"
    )


def some(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")


def check(board: Connection) -> None:
    """Nothing else that the board has may come before what is in ROMFS."""
    board.fresh()
    names = {folder.rpartition("/")[2]: f"{romfs.MOUNT}/{folder}/" for folder in project.FOLDERS}
    for name, file in rom.origins(board, list(names)).items():
        if not file.startswith(names[name]):
            raise DeployError(
                f"the board loads {name} from {file or 'nowhere'}, not from {names[name]}: remove "
                "it there, or deploy with --files"
            )
