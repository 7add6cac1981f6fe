"""What a module tells unasked: URCs, handed to callbacks one after the other, and restarts."""

import asyncio

from micropython import const

from . import at, dialect, payload
from .line import Line, running

_URCS = const(16)  # URCs that wait for their callbacks


class Events(Line):
    """A line whose URCs find their callbacks."""

    def __init__(self, stream, size: int) -> None:
        Line.__init__(self, stream, size)
        self.on_restart = []  # called without arguments when the module has restarted
        self.settings_lost = True  # ATV, ATE and the URC settings are not what was set
        self.numeric = False  # ATV0 was seen to hold: a verbose result code tells of a restart
        self.quiet = False  # and ATE0: so does an echo
        self.last_unknown = ""
        self._known = {}  # dialect.urcs(), with or without LS
        for name, state in dialect.urcs().items():
            self._known[at.bare(name)] = state
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

    def off(self, name: str, callback) -> None:
        """Undo on(). Does nothing when the callback is not there."""
        callbacks = self._callbacks.get(at.bare(name), [])
        if callback in callbacks:
            callbacks.remove(callback)

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
        if bare in self._known or bare in self._callbacks:
            ring = self.ring
            callbacks = self._callbacks.setdefault(bare, [])
            state = self._known.get(bare, False)
            if name != dialect.LEFT_PSM and " " not in name:
                ring.learn(name, callbacks, state)
            if ring.count == len(ring.events):
                self._deliver()
            ring.put((b"", name, "", callbacks, state), at.params(line))
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
        while True:
            i = 0
            while i < ring.count:
                name = events[i]
                callbacks = name[3]
                values = events[i + 1]
                i += 2
                if self._courier is not None:
                    if callbacks:
                        self._queue(name, values)
                elif len(callbacks) == 1:
                    try:
                        pending = callbacks[0](values)
                        if pending is not None and hasattr(pending, "send"):
                            self._send(name, values, callbacks, pending)
                    except (Exception, asyncio.CancelledError) as error:  # it is the callback's
                        self.report("callback of " + name[1], error)
                elif callbacks:
                    self._send(name, values, callbacks, None)
            ring.count = 0
            yield

    def _queue(self, name: tuple, values: list) -> None:
        """Let an event wait for its callbacks."""
        urcs = self._urcs
        if name[4]:
            for i in range(0, len(urcs), 2):
                if urcs[i][3] is name[3]:
                    urcs[i + 1] = values
                    return
        if len(urcs) < 2 * _URCS:
            urcs.append(name)
            urcs.append(values)
        else:
            key = "lost " + name[1]
            self.stats[key] = self.stats.get(key, 0) + 1

    def _send(self, name: tuple, values: list, callbacks: list, pending) -> None:
        job = self._carry(name, values, list(callbacks), pending)
        self._courier = asyncio.create_task(job)

    async def _carry(self, name: tuple, values: list, callbacks: list, pending) -> None:
        """Call one callback after the other, and wait for what each has begun; then go on with
        what waits.

        pending -- what the first one has begun, if it was called already
        """
        try:
            while True:
                for callback in callbacks:
                    if pending is None:
                        pending = self._call(callback, name, list(values))
                    if pending is not None:
                        try:
                            await pending
                        except Exception as error:  # it must not stop the others
                            self.report("callback of " + name[1], error)
                        pending = None
                if not self._urcs:
                    return
                name = self._urcs.pop(0)
                values = self._urcs.pop(0)
                callbacks = list(name[3])
        finally:
            self._courier = None
            if self._urcs and not self.closed:
                name = self._urcs.pop(0)
                self._send(name, self._urcs.pop(0), name[3], None)

    def _call(self, callback, name: tuple, values: list):
        """What a callback has begun, and is to be awaited; None if it is done."""
        try:
            pending = callback(values)
            return pending if hasattr(pending, "send") else None
        except (Exception, asyncio.CancelledError) as error:  # it must not stop the others
            self.report("callback of " + name[1], error)

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
