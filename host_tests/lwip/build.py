"""Makes build/lwip/client: lwIP, from the sources that Debian and Ubuntu keep, and client.c on it.

apt-get brings the sources, with lists and settings of its own below build/lwip: it need not be run
by root, and nothing of the system changes. Where there is no apt-get, put one of SOURCES there.
Needs nothing but Python and a C compiler. Exit code 0, EX_UNAVAILABLE without sources, else 1.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from host_tests import apt  # noqa: E402

BUILD = HERE.parents[1] / "build" / "lwip"
CLIENT = BUILD / "client"
# Upstream's files as Debian has packed them; whatever else comes is not compiled.
SOURCES = {
    "0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24": "2.1.3+dfsg1",
    "83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1": "2.2.1+dfsg1",
}
PARTS = ("core/*.c", "core/ipv4/*.c", "core/ipv6/*.c", "netif/ppp/*.c", "netif/ppp/polarssl/*.c")


def main() -> int:
    """Returns the exit code."""
    try:
        archive = found() or fetched()
    except apt.Unavailable as error:
        print(f"no sources of lwIP: {error}", file=sys.stderr)
        return os.EX_UNAVAILABLE
    return compiled(archive)


def found() -> Path | None:
    """An archive that is one of SOURCES."""
    for path in sorted(BUILD.glob("lwip_*.orig.tar.xz")):
        if hashlib.sha256(path.read_bytes()).hexdigest() in SOURCES:
            return path
    return None


def fetched() -> Path:
    """By apt-get. Raises Unavailable."""
    steps = (("update",), ("source", "--download-only", "lwip"))
    said = apt.fetch(BUILD, dict(sources()), *steps, settings={})
    archive = found()
    if archive is None:
        raise apt.Unavailable(said or "what apt-get has brought is none that is known")
    return archive


def sources() -> Iterator[tuple[str, str]]:
    """Where this machine has its packages from, there their sources are."""
    for name, text in apt.sources():
        if name.endswith(".list"):
            yield name, re.sub(r"^deb(?=\s)", "deb-src", text, flags=re.MULTILINE)
        elif name.endswith(".sources"):
            yield name, re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.MULTILINE)


def compiled(archive: Path) -> int:
    """Returns the compiler's exit code."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        print("no C compiler", file=sys.stderr)
        return 1
    folder = BUILD / "source"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(archive) as packed:
        members = [m for m in packed if "/src/" in m.name and (m.isfile() or m.isdir())]
        packed.extractall(folder, members)
    (src,) = folder.glob("*/src")
    files = [HERE / "client.c", *(file for part in PARTS for file in sorted(src.glob(part)))]
    # In steps, so that a run that is broken off leaves no half of a client.
    made = CLIENT.with_suffix(".new")
    done = subprocess.run(
        [compiler, "-O1", "-w", f"-I{HERE}", f"-I{src / 'include'}", "-o", made, *files],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        made.replace(CLIENT)
        shutil.rmtree(folder)
    else:
        print(done.stderr[-2000:], file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    BUILD.mkdir(parents=True, exist_ok=True)
    sys.exit(main())
