"""MicroPython's prompt on a node, as main.py was interrupted; behind it the node starts again.

    python -m tools prompt /dev/ttyUSB0
    python -m tools prompt /dev/ttyUSB0 --wait 1000     a node that sleeps is met at its next wake

Ctrl-] leaves it. By hand, a node that is awake: `mpremote connect PORT repl`, hold Ctrl-C until
>>> comes; `mpremote connect PORT reset` in the end, else it stays there.
"""

import argparse
import sys

from tools.deploy import DeployError, reach
from tools.deploy.connection import Connection
from tools.deploy.ports import add_port_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_port_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Returns 0, or 1 when the board is not to be had, 2 without a terminal."""
    if not sys.stdin.isatty():
        print("prompt needs a terminal: `mpremote exec` runs code without one", file=sys.stderr)
        return 2
    if args.wait:
        print(reach.by_hand(args.port, ""), file=sys.stderr)
    try:
        waiting = reach.countdown(args.port)
        with Connection(args.port, args.wait, waiting, soft_reset=False) as board:
            gone = board.prompt()
            if gone:
                raise DeployError("the port has gone: the board sleeps, was reset, or unplugged")
            if not args.stay:
                board.restart(0, lambda line: None)
    except DeployError as error:
        print(f"{args.port}: {error}", file=sys.stderr)
        return 1
    where = "at its prompt" if args.stay else "starting"
    print(f"\nleft {args.port}: the board is {where}")
    return 0
