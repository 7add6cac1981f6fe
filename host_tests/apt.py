"""apt-get with lists and settings of its own: nothing of the system changes, and it need not be
run by root. Needs nothing but Python, like the scripts that have this.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

LIMIT_S = 180


class Unavailable(Exception):
    """What was wanted cannot be had here."""


def sources() -> Iterator[tuple[str, str]]:
    """Where this machine has its packages from: name and text of each of apt's files."""
    etc = Path("/etc/apt")
    for path in (etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))):
        if path.is_file():
            yield path.name, path.read_text(errors="replace")


def fetch(
    folder: Path, lists: dict[str, str], *steps: tuple[str, ...], settings: dict[str, object]
) -> str:
    """Run apt-get's `steps` in the folder, where what they bring stays. Returns the first thing
    that it has complained about: a list that cannot be had is no failure as long as another has
    what is wanted. Raises Unavailable.

    lists    -- name and text of files as in /etc/apt/sources.list.d
    settings -- besides those of places
    """
    program = shutil.which("apt-get")
    if program is None:
        raise Unavailable("there is no apt-get")
    own = folder / "apt"
    parts, state, cache = (own / name for name in ("parts", "lists", "cache"))
    for each in (parts, state / "partial", cache / "archives" / "partial"):
        each.mkdir(parents=True, exist_ok=True)
    for name, text in lists.items():
        (parts / name).write_text(text)
    given: dict[str, object] = {
        "Dir::Etc::SourceList": os.devnull,
        "Dir::Etc::SourceParts": parts,
        "Dir::State::lists": state,
        "Dir::Cache": cache,
        "APT::Sandbox::User": "root",  # who else may write here is not known
        "Acquire::Retries": 1,
        "Acquire::http::Timeout": 15,
        "Acquire::https::Timeout": 15,
        **settings,
    }
    file = own / "settings"
    file.write_text("".join(f'{name} "{value}";\n' for name, value in given.items()))
    said = ""
    for step in steps:
        try:
            done = subprocess.run(
                [program, "-q", *step], cwd=folder, env=os.environ | {"APT_CONFIG": str(file)},
                capture_output=True, text=True, check=False, timeout=LIMIT_S,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise Unavailable(f"apt-get {step[0]} took longer than {LIMIT_S} s") from late
        said = said or done.stderr.strip().rpartition("\n")[2]
    shutil.rmtree(own)
    return said
