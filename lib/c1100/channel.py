"""One UART: commands in order, their answers, prompts, payloads and URCs.

The reader is in line.py, what comes unasked in events.py, one command in turns.py and exchange.py.
"""

import asyncio
import time

from micropython import const

from . import at, dialect
from .exchange import Exchange
from .turns import Turns

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

_SYNC_S = const(2)  # patience with one synchronising question
_SILENCE_MS = const(300)  # longer than any pause between answers that were asked for together
_SETTLE_MS = const(2000)  # by then answers to earlier questions have come
_PROMPT = const(62)  # ">"

PROBE_MS = const(1100)

# What the channel knows of the module. Modes are explicit; a transition that fails is UNKNOWN.
OFF = const(0)  # switched off
UNKNOWN = const(1)  # anything: proved by probe() before the next command
COMMAND = const(2)  # answers commands
DATA = const(3)  # the stream belongs to somebody else: transparent mode, PPP
ASLEEP = const(4)  # PSM: the UART is dead until the module is woken


class Channel(Turns):
    """Commands and URCs over a stream.

    stream -- machine.UART or anything with its readinto() and write(); reads must not block
    size   -- bytes of the longest line
    """

    def __init__(self, stream, size: int = 1024) -> None:
        Turns.__init__(self, stream, size)
        self.mode = UNKNOWN
        # Called before each command; what it returns is awaited: wakes the module, gives it its
        # settings back.
        self.gate: Callable | None = None
        self._lock = _Lock()

    # Commands -------------------------------------------------------------------------------

    def run(self, form: dialect.Form, *args, wait: float | None = None, data=None):
        """Send a command of the dialect and wait for its result code; to be awaited.

        args -- values of the form's fields, in order
        wait -- seconds instead of the form's own
        data -- bytes for the prompt of a command that has one

        Returns the lines of the information response as str; for a form with an outcome line
        (``then``) that line is the last. Raises BadArgument before anything is sent, Timeout,
        CommandError, CmeError, CmsError, Rebooted, Asleep.
        """
        return self._send(form, args, wait, data)

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
        return await self._send(form, command, wait)

    def ask(self, form: dialect.Form, *args):
        """Run a question and return the values of its answer that its shape names (at.read); of
        an answer of any lines, each line; to be awaited.

        Repeats it once when bytes were lost. Raises what run() raises, and BadAnswer when there
        is no answer of that shape.
        """
        return self._send(form, args, None, None, True)

    async def _send(self, form: dialect.Form, args, wait=None, data=None, asked=False) -> list:
        """What run() and ask() do: one coroutine, because each costs as much as a line received.

        args  -- or the command itself
        asked -- for the values of its answer, else for its lines
        """
        line = form.send
        if args or "{" in line:
            line = args if isinstance(args, str) else at.render(line, args)
        again = asked and form.again
        lock = self._lock
        while True:
            if lock._held:
                await lock.wait()
            lock._held = True
            try:
                if self.gate is not None:
                    pending = self.gate()
                    if pending is not None:
                        await pending
                if not self._tasks:
                    self.start()
                if self._stale is not None:
                    await self._resync(self._stale)
                exchange = self._spent
                if exchange is None:
                    exchange = Exchange(form, line)
                else:
                    self._spent = None
                    exchange.__init__(form, line)
                if not asked and form.answer:
                    exchange.usual = ()
                await self._transact(exchange, wait, data, wait is None)
                if not asked:
                    return exchange.lines
                if exchange.values is not None:
                    return exchange.values
                raise at.BadAnswer("no information response that can be read", form.send)
            except (at.Timeout, at.BadAnswer):
                if not again:
                    raise
                again = False
            finally:
                if lock._queue:
                    lock.release()
                else:
                    lock._held = False

    async def transact(
        self, form: dialect.Form, line: str, wait: float | None = None, data=None
    ) -> list:
        """run() without the lock and the gate: for the gate itself, which holds the lock."""
        self.start()
        if self._stale is not None:
            await self._resync(self._stale)
        return (await self._transact(Exchange(form, line), wait, data, wait is None)).lines

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
        for name in dialect.SYNC:
            question = getattr(dialect, name)
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

    def release(self):
        """Stop reading and hand the stream to somebody else, until start(). Returns the stream."""
        self._stop()
        self.mode = DATA
        return self.stream

    def _interrupt(self, why: str, dark: bool = False) -> None:
        self.mode = UNKNOWN
        Turns._interrupt(self, why, dark)


class _Lock:
    """As asyncio's, but what does not have to wait costs no coroutine."""

    def __init__(self) -> None:
        self._held = False  # set by who has seen that it is not
        self._queue = []  # events of those who wait

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._held

    async def wait(self) -> None:
        """Wait until it is handed over, in the order of asking."""
        mine = asyncio.Event()
        self._queue.append(mine)
        try:
            await mine.wait()
        except asyncio.CancelledError:
            if mine.is_set():
                self.release()
            else:
                self._queue.remove(mine)
            raise

    def release(self) -> None:
        """Let the next one have it."""
        if self._queue:
            self._queue.pop(0).set()
        else:
            self._held = False
