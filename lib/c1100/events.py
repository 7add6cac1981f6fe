"""What a module tells unasked: URCs, handed to callbacks one after the other, and restarts."""

import asyncio

from micropython import const

from . import apart, at, dialect, payload
from .line import Line, running

TYPE_CHECKING = const(0)  # those who check types take it for true

_APART = " off queue_up carry =courier  check_payload hasten_payload =overdue "


class Events(Line):
    """A line whose URCs find their callbacks."""

    if TYPE_CHECKING:
        from .courier import carry, off, queue_up
        from .overdue import check_payload, hasten_payload
    else:

        def __getattr__(self, name: str):
            return apart.find(self, Events, _APART, name)

    def __init__(self, stream, size: int) -> None:
        Line.__init__(self, stream, size)
        self.on_restart = []  # called without arguments when the module has restarted
        self.settings_lost = True  # ATV, ATE and the URC settings are not what was set
        self.numeric = False  # ATV0 was seen to hold: a verbose result code tells of a restart
        self.quiet = False  # and ATE0: so does an echo
        self.last_unknown = ""
        self._known: dict | None = None  # dialect.urcs(), with or without LS, once one has come
        self._callbacks = {}  # likewise
        self._urcs = []  # what waits for its callbacks: name, parameters, name, parameters, ...
        self._deliveries = self._delivering()
        self._courier: asyncio.Task | None = None  # waits for what a callback has begun

    def on(self, name: str, callback) -> None:
        """Call ``callback(params)`` for each URC of a prefix.

        Callbacks run one after the other, between reads; what one returns is awaited in a task of
        its own if it is a coroutine, so it may issue commands. State URCs coalesce to the latest;
        when 16 wait already, an event is dropped and counted in stats["lost <prefix>"].
        """
        self._callbacks.setdefault(at.bare(name), []).append(callback)

    def _urc(self, name: str, line: str) -> None:
        """Queue a line for its callbacks."""
        handler = payload.find(self.payloads, name)
        if handler is not None and handler.fields:  # what should have been a payload's header
            self.stats["short payloads"] += 1
            payload.spoil(handler, line)
        if line.rstrip() in dialect.BANNERS:
            self._rebooted()
            return
        if name == dialect.LEFT_PSM:  # here, so that no later command is taken for the lost one
            self.forgotten()
            self._interrupt("the module has left PSM")
        watcher = payload.find(self.watchers, name)
        if watcher is not None:
            watcher(line)
        bare = at.bare(name)
        known = self._known
        if known is None:
            known = self._known = {at.bare(key): state for key, state in dialect.urcs().items()}
        if bare in known or bare in self._callbacks:
            ring = self.ring
            callbacks = self._callbacks.setdefault(bare, [])
            state = known.get(bare, False)
            if name != dialect.LEFT_PSM and watcher is None and " " not in name:
                ring.learn(name, callbacks, state)
            if ring.count == len(ring.events):
                self._deliver()
            ring.put([b"", 0, name, callbacks, state], at.params(line))
        else:
            self.stats["unknown"] += 1
            self.last_unknown = line

    def _deliver(self) -> None:
        """Call the callbacks of the ring's events; of those behind one that begins something that
        takes time, later.
        """
        next(self._deliveries)

    def _delivering(self):
        """What _deliver() does, as a generator: it allocates nothing for itself."""
        ring = self.ring
        events = ring.events
        size = len
        while True:
            i = 0
            n = ring.count
            busy = self._courier is not None
            while i < n:
                name = events[i]
                callbacks = name[3]
                values = events[i + 1]
                i += 2
                if name[4] and i < n:  # a state: only the latest counts
                    later = i
                    while later < n and events[later][3] is not callbacks:
                        later += 2
                    if later < n:
                        continue
                if busy:
                    if callbacks:
                        self.queue_up(name, values)
                elif size(callbacks) == 1:
                    try:
                        pending = callbacks[0](values)
                        if pending is not None and hasattr(pending, "send"):
                            self.carry(name, values, callbacks, pending)
                            busy = True
                    except (Exception, asyncio.CancelledError) as error:  # it is the callback's
                        self.report("callback of " + name[2], error)
                elif callbacks:
                    self.carry(name, values, callbacks, None)
                    busy = True
            ring.count = 0
            yield

    def _restarted(self) -> None:
        self.stats["reboots"] += 1
        self.forgotten()

    def forgotten(self) -> None:
        """The module's firmware has begun anew: what it was told is gone."""
        self.settings_lost = True
        self.numeric = self.quiet = False
        for callback in list(self.on_restart):
            try:
                callback()
            except Exception as error:
                self.report("callback of a restart", error)

    def _rebooted(self) -> None:
        self._restarted()
        self._interrupt("the module restarted")

    def close(self) -> None:
        """No callback is called any more."""
        Line.close(self)
        for callbacks in self._callbacks.values():
            callbacks.clear()
        self._urcs = []
        self.watchers = {}

    def _stop(self) -> None:
        if self._courier is not None and self._courier is not running():
            self._courier.cancel()
        Line._stop(self)

    def _interrupt(self, why: str, dark: bool = False) -> None:
        """What was asked before will not be answered."""
