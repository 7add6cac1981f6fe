"""One UART: commands in order, their answers, prompts, payloads and URCs.

One task reads. A line is classified once: by the command that is waiting, else by its prefix in
the URC table. A command that timed out or was cancelled keeps its place until its result code has
come or until synchronisation is proved, so a late answer is never taken for the next one.
"""

import asyncio
import time

from micropython import const

from . import at, dialect, payload
from .exchange import Exchange, is_error
from .ring import LineRing

_BUSY_MS = const(5)  # how often the UART is looked at while a command waits
_IDLE_MS = const(20)  # and otherwise
_IRQ_MS = const(300)  # and when the port tells of an idle line by itself: 3.5 KB at 115200
_WRITE_MS = const(2000)  # patience with a UART that takes no more bytes
_WRITTEN_MS = const(4)  # and with one that takes a byte now and then: more than a byte needs
_PROMPT_MS = const(50)  # pause between a prompt and its payload
_PAYLOAD_MS = const(3000)  # patience with a payload that does not go on
_STALL_MS = const(1000)  # and when a command is to be sent, whose answer it would take
_BYTE_MS = const(4)  # and with each of its bytes: 2 digits at 5000 baud
_TRICKLE_MS = const(100)  # a line that needs so long for a byte, or longer, is slow
_TRICKLES_MS = const(30000)  # patience with a payload on such a line
_MOST = const(65536)  # of its bytes count for that
_UNTOLD = const(4096)  # where no length was told
_TURN = const(4096)  # bytes read in a row: a module that never stops talking is not alone
_FAULT = const(64)  # a fault counts as so many
_REST_MS = const(2000)  # patience with the rest of an answer whose outcome is known
_MOMENT_MS = const(60)  # until nothing more comes that counts more than what has come
_GAP_MS = const(300)  # from one character of an answer to the next, on the slowest line
_SLOW_MS = const(5000)  # patience with an answer that arrives when its time is over
_SYNC_S = const(2)  # patience with one synchronising question
_SILENCE_MS = const(300)  # longer than any pause between answers that were asked for together
_SETTLE_MS = const(2000)  # by then answers to earlier questions have come
_DARK_LOOKS = const(3)  # at the status pin, before it is believed
_TORN_MS = const(3)  # more than two characters at 9600 baud: the line is silent
_TORN_READS = const(100)  # a module that never stops talking is not waited for
_PROMPT = const(62)  # ">"
_URCS = const(16)  # URCs that wait for their callbacks

PROBE_MS = const(1100)

# What the channel knows of the module. Modes are explicit; a transition that fails is UNKNOWN.
OFF = const(0)  # switched off
UNKNOWN = const(1)  # anything: proved by probe() before the next command
COMMAND = const(2)  # answers commands
DATA = const(3)  # the stream belongs to somebody else: transparent mode, PPP
ASLEEP = const(4)  # PSM: the UART is dead until the module is woken


class Channel:
    """Commands and URCs over a stream.

    stream -- machine.UART or anything with its readinto() and write(); reads must not block
    size   -- bytes of the longest line
    """

    def __init__(self, stream, size: int = 1024) -> None:
        self.stream = stream
        self._txdone = getattr(stream, "txdone", None)
        self.ring = LineRing(size)
        self.mode = UNKNOWN
        self.closed = False  # for good: nothing is read or written any more
        self.on_restart = []  # called without arguments when the module has restarted
        self.gate = _open  # before each command: wakes the module, gives it its settings back
        self.powered = _powered  # whether the module is, where a pin tells
        self.settings_lost = True  # ATV, ATE and the URC settings are not what was set
        self.numeric = False  # ATV0 was seen to hold: a verbose result code tells of a restart
        self.quiet = False  # and ATE0: so does an echo
        self.received = 0  # bytes
        self.silent = 0  # commands without an answer in a row
        # "lost <prefix>" is added for URCs that were dropped because their callbacks were slow
        self.stats = {
            "commands": 0,
            "timeouts": 0,
            "late": 0,  # lines of commands that had been given up
            "unknown": 0,  # lines that nothing was waiting for
            "reboots": 0,
            "short payloads": 0,
            "faults": 0,  # exceptions of callbacks, payload handlers and the stream itself
        }
        self.last_unknown = ""
        self.payloads = payload.unheard()  # prefix -> handler (payload.py)
        self.watchers = {}  # prefix -> callable that gets each URC's line at once
        self.sinks = {}  # first character -> callable that gets each such line: NMEA's "$"
        self._lock = asyncio.Lock()
        self._exchange: Exchange | None = None  # the command that is waiting
        self._untold = set()  # outcomes that the module does not tell, as far as is known
        self._wanted = asyncio.Event()  # it has been answered, or prompted
        self._deadline = None  # when it has waited long enough, in ticks_ms
        self._until = 0  # when it has, if what has come is not enough
        self._slow_ms = 0  # how much longer, if its answer is arriving by then
        self._life = 0  # when characters have last come that may be an answer's
        self._stale: Exchange | None = (
            None  # a command that was given up while its answer may still come
        )
        self._owed = 0  # synchronising questions that have not been answered
        self._heard = 0  # result codes that nobody waited for
        self._payload: payload.Payload | None = None  # the one that is being received
        self._payload_ms = 0  # when bytes have last come
        self._payload_began = 0
        self._payload_from = 0  # bytes that came before it
        self._payload_end = 0  # when it must be over
        self._known = {}  # dialect.URCS, with or without LS
        for name, state in dialect.URCS.items():
            self._known[at.bare(name)] = state
        self._callbacks = {}  # likewise
        self._urcs = []
        self._urc_event = asyncio.Event()
        self._tasks = []
        self._flag: asyncio.ThreadSafeFlag | None = None
        self._dark = 0  # looks in a row at a module without power

    # Commands -------------------------------------------------------------------------------

    async def run(self, form: dialect.Form, *args, wait: float | None = None, data=None) -> list:
        """Send a command of the dialect and wait for its result code.

        args -- values of the form's fields, in order
        wait -- seconds instead of the form's own
        data -- bytes for the prompt of a command that has one

        Returns the lines of the information response as str; for a form with an outcome line
        (``then``) that line is the last. Raises BadArgument before anything is sent, Timeout,
        CommandError, CmeError, CmsError, Rebooted, Asleep.
        """
        return (await self._guarded(form, at.render(form.send, args), wait, data)).lines

    async def raw(self, command: str, wait: float) -> list:
        """Send a command given as text and return the lines of its information response.

        A line with a name is an answer if that is the command's own; others are taken for URCs.
        Raises what run() raises.
        """
        command = at.check_line(command).strip()
        form = dialect.find(command) or dialect.find(command.upper())
        if form is None or not (form.answer or form.then):
            name = at.prefix(command.split("?")[0]).upper()
            form = dialect.Form(name, "*" + name, "", "", False, wait, False, "caller")
        return (await self._guarded(form, command, wait, None)).lines

    async def ask(self, form: dialect.Form, *args) -> list:
        """Run a question and return the values of its answer that its shape names (at.read); of
        an answer of any lines, each line.

        Repeats it once when bytes were lost. Raises what run() raises, and BadAnswer when there
        is no answer of that shape.
        """
        line = at.render(form.send, args)
        try:
            return _answer(await self._guarded(form, line))
        except (at.Timeout, at.BadAnswer):
            if not form.again:
                raise
            return _answer(await self._guarded(form, line))

    async def _guarded(
        self, form: dialect.Form, line: str, wait: float | None = None, data=None
    ) -> Exchange:
        async with self._lock:
            await self.gate()
            return await self._in_turn(form, line, wait, data)

    async def transact(
        self, form: dialect.Form, line: str, wait: float | None = None, data=None
    ) -> list:
        """run() without the lock and the gate: for the gate itself, which holds the lock."""
        return (await self._in_turn(form, line, wait, data)).lines

    async def _in_turn(self, form: dialect.Form, line: str, wait: float | None, data) -> Exchange:
        self.start()
        if self._stale is not None:
            await self._resync(self._stale)
        slow_ms = _SLOW_MS if wait is None else 0
        return await self._transact(Exchange(form, line), wait, data, slow_ms)

    async def _transact(
        self, exchange: Exchange, wait: float | None, data=None, slow_ms: int = _SLOW_MS
    ) -> Exchange:
        self._drain()  # what came before the command cannot be its answer
        self._check_payload(_STALL_MS)
        silence = time.ticks_diff(time.ticks_ms(), self._payload_ms)
        if self.ring.unread and self._payload is None and silence > _SILENCE_MS:
            self.leftover()  # nor can a line that has not gone on
        form = exchange.form
        self._exchange = exchange
        self._slow_ms = slow_ms
        self.stats["commands"] += 1
        try:
            await self._write(b"AT" + exchange.line.encode() + b"\r", form)
            exchange.written = True
            if data and not form.prompt:
                exchange.prompted = True  # it does not ask
            else:
                await self._wait(exchange, form.wait if wait is None else wait)
            if exchange.prompted and not exchange.finished:
                await asyncio.sleep_ms(_PROMPT_MS)
                if not exchange.finished:
                    await self._write(data or b"", form)
                await self._wait(exchange, form.wait if wait is None else wait)
        finally:
            self._exchange = self._deadline = None
            self.stats["late"] += exchange.late
            unsure = exchange.code is None or exchange.unsure
            if unsure and not isinstance(exchange.error, at.Rebooted):
                self._stale = exchange  # timed out or cancelled: its answer may still come
                self._owed += exchange.sync
        self._notice(exchange)
        if data and form.prompt and not exchange.prompted and exchange.error is None:
            raise at.BadAnswer("it has not asked for the data", form.send)
        exchange.result()
        return exchange

    def _notice(self, exchange: Exchange) -> None:
        """Notice a restart that nothing has told of, by what the module does again: words and
        echoes, where it was seen to keep to ATV0 and ATE0. There are modules that never do.
        """
        if exchange.code != at.OK and exchange.code != at.ERROR:
            return
        if (exchange.verbose and self.numeric) or (exchange.echoed and self.quiet):
            self._restarted()
            return
        if len(exchange.line) < self.ring.size - 2:  # the echo of a longer one is dropped
            self.quiet = not exchange.echoed
        if exchange.code == at.OK:  # an error may have words of its own
            self.numeric = not exchange.verbose

    async def _wait(self, exchange: Exchange, seconds: float) -> None:
        """Until the command is answered or prompted; the reader enforces the time."""
        self._wanted.clear()
        if exchange.sure:
            return
        now = time.ticks_ms()
        self._deadline = self._until = time.ticks_add(now, int(seconds * 1000))
        self._life = time.ticks_add(now, -_GAP_MS)
        self._hurry(exchange)
        self._kick()
        await self._wanted.wait()

    def _hurry(self, exchange: Exchange) -> None:
        """Bring the deadline near once the rest of the answer is to come soon or not at all."""
        if self._deadline is None:
            return
        self._deadline = self._until
        if exchange.finished:
            ms = _MOMENT_MS
        elif not exchange.enough:
            return
        elif exchange.outcome is not None:
            ms = _REST_MS
        elif exchange.then in self._untold:
            ms = 0
        else:
            ms = dialect.VERDICT_MS if exchange.then == dialect.VERDICT else dialect.OUTCOME_MS
        deadline = time.ticks_add(time.ticks_ms(), ms)
        if time.ticks_diff(deadline, self._deadline) < 0:
            self._deadline = deadline

    def hurry(self, form: dialect.Form, ms: int) -> None:
        """What a command was to tell has come: wait no longer than that for its result code."""
        exchange = self._exchange
        if exchange is None or exchange.form is not form or self._deadline is None:
            return
        deadline = time.ticks_add(time.ticks_ms(), ms)
        if time.ticks_diff(deadline, self._deadline) < 0:
            self._deadline = deadline

    def leftover(self) -> bytes:
        """Take the beginning of a line that has not gone on."""
        view = self.ring.take(min(self.ring.unread, self.ring.size))
        data = bytes(view or b"")
        self.ring.clear()
        return data

    def outcome(self, form: dialect.Form) -> str | None:
        """The line that has told how the command that waits ends, if it is of that form."""
        exchange = self._exchange
        return exchange.outcome if exchange is not None and exchange.form is form else None

    async def _write(self, data, form: dialect.Form) -> None:
        view = memoryview(data)
        begin = time.ticks_ms()
        patience = _WRITE_MS + _WRITTEN_MS * len(data)
        while view:
            self._check_open()
            n = self.stream.write(view)
            if n:
                view = view[n:]
            elif time.ticks_diff(time.ticks_ms(), begin) > patience:
                raise at.Timeout("the UART takes no more bytes: flow control?", form.send)
            else:
                await asyncio.sleep_ms(_BUSY_MS)

    # Synchronisation ------------------------------------------------------------------------

    async def _resync(self, stale: Exchange) -> None:
        """Prove that nothing is outstanding any more.

        The module answers in order. So once a question of another prefix than the lost command's
        has its information response and its result code, everything before it has been answered.
        """
        if not stale.written:
            await self._write(b"\r", stale.form)  # ends what was cut off in the middle of a line
        elif (stale.form.prompt and stale.code is None) or self.ring.next() == _PROMPT:
            await self._write(b"+++\r", stale.form)  # ends an input that nobody gives any more
        for question in dialect.SYNC:
            if question.answer == stale.form.answer.lstrip("*"):
                continue
            try:
                await self._transact(Exchange(question, question.send, True), _SYNC_S)
            except at.Timeout:
                self._stale = stale
                continue
            except at.CommandError:
                pass  # behind its information response: answered all the same
            self._stale = None
            if self._owed:
                await self._settle()
            return
        self.mode = UNKNOWN
        raise at.Timeout("the module answers nothing since this command", stale.form.send)

    async def _settle(self) -> None:
        """Let the answers to earlier questions pass, until no more result codes come."""
        begin = time.ticks_ms()
        heard = -1
        while heard != self._heard and time.ticks_diff(time.ticks_ms(), begin) < _SETTLE_MS:
            heard = self._heard
            await asyncio.sleep_ms(_SILENCE_MS)
        self._owed = 0

    async def probe(self, patience_ms: int = PROBE_MS) -> bool:
        """Find out whether the module answers, whatever state it and the line are in.

        patience_ms -- ms after which no further AT is sent

        The first AT is a sacrifice: a sleeping UART eats it. Any result code counts. Afterwards
        the channel is synchronised and in COMMAND mode, or it is UNKNOWN and False is returned.
        """
        self.start()
        begin = time.ticks_ms()
        wait = 0.1
        self.mode = UNKNOWN
        while True:
            try:
                await self._transact(Exchange(dialect.ATTENTION, ""), wait)
                break
            except at.CommandError:
                break
            except (at.Timeout, at.Rebooted):
                if time.ticks_diff(time.ticks_ms(), begin) >= patience_ms:
                    return False
            wait = 0.333
        # Several AT may be outstanding now: their answers are flushed like a stale command's.
        attention = Exchange(dialect.ATTENTION, "")
        attention.written = True
        try:
            await self._resync(attention)
        except (at.Timeout, at.Rebooted):
            return False
        self.mode = COMMAND
        return True

    # URCs -----------------------------------------------------------------------------------

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

    def report(self, where: str, error: Exception) -> None:
        self.stats["faults"] += 1
        asyncio.get_event_loop().call_exception_handler(
            {"message": where, "exception": error, "future": None}
        )

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

    def _interrupt(self, why: str, dark: bool = False) -> None:
        """The command that waits will not be answered, unless it just was, nor any before it."""
        self.mode = UNKNOWN
        self._stale = None
        self._owed = 0
        exchange = self._exchange
        if exchange is None or not exchange.written or exchange.sure:
            return
        exchange.interrupt(at.Rebooted(why, exchange.form.send), not dark)
        if dark:
            self._wanted.set()
        else:
            self._hurry(exchange)

    # Reading --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start reading. Called by the first command; needs a running event loop.

        Raises NotConnected after close(): by then another channel may have the UART.
        """
        self._check_open()
        if self._tasks:
            return
        trigger = getattr(self.stream, "IRQ_RXIDLE", None)
        if trigger is not None:
            self._flag = asyncio.ThreadSafeFlag()
            self.stream.irq(handler=self._kick, trigger=trigger)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._dispatch())]

    def reopen(self) -> None:
        """The UART has slept with the board: drop what is under way, whose beginning is lost.

        The end of a torn line could be taken for a result code.
        """
        for _ in range(_TORN_READS):
            time.sleep_ms(_TORN_MS)
            self.ring.clear()
            if not self.ring.readfrom(self.stream):
                break
        self.ring.clear()

    def release(self):
        """Stop reading and hand the stream to somebody else, until start(). Returns the stream."""
        self._stop()
        self.mode = DATA
        return self.stream

    def close(self) -> None:
        """Let go of the stream for good; call it as often as you like. A command that waits
        raises Timeout, a later one NotConnected, and no callback is called any more.
        """
        self.closed = True
        self._stop()
        self._callbacks = {}
        self._urcs = []
        self.payloads = {}
        self.watchers = {}

    def _check_open(self) -> None:
        if self.closed:
            raise at.NotConnected("this driver was closed: make another C1100")

    def _stop(self) -> None:
        try:
            running = asyncio.current_task()  # a callback that closes: its task ends by itself
        except RuntimeError:
            running = None  # outside the event loop
        for task in self._tasks:
            if task is not running:
                task.cancel()
        self._tasks = []
        if self._flag is not None:
            self.stream.irq(handler=None)
            self._flag = None
        self._expire("the channel was closed")

    def _kick(self, _=None) -> None:
        if self._flag is not None:
            self._flag.set()

    async def _read(self) -> None:
        while True:
            try:
                pause = self._look()
            except Exception as error:  # whatever it is, the reader goes on
                self.report("reading", error)
                pause = _IDLE_MS
            if self._flag is None:
                await asyncio.sleep_ms(pause)
                continue
            try:
                await asyncio.wait_for_ms(self._flag.wait(), pause)
            except asyncio.TimeoutError:
                pass  # nothing has come: look at the time again

    def _look(self) -> int:
        """See what has come and whose time is over. Returns ms until the next look."""
        pause = _IDLE_MS if self._flag is None else _IRQ_MS
        if self._drain():
            pause = _BUSY_MS
        self._check_payload()
        if self._deadline is None:
            return pause
        self._dark = 0 if self.powered() else self._dark + 1
        if self._dark == _DARK_LOOKS:
            self.forgotten()
            self._interrupt("the module's power is gone", True)
        left = time.ticks_diff(self._deadline, time.ticks_ms())
        if left <= 0:
            self._end_wait()
        return max(0, min(left, pause, _BUSY_MS if self._flag is None else pause))

    def _end_wait(self) -> None:
        """The command has waited long enough, for more or for anything."""
        exchange = self._exchange
        if exchange is None:
            self._deadline = None
            return
        if exchange.finished or exchange.enough:
            if not exchange.finished and exchange.outcome is None:
                self._untold.add(exchange.then)
            exchange.unsure = False
            self._deadline = None
            self._wanted.set()
            return
        now = time.ticks_ms()
        more = min(_GAP_MS, self._slow_ms - time.ticks_diff(now, self._until))
        if more > 0 and time.ticks_diff(now, self._life) < _GAP_MS:
            self._deadline = time.ticks_add(now, more)  # it is coming, character by character
        else:
            self._expire("no result code")

    def _expire(self, why: str) -> None:
        exchange = self._exchange
        self._deadline = None
        if exchange is not None:
            self.stats["timeouts"] += 1
            self.silent += 1
            exchange.error = at.Timeout(why, exchange.form.send)
            exchange.unsure = False
            self._wanted.set()

    def _check_payload(self, patience_ms: int = _PAYLOAD_MS) -> None:
        """Give up a payload that does not go on; whatever comes then is lines again."""
        pending = self._payload
        if pending is None:
            return
        now = time.ticks_ms()
        if time.ticks_diff(now, self._payload_ms) < patience_ms and (
            time.ticks_diff(self._payload_end, now) > 0 or self._trickles()
        ):
            return
        self.stats["short payloads"] += 1
        self._payload = None
        try:
            pending.give_up(self.ring)
        except Exception as error:
            self.report("payload", error)

    def _trickles(self) -> bool:
        """Whether a payload takes so long because each of its bytes does: for a while."""
        spent = time.ticks_diff(time.ticks_ms(), self._payload_began)
        return _TRICKLE_MS * (self.received - self._payload_from) < spent < _TRICKLES_MS

    def abandon(self, handler) -> None:
        """Nobody waits for a handler's payload any more: give what is left of it a moment."""
        if self._payload is None or self._payload.handler is not handler:
            return
        now = time.ticks_ms()
        self._payload_began = time.ticks_add(now, -_TRICKLES_MS)
        end = time.ticks_add(now, _STALL_MS)
        if time.ticks_diff(end, self._payload_end) < 0:
            self._payload_end = end

    def _await_payload(self, found: payload.Payload) -> None:
        self._payload = found
        self._payload_ms = self._payload_began = time.ticks_ms()
        self._payload_from = self.received
        most = _UNTOLD if found.want is payload.REST else min(found.want, _MOST)
        patience = _PAYLOAD_MS + _BYTE_MS * most
        self._payload_end = time.ticks_add(self._payload_ms, patience)

    def _drain(self) -> bool:
        """Take in what has come. Returns whether there may be more. Whatever is wrong with it, the
        reader goes on.
        """
        left = _TURN
        while left > 0:
            try:
                self._drain_ring()
                n = self.ring.readfrom(self.stream)
                if not n:
                    return False
                left -= n
                self.received += n
                self._payload_ms = time.ticks_ms()
                if self._deadline is not None and chr(self.ring.next()) not in self.sinks:
                    self._life = self._payload_ms
            except OSError as error:  # the stream's
                self.report("reading", error)
                return False
            except Exception as error:
                self.report("reading", error)
                left -= _FAULT
        return True

    def _drain_ring(self) -> None:
        ring = self.ring
        while True:
            pending, self._payload = self._payload, None
            if pending is not None and not pending.feed(ring):
                self._payload = pending
                return
            if self._prompts(self._exchange) or self._prompts(self._stale):
                continue
            if self.payloads:
                found = payload.header(ring, self.payloads)
                if isinstance(found, payload.Payload):
                    self._await_payload(found)
                    continue
                if found is None:
                    continue
                if found:  # the rest of the header is still to come
                    return
            view = ring.line()
            if view is None:
                return
            line = at.text(view)
            if line:
                self._classify(line)

    def _prompts(self, exchange: Exchange | None) -> bool:
        """Whether the prompt of a command is what comes next. Some come more than once."""
        if exchange is None or not exchange.form.prompt:
            return False
        if not self._has_left(exchange) or not self.ring.prompt():
            return False
        if not exchange.prompted:
            exchange.prompt()
            if exchange is self._exchange:
                self._wanted.set()
        return True

    def _has_left(self, exchange: Exchange) -> bool:
        """Whether the command is out of the UART: before that, nothing can be its answer."""
        return exchange.written and (self._txdone is None or self._txdone())

    def _classify(self, line: str) -> None:
        exchange = self._exchange
        sink = self.sinks.get(line[0])
        if sink is not None and (exchange is None or not exchange.names(line)):
            sink(line)
            return
        name = at.prefix(line)
        if self._untold:
            self._untold.discard(name)
            self._untold.discard(at.bare(name))
        if exchange is not None and exchange.take(name, line, self._has_left(exchange)):
            self.silent = 0
            if line in exchange.lines:
                self._expect_body(name, line)
            if exchange.sure:
                self._wanted.set()
            else:
                self._hurry(exchange)
            return
        if self._expect_body(name, line):
            return
        stale = self._stale
        if stale is not None and stale.written:
            if stale.ends(line):
                self._stale = None
                self.stats["late"] += 1
                return
            if stale.read(name, line) is not None:
                self.stats["late"] += 1
                return
        if at.result(line) is not None or is_error(line):
            self._heard += 1
        self._urc(name, line)

    def _expect_body(self, name: str, line: str) -> bool:
        """Whether the line is the header of a payload that begins behind it, to be taken next."""
        handler = payload.find(self.payloads, name)
        if handler is None or handler.fields:
            return False
        found = payload.start(handler, line)
        if found is not None:
            self._await_payload(found)
        return True


async def _open() -> None:
    """The gate of a channel without a module around it."""


def _powered() -> bool:
    """As far as anybody can tell."""
    return True


def _answer(exchange: Exchange) -> list:
    if exchange.values is None:
        raise at.BadAnswer("no information response that can be read", exchange.form.send)
    return exchange.values
