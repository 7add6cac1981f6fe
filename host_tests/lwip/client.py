"""lwIP's PPP as a process (client.c), on the wire of a virtual module."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tools import installed

CLIENT = Path(__file__).resolve().parents[2] / "build" / "lwip" / "client"


class Lwip:
    """`command(line)` -> what it says to that. Raises PeerMissing."""

    def __init__(self) -> None:
        installed.require("lwIP")
        self._process = subprocess.Popen(
            [CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Lwip":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def command(self, line: str) -> list[str]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        said = []
        while (word := process.stdout.readline().rstrip("\n")) != ".":
            assert word, "lwIP has ended"
            said.append(word)
        return said


class LwipClient:
    """lwIP on a rig's line (rig.py). Call `step` until what you wait for has happened.

    status -- what it has said of the link so far: 0 up, else PPPERR_* of lwIP's ppp.h
    up -- address, gateway, DNS server, MTU; None before
    """

    def __init__(self, lwip: Lwip, rig) -> None:
        self._lwip = lwip
        self._rig = rig
        self.status: list[int] = []
        self.up: tuple[str, ...] | None = None
        self.body = b""
        self.ended: int | None = None
        self.heard = b""

    def say(self, line: str) -> None:
        """A command of client.c."""
        for word in self._lwip.command(line):
            kind, _, rest = word.partition(" ")
            if kind == "o":
                self._rig.module.receive(bytes.fromhex(rest))
            elif kind == "status":
                self.status.append(int(rest))
            elif kind == "up":
                self.up = tuple(rest.split())
            elif kind == "d":
                self.body += bytes.fromhex(rest)
            else:
                assert kind == "end", word
                self.ended = int(rest)

    def step(self, seconds: float = 0.05) -> None:
        """Let time pass and handle what came."""
        self._rig.wait(seconds)
        self.say(f"t {int(self._rig.now * 1000)}")
        if data := self._rig.take():
            self.heard += data
            self.say(f"i {data.hex()}")

    def until(self, condition, seconds: float = 60.0) -> None:
        """Step until `condition()`; fails after so much virtual time."""
        end = self._rig.now + seconds
        while not condition():
            assert self._rig.now < end, f"lwIP does not get on: {self.status}"
            self.step()

    def open(self, *login: str) -> None:
        """Call, and wait until the link is up or has failed."""
        said = len(self.status)
        self.up = None
        self.say(f"t {int(self._rig.now * 1000)}")
        self.say(" ".join(("open", *login)))
        self.until(lambda: len(self.status) > said)

    def close(self) -> None:
        """End the link in good order."""
        said = len(self.status)
        self.say("close")
        self.until(lambda: len(self.status) > said)

    def get(self, host: str, port: int, path: str, seconds: float = 300.0) -> bytes:
        """The body of a page."""
        self.body, self.ended = b"", None
        self.say(f"get {host} {port} {path}")
        self.until(lambda: self.ended is not None, seconds)
        assert self.ended == 0, f"err_t {self.ended}"
        return self.body.partition(b"\r\n\r\n")[2]


@contextlib.contextmanager
def served() -> Iterator[int]:
    """The port at which the first to call has an lwIP of its own; for a network.PPP that is made
    of it on another interpreter (plug/programs/lwip_network.py).
    """
    installed.require("lwIP")
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                process = subprocess.Popen([CLIENT], stdin=connection, stdout=connection)
            stack.callback(process.wait)
            stack.callback(process.terminate)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
