"""A virtual module on virtual time with its network peers served, as the tests drive it."""

import select
import time
import tomllib
from collections.abc import Callable
from typing import Any

from host_tests.patience import LIMIT_S, until
from tools.timeline import Timeline
from tools.virtual_c1100 import Profile, VirtualC1100
from tools.virtual_c1100.peers import Peer

ANSWER_S = 0.3  # most servers are of the test's own thread: they say what it has them say


class Rig:
    """A module and the DTE's end of its line.

    on -- boot it and wait until it is registered
    form -- "ATV0" or "ATV1", with "E0" or "E1": set before anything else; None leaves defaults
    """

    def __init__(self, profile: Profile | None = None, *, on: bool = True, form: str = "") -> None:
        self.timeline = Timeline()
        self.received = bytearray()
        self.pins: list[tuple[float, str, bool]] = []
        profile = profile or Profile()
        profile.peer_answer_s = min(profile.peer_answer_s, ANSWER_S)
        self.module = VirtualC1100(self.timeline, profile, self.received.extend)
        self.module.on_pin = lambda name, level: self.pins.append((self.now, name, level))
        if on:
            self.module.power_on()
            self.wait(10)
        if form:
            self.ask(b"AT" + form.encode() + b"\r")
            self.take()

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self.timeline.now_us / 1e6

    def wait(self, seconds: float) -> None:
        """Let virtual time pass; it stands still while a peer owes an answer."""
        end = self.timeline.now_us + round(seconds * 1e6)
        while True:
            self.serve()
            due = self.timeline.next_us()
            if due is None or due > end:
                break
            self.timeline.advance_to(due)
        self.timeline.advance_to(end)

    def serve(self) -> None:
        """Let the network peers do what they can; wait for those that owe an answer."""
        limit = time.monotonic() + LIMIT_S
        while peers := self.module.peers():
            waits = any(peer.pending for peer in peers)
            ready = _ready(peers, 0.05 if waits else 0)
            for peer in ready:
                peer.on_ready()
            if not ready and not waits:
                return
            assert time.monotonic() < limit, "a network peer did not answer"

    def hear(self, what: Callable[[], object] | None = None) -> None:
        """Wait in real time for unannounced network traffic: until `what` holds, else until
        something is at one of our sockets and has been taken in, as far as the module listens.

        Virtual time stands still except while the radio receives.
        """
        if what is None:
            until(lambda: _arrived(self.module.peers()), "nothing has arrived")
            until(lambda: not self._take_in(), "it is not taken in")
        else:
            until(lambda: what() or (self._take_in() and what()), "it has not arrived")

    def linger(self, real_seconds: float) -> None:
        """Give network traffic that should not be there real time to arrive; see `hear`."""
        end = time.monotonic() + real_seconds
        while time.monotonic() < end:
            self._take_in()

    def _take_in(self) -> bool:
        """What is there now; whether anything was."""
        ready = _ready(self.module.peers(), 0.01)
        for peer in ready:
            peer.on_ready()
        while self.module.radio.at_work and (due := self.timeline.next_us()) is not None:
            self.timeline.advance_to(due)
        return bool(ready)

    def press(self, seconds: float) -> None:
        """Hold the power key."""
        self.module.set_pin("pwrkey", True)
        self.wait(seconds)
        self.module.set_pin("pwrkey", False)

    def send(self, data: bytes, seconds: float = 0.0) -> None:
        """The DTE sends; then virtual time passes."""
        self.module.receive(data)
        self.wait(seconds)

    def take(self) -> bytes:
        """What has arrived at the DTE since the last call."""
        data = bytes(self.received)
        self.received.clear()
        return data

    def ask(self, data: bytes, seconds: float = 0.5) -> bytes:
        """Send, wait, and take what came."""
        self.take()
        self.send(data, seconds)
        return self.take()

    def until(self, wanted: bytes, seconds: float = 60.0) -> bytes:
        """Wait until `wanted` has come, at most so long; everything up to now."""
        end = self.now + seconds
        while wanted not in self.received:
            assert self.now < end, f"{wanted!r} did not come, only {bytes(self.received)!r}"
            self.wait(0.05)
        return self.take()


def _arrived(peers: list[Peer]) -> bool:
    """Whether anything is at a socket, also at one that the module does not listen to."""
    found = [fd for peer in peers if (fd := peer.fileno()) >= 0]
    return bool(select.select(found, [], [], 0)[0])


def _ready(peers: list[Peer], timeout_s: float) -> list[Peer]:
    by_fd = {peer.fileno(): peer for peer in peers}
    reads = [fd for fd, peer in by_fd.items() if peer.want_read]
    writes = [fd for fd, peer in by_fd.items() if peer.want_write]
    readable, writable, _ = select.select(reads, writes, [], timeout_s)
    return [by_fd[fd] for fd in dict.fromkeys(readable + writable)]


def profile_with(settings: list[str], **values: Any) -> Profile:
    """A profile with settings in the form of the transcripts: `cell.rssi=7`."""
    profile = Profile(**values)
    for text in settings:
        for key, value in tomllib.loads(text).items():
            if isinstance(value, dict):
                for name, inner in value.items():
                    assert hasattr(getattr(profile, key), name), text
                    setattr(getattr(profile, key), name, inner)
            else:
                assert hasattr(profile, key), text
                setattr(profile, key, value)
    return profile
