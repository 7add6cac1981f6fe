"""Real connections behind the radio: what comes from the network takes its time and its turn."""

from weakref import WeakKeyDictionary

from tools.virtual_c1100.peers import Peer
from tools.virtual_c1100.radio import Radio, Transfer


class OverAir:
    """A peer of the module, as the owner of the clock sees it.

    When the peer has something to read, the radio receives it first: at once in an RRC
    connection, else after the next paging occasion; while the module cannot be reached, it waits
    in the network.
    """

    def __init__(self, radio: Radio, peer: Peer) -> None:
        self._radio = radio
        self._peer = peer
        self._transfer: Transfer | None = None

    @property
    def _on_its_way(self) -> bool:
        return self._transfer is not None and self._transfer.open

    @property
    def want_read(self) -> bool:
        return self._radio.act is not None and self._peer.want_read and not self._on_its_way

    @property
    def want_write(self) -> bool:
        return self._peer.want_write

    @property
    def pending(self) -> bool:
        """Virtual time must wait for the other end; not while it is the radio that takes time."""
        return self._radio.act is not None and self._peer.pending and not self._on_its_way

    def fileno(self) -> int:
        return self._peer.fileno()

    def on_ready(self) -> None:
        """Readable or writable."""
        if self._peer.want_write:
            self._peer.on_ready()  # connecting, or room again for what has been sent already
        elif self.want_read:
            self._transfer = self._radio.receive(
                self._peer.arrived(), self._peer.cause, self._deliver
            )

    def _deliver(self) -> None:
        if self._peer.want_read:
            self._peer.on_ready()


class Sky:
    """The wrappers, one for each peer for as long as it lives."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._known: WeakKeyDictionary[Peer, OverAir] = WeakKeyDictionary()

    def over(self, peer: Peer) -> OverAir:
        """`peer` behind the radio."""
        if peer not in self._known:
            self._known[peer] = OverAir(self._radio, peer)
        return self._known[peer]
