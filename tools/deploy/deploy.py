"""Copy driver and firmware to boards, compiled for each, only what has changed.

Where the board's MicroPython has a partition for ROMFS, they go there as one image, and their code
needs no heap; else they are files. boot.py, main.py and the configuration are files in any case.

    python -m tools deploy --port /dev/ttyUSB0
    python -m tools deploy --port /dev/ttyUSB0 --port /dev/ttyUSB1      a tray of boards

    python -m tools deploy --port /dev/ttyUSB0 --node field-17

Without --node the configuration stays as it is: see `python -m tools provision`. With it the
node's own folder goes onto the board, too: config.json, secrets.json, sensors and what they need.

A node that sleeps is met at its next wake (`--wait 1000`). By hand: `mpremote connect PORT repl`,
hold Ctrl-C until >>> comes, Ctrl-] to leave; it stays at its prompt then, and `deploy` finds it.
"""

import argparse
import functools
import sys
import threading
from typing import Any

from tools.calling import COMMAND
from tools.deploy import DeployError, compiler, placing, project, seconds, settings, sync
from tools.deploy.connection import Connection
from tools.deploy.ports import Report, add_port_arguments, at_all_ports
from tools.own import folder
from tools.power.wording import count
from tools.provision import wiring

OF_THE_BOARD = "config.json of the board"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_port_arguments(parser)
    folder.add_argument(parser, "it goes onto the board, too")
    parser.add_argument("--source", action="store_true", help="copy .py files, not .mpy")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--romfs", action="store_true",
                       help="into ROMFS or nowhere, whoever has something there")  # fmt: skip
    where.add_argument("--files", action="store_true", help="not into ROMFS")
    parser.add_argument("--prune", action="store_true",
                        help="remove files of ours that are no longer part of it")  # fmt: skip
    parser.add_argument("--no-reset", action="store_true", help="leave the board at its prompt")
    parser.add_argument("--log", type=seconds, default=3, metavar="SECONDS",
                        help="show what the board prints after its reset (default 3)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Deploy to all ports at once. Returns 0, or 1 when one of them failed."""
    try:
        return _run(args)
    except DeployError as error:  # before any board was touched
        print(f"deploy: {error}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace) -> int:
    build = functools.cache(contents)
    node = folder.Folder.at(args.node) if args.node else None
    own = {**node.config, **node.tls()} if node else {}
    others = (folder.SENSORS,) if node else ()
    if node and (missing := node.missing()):
        raise DeployError(f"{', '.join(missing)} is not in {node.path / folder.LIBRARIES}: "
                          f"{COMMAND} mip --node {node.path}")  # fmt: skip
    compiling = threading.Lock()  # a tray of like boards needs it once

    def work(port: str, report: Report) -> None:
        with Connection(port, args.wait, report.waiting) as board:
            about = board.about()
            report.say(f"{about.machine}, MicroPython {'.'.join(map(str, about.version))}")
            chip = wiring.chip_of(about.machine)
            if node:  # whose configuration replaces the board's
                told = _wiring(node.whole, chip, node.path / folder.CONFIG)
            else:
                told = _wiring_of(board, chip)
            with compiling:
                want = build(about.mpy, args.source, node) | own
            place = placing.found(board, want, args, report.say)
            want = place.files
            have = board.tree(sync.asked_for(want, others))
            todo = sync.plan(have, want, args.prune, place.rom, place.work is not None, others)
            replaced = sorted(set(own) & set(todo.write) & {p for p, s in have.items() if s})
            if place.rom and todo.stale:
                raise DeployError(
                    f"{placing.some(todo.stale)} would hide what is in ROMFS and is no part of "
                    "it: --prune removes it"
                )
            report.total(todo.bytes + place.bytes)
            sync.carry_out(board, todo, about.free, report.advance, place.first(report.advance))
            if place.said:
                report.say(place.said)
            report.say(
                f"{len(todo.write)} of {count(len(want), 'file')} copied "
                f"({count(todo.bytes, 'byte')}), "
                f"{len(todo.remove)} removed"
            )
            if node:
                report.say(f"node {node.path.name}: {_versions(node)}")
            if replaced:
                report.say(f"not as in {node.path if node else ''} before: {', '.join(replaced)}")
            if todo.stale:
                report.say(f"no longer needed (--prune removes them): {', '.join(todo.stale)}")
            if place.rom:
                placing.check(board)
            if told:
                report.say(told)
            if not args.no_reset:
                board.restart(args.log, lambda text: report.say(f"| {text}"))

    return at_all_ports(args.port, work)


def _wiring_of(board: Connection, chip: str) -> str:
    """As _wiring(), of the configuration that the board has; "" if it has none."""
    text = board.read(folder.CONFIG)
    if text is None:
        return ""
    try:
        whole = settings.checked({folder.CONFIG: text}, {folder.CONFIG: OF_THE_BOARD})
    except DeployError as error:  # the node says so, too, and lives by its last good one
        return str(error)
    return _wiring(whole, chip, OF_THE_BOARD)


def _wiring(whole: dict[str, Any], chip: str, where: object) -> str:
    """What is to be said of the wiring in a configuration; "" if nothing. Raises DeployError for
    one with which a board of this chip could not even start.
    """
    try:
        wiring.check_whole(chip, whole)
    except DeployError as error:
        raise DeployError(f"{where}: {error}") from error
    ruled_out = settings.wiring(whole)
    return f"wiring: {ruled_out}" if ruled_out else ""


def _versions(node: folder.Folder) -> str:
    about = ", ".join(f"{name} {version}" for name, version in project.versions().items())
    return about + (f", folder {node.version()}" if node.version() else "")


def contents(mpy: int, source: bool, node: folder.Folder | None = None) -> dict[str, bytes]:
    """Path on the board -> content, for a board whose sys.implementation._mpy this is.

    source -- .py files instead of .mpy
    node -- whose sensors are among it

    Raises DeployError when the board cannot load .mpy files.
    """
    files = (node.code() if node else {}) | project.sources()
    if source:
        return {target: path.read_bytes() for target, path in files.items()}
    if not mpy:
        raise DeployError("the board's MicroPython loads no .mpy files: use --source")
    form = compiler.Format.of(mpy)
    compiler.check(form)
    return compiler.compiled(files, form)
