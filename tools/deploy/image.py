"""A LittleFS image of a board's whole file system, or a ROMFS image of its code.

    python -m tools image --board esp32-4m --config config.json --secrets secrets.json
    python -m tools flash --board esp32-4m --port /dev/ttyUSB0 --firmware ESP32_GENERIC.bin \\
        --image build/esp32-4m.bin
    python -m tools image --board esp32-4m --node field-17
    python -m tools image --board pybd-sf2 --romfs

ROMFS holds driver and firmware where a board's MicroPython has a partition for it; `deploy` writes
it there. The file system beside it then needs only what --frozen puts on it.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from littlefs import LittleFS, LittleFSError

from tools import failure
from tools.deploy import DeployError, boards, compiler, partitions, project, romfs, settings, suits
from tools.deploy.boards import BoardFlash
from tools.own import folder
from tools.power.wording import count
from tools.provision import wiring

# As MicroPython's VfsLfs2 has them by default (extmod/vfs_lfs.c), so that the image is what mkfs
# on the board would make; version 2.0 is what every MicroPython since 1.12 can mount.
READ_SIZE = PROG_SIZE = LOOKAHEAD = 32
DISK_VERSION = 0x00020000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--board", required=True, metavar="NAME", help=", ".join(boards.BOARDS))
    parser.add_argument("--firmware", type=Path, metavar="FILE",
                        help="MicroPython for an ESP32: its partition table counts")  # fmt: skip
    folder.add_argument(parser, "config.json, secrets.json, sensors")
    parser.add_argument("--config", type=Path, metavar="FILE", help="becomes config.json")
    parser.add_argument("--secrets", type=Path, metavar="FILE", help="becomes secrets.json")
    parser.add_argument("--source", action="store_true", help=".py files, not .mpy")
    parser.add_argument("--frozen", action="store_true",
                        help="without driver and firmware, frozen or in ROMFS")  # fmt: skip
    parser.add_argument("--romfs", action="store_true", help="driver and firmware as ROMFS image")
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="default build/<board>.bin, or .romfs")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Write the image. Returns 0, or 1 when it cannot be made."""
    out = args.out or Path("build", f"{args.board}.{'romfs' if args.romfs else 'bin'}")
    try:
        if args.romfs:
            return _romfs(args, out)
        flash = placed(boards.named(args.board), args.firmware)
        node = folder.Folder.at(args.node) if args.node else None
        if node and (args.config or args.secrets):
            raise DeployError("--node has its own config.json and secrets.json")
        given = {"config.json": args.config, "secrets.json": args.secrets}
        config = {name: path.read_bytes() for name, path in given.items() if path}
        outbox = 0
        if node or config:
            whole = node.whole if node else settings.checked(config, given)
            config |= {**node.config, **node.tls()} if node else {}
            wiring.check_whole(flash.chip, whole)
            outbox = whole["outbox.bytes"]
        files = contents(flash, args.source, args.frozen, node) | config
        image, free = build(flash, files, args.board)
        if free < outbox:
            raise DeployError(
                f"{free} bytes would be free, the outbox needs {outbox}: lower outbox.bytes in "
                "config.json, or take a board with more flash"
            )
        _write(out, image)
    except (DeployError, OSError) as error:
        print(f"image: {failure.words(error)}", file=sys.stderr)
        return 1
    size = f"{count(len(files), 'file')}, {len(image)} bytes"
    print(f"{out}: {size} for {flash.start:#x}, {free} free")
    if not config:
        print("It has no config.json: the node will not report before it is provisioned.")
    return 0


def _romfs(args: argparse.Namespace, out: Path) -> int:
    for name in ("node", "config", "secrets", "firmware", "source", "frozen"):
        if getattr(args, name):
            raise DeployError(
                f"--romfs is compiled driver and firmware, so --{name} is not for it: the rest "
                "belongs on the board's file system (image without --romfs, deploy, provision)"
            )
    files = romfs.contents(contents(boards.named(args.board), source=False))
    image = romfs.build(files)
    _write(out, image)
    parts = ", ".join(
        f"{folder} {sum(len(d) for path, d in files.items() if path.startswith(folder + '/'))}"
        for folder in project.FOLDERS
    )
    print(f"{out}: {count(len(files), 'file')}, {count(len(image), 'byte')} ({parts})")
    return 0


def _write(out: Path, image: bytes) -> None:
    with failure.naming(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(image)


def placed(flash: BoardFlash, firmware: Path | None) -> BoardFlash:
    """Where the file system is with this firmware. Raises DeployError when it does not fit."""
    if firmware is None or not flash.chip:
        return flash
    data = firmware.read_bytes()
    if (chip := partitions.chip_of(data)) != flash.chip:
        raise DeployError(f"{firmware} is for an {chip}, the board has an {flash.chip}")
    start, size = partitions.file_system(data, flash.flash_size)
    return replace(flash, start=start, size=size)


def contents(
    flash: BoardFlash, source: bool, frozen: bool = False, node: folder.Folder | None = None
) -> dict[str, bytes]:
    """Path on the board -> content of all that belongs on it, with a node's own code. Raises
    DeployError.
    """
    files = project.sources()
    if frozen:
        files = {target: files[target] for target in project.START}
    files = (node.code() if node else {}) | files
    if source:
        return {target: path.read_bytes() for target, path in files.items()}
    return compiler.compiled(files, replace(compiler.emitted(), arch=flash.arch))


def build(flash: BoardFlash, files: dict[str, bytes], board: str = "") -> tuple[bytes, int]:
    """The image, and how many bytes in it are free. Raises DeployError when it is too small.

    board -- its name, which the image then keeps for `flash`
    """
    system = LittleFS(
        block_size=flash.block, block_count=flash.size // flash.block,
        read_size=READ_SIZE, prog_size=PROG_SIZE, lookahead_size=LOOKAHEAD,
        disk_version=DISK_VERSION,
    )  # fmt: skip
    try:
        for path, data in files.items():
            if folder := path.rpartition("/")[0]:
                system.makedirs(folder, exist_ok=True)
            with system.open(path, "wb") as file:
                file.write(data)
        suits.mark(system, board)
    except LittleFSError as error:
        size = sum(map(len, files.values()))
        raise DeployError(
            f"{size} bytes do not fit into {flash.size} ({error}): freeze driver and firmware "
            "into MicroPython (manifest.py, image --frozen), or take a board with more flash"
        ) from error
    used = system.used_block_count * flash.block
    return bytes(system.context.buffer), flash.size - used
