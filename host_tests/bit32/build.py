"""Makes build/bit32/micropython: a real 32-bit MicroPython with mbedtls, Debian's for i386.

apt-get brings the packages, with lists and settings of its own below build/bit32: nothing of the
system changes, and it need not be run by root. It runs on a 64-bit Linux for x86 as on a 32-bit
one, by the loader and libraries that it came with. For a machine that has Debian's packages; no
test needs it. Exit code 0, EX_UNAVAILABLE when it cannot be had.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from host_tests import apt  # noqa: E402

BUILD = HERE.parents[1] / "build" / "bit32"
FETCHED = BUILD / "fetched"
PROGRAM = BUILD / "micropython"
ROOT = BUILD / "root"
PACKAGES = (
    "micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7",
)  # fmt: skip
RELEASE = "sid"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
WRAPPER = """\
#!/bin/sh
lib="{root}/usr/lib/i386-linux-gnu"
exec "$lib/ld-linux.so.2" --library-path "$lib" "{root}/usr/bin/micropython" "$@"
"""


def main() -> int:
    """Returns the exit code."""
    try:
        fetched()
    except apt.Unavailable as error:
        print(f"no 32-bit MicroPython: {error}", file=sys.stderr)
        return os.EX_UNAVAILABLE
    PROGRAM.write_text(WRAPPER.format(root=ROOT))
    PROGRAM.chmod(0o755)
    return subprocess.run([PROGRAM, "-c", "import sys, tls; print(sys.version)"]).returncode


def fetched() -> None:
    """The packages, unpacked. Raises Unavailable."""
    if shutil.which("dpkg") is None:
        raise apt.Unavailable("there is no dpkg")
    mirror = debian()
    if mirror is None:
        raise apt.Unavailable("this machine has no packages of Debian's")
    shutil.rmtree(FETCHED, ignore_errors=True)
    FETCHED.mkdir(parents=True)
    status = FETCHED / "status"
    status.touch()
    settings = {
        "APT::Architecture": "i386",
        "APT::Architectures": "i386",
        "Dir::State::status": status,
    }
    lists = {
        "debian.list": f"deb [arch=i386 signed-by={KEYRING}] {mirror} {RELEASE} main\n",
    }
    said = apt.fetch(FETCHED, lists, ("update",), ("download", *PACKAGES), settings=settings)
    packages = sorted(FETCHED.glob("*.deb"))
    if len(packages) < len(PACKAGES):
        raise apt.Unavailable(said or "apt-get has not brought all packages")
    for package in packages:
        subprocess.run(["dpkg", "--extract", package, ROOT], check=True)
    shutil.rmtree(FETCHED)


def debian() -> str | None:
    """Where this machine has Debian's packages from."""
    for _, text in apt.sources():
        if found := re.search(r"https?://\S+/debian/?(?=\s)", text):
            return found[0]
    return None


if __name__ == "__main__":
    sys.exit(main())
