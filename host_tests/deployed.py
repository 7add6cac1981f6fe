"""The project's files as they are deployed: compiled, so a board starts them in a tenth of the
time, and has them in a fraction of the heap.
"""

import functools
from dataclasses import replace
from pathlib import Path

from tools.deploy import image
from tools.deploy.boards import BOARDS


@functools.cache
def compiled() -> dict[str, bytes]:
    """All of them by their names on the board."""
    return image.contents(replace(BOARDS["esp32-4m"], arch=""), source=False)


def put(folder: Path, below: str = "") -> None:
    """Write those below `below` into a board's flash folder."""
    for name, data in compiled().items():
        if name.startswith(below):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
