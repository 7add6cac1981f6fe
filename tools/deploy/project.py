"""What belongs on a board, and where."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Installed by pip, the tools have all they need of a clone around them, and are not to change it.
IS_A_CLONE = (ROOT / "Makefile").is_file()

# On the board -> in the project. Below a folder, everything belongs to us: --prune may remove it.
FOLDERS = {"lib/c1100": "lib/c1100", "firmware": "firmware"}
# The interpreter runs these two by name, so they stay source.
START = ("boot.py", "main.py")


def sources() -> dict[str, Path]:
    """Path on the board -> source file, in the order in which they are to be copied.

    main.py is last: as long as it is not there, a board stays at its prompt.
    """
    files: dict[str, Path] = {}
    for target, folder in FOLDERS.items():
        base = ROOT / folder
        for path in sorted(base.rglob("*.py")):
            files[f"{target}/{path.relative_to(base).as_posix()}"] = path
    for name in START:
        files[name] = ROOT / name
    return files


def versions() -> dict[str, str]:
    """Of driver and firmware, as their sources say."""
    places = {"driver": "lib/c1100/__init__.py", "firmware": "firmware/version.py"}
    found = {}
    for name, source in places.items():
        said = re.search(
            r'^(?:__version__|VERSION) = "([^"]+)"', (ROOT / source).read_text(), re.M
        )
        found[name] = said[1] if said else "unknown"
    return found


def users(path: str) -> bool:
    """Whether a file on a board is from a node's own folder."""
    return path.startswith(("sensors/", "lib/")) and not ours(path)


def ours(path: str) -> bool:
    """Whether a file on a board is one that this project puts there."""
    return path in START or any(path.startswith(folder + "/") for folder in FOLDERS)
