"""The smallest heap in which the driver makes a TLS connection, on $MICROPYTHON.

    python host_tests/bit32/build.py
    MICROPYTHON=build/bit32/micropython python -m host_tests.plug.tls_heap

Each row is a real interpreter, started with less and less heap, which loads the driver from files,
opens a connection through the virtual C1100, shakes hands with a server of Python's ssl, and
exchanges a line. The stand-ins of the virtual board are in its heap; a real board has them in C.
"""

import contextlib
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from host_tests import deployed
from host_tests.certificates import authority, server_context
from host_tests.plug.conftest import PROGRAMS, ROOT
from host_tests.plug.servers import serving
from tools.lockstep import Bench, BoardStopped
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_board.process import BoardError
from tools.virtual_c1100 import Profile, VirtualC1100

HOST = "server.example"
KINDS = {"rsa": "RSA-2048", "ec": "ECDSA P-256"}
STEP_KB = 8
TIMES = 3  # where it is scarce, it works now and then
ENOUGH_KB = 400
LIMIT_S = 600.0  # virtual


def main() -> int:
    """Returns 0."""
    print("code  key           KB  heap in use with each step, bytes")
    for compiled in (False, True):
        for kind, name in KINDS.items():
            with tempfile.TemporaryDirectory() as folder, routed(Path(folder), kind) as profile:
                board = Path(folder, "board")
                flash(board, kind, compiled)
                steps = tried(board, profile, ENOUGH_KB)
                least = smallest(board, profile)
                code = ".mpy" if compiled else ".py"
                print(f"{code:<5} {name:<12} {least:>4}  {', '.join(steps)}", flush=True)
    return 0


@contextlib.contextmanager
def routed(folder: Path, kind: str) -> Iterator[Profile]:
    """A module that reaches a server with such a key, and one without TLS."""
    context = server_context(folder, authority(kind).issue(HOST, kind=kind))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as boards speak it
    with serving(None) as plain, serving(context) as secret:
        ports = {7000: plain.port, 7443: secret.port}
        routes = {(HOST, here): ("127.0.0.1", there) for here, there in ports.items()}
        yield Profile(routes=routes)


def flash(folder: Path, kind: str, compiled: bool) -> None:
    """The driver, the program and its issuer's certificate as a board's files."""
    folder.mkdir()
    if compiled:
        deployed.put(folder, "lib/c1100/")
    else:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "lib" / "c1100", folder / "lib" / "c1100", ignore=ignore)
    shutil.copy(PROGRAMS / "tls_heap.py", folder / "main.py")
    (folder / "ca.der").write_bytes(authority(kind).own.der)


def smallest(board: Path, profile: Profile) -> int:
    """KB: it works in this heap and in each larger one that was tried."""
    least = ENOUGH_KB
    while all(tried(board, profile, least - STEP_KB) for _ in range(TIMES)):
        least -= STEP_KB
    return least


def tried(board: Path, profile: Profile, heap_kb: int) -> list[str]:
    """What it has told of its heap; nothing when it was too small."""

    def module(timeline, send) -> VirtualC1100:
        return VirtualC1100(timeline, profile, send)

    with Bench(Board(flash_folder(board), heap=f"{heap_kb}K"), module, stuck_s=60) as bench:

        def lines() -> list[str]:
            return [line for _, line in bench.console]

        def over() -> bool:
            return any(line == "done" or line.startswith("Traceback") for line in lines())

        with contextlib.suppress(BoardError, BoardStopped):  # not even the board starts in it
            bench.run(until=over, limit_s=LIMIT_S)
        if "done" not in lines():
            return []
        return [line.removeprefix("heap ") for line in lines() if line.startswith("heap ")]


if __name__ == "__main__":
    sys.exit(main())
