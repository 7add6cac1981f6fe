"""Starts interpreters by forking: one prepared process, a fresh MicroPython per request.

Run as a script by `process.Launcher` (`python -I -S launcher.py FD BINARY [count] [rom=FILE]`),
not imported. Loading CPython and the interpreter's library costs tens of milliseconds, a fork one
or two; the fork happens before MicroPython has run at all, so each child initialises its own from
nothing.

FD is a stream socket. A request is one line of JSON, `{"argv": [...]}` with the child's
descriptors 0, 1, ... as ancillary data, answered by `{"pid": n, "counter": address}`, where it
counts its instructions if told to (`counting.py`), else 0; or `{"kill": pid}`. The end of each
child is announced as `{"exit": pid, "status": code}`, a signal as a negative code.
When the socket closes, every child is killed and the launcher ends.
"""

import ctypes
import importlib
import importlib.util
import json
import mmap
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence

MAX_FDS = 16
ROM = "rom="


def load(binary: str) -> Callable[[Sequence[str]], int]:
    """The interpreter's main function: of the extension module, or of an executable."""
    if not binary.endswith(".so"):
        return lambda argv: os.execve(binary, list(argv), dict(os.environ))
    spec = importlib.util.spec_from_file_location("micropython_run", binary)
    if spec is None or spec.loader is None:
        raise ImportError(f"{binary} is not a loadable MicroPython")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.run_main


def child(main: Callable[[Sequence[str]], int], argv: list[str], fds: list[int]) -> None:
    """Become the interpreter; does not return."""
    status = 127
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        # First out of the way of the low numbers, then onto them.
        high = [os.dup2(fd, 200 + n) for n, fd in enumerate(fds)]
        os.closerange(0, 200)
        for n, fd in enumerate(high):
            os.dup2(fd, n)
        os.closerange(200, 200 + len(high))
        status = main(argv)
    finally:
        os._exit(status & 0xFF)


def count(binary: str) -> int:
    """Let the interpreter count its instructions. Returns where; 0: it cannot."""
    return importlib.import_module("counting").install(os.path.realpath(binary))


def share(path: str) -> int:
    """Put a file into the memory of all children, for reading and writing. Returns where."""
    with open(path, "r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
    _kept.append(memory)
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


_kept: list[mmap.mmap] = []  # what children use must not be given back


def serve(
    control: socket.socket, main: Callable[[Sequence[str]], int], counter: int, rom: int
) -> None:
    """Answer requests until the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's business
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake, wake_in = os.pipe()
    for fd in (wake, wake_in):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake_in)
    running: set[int] = set()
    text, fds = b"", []

    def say(**message: int) -> None:
        control.sendall(json.dumps(message).encode() + b"\n")

    while True:
        ready, _, _ = select.select([control, wake], [], [])
        if wake in ready:
            os.read(wake, 512)
            while running:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                running.discard(pid)
                say(exit=pid, status=os.waitstatus_to_exitcode(status))
        if control not in ready:
            continue
        data, received, _, _ = socket.recv_fds(control, 65536, MAX_FDS)
        fds += received
        if not data:
            break
        text += data
        while b"\n" in text:
            line, text = text.split(b"\n", 1)
            request = json.loads(line)
            if "kill" in request:
                if request["kill"] in running:
                    os.kill(request["kill"], signal.SIGKILL)
                continue
            pid = os.fork()
            if pid == 0:
                child(main, request["argv"], fds)
            running.add(pid)
            for fd in fds:
                os.close(fd)
            fds = []
            say(pid=pid, counter=counter, rom=rom)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    os.environ.clear()
    entry = load(sys.argv[2])
    sys.path.insert(0, os.path.dirname(__file__))
    importlib.import_module("interrupting").install(os.path.realpath(sys.argv[2]))
    serve(
        socket.socket(fileno=int(sys.argv[1])),
        entry,
        count(sys.argv[2]) if "count" in sys.argv[3:] else 0,
        sum(share(each.removeprefix(ROM)) for each in sys.argv[3:] if each.startswith(ROM)),
    )
