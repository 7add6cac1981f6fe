"""The command interpreter of V.250: lines in, information and result codes out.

Characters that arrive while a command runs are kept and interpreted after its result, up to
`INPUT_BUFFER` bytes (inferred: what the UART driver of such a chip holds; V.250 clause 5.6.1 would
let the module drop them or abort the command).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.virtual_c1100.commandline import (
    BadArgument,
    Malformed,
    Parsed,
    check_arguments,
    split_arguments,
    split_line,
)
from tools.virtual_c1100.commands import (
    CME_WORDS,
    LATER,
    WORDS,
    Call,
    CmeFailure,
    Command,
    DataSink,
    Failure,
    Handler,
    Result,
)
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.faults import RESULT_FIRST, REVERSED, Faults, Plan, result_of

LINE_LIMIT = 4096  # inferred: 1500 bytes as hex digits fit (AT+LSIPSEND)
INPUT_BUFFER = 8192
URC_HOLD_S = 1.0  # a URC waits for the end of a line being typed, at most so long (inferred)

CR, DELETE = 13, 127
MALFORMED = "malformed"  # no command has this name


@dataclass
class Session:
    """Settings that last until the next boot; AT&W stores a part of them."""

    verbose: bool = True
    echo: bool = True
    quiet: bool = False
    cmee: int = 1
    registers: dict[int, int] = field(default_factory=lambda: {3: 13, 4: 10, 5: 8})


class Interpreter:
    """One command line at a time from `feed`; output through `send`.

    send -- takes the bytes for the UART; what is sent in one call stays together
    """

    def __init__(
        self,
        core: Core,
        commands: dict[str, Command],
        send: Callable[[bytes], None],
        after_transmit: Callable[[Callable[[], None]], None],
        faults: Faults,
    ) -> None:
        self._core = core
        self.commands = commands
        self._send = send
        self._after_transmit = after_transmit
        self._faults = faults
        self.session = Session()
        self.lost_input = 0
        self.reset(Session())

    def reset(self, session: Session) -> None:
        """As after a boot."""
        self.session = session
        self._input = bytearray()
        self._line: bytearray | None = None  # between "AT" and the terminator
        self._prefix = b""
        self._overlong = False
        self._last_line = b""
        self._queue: list[Parsed] = []
        self._call: Call | None = None
        self._plan = Plan()
        self._sink: DataSink | None = None
        self._held: list[tuple[str | bytes, str, str]] = []
        self._kept: list[Callable[[], None]] = []  # of an answer in another order (faults.py)
        self._hold_until_us = 0
        self._working = False

    # Out ------------------------------------------------------------------------------------

    def urc(self, text: str | bytes, end: str = "\r\n", lead: str = "") -> None:
        """Send an unsolicited result code; never inside another line.

        In data mode and while the DTE is in the middle of an echoed line it waits.
        """
        if self._faults.loses(text if isinstance(text, bytes) else text.encode("latin-1")):
            return
        typing = self._line is not None and self.session.echo
        if self._sink or (typing and self._core.timeline.now_us < self._hold_until_us):
            self._held.append((text, end, lead))
            if typing and len(self._held) == 1:
                self._core.later(URC_HOLD_S, self._release)
            return
        self._put(text, end, lead)

    def information(self, text: str | bytes, end: str, lead: str) -> None:
        if self._plan.mute:
            return
        if self._plan.order:
            self._kept.append(lambda: self._put(text, end, lead))
            return
        self._put(text, end, lead)
        for line in self._plan.take("between"):
            self._put(line)

    def stream(self, data: bytes) -> None:
        """Send a line of a flow (NMEA) as it is; in data mode and inside a line it is dropped."""
        if not self._sink and not (self._line is not None and self.session.echo):
            self._send(data)

    def raw(self, data: bytes) -> None:
        if self._plan.order:
            self._kept.append(lambda: self._send(data))
        elif not self._plan.mute:
            self._send(self._faults.payload(data))

    @property
    def _verbose(self) -> bool:
        return self.session.verbose or self._faults.active.verbose_stuck

    def _put(self, text: str | bytes, end: str = "\r\n", lead: str = "") -> None:
        data = text if isinstance(text, bytes) else text.encode("latin-1")
        data, end, late_s = self._faults.line(data, end)
        if self._verbose:
            lead, end = lead if lead.endswith("\n") else "\r\n", end if "\n" in end else "\r\n"
        said = lead.encode() + data + end.encode()
        if late_s:
            self._core.later(late_s, lambda: self._send(said))
        else:
            self._send(said)

    def _result(self, result: Result, text: str = "") -> None:
        kept, self._kept = self._kept, []
        if self._plan.order == REVERSED:
            kept.reverse()
        if self._plan.order != RESULT_FIRST:
            for say in kept:
                say()
            kept = []
        self._say_result(result, text)
        for say in kept:
            say()

    def _say_result(self, result: Result, text: str) -> None:
        for line in self._plan.take("between"):
            self._put(line)
        if not self.session.quiet and not self._plan.mute:
            if not self._verbose and not text.startswith("+"):
                self._send(b"%d\r" % result)
            else:
                self._put(text or WORDS[result])
        for line in self._plan.take("after"):
            self._put(line)

    def _release(self) -> None:
        if self._sink:
            return
        held, self._held = self._held, []
        for text, end, lead in held:
            self._put(text, end, lead)

    # In -------------------------------------------------------------------------------------

    @property
    def held(self) -> int:
        """Bytes of URCs that wait for the end of data mode or of a line."""
        return sum(len(text) for text, _, _ in self._held)

    @property
    def busy(self) -> bool:
        """A command runs, or data is being taken."""
        return self._call is not None or self._sink is not None

    def feed(self, data: bytes) -> None:
        """Bytes have arrived from the DTE."""
        room = INPUT_BUFFER - len(self._input)
        self.lost_input += max(0, len(data) - room)
        self._input += data[:room]
        self._work()

    def _work(self) -> None:
        if self._working:
            return
        self._working = True
        try:
            while self._input:
                if self._sink:
                    self._pour(self._sink)
                elif self._call or self._queue:
                    return
                else:
                    self._character(self._input.pop(0))
        finally:
            self._working = False

    def _pour(self, sink: DataSink) -> None:
        data = bytes(self._input)
        self._input.clear()
        unused = sink(data)
        if unused is not None:
            self._input[:0] = unused
            if self._sink is sink:
                self._sink = None
                self._release()

    def _character(self, char: int) -> None:
        line = self._line
        if line is None:
            self._before_line(char)
            return
        self._hold_until_us = self._core.timeline.now_us + round(URC_HOLD_S * 1e6)
        self._echo(char)
        if char == self.session.registers[3]:
            self._line = None
            self._release()
            self._start(bytes(line), self._overlong)
        elif char in (self.session.registers[5], DELETE):
            del line[-1:]
        elif len(line) >= LINE_LIMIT:
            self._overlong = True
        elif char != 0 and char != self.session.registers[4]:
            line.append(char)

    def _before_line(self, char: int) -> None:
        """Everything up to "AT" is noise, the line feed after a carriage return too."""
        letter = bytes((char,)).upper()
        if self._prefix and letter == b"/":
            self._echo(char)
            self._prefix = b""
            self._start(self._last_line, False)
        elif self._prefix and letter == b"T":
            self._echo(char)
            self._prefix, self._line, self._overlong = b"", bytearray(), False
            self._hold_until_us = self._core.timeline.now_us + round(URC_HOLD_S * 1e6)
        else:
            self._prefix = b"A" if letter == b"A" else b""
            if 32 <= char < 127 or char == CR:
                self._echo(char)

    def _echo(self, char: int) -> None:
        if self.session.echo:
            self._send(self._faults.echo(bytes((char,))))

    # Running --------------------------------------------------------------------------------

    def _start(self, body: bytes, overlong: bool) -> None:
        self._last_line = body
        self._plan = Plan()
        try:
            if overlong:
                raise Malformed
            self._queue = split_line(body.decode("latin-1")) or [Parsed("", "run")]
        except Malformed:
            self._queue = [Parsed(MALFORMED, "run")]
        self._next()

    def _defer(self, fn: Callable[[], None]) -> None:
        """Nothing answers in no time; until then the line is taken."""
        self._call = Call("", [], "", self)
        self._core.later(self._core.profile.latency.command + self._plan.delay_s, fn)

    def _next(self) -> None:
        parsed = self._queue.pop(0)
        self._plan = self._faults.plan(parsed.name, parsed.kind)
        self._defer(lambda: self._run(parsed))

    def _run(self, parsed: Parsed) -> None:
        if self._plan.noise:
            self._send(self._plan.noise)
        for line in self._plan.take("before"):
            self._put(line)
        call = self._call = Call(parsed.name, [], parsed.arguments, self)
        try:
            if self._plan.failure:
                raise self._plan.failure
            if self._plan.answer is not None:
                self._recite(call, self._plan.answer)
                return
            handler = self._handler(parsed, call)
            if self._plan.reboot:
                self._plan.reboot()
                return
            if handler(call) is LATER:
                return
        except Failure as failure:
            if self._call is call:
                self.failed(call, failure)
            return
        self.finished(call, Result.OK, "")

    def _recite(self, call: Call, answer: list[str]) -> None:
        """Say these lines in place of what the command would; nothing is done."""
        *lines, result = answer
        for line in lines:
            call.info(line)
        code = result_of(result)
        assert code is not None, "faults.py has looked at it"
        # A numbered error is a result of its own: nothing comes behind it.
        if lines and lines[-1].startswith(("+CME ERROR", "+CMS ERROR")) and code is Result.ERROR:
            self._plan.mute = True
        self.finished(call, code, "")

    def _handler(self, parsed: Parsed, call: Call) -> Handler:
        """The handler for this form of the command, with the arguments checked into `call`."""
        row = self.commands.get(parsed.name)
        if row is None:
            raise Failure
        if parsed.kind == "test":
            test = row.test
            if callable(test):
                return test
            if row.write is None:
                raise Failure
            return lambda call: call.info(test) if test else None
        handler = {"run": row.run, "read": row.read, "write": row.write}[parsed.kind]
        if handler is None:
            raise Failure
        if parsed.kind == "write" and row.args is not None:
            try:
                given = split_arguments(parsed.arguments) if parsed.arguments else []
                call.args = check_arguments(given, row.args)
            except Malformed:
                raise Failure from None
            except BadArgument:
                # Field (vendor header): bad parameter -> +CME ERROR; which commands: inferred,
                # those of 3GPP TS 27.007. Code 50: its clause 9.2.
                raise CmeFailure(50) if parsed.name.startswith("+C") else Failure from None
        return handler

    def finished(self, call: Call, result: Result, text: str) -> None:
        if call is not self._call:
            return  # the module has rebooted since
        self._sink = None
        if result is Result.OK and self._queue:
            self._next()
        else:
            self._end(result, text)

    def failed(self, call: Call, failure: Failure) -> None:
        code = failure.code if isinstance(failure, CmeFailure) else None
        forms = {1: f"+CME ERROR: {code}", 2: f"+CME ERROR: {CME_WORDS.get(code or 100)}"}
        text = forms.get(self.session.cmee, "") if code is not None else ""
        self.finished(call, Result.ERROR, text)

    def _end(self, result: Result, text: str = "") -> None:
        self._queue.clear()
        self._call = None
        self._result(result, text)
        self._release()
        self._core.later(0, self._work)

    def collect(self, prompt: bytes, sink: DataSink) -> None:
        if self._plan.prompt and not self._plan.mute:
            self._core.later(self._plan.prompt_delay_s, lambda: self._send(prompt))
        self._sink = sink
        self._core.later(0, self._work)

    def online(self, call: Call, sink: DataSink) -> None:
        """End `call` with CONNECT; every byte goes to `sink` until `offline`."""
        if call is self._call:
            self._queue.clear()
            self._call = None
            self._result(Result.CONNECT)
            self._sink = sink
            self._core.later(0, self._work)

    def offline(self, result: Result) -> None:
        """Data mode has ended: say so and take commands again."""
        self._sink = None
        self._plan = Plan()
        self._result(result)
        self._release()
        self._core.later(0, self._work)

    def transmit(self, data: bytes) -> None:
        """Bytes of data mode for the DTE."""
        self._send(data)

    def release(self, unused: bytes) -> None:
        self._input[:0] = unused
        if self._sink:
            self._sink = None
            self._release()
        self._core.later(0, self._work)

    def when_sent(self, fn: Callable[[], None]) -> None:
        """Call `fn()` once the final result, which comes next, has left the UART."""
        self._core.later(0, lambda: self._after_transmit(fn))
