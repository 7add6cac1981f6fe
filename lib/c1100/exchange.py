"""One command on the wire, and which of the module's lines belong to it.

Sans-IO: takes lines, owns no clock and no task.
"""

from . import at, dialect

_MARKS = "+^$%#*&!@"  # what lines begin with that have a name, and so an owner


class Exchange:
    """form -- of the dialect; line -- what follows AT; sync -- result codes that come in front of
    the information response belong to older commands
    """

    def __init__(self, form: dialect.Form, line: str, sync: bool = False) -> None:
        self.form = form
        self.line = line
        self.sync = sync
        self.written = False  # completely given to the UART
        self.prompted = False  # the module waits for the payload
        self.lines = []  # information response
        self.code: int | None = None  # result code
        self.unsure = False  # of code and error: what comes within a moment counts more
        self.outcome: str | None = None  # the line that form.then asks for, or tells of failure
        self.error: at.C1100Error | None = None
        self.late = 0  # lines of older commands
        self.echoed = False  # the command came back
        self.verbose = False  # the result code came as a word
        self.then = form.then.rstrip("?")  # prefix of the outcome's line
        self.optional = self.then != form.then or self.then == dialect.VERDICT
        ends = dialect.ENDS
        self._ends = ends.get(form.send) or ends.get(form.send[:1]) or ends[""]
        i = form.send.find("={id:")
        self._id = int(line[i + 1]) if i > 0 else None  # which of the module's sockets
        self._open = form.answer[:1] in ("*", "#")  # the information response needs no name
        # What names a line as this command's own.
        self._own = at.bare(at.prefix(form.send if self._open else form.answer or form.send))

    @property
    def finished(self) -> bool:
        if self.error is not None:
            return True
        return self.code is not None and (not self.then or self.outcome is not None)

    @property
    def sure(self) -> bool:
        """Finished, whatever comes."""
        return self.finished and not self.unsure

    @property
    def enough(self) -> bool:
        """Whether what has come tells the end, though more may come: within a short time."""
        if self.outcome is not None:
            return True
        return self.code is not None and self.optional

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
        if self.ends(line):
            return self._take_final(line)
        if name == dialect.VERDICT and form.send.startswith(name):
            return self._take_verdict(name, line)
        if self.then and at.bare(name) == at.bare(self.then) and self._is_mine(line):
            if self.outcome is None or at.prefix(self.outcome) == name:  # else it has failed
                self.outcome = line
            return True
        if (self.code is None or self.unsure) and self.answers(name, line):
            if self.error is not None:
                self._revoke()  # it was nobody's
            self.lines.append(line)
            return True
        return False

    def prompt(self) -> None:
        """The module asks for the payload: no result code has come before that."""
        self.prompted = True
        self._revoke()

    def interrupt(self, error: at.C1100Error, unsure: bool) -> None:
        """The module has begun anew, and will not answer; but it may just have done so."""
        self.error = error
        self.unsure = unsure

    def _revoke(self) -> None:
        self.code = self.error = None
        self.unsure = False

    def _take_final(self, line: str) -> bool:
        if self.sync and not self.lines:
            self.late += 1
            return True
        if self.code is not None and not self.unsure:
            return False
        form = self.form
        code = at.result(line)
        self.code = at.ERROR if code is None else code
        self.verbose = code is not None and not line[0].isdigit()
        if code is None:
            self.error = at.error(line, form.send)
        elif self._ends.find(str(code)) < self._ends.find("/"):
            self.error = None
        else:
            self.error = at.CommandError(line if self.verbose else _WORDS[code], form.send)
        # A failure may be an older command's, and so may be what lacks its answer or prompt.
        self.unsure = (
            self.error is not None
            or str(code) != self._ends[0]
            or (not self.lines and self._must_tell())
            or (form.prompt and not self.prompted)
        )
        return True

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

    def answers(self, name: str, line: str) -> bool:
        """Whether a line fits what the form says of its information response."""
        form = self.form
        if not form.answer or not self._is_mine(line):
            return False
        own = at.bare(name) == self._own
        if not self._open:
            return own and at.read(line, form.shape) is not None
        if not own and (line[0] in _MARKS or at.result(line) is not None):
            return False
        if form.answer[0] == "*":
            return own or line.rstrip() not in dialect.BANNERS
        digits = at.read(line, "r")
        least = int(form.answer[1:] or 2)
        return digits is not None and digits[0].isdigit() and len(digits[0]) >= least

    def ends(self, line: str) -> bool:
        """Whether a line is a result code that can end this command, or an error."""
        code = at.result(line)
        return is_error(line) if code is None else str(code) in self._ends

    def names(self, line: str) -> bool:
        """Whether a line has this command's own name: it is not for who takes all of a kind."""
        return line[0] == self._own[:1] and at.bare(at.prefix(line)) == self._own

    def _is_mine(self, line: str) -> bool:
        """Whether a line is about the socket that the command is for, as far as it can be read."""
        if self._id is None:
            return True
        values = at.params(line)
        return not values or values[0] == self._id or not isinstance(values[0], int)

    def _is_echo(self, line: str) -> bool:
        """Whether a line is the command itself, or what is left of it, coming back."""
        sent = "AT" + self.line
        line = line.rstrip()
        if len(line) < 2 or not (sent.startswith(line) or sent.endswith(line)):
            return False
        return at.result(line) is None


_WORDS = {at.NO_CARRIER: "NO CARRIER", at.ERROR: "ERROR"}


def is_error(line: str) -> bool:
    """Whether a line is the result that every command can have."""
    return line[:1] == "+" and at.prefix(line) in ("+CME ERROR", "+CMS ERROR")
