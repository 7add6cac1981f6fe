"""One UART: commands in order, their answers, URCs, prompts.

One task reads. A line is classified once: by the command that is waiting, else by its prefix in
the URC table. A command that timed out or was cancelled keeps its place until its result code has
come or until synchronisation is proved, so a late answer is never taken for the next one.
"""

import asyncio
import time

from micropython import const

from . import at, dialect
from .ring import LineRing

_BUSY_MS = const(5)  # how often the UART is looked at while a command waits
_IDLE_MS = const(20)  # and otherwise
_IRQ_MS = const(500)  # and when the port tells of an idle line by itself
_SYNC_S = const(2)  # patience with one synchronising question
_SILENCE_MS = const(300)  # longer than any pause between answers that were asked for together
_URCS = const(16)  # URCs that wait for their callbacks

# What the channel knows about the module (design: modes are explicit).
OFF = const(0)  # no supply, or switched off
UNKNOWN = const(1)  # anything: proved by probe() before the next command
COMMAND = const(2)  # answers commands
ASLEEP = const(5)  # PSM: the UART is dead until the module is woken


class _Exchange:
    """A command on the wire, and what has come back for it."""

    def __init__(self, form: dialect.Form, line: str, sync: bool = False) -> None:
        self.form = form
        self.line = line
        self.sync = sync  # result codes in front of its information response are older
        self.lines = []  # information response
        self.code = None  # result code
        self.outcome = None  # the line that form.then asks for
        self.error = None
        self.sent = False  # completely out of the UART: an answer can belong to it
        self.done = asyncio.Event()
        self.deadline = None  # ticks_ms

    def complete(self) -> bool:
        return self.code is not None and (not self.form.then or self.outcome is not None)

    def fail(self, error: at.C1100Error) -> None:
        self.error = error
        self.done.set()


class Channel:
    """Commands and URCs over a stream.

    stream -- machine.UART or anything with its readinto() and write(); reads must not block
    size   -- bytes of the longest line
    """

    def __init__(self, stream, size: int = 1024) -> None:
        self.stream = stream
        self.ring = LineRing(size)
        self.mode = UNKNOWN
        self.settings_lost = True  # ATV, ATE and the URC settings are not what we set
        self.gate = None  # async callable before each command: wakes, restores
        # name -> count; "lost:+PREFIX" for URCs dropped because their callbacks were too slow
        self.stats = {"commands": 0, "timeouts": 0, "late": 0, "unknown": 0, "reboots": 0}
        self.last_unknown = ""  # the last line that nothing was waiting for
        self.silent = 0  # commands without an answer in a row
        self.numeric = False  # ATV0 was confirmed, ATE0 too: anything else tells of a restart
        self.quiet = False
        self._lock = asyncio.Lock()
        self._exchange = None  # the command that is waiting
        self._stale = None  # one that was given up while its answer may still come
        self._owed = 0  # synchronising questions that have not been answered
        self._heard = 0  # lines, to tell silence
        self._callbacks = {}
        self._urcs = []
        self._urc_event = asyncio.Event()
        self._tasks = []
        self._flag = None

    # Commands -------------------------------------------------------------------------------

    async def run(self, form: dialect.Form, *args, wait: float | None = None) -> list:
        """Send a command of the dialect and wait for its result code.

        args -- values of the form's fields, in order
        wait -- seconds instead of the form's own

        Returns the lines of the information response as str; for a form with an outcome line
        (``then``) that line is the last. Raises BadArgument before anything is sent, Timeout,
        CommandError, CmeError, CmsError, Rebooted, Asleep.
        """
        return await self._guarded(form, at.render(form.send, args), wait)

    async def raw(self, command: str, wait: float) -> list:
        """Send a command given as text and return the lines of its information response.

        Lines that are known URCs are not taken for an answer, unless they have the command's own
        name. Raises what run() raises.
        """
        command = at.check_line(command).strip()
        form = dialect.find(command)
        if form is None:
            name = at.prefix(command.split("?")[0])
            form = dialect.Form(name, "*" + name.upper(), "", "", wait, False, "caller")
        return await self._guarded(form, command, wait)

    async def _guarded(self, form: dialect.Form, line: str, wait: float | None) -> list:
        async with self._lock:
            if self.gate is not None:
                await self.gate()
            return await self.transact(form, line, wait)

    async def ask(self, form: dialect.Form, *args) -> list:
        """Run a question and return the parameters of its answer (at.params).

        Repeats it once when bytes were lost. Raises what run() raises, and BadAnswer.
        """
        try:
            return self._answer(form, await self.run(form, *args))
        except (at.Timeout, at.BadAnswer):
            return self._answer(form, await self.run(form, *args))

    def _answer(self, form: dialect.Form, lines: list) -> list:
        if not lines:
            raise at.BadAnswer("no information response", form.send)
        return [lines[0]] if form.answer in ("#", "*") else at.params(lines[0])

    async def transact(self, form: dialect.Form, line: str, wait: float | None = None) -> list:
        """run() without the lock and the gate: for the gate itself, which holds the lock."""
        self.start()
        if self._stale is not None:
            await self._resync()
        return await self._transact(form, line, wait)

    async def _transact(
        self, form: dialect.Form, line: str, wait: float | None, sync: bool = False
    ) -> list:
        self._drain()  # what came before the command cannot be its answer
        exchange = self._exchange = _Exchange(form, line, sync)
        self.stats["commands"] += 1
        try:
            await self._send(line, form)
            exchange.sent = True
            ms = int((form.wait if wait is None else wait) * 1000)
            exchange.deadline = time.ticks_add(time.ticks_ms(), ms)
            self._kick()
            await exchange.done.wait()
        finally:
            self._exchange = None
            if exchange.code is None and not isinstance(exchange.error, at.Rebooted):
                self._stale = exchange  # timed out or cancelled: its answer may still come
                self._owed += sync
        if exchange.error is not None:
            raise exchange.error
        if exchange.outcome is not None:
            exchange.lines.append(exchange.outcome)
            values = at.params(exchange.outcome)
            if not values or values[-1] in (0, "ERROR"):
                raise at.CommandError(exchange.outcome, form.send)
        return exchange.lines

    async def _send(self, line: str, form: dialect.Form) -> None:
        data = memoryview(b"AT" + line.encode() + b"\r")
        write = self.stream.write
        patience = 200  # x 5 ms
        while data:
            n = write(data)
            if n:
                data = data[n:]
                continue
            patience -= 1
            if not patience:
                raise at.Timeout("the UART takes no more bytes: flow control?", form.send)
            await asyncio.sleep_ms(_BUSY_MS)
        txdone = getattr(self.stream, "txdone", None)
        if txdone is not None:
            while not txdone():
                await asyncio.sleep_ms(1)

    # Synchronisation ------------------------------------------------------------------------

    async def _resync(self) -> None:
        """Prove that nothing is outstanding any more.

        The module answers in order. So once a question of another prefix than the lost command's
        has its information response and its result code, everything before it has been answered.
        """
        stale = self._stale
        if not stale.sent:
            self.stream.write(b"\r")  # ends what was cut off in the middle of the line
        for question in dialect.SYNC:
            if question.answer == stale.form.answer:
                continue
            try:
                await self._transact(question, question.send, _SYNC_S, sync=True)
            except at.Timeout:
                self._stale = stale
                continue
            self._stale = None
            if self._owed:
                await self._settle()
            return
        self.mode = UNKNOWN
        raise at.Timeout("the module answers nothing since this command", stale.form.send)

    async def _settle(self) -> None:
        """Let the answers to earlier questions pass, until the line is silent."""
        heard = -1
        while heard != self._heard:
            heard = self._heard
            await asyncio.sleep_ms(_SILENCE_MS)
        self._owed = 0

    async def probe(self, patience_ms: int = 1100) -> bool:
        """Find out whether the module answers, whatever state it and the line are in.

        The first AT is a sacrifice: a sleeping UART eats it. Any result code counts. Afterwards
        the channel is synchronised and in COMMAND mode, or it is UNKNOWN and False is returned.
        """
        self.start()
        begin = time.ticks_ms()
        wait = 0.1
        while True:
            try:
                await self._transact(dialect.ATTENTION, "", wait)
                break
            except at.CommandError:
                break
            except (at.Timeout, at.Rebooted):
                self._stale = None
            if time.ticks_diff(time.ticks_ms(), begin) >= patience_ms:
                self.mode = UNKNOWN
                return False
            wait = 0.333
        # Several AT may be outstanding now: their answers are flushed like a stale command's.
        self._stale = _Exchange(dialect.ATTENTION, "")
        self._stale.sent = True
        try:
            await self._resync()
        except (at.Timeout, at.Rebooted):
            return False
        self.mode = COMMAND
        return True

    # URCs -----------------------------------------------------------------------------------

    def on(self, name: str, callback) -> None:
        """Call ``callback(params)`` for each URC of a prefix.

        Callbacks run in a task of their own, one after the other; what one returns is awaited if
        it is a coroutine, so it may issue commands. State URCs coalesce to the latest; when 16
        wait already, an event is dropped and counted in stats["lost:<prefix>"].
        """
        self._callbacks.setdefault(name, []).append(callback)

    def off(self, name: str, callback) -> None:
        """Undo on(). Does nothing when the callback is not there."""
        callbacks = self._callbacks.get(name, [])
        if callback in callbacks:
            callbacks.remove(callback)

    def _urc(self, name: str, line: str) -> None:
        if line in dialect.BANNERS:
            self._rebooted()
            return
        if name not in dialect.URCS and name not in self._callbacks:
            self.stats["unknown"] += 1
            self.last_unknown = line
            return
        if not self._callbacks.get(name):
            return
        queue = self._urcs
        if dialect.URCS.get(name):
            for entry in queue:
                if entry[0] == name:
                    entry[1] = line
                    return
        if len(queue) >= _URCS:
            key = "lost:" + name
            self.stats[key] = self.stats.get(key, 0) + 1
            return
        queue.append([name, line])
        self._urc_event.set()

    async def _dispatch(self) -> None:
        while True:
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
            asyncio.get_event_loop().call_exception_handler(
                {"message": "callback of " + name, "exception": error, "future": None}
            )

    def _rebooted(self) -> None:
        self.stats["reboots"] += 1
        self.settings_lost = True
        self.numeric = self.quiet = False
        self.mode = UNKNOWN
        self._stale = None
        exchange = self._exchange
        if exchange is not None and exchange.sent:
            exchange.fail(at.Rebooted("the module restarted", exchange.form.send))

    # Reading --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start reading. Called by the first command; needs a running event loop."""
        if self._tasks:
            return
        irq = getattr(self.stream, "irq", None)
        trigger = getattr(self.stream, "IRQ_RXIDLE", None)
        if irq is not None and trigger is not None:
            self._flag = asyncio.ThreadSafeFlag()
            irq(handler=self._on_idle_line, trigger=trigger)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._dispatch())]

    def close(self) -> None:
        """Stop reading. A command that waits raises Timeout."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        if self._flag is not None:
            self.stream.irq(handler=None)
            self._flag = None
        if self._exchange is not None:
            self._exchange.fail(at.Timeout("channel closed", self._exchange.form.send))

    def _on_idle_line(self, _) -> None:
        self._flag.set()

    def _kick(self) -> None:
        if self._flag is not None:
            self._flag.set()

    async def _read(self) -> None:
        readfrom = self.ring.readfrom
        while True:
            while readfrom(self.stream):
                self._drain_ring()
            exchange = self._exchange
            if exchange is None or exchange.deadline is None:
                pause = _IDLE_MS
            else:
                pause = time.ticks_diff(exchange.deadline, time.ticks_ms())
                if pause <= 0:
                    self._expire(exchange)
                    continue
                pause = min(pause, _BUSY_MS)
            if self._flag is None:
                await asyncio.sleep_ms(pause)
            else:
                await self._wait_flag(exchange)

    async def _wait_flag(self, exchange: _Exchange | None) -> None:
        """Until the line has gone idle, a command wants its deadline seen, or the deadline."""
        pause = _IRQ_MS
        if exchange is not None and exchange.deadline is not None:
            pause = min(pause, time.ticks_diff(exchange.deadline, time.ticks_ms()))
        try:
            await asyncio.wait_for_ms(self._flag.wait(), max(pause, 1))
        except asyncio.TimeoutError:
            return

    def _expire(self, exchange: _Exchange) -> None:
        exchange.deadline = None
        self.stats["timeouts"] += 1
        self.silent += 1
        exchange.fail(at.Timeout("no result code", exchange.form.send))

    def _drain(self) -> None:
        while self.ring.readfrom(self.stream):
            self._drain_ring()

    def _drain_ring(self) -> None:
        while True:
            view = self.ring.line()
            if view is None:
                return
            line = at.text(view)
            if line:
                self._classify(line)

    def _classify(self, line: str) -> None:
        self._heard += 1
        name = at.prefix(line)
        exchange = self._exchange
        if exchange is not None and self._take(exchange, name, line):
            return
        stale = self._stale
        if stale is not None and self._take_late(stale, name, line):
            return
        self._urc(name, line)

    def _take(self, exchange: _Exchange, name: str, line: str) -> bool:
        """Whether a line belongs to the command that waits; if so, take it."""
        form = exchange.form
        if not exchange.lines and self._is_echo(exchange, line):
            return True
        if not exchange.sent or exchange.error is not None:
            return False
        code = at.result(line)
        error = at.error(line, form.send) if code is None else None
        if code == at.RING:
            return False
        if code is not None or error is not None:
            self.silent = 0
            if exchange.sync and not exchange.lines:
                self.stats["late"] += 1
                return True
            if exchange.code is not None:
                return False
            self._finish(exchange, at.ERROR if code is None else code, line, error)
            return True
        if form.then and name == form.then:
            exchange.outcome = line
            if exchange.complete():
                exchange.done.set()
            return True
        if exchange.code is None and self._answers(form, name, line):
            exchange.lines.append(line)
            return True
        return False

    def _finish(
        self, exchange: _Exchange, code: int, line: str, error: at.CmeError | None
    ) -> None:
        exchange.code = code
        if self.numeric and error is None and not line[0].isdigit():
            self.settings_lost = True  # ATV0 has been forgotten: the module restarted unseen
        if code in (at.ERROR, at.NO_CARRIER):
            exchange.fail(error or at.CommandError(line, exchange.form.send))
        elif exchange.complete():
            exchange.done.set()

    def _answers(self, form: dialect.Form, name: str, line: str) -> bool:
        if form.answer == "#":
            return line.isdigit() and len(line) > 1
        if form.answer[:1] == "*" and name != form.answer[1:]:
            return name not in dialect.URCS and line not in dialect.BANNERS
        if form.answer[:1] == "*":
            return True
        if not form.answer or name != form.answer:
            return False
        return not form.shape or at.fits(at.params(line), form.shape)

    def _is_echo(self, exchange: _Exchange, line: str) -> bool:
        """Whether a line is the command itself, or what is left of it, coming back."""
        sent = "AT" + exchange.line
        line = line.rstrip()
        if len(line) < 2 or not (sent.startswith(line) or sent.endswith(line)):
            return False
        if at.result(line) is not None:
            return False
        if self.quiet:
            self.settings_lost = True  # ATE0 has been forgotten: the module restarted unseen
        return True

    def _take_late(self, stale: _Exchange, name: str, line: str) -> bool:
        """Whether a line belongs to a command that was given up; if so, drop and count it."""
        code = at.result(line)
        if (code is not None and code != at.RING) or at.error(line) is not None:
            self._stale = None
        elif not self._answers(stale.form, name, line):
            return False
        self.stats["late"] += 1
        return True
