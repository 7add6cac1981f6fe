"""How these tools are called: `python -m tools` in a clone, `c1100` where pip has put them."""

import sys
from pathlib import Path

IN_A_CLONE = "python -m tools"
INSTALLED = "c1100"
COMMAND = INSTALLED if Path(sys.argv[0]).stem == INSTALLED else IN_A_CLONE


def as_called(text: str | None) -> str | None:
    """A help text with the commands as they can be typed."""
    return text and text.replace(IN_A_CLONE, COMMAND)
