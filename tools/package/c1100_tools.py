"""Host tools for the LongSung C1100 and its MicroPython firmware: `c1100 --help`.

Everything below this folder is as in a clone of the project: tools, and driver and firmware to be
put onto boards. They have a folder of their own, so that nothing else in this environment is
called `tools`, `lib` or `firmware`.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    """The console command. Returns its exit code."""
    use()
    from tools.__main__ import main as run

    return run(sys.argv[1:])


def use() -> None:
    """Let this process import `tools`: the virtual module and board for a test, for one."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
