"""One command on the wire, and which of the module's lines belong to it.

Sans-IO: takes lines, owns no clock and no task.
"""

from . import at, dialect

_DIGITS = ("0", "1", "2", "3", "4")  # of result codes
_OPEN = ("", "*", "#")  # answers that begin so have no name
_BARE = (b"", 0, 0, 0)  # no answer but the result code


class Exchange:
    """form -- of the dialect; line -- what follows AT; sync -- result codes that come in front of
    the information response belong to older commands

    It is long because each command is one: what a second object would hold of it costs heap.
    """

    # How each begins; kept here, where it costs no heap.
    written = False  # completely given to the UART
    prompted = False  # the module waits for the payload
    code: int | None = None  # result code
    unsure = False  # of code and error: what comes within a moment counts more
    values: list | None = None  # of the first line of it, as the form's shape reads them
    outcome: str | None = None  # the line that form.then asks for, or tells of failure
    error: at.C1100Error | None = None
    sync = False
    late = 0  # lines of older commands
    echoed = False  # the command came back
    verbose = False  # the result code came as a word
    then = ""  # prefix of the outcome's line
    optional = False  # it may be missing
    # What LineRing.told() takes as its answer. Empty: it does not read it, None: it is not known
    # yet whether.
    usual: tuple | None = None

    finished: bool
    sure: bool  # finished, whatever comes
    enough: bool  # what has come tells the end, though more may come: within a short time

    def __init__(self, form: dialect.Form, line: str, sync: bool = False) -> None:
        """Also for one that was answered as usual, to be used again."""
        self.form = form
        self.line = line
        self.lines = []  # information response
        self.written = False
        self.code = self.values = self.usual = None
        if sync:
            self.sync = sync
            self.usual = ()
        if form.then:
            self.then = form.then.rstrip("?")
            self.optional = self.then != form.then or self.then == dialect.VERDICT

    def __getattr__(self, name: str) -> bool:
        """No properties: with one in a class MicroPython looks through the class whenever an
        attribute is set.
        """
        if name == "enough":
            return self.outcome is not None or (self.code is not None and self.optional)
        if name == "finished":
            return self.ends_here()
        if name == "sure":
            return not self.unsure and self.ends_here()
        raise AttributeError(name)

    def ends_here(self) -> bool:
        """Whether it is finished."""
        if self.error is not None:
            return True
        return self.code is not None and (not self.then or self.outcome is not None)

    def usually(self, payloads: dict) -> tuple:
        """What `usual` is: of the many that lines of whole numbers answer, or nothing does, and
        then the result code 0.

        payloads -- names of lines that have one
        """
        form = self.form
        answer = form.answer
        shape = form.shape
        if (
            self.then
            or form.prompt
            or "={id:" in form.send
            or (answer and (not answer.startswith("+") or not shape or shape.strip("iI")))
            or answer == dialect.VERDICT
            or answer in payloads
            or not self._codes().startswith("0")
        ):
            return ()
        if not answer:
            return _BARE
        return answer.encode() + b":", len(answer) + 1, shape.rfind("i") + 1, len(shape)

    def take(self, name: str, line: str, has_left: bool = True) -> bool:
        """Whether a line belongs to this command; if so, it is kept.

        name     -- the line's prefix
        has_left -- whether the command is out of the UART: only its echo can come before
        """
        if not self.lines and self.code is None and self._is_echo(line):
            self.echoed = True
            return True
        if not has_left or self.sure:
            return False
        form = self.form
        code = at.result(line)
        if is_error(line) if code is None else self._ends(code):
            return self._take_final(line, code)
        if form.send.startswith(name) and name == dialect.VERDICT:
            return self._take_verdict(name, line)
        if self.then and at.same(name, self.then) and self._is_own(at.params(line)):
            if self.outcome is None or at.prefix(self.outcome) == name:  # else it has failed
                self.outcome = line
            return True
        values = None
        if self.code is None or self.unsure:
            values = self.read(name, line)
        if values is None:
            return False
        if self.error is not None:
            self._revoke()  # it was nobody's
        self.lines.append(line)
        if form.answer != "*":
            self.values = self.values or values
        else:
            self.values = (self.values or []) + values  # some may be other lines without a name
        return True

    def prompt(self) -> None:
        """The module asks for the payload: no result code has come before that."""
        self.prompted = True
        self._revoke()

    def interrupt(self, error: at.C1100Error, unsure: bool) -> None:
        """The module has begun anew, and will not answer; but it may just have done so."""
        self.error = error
        self.unsure = unsure
        self.usual = ()

    def _revoke(self) -> None:
        self.code = self.error = None
        self.unsure = False

    def _take_final(self, line: str, code: int | None) -> bool:
        if self.sync and not self.lines:
            self.late += 1
            return True
        if self.code is not None and not self.unsure:
            return False
        form = self.form
        self.code = at.ERROR if code is None else code
        self.verbose = code is not None and line not in _DIGITS and not line[0].isdigit()
        place = 0
        if code is None:
            self.error = at.error(line, form.send)
        else:
            codes = self._codes()
            place = codes.find(_DIGITS[code])
            self.error = None
            if place > codes.find("/"):
                self.error = at.CommandError(line if self.verbose else _WORDS[code], form.send)
        # A failure may be an older command's, and so may be what lacks its answer or prompt.
        self.unsure = (
            self.error is not None
            or place > 0
            or (form.prompt and not self.prompted)
            or (not self.lines and self._must_tell())
        )
        return True

    def _codes(self) -> str:
        codes = dialect.ENDS
        send = self.form.send
        return codes.get(send) or codes.get("+" if send.startswith("+") else send[:1]) or codes[""]

    def _ends(self, code: int) -> bool:
        return _DIGITS[code] in self._codes()

    def _must_tell(self) -> bool:
        """Whether there is no success without an information response."""
        if self.form.answer[:1] == "*":
            return self.line.endswith("?") or len(self.form.answer) == 1
        return bool(self.form.answer)

    def _take_verdict(self, name: str, line: str) -> bool:
        awaited = self.then == name and self.outcome is None
        if awaited or not self._succeeded(line):
            self.outcome = line
        return True

    def result(self) -> list:
        """The information response, with the outcome line at its end; raises what went wrong."""
        error = self.error
        if self.outcome is not None and not isinstance(error, at.Rebooted):
            good = self._succeeded(self.outcome)
            if good is None and error is None:
                error = at.BadAnswer(
                    "it is not clear how it ended: " + self.outcome, self.form.send
                )
            elif not good:
                if not isinstance(error, at.CmeError):  # which says more
                    error = at.CommandError(self.outcome, self.form.send)
                error.outcome = self.outcome
            elif error is None:
                self.lines.append(self.outcome)
        if error is not None:
            raise error
        return self.lines

    def _succeeded(self, outcome: str) -> bool | None:
        """Whether an outcome line tells of success; None if that cannot be told."""
        if at.prefix(outcome) == dialect.VERDICT:
            return "OK" in at.params(outcome)
        shape = "" if self.form.answer else self.form.shape
        values = at.read(outcome, shape)
        value = values[len(shape) - 1] if values else None
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if value in dialect.SUCCEEDED:
            return True
        return False if isinstance(value, int) or value in dialect.FAILED else None

    def read(self, name: str, line: str) -> list | None:
        """The values of a line that fits what the form says of its information response."""
        form = self.form
        if form.answer.startswith("+"):
            values = at.read(line, form.shape) if at.same(name, form.answer) else None
            return values if values is None or self._is_own(values) else None
        kind = form.answer[:1]
        own = at.same(name, at.prefix(form.send))
        if not kind or (not own and (line[0] in at.MARKS or at.result(line) is not None)):
            return None
        if kind == "*":
            return at.read(line, "r") if own or line.rstrip() not in dialect.BANNERS else None
        values = at.read(line, "r") or [""]
        least = int(form.answer[1:] or 2)
        return values if values[0].isdigit() and len(values[0]) >= least else None

    def ends(self, line: str) -> bool:
        """Whether a line is a result code that can end this command, or an error."""
        code = at.result(line)
        return is_error(line) if code is None else self._ends(code)

    def names(self, line: str) -> bool:
        """Whether a line has this command's own name: it is not for who takes all of a kind."""
        own = self.form.send if self.form.answer[:1] in _OPEN else self.form.answer
        return line[0] == own[:1] and at.same(at.prefix(line), at.prefix(own))

    def _is_own(self, values: list) -> bool:
        """Whether they are about the socket that the command is for, as far as they tell."""
        i = self.form.send.find("={id:")
        first = values[0] if values else None
        return i < 0 or not isinstance(first, int) or first == int(self.line[i + 1])

    def _is_echo(self, line: str) -> bool:
        """Whether a line is the command itself, or what is left of it, coming back."""
        line = line.rstrip()
        if len(line) < 2:
            return False
        if not line.startswith("A") and not line.startswith("T"):
            found = self.line.endswith(line)
        else:
            sent = "AT" + self.line
            found = sent.startswith(line) or sent.endswith(line)
        return found and at.result(line) is None


_WORDS = {at.NO_CARRIER: "NO CARRIER", at.ERROR: "ERROR"}


def is_error(line: str) -> bool:
    """Whether a line is the result that every command can have."""
    return line.startswith("+CM") and at.prefix(line) in ("+CME ERROR", "+CMS ERROR")
