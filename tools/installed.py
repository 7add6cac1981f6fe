"""What the tests talk to and pip cannot bring: programs and libraries of the system.

The one place that knows them. `make test` runs this file before anything else: where packages can
be installed without asking (as root, or by `sudo -n`), it installs what is missing; elsewhere it
says what is missing, and only the tests that need that are skipped. With the environment variable
CI set, a missing peer is a failure. Needs nothing but Python.
"""

import ctypes
import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

SBIN = "/usr/sbin:/sbin:/usr/local/sbin"  # where some of it is, and not on everybody's PATH


class PeerMissing(Exception):
    """A peer is not installed on this machine. `peer`: its name in `PEERS`."""

    def __init__(self, peer: str) -> None:
        super().__init__(f"{peer} is not installed: {command([PEERS[peer]])}")
        self.peer = peer


class Peer(NamedTuple):
    """packages -- of Debian; found -- whether it is there"""

    packages: tuple[str, ...]
    found: Callable[[], bool]
    needed_for: str


def program(name: str) -> str | None:
    """The path of a program, None if it is not installed."""
    return shutil.which(name) or shutil.which(name, path=SBIN)


def _slirp() -> bool:
    try:
        ctypes.CDLL(ctypes.util.find_library("slirp") or "libslirp.so.0")
    except OSError:
        return False
    return True


PEERS = {
    "mosquitto": Peer(("mosquitto",), lambda: program("mosquitto") is not None, "MQTT"),
    "libslirp": Peer(("libslirp0",), _slirp, "PPP"),
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
    return "apt-get install " + " ".join(package for peer in peers for package in peer.packages)


def main(arguments: list[str]) -> int:
    """Install what is missing, where that needs no question. Returns 0, or 1 if in CI something
    is missing still.

    arguments -- ["venv"]: only what the environment itself needs
    """
    wanted = {"Python's venv": VENV} if arguments == ["venv"] else PEERS
    missing = {name: peer for name, peer in wanted.items() if not peer.found()}
    if not missing:
        return 0
    apt = _apt()
    if apt is None:
        why = "not here to be installed without asking: be root, or let sudo do it"
    else:
        print(f"installing {', '.join(missing)}: {command(list(missing.values()))}", flush=True)
        why = _install(apt, [p for peer in missing.values() for p in peer.packages])
        importlib.invalidate_caches()
        missing = {name: peer for name, peer in missing.items() if not peer.found()}
        if not missing:
            return 0
    for name, peer in missing.items():
        print(f"{name} (for {peer.needed_for}) is missing, {why}", file=sys.stderr)
    print(f"what installs it: {command(list(missing.values()))}", file=sys.stderr)
    return 1 if os.environ.get("CI") or arguments == ["venv"] else 0


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
