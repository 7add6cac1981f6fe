"""MicroPython and a file system image onto a bare board, with esptool or dfu-util.

    python -m tools flash --board esp32-4m --port /dev/ttyUSB0 --firmware ESP32_GENERIC.bin \\
        --image build/esp32-4m.bin
    python -m tools flash --board pybd-sf2 --firmware PYBD_SF2.dfu --image build/pybd-sf2.bin

What is made for another board is refused, and so is another ESP32 at the port. --dry-run checks
the files and prints the commands instead. A board for dfu-util must be in its DFU mode: see its
manual.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tools import failure, options
from tools.deploy import DeployError, boards, partitions, suits
from tools.deploy.boards import BoardFlash
from tools.deploy.image import placed

DFU = ["dfu-util", "-d", "0483:df11", "-a", "0"]  # ST's bootloader, and mboot's default


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--board", required=True, metavar="NAME", help=", ".join(boards.BOARDS))
    parser.add_argument("--port", metavar="PORT", help="serial port of an ESP32")
    parser.add_argument("--firmware", type=Path, metavar="FILE", required=True,
                        help="MicroPython: .bin for an ESP32, .dfu for an STM32")  # fmt: skip
    parser.add_argument("--image", type=Path, metavar="FILE", help="made by `image`")
    parser.add_argument("--baud", type=options.baud, default=460800, help="default 460800")
    parser.add_argument("--erase", action="store_true", help="all of an ESP32's flash before")
    parser.add_argument("--force", action="store_true",
                        help="although a file or the board says it is another")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only print the commands")


def run(args: argparse.Namespace) -> int:
    """Flash. Returns 0, else what failed: 1 for these arguments, or the tool's exit code."""
    try:
        flash = boards.named(args.board)
        todo = esp32(flash, args) if flash.chip else dfu(flash, args)
        if flash.chip and not args.dry_run and not args.force:
            suits.check_connected(args.port, flash)
        if not args.dry_run and not shutil.which(todo[0][0]):
            raise DeployError(f"{todo[0][0]} is missing: install it (apt, brew, choco)")
    except (DeployError, OSError) as error:
        print(f"flash: {failure.words(error)}", file=sys.stderr)
        return 1
    for command in todo:
        print(shlex.join(command), flush=True)
        if not args.dry_run and (code := subprocess.run(command, check=False).returncode):
            return code
    return 0


def esp32(flash: BoardFlash, args: argparse.Namespace) -> list[list[str]]:
    """The command for an ESP32. Raises DeployError when firmware, image and board do not agree."""
    if not args.port:
        raise DeployError("an ESP32 needs --port")
    command = [sys.executable, "-m", "esptool", "--chip", flash.chip, "--port", args.port]
    command += ["--baud", str(args.baud), "write-flash", *(["--erase-all"] if args.erase else [])]
    for offset, path in parts(flash, args):
        command += [f"{offset:#x}", str(path)]
    return [command]


def parts(flash: BoardFlash, args: argparse.Namespace) -> list[tuple[int, Path]]:
    """What belongs where in an ESP32's flash: offset and file. Raises DeployError."""
    suits.check_esp32_firmware(args.firmware, flash)
    flash = placed(flash, args.firmware)
    found = [(partitions.bootloader_offset(flash.chip), args.firmware)]
    if args.image:
        suits.check_image(args.image, args.board, flash, args.force)
        found.append((flash.start, args.image))
    return found


def dfu(flash: BoardFlash, args: argparse.Namespace) -> list[list[str]]:
    """The commands for an STM32. Raises DeployError when the image is for another board."""
    suits.check_dfu(args.firmware, flash, args.force)
    todo = [[*DFU, "-D", str(args.firmware)]]
    if args.image:
        suits.check_image(args.image, args.board, flash, args.force)
        todo.append([*DFU, "-s", f"{flash.start:#x}:leave", "-D", str(args.image)])
    return todo
