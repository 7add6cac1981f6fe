"""One command at a time: it is written, its lines are found among all that comes, and its time is
kept.

A command that timed out or was cancelled keeps its place until its result code has come or until
synchronisation is proved, so a late answer is never taken for the next one.
"""

import asyncio
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from . import at, dialect
from .events import Events
from .exchange import Exchange, is_error

_BUSY_MS = const(5)  # how often the UART is looked at while a command waits
_IDLE_MS = const(20)  # and otherwise
_IRQ_MS = const(300)  # and when the port tells of an idle line by itself: 3.5 KB at 115200
_PROMPT_MS = const(50)  # pause between a prompt and its payload
_STALL_MS = const(1000)  # patience with a payload that would take a command's answer
_REST_MS = const(2000)  # patience with the rest of an answer whose outcome is known
_MOMENT_MS = const(60)  # until nothing more comes that counts more than what has come
_GAP_MS = const(300)  # from one character of an answer to the next, on the slowest line
_SLOW_MS = const(5000)  # patience with an answer that arrives when its time is over
_SILENCE_MS = const(300)  # longer than any pause between answers that were asked for together
_DARK_LOOKS = const(3)  # at the status pin, before it is believed
_LINE = const(1)  # LineRing.told()
_CODE = const(2)


class Turns(Events):
    """A line on which commands take turns. A line that has come is classified once: by the command
    that is waiting, else by its prefix in the URC table.

    It is long for the reason that Line is.
    """

    def __init__(self, stream, size: int) -> None:
        Events.__init__(self, stream, size)
        self.powered = _powered  # whether the module is, where a pin tells
        self.silent = 0  # commands without an answer in a row
        self._untold = set()  # outcomes that the module does not tell, as far as is known
        self._usual = {}  # form -> Exchange.usually()
        self._spent = None  # an exchange, to be used again
        self._wanted = asyncio.Event()  # it has been answered, or prompted
        self._deadline = None  # when it has waited long enough, in ticks_ms
        self._until = 0  # when it has, if what has come is not enough
        self._slow_ms = 0  # how much longer, if its answer is arriving by then
        self._owed = 0  # synchronising questions that have not been answered
        self._heard = 0  # result codes that nobody waited for
        self._dark = 0  # looks in a row at a module without power

    async def _transact(
        self, exchange: Exchange, wait: float | None, data=None, slow: bool = True
    ) -> Exchange:
        """Send a command and wait until it is answered. Raises what its result is.

        wait -- seconds instead of the form's own
        data -- for its prompt
        slow -- a little longer, if the answer is just arriving
        """
        # What came before the command cannot be its answer: a look, unless this very millisecond's
        # has left nothing.
        ring = self.ring
        if ring._r < ring._w or self._payload is not None or self._payload_ms != ticks_ms():
            next(self._drains)
            if self._payload is not None:
                self.check_payload(_STALL_MS)
            elif ring._r < ring._w and ticks_diff(ticks_ms(), self._payload_ms) > _SILENCE_MS:
                self.leftover()  # nor can a line that has not gone on
        form = exchange.form
        wait_ms = 1000 * form.wait if wait is None else int(1000 * wait)
        self._exchange = exchange
        self.said = exchange.line
        self._slow_ms = _SLOW_MS if slow else 0
        self.stats["commands"] += 1
        try:
            if self.closed:
                self._check_open()
            line = b"AT" + exchange.line.encode() + b"\r"
            n = self.stream.write(line) or 0
            if n < len(line):
                await self._write(memoryview(line)[n:], form)
            exchange.written = True
            if data and not form.prompt:
                exchange.prompted = True  # it does not ask
                exchange.usual = ()
            elif self._expects(exchange, wait_ms):
                await self._wanted.wait()
            if exchange.prompted and not exchange.finished:
                await asyncio.sleep_ms(_PROMPT_MS)
                if not exchange.finished:
                    await self._write(data or b"", form)
                if self._expects(exchange, wait_ms):
                    await self._wanted.wait()
        finally:
            self._exchange = self._deadline = None
            usual = exchange is self._spent
            if not usual:
                self._leave(exchange)
        if usual and self.numeric and self.quiet:
            return exchange
        self._notice(exchange)
        if data and form.prompt and not exchange.prompted and exchange.error is None:
            raise at.BadAnswer("it has not asked for the data", form.send)
        exchange.result()
        return exchange

    def _leave(self, exchange: Exchange) -> None:
        """It is waited for no more: its answer may still come."""
        if exchange.late:
            self.stats["late"] += exchange.late
        unsure = exchange.code is None or exchange.unsure
        if unsure and not isinstance(exchange.error, at.Rebooted):
            self._stale = exchange  # timed out or cancelled
            self._owed += exchange.sync

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

    def _expects(self, exchange: Exchange, wait_ms: int) -> bool:
        """Whether _wanted is to be waited for, until the command is answered or prompted; the
        reader enforces the time.
        """
        self._wanted.clear()
        told = False
        if exchange.usual is not None:  # something has come while it was written
            told = exchange.code is not None or exchange.error is not None or exchange.outcome
            if told and exchange.sure:
                return False
        now = ticks_ms()
        self._deadline = self._until = ticks_add(now, wait_ms)
        self._life = ticks_add(now, -_GAP_MS)
        if told:
            self._hurry(exchange)
        if self._flag is not None and ticks_diff(self._deadline, now) < _IRQ_MS:
            self._kick()
        return True

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
        self._deadline = _sooner(self._deadline, ms)

    def hurry(self, form: dialect.Form, ms: int) -> None:
        """What a command was to tell has come: wait no longer than that for its result code."""
        exchange = self._exchange
        if exchange is None or exchange.form is not form or self._deadline is None:
            return
        self._until = _sooner(self._until, ms)
        self._deadline = _sooner(self._deadline, ms)

    def outcome(self, form: dialect.Form) -> str | None:
        """The line that has told how the command that waits ends, if it is of that form."""
        exchange = self._exchange
        return exchange.outcome if exchange is not None and exchange.form is form else None

    def _interrupt(self, why: str, dark: bool = False) -> None:
        """The command that waits will not be answered, unless it just was, nor any before it."""
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

    # The time -------------------------------------------------------------------------------

    def _look(self) -> int:
        """See what has come and whose time is over. Returns ms until the next look."""
        pause = _IDLE_MS if self._flag is None else _IRQ_MS
        if next(self._drains):
            pause = _BUSY_MS
        if self.ring.count:
            self._deliver()
        if self._payload is not None:
            self.check_payload()
        if self._deadline is None:
            return pause
        self._dark = 0 if self.powered() else self._dark + 1
        if self._dark == _DARK_LOOKS:
            self.forgotten()
            self._interrupt("the module's power is gone", True)
        left = ticks_diff(self._deadline, ticks_ms())
        if left <= 0:
            self._end_wait()
        return max(0, min(left, pause, _BUSY_MS if self._flag is None else pause))

    def _stop(self) -> None:
        Events._stop(self)
        self._expire("the channel was closed")

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
        now = ticks_ms()
        more = min(_GAP_MS, self._slow_ms - ticks_diff(now, self._until))
        if more > 0 and ticks_diff(now, self._life) < _GAP_MS:
            self._deadline = ticks_add(now, more)  # it is coming, character by character
        else:
            self._expire("no result code")

    def _expire(self, why: str) -> None:
        exchange = self._exchange
        self._deadline = self._spent = None
        if exchange is not None:
            self.stats["timeouts"] += 1
            self.silent += 1
            exchange.error = at.Timeout(why, exchange.form.send)
            exchange.unsure = False
            self._wanted.set()

    # What comes -----------------------------------------------------------------------------

    def _expected(self, ring) -> bool:
        """The answer and the result code of most commands, without making text of them: as
        _classify() takes them.
        """
        exchange = self._exchange
        if exchange is None or self._stale is not None or self.sinks or self._untold:
            return False
        usual = exchange.usual
        if usual is None:
            form = exchange.form
            usual = self._usual.get(form)
            if usual is None:
                usual = self._usual[form] = exchange.usually(self.payloads)
            if ":" in exchange.line:
                usual = ()  # its echo could be taken for the answer
            exchange.usual = usual
        if not usual or exchange.code is not None or not exchange.written:
            return False
        if self._txdone is not None and not self._txdone():
            return False
        bare = exchange.lines or not usual[0]
        took = False
        while True:
            values = []
            told = ring.told(usual, values, bare)
            if not told:
                return took
            self.silent = 0
            if told != _CODE:
                exchange.lines.append(values)
                if exchange.values is None:
                    exchange.values = values
                bare = took = True
            if told != _LINE:
                break
        exchange.code = at.OK
        self._deadline = None
        self._wanted.set()
        self._spent = exchange
        return True

    def _prompted(self) -> bool:
        for exchange in (self._exchange, self._stale):
            if exchange is not None and exchange.form.prompt and self._prompts(exchange):
                return True
        return False

    def _prompts(self, exchange: Exchange) -> bool:
        """Whether the prompt of a command is what comes next. Some come more than once."""
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

    def _classify(self, line: str, name: str) -> None:
        exchange = self._exchange
        if self.sinks:
            sink = self.sinks.get(line[0])
            if sink is not None and (exchange is None or not exchange.names(line)):
                sink(line)
                return
        if self._untold:
            self._untold.discard(name)
            self._untold.discard(at.bare(name))
        if exchange is not None and exchange.take(name, line, self._has_left(exchange)):
            self.silent = 0
            exchange.usual = ()
            if exchange.lines and exchange.lines[-1] is line:
                self._expect_body(name, line)
                self.ring.learn(name)
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


def _sooner(deadline, ms: int):
    """A deadline, or in so many ms if that is before it."""
    other = ticks_add(ticks_ms(), ms)
    return other if ticks_diff(other, deadline) < 0 else deadline


def _powered() -> bool:
    """As far as anybody can tell."""
    return True
