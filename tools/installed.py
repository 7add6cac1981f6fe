"""What the tests talk to and pip cannot bring: programs and libraries of the system.

The one place that knows them. `make test` runs this file before anything else: where packages can
be installed without asking (as root, or by `sudo -n`), it installs what is missing, and it builds
what is in no package; elsewhere it says what is missing, and only the tests that need that are
skipped. With the environment variable CI set, a missing peer is a failure, but for one that is
built from sources which cannot be had. Needs nothing but Python.
"""

import ctypes
import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NOT_ASKED = "not here to be installed without asking: be root, or let sudo do it"
# From the project's root: a package of the tools has neither.
LWIP = "host_tests/lwip"
UNAVAILABLE = "build/lwip/unavailable"  # says why its sources cannot be had
SBIN = "/usr/sbin:/sbin:/usr/local/sbin"  # where some of it is, and not on everybody's PATH


class PeerMissing(Exception):
    """A peer is not installed on this machine. `peer`: its name in `PEERS`."""

    def __init__(self, peer: str) -> None:
        super().__init__(f"{peer} is not installed: {command([PEERS[peer]])}")
        self.peer = peer


class Peer(NamedTuple):
    """packages -- of Debian; found -- whether it is there; built -- by this script, from sources
    that are in no package. It needs a C compiler, which the packages bring.
    """

    packages: tuple[str, ...]
    found: Callable[[], bool]
    needed_for: str
    built: str | None = None

    @property
    def excused(self) -> bool:
        """It was tried, and cannot be had here: in CI, too, what needs it is skipped."""
        return self.built is not None and not self.found() and (ROOT / UNAVAILABLE).is_file()

    @property
    def lacking(self) -> tuple[str, ...]:
        """The packages that are to be installed for it."""
        return () if self.built and _compiler() else self.packages


def program(name: str) -> str | None:
    """The path of a program, None if it is not installed."""
    return shutil.which(name) or shutil.which(name, path=SBIN)


def _slirp() -> bool:
    try:
        ctypes.CDLL(ctypes.util.find_library("slirp") or "libslirp.so.0")
    except OSError:
        return False
    return True


def _compiler() -> bool:
    """One that has the C library's headers, too."""
    found = next(filter(None, map(program, ("cc", "gcc", "clang"))), None)
    if found is None:
        return False
    test = [found, "-fsyntax-only", "-xc", "-"]
    return not subprocess.run(test, input=b"#include <stdio.h>\n", capture_output=True).returncode


def _lwip() -> bool:
    """It is newer than what it is made of."""
    client = ROOT / "build" / "lwip" / "client"
    made = client.stat().st_mtime if client.is_file() else 0
    return (
        all(path.stat().st_mtime <= made for path in (ROOT / LWIP).glob("**/*.[ch]")) and made > 0
    )


PEERS = {
    "mosquitto": Peer(("mosquitto",), lambda: program("mosquitto") is not None, "MQTT"),
    "libslirp": Peer(("libslirp0",), _slirp, "PPP"),
    "lwIP": Peer(("gcc", "libc6-dev"), _lwip, "PPP as boards have it", LWIP + "/build.py"),
    "a browser": Peer(
        ("chromium", "chromium-driver"),
        lambda: None not in (program("chromium"), program("chromedriver")),
        "the monitor's page",
    ),
    "node": Peer(
        ("nodejs", "npm"),
        lambda: None not in (program("node"), program("npm")),
        "what the node takes of a 32-bit heap",
    ),
    "valgrind": Peer(
        ("valgrind",), lambda: program("valgrind") is not None, "counts of machine instructions"
    ),
}
# Debian's Python is without what `python3 -m venv` needs.
VENV = Peer(
    ("python3-venv",), lambda: importlib.util.find_spec("ensurepip") is not None, "environments"
)


def require(peer: str) -> None:
    """Raises PeerMissing where a peer is not installed."""
    if not PEERS[peer].found():
        raise PeerMissing(peer)


def find(peer: str, name: str) -> str:
    """The path of a peer's program. Raises PeerMissing."""
    found = program(name)
    if found is None:
        raise PeerMissing(peer)
    return found


def command(peers: list[Peer]) -> str:
    """The one command that installs them on Debian and its like."""
    packages = [package for peer in peers for package in peer.lacking]
    steps = ["apt-get install " + " ".join(packages)] if packages else []
    if any(peer.built for peer in peers):
        steps.append("python3 tools/installed.py")
    return " && ".join(steps)


def main(arguments: list[str]) -> int:
    """Install what is missing, where that needs no question. Returns 0, or 1 if in CI something
    is missing still.

    arguments -- ["venv"]: only what the environment itself needs
    """
    wanted = {"Python's venv": VENV} if arguments == ["venv"] else PEERS
    missing = _missing(wanted)
    why = dict.fromkeys(missing, NOT_ASKED)
    lacking = {name: peer for name, peer in missing.items() if peer.lacking}
    apt = _apt() if lacking else None
    if apt is not None:
        packages = [package for peer in lacking.values() for package in peer.lacking]
        print(f"installing {', '.join(lacking)}: apt-get install {' '.join(packages)}", flush=True)
        why |= dict.fromkeys(lacking, _install(apt, packages))
        importlib.invalidate_caches()
    for name, peer in missing.items():
        if peer.built is not None:
            why[name] = _build(name, peer.built) if _compiler() else _unavailable(why[name])
    missing = _missing(missing)
    for name, peer in missing.items():
        print(f"{name} (for {peer.needed_for}) is missing, {why[name]}", file=sys.stderr)
    if missing:
        print(f"what installs it: {command(list(missing.values()))}", file=sys.stderr)
    failed = [name for name, peer in missing.items() if not peer.excused]
    return 1 if failed and (os.environ.get("CI") or arguments == ["venv"]) else 0


def _missing(peers: dict[str, Peer]) -> dict[str, Peer]:
    return {name: peer for name, peer in peers.items() if not peer.found()}


def _build(name: str, script: str) -> str:
    """Returns what went wrong, in words."""
    print(f"building {name}: {script}", flush=True)
    (ROOT / UNAVAILABLE).unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, ROOT / script], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    why = (done.stderr.strip().splitlines() or ["it ends without a word"])[-1]
    return _unavailable(why) if done.returncode == os.EX_UNAVAILABLE else why


def _unavailable(why: str) -> str:
    path = ROOT / UNAVAILABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(why + "\n")
    return why


def _apt() -> list[str] | None:
    """How to call apt-get without being asked anything; None where that cannot be."""
    apt = program("apt-get")
    if apt is None:
        return None
    if os.geteuid() == 0:
        return [apt]
    sudo = program("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True).returncode:
        return None
    return [sudo, "-n", "env", "DEBIAN_FRONTEND=noninteractive", apt]


def _install(apt: list[str], packages: list[str]) -> str:
    """Returns what went wrong, in words."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(
            [*apt, *step], env=os.environ | quiet, capture_output=True, text=True, check=False
        )
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        if done.returncode:
            return f"apt-get {step[0]} failed: {said[-1] if said else done.returncode}"
    return "although apt-get says that it is installed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
