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

BUILD = Path(__file__).resolve().parents[2] / "build" / "bit32"
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
APT_S = 180


def main() -> int:
    """Returns the exit code."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        print("there is no apt-get", file=sys.stderr)
        return os.EX_UNAVAILABLE
    mirror = debian()
    if mirror is None:
        print("this machine has no packages of Debian's", file=sys.stderr)
        return os.EX_UNAVAILABLE
    apt = BUILD / "apt"
    parts, lists, cache = (apt / name for name in ("parts", "lists", "cache"))
    for folder in (parts, lists / "partial", cache / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    (parts / "debian.list").write_text(
        f"deb [arch=i386 signed-by={KEYRING}] {mirror} {RELEASE} main\n"
    )
    (apt / "status").touch()
    settings = apt / "settings"
    settings.write_text("".join(f'{name} "{value}";\n' for name, value in {
        "APT::Architecture": "i386",
        "APT::Architectures": "i386",
        "Dir::Etc::SourceList": os.devnull,
        "Dir::Etc::SourceParts": parts,
        "Dir::State::lists": lists,
        "Dir::State::status": apt / "status",
        "Dir::Cache": cache,
        "APT::Sandbox::User": "root",
    }.items()))  # fmt: skip
    environment = os.environ | {"APT_CONFIG": str(settings)}
    for step in (["update"], ["download", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", "-q", *step], cwd=apt, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=APT_S,
        )  # fmt: skip
        if done.returncode:
            print(f"apt-get {step[0]}: {done.stderr.strip()}", file=sys.stderr)
            return os.EX_UNAVAILABLE
    for package in sorted(apt.glob("*.deb")):
        subprocess.run(["dpkg", "--extract", package, ROOT], check=True)
    shutil.rmtree(apt)
    PROGRAM.write_text(WRAPPER.format(root=ROOT))
    PROGRAM.chmod(0o755)
    return subprocess.run([PROGRAM, "-c", "import sys, tls; print(sys.version)"]).returncode


def debian() -> str | None:
    """Where this machine has Debian's packages from."""
    etc = Path("/etc/apt")
    for path in (etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))):
        text = path.read_text(errors="replace") if path.is_file() else ""
        if found := re.search(r"https?://\S+/debian/?(?=\s)", text):
            return found[0]
    return None


if __name__ == "__main__":
    sys.exit(main())
