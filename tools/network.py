"""Waiting for real network peers while virtual time stands still."""

import select
import time
from collections.abc import Callable, Sequence
from typing import Protocol

LIMIT_S = 10.0
LOOK_S = 0.02  # between looks at whether an answer is still likely


class Peer(Protocol):
    """A real network connection of the virtual module."""

    @property
    def pending(self) -> bool:
        """An answer is due, for which virtual time must wait."""
        ...

    @property
    def want_read(self) -> bool: ...
    @property
    def want_write(self) -> bool: ...
    def fileno(self) -> int: ...
    def on_ready(self) -> None: ...


class Network:
    """The peers of one module. `limit_s`: real seconds after which an answer counts as lost."""

    def __init__(self, peers: Callable[[], Sequence[Peer]], limit_s: float = LIMIT_S) -> None:
        self._peers = peers
        self._limit_s = limit_s
        self._given_up: set[int] = set()
        self.timeouts = 0

    def settle(self) -> bool:
        """Let every peer do what it can, and wait for those that owe an answer.

        Returns False when one of them did not answer within the limit: for the node this is a
        network that lost it.
        """
        peers = self._peers()
        if not peers:
            return True
        limit = time.monotonic() + self._limit_s
        while peers:
            pending = {id(peer) for peer in peers if peer.pending}
            self._given_up &= pending
            owed = bool(pending - self._given_up)
            by_fd = {peer.fileno(): peer for peer in peers if peer.fileno() >= 0}
            reads = [fd for fd, peer in by_fd.items() if peer.want_read]
            writes = [fd for fd, peer in by_fd.items() if peer.want_write]
            left = max(0.0, limit - time.monotonic()) if owed else 0.0
            readable, writable, _ = select.select(reads, writes, [], min(left, LOOK_S))
            for fd in dict.fromkeys(readable + writable):
                by_fd[fd].on_ready()
            peers = self._peers()
            if readable or writable:
                continue
            if not owed:
                return True
            if not left:
                self._given_up |= pending
                self.timeouts += 1
                return False
        return True
