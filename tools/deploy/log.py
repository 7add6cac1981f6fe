"""Show what a node's log on flash has, and what it has said since its last wake; it goes on then.

    python -m tools log /dev/ttyUSB0
    python -m tools log /dev/ttyUSB0 --wait 1000        a node that sleeps is met at its next wake

By hand, a node that is awake: `mpremote connect PORT repl`, hold Ctrl-C until >>> comes, Ctrl-] to
leave; `mpremote connect PORT resume exec "import firmware.log; firmware.log.show()"`, and
`mpremote connect PORT reset`, else it stays at its prompt.
"""

import argparse
import sys

from tools.deploy import DeployError, reach
from tools.deploy.connection import Connection
from tools.deploy.ports import add_port_argument
from tools.monitor.model import plain

SHOW = "import firmware.log; firmware.log.show()"
_NONE = "there is no firmware on it:"
# Not imported as a whole: what is on the board may be of any age. What the wake that was
# interrupted has said is written, because the restart would lose it.
_CODE = f"""\
try:
 {SHOW}
 firmware.log.flush()
except ImportError as e:
 print("{_NONE}", e)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_port_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Returns 0, or 1 when the board is not to be had, or has no firmware."""
    if args.wait and sys.stderr.isatty():
        print(reach.by_hand(args.port, SHOW), file=sys.stderr)
    try:
        waiting = reach.countdown(args.port)
        with Connection(args.port, args.wait, waiting, soft_reset=False) as board:
            try:
                lines = board.run(_CODE).splitlines()
            finally:
                if not args.stay:
                    board.restart(0, lambda line: None)
    except DeployError as error:
        print(f"{args.port}: {error}", file=sys.stderr)
        return 1
    print("\n".join(map(plain, lines)) or "the log is empty")
    return int(any(line.startswith(_NONE) for line in lines))
