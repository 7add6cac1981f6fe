"""A board in software, in real time: real MicroPython behind a serial port for mpremote.

The board's console is a PTY, PATH of --link a symlink to it; give mpremote the PTY's own name:
    mpremote connect $(readlink PATH) fs cp main.py :
Runs until Ctrl-C.
"""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from tools import options
from tools.calling import COMMAND
from tools.deploy import DeployError
from tools.own import folder
from tools.virtual_board.board import Board, flash_folder, flash_image, rom_file
from tools.virtual_board.process import BoardError
from tools.virtual_board.realtime import RealTimeBoard, open_tty


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    flash = parser.add_mutually_exclusive_group(required=True)
    folder.add_argument(flash, "/ is its build/flash; its virtual/ is at pins and buses")
    flash.add_argument("--flash", type=Path, metavar="DIR", help="folder that is the board's /")
    flash.add_argument("--lfs", type=Path, metavar="IMG", help="LittleFS image, made if missing")
    parser.add_argument(
        "--blocks", type=options.whole(8, 65536), default=512, help="4 KiB blocks of a new image"
    )
    parser.add_argument("--romfs", type=Path, metavar="FILE",
                        help="partition for ROMFS, such as an image; made if missing")  # fmt: skip
    parser.add_argument("--link", type=Path, metavar="PATH", help="symlink to the serial port")
    parser.add_argument("--uart", type=Path, metavar="PATH", help="tty of the board's UART(1)")
    parser.add_argument(
        "--heap", type=options.heap, default="384K", help="MicroPython heap (default 384K)"
    )


def run(args: argparse.Namespace) -> int:
    """Serve the board until Ctrl-C or SIGTERM. Returns 0, or 1 when it cannot go on."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        virtual = None
        if args.node:
            virtual = folder.Folder.at(args.node).path / folder.VIRTUAL
            args.flash = args.node / "build" / "flash"
        flash = flash_folder(args.flash) if args.flash else flash_image(args.lfs, args.blocks)
        with contextlib.ExitStack() as stack:
            uarts = {1: stack.enter_context(open_tty(args.uart))} if args.uart else {}
            rom = rom_file(args.romfs) if args.romfs else None
            board = RealTimeBoard(Board(flash, args.heap, rom=rom, virtual=virtual), uarts)
            stack.callback(board.runner.close)
            if args.link:
                board.runner.console.symlink(args.link)
            print(board.runner.console.name, flush=True)
            if args.link:
                print(f"In another terminal: {COMMAND} deploy --port {args.link}", flush=True)
            print("Ctrl-C ends it.", flush=True)
            board.run(lambda: False)
    except KeyboardInterrupt:
        return 0
    except (BoardError, DeployError) as error:
        print(f"virtual-board: {error}", file=sys.stderr)
        return 1
    return 0
