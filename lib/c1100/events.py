"""What a module tells unasked: URCs, handed to callbacks in a task of their own, and restarts."""

import asyncio

from micropython import const

from . import at, dialect, payload
from .line import Line

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
        self.watchers = {}  # prefix -> callable that gets each URC's line at once
        self._known = {}  # dialect.urcs(), with or without LS
        for name, state in dialect.urcs().items():
            self._known[at.bare(name)] = state
        self._callbacks = {}  # likewise
        self._urcs = []
        self._urc_event = asyncio.Event()

    def on(self, name: str, callback) -> None:
        """Call ``callback(params)`` for each URC of a prefix.

        Callbacks run in a task of their own, one after the other; what one returns is awaited if
        it is a coroutine, so it may issue commands. State URCs coalesce to the latest; when 16
        wait already, an event is dropped and counted in stats["lost <prefix>"].
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
        if bare not in self._known and bare not in self._callbacks:
            self.stats["unknown"] += 1
            self.last_unknown = line
            return
        if not self._callbacks.get(bare):
            return
        if self._known.get(bare):
            for entry in self._urcs:
                if entry[0] == bare:
                    entry[1] = line
                    return
        if len(self._urcs) >= _URCS:
            key = "lost " + name
            self.stats[key] = self.stats.get(key, 0) + 1
            return
        self._urcs.append([bare, line])
        self._urc_event.set()

    async def _dispatch(self) -> None:
        while not self.closed:
            await self._urc_event.wait()
            self._urc_event.clear()
            while self._urcs:
                name, line = self._urcs.pop(0)
                for callback in list(self._callbacks.get(name, ())):
                    await self._call(name, callback, line)

    async def _call(self, name: str, callback, line: str) -> None:
        try:
            pending = callback(at.params(line))
            if hasattr(pending, "send"):
                await pending
        except Exception as error:  # a callback's fault must not stop the others
            self.report("callback of " + name, error)
        except asyncio.CancelledError:  # nor must what it waited for
            if asyncio.current_task() in self._tasks:
                self._tasks[1] = asyncio.create_task(self._dispatch())
                self._urc_event.set()
            raise

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
        self._callbacks = {}
        self._urcs = []
        self.watchers = {}

    def _jobs(self) -> list:
        return Line._jobs(self) + [self._dispatch()]

    def _interrupt(self, why: str, dark: bool = False) -> None:
        """What was asked before will not be answered."""
