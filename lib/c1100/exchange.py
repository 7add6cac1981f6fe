"""One command on the wire, and which of the module's lines belong to it.

Sans-IO: takes lines, owns no clock and no task.
"""

from . import at, dialect


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
        self.outcome: str | None = None  # the line that form.then asks for, or tells of failure
        self.error: at.C1100Error | None = None
        self.late = 0  # lines of older commands
        self.echoed = False  # the command came back
        self.verbose = False  # the result code came as a word
        self.then = form.then.rstrip("?")  # prefix of the outcome's line
        self.optional = self.then != form.then or self.then == dialect.VERDICT
        i = form.send.find("={id:")
        self._id = int(line[i + 1]) if i > 0 else None  # which of the module's sockets

    @property
    def finished(self) -> bool:
        if self.error is not None:
            return True
        return self.code is not None and (not self.then or self.outcome is not None)

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
        if not has_left or self.finished:
            return False
        form = self.form
        if is_final(line):
            return self._take_final(line)
        if name == dialect.VERDICT and form.send.startswith(name):
            return self._take_verdict(name, line)
        if self.then and at.bare(name) == at.bare(self.then) and self._is_mine(line):
            if self.outcome is None or at.prefix(self.outcome) == name:  # else it has failed
                self.outcome = line
            return True
        if self.code is None and self.answers(name, line):
            self.lines.append(line)
            return True
        return False

    def _take_final(self, line: str) -> bool:
        if self.sync and not self.lines:
            self.late += 1
            return True
        if self.code is not None:
            return False
        code = at.result(line)
        self.code = at.ERROR if code is None else code
        if code is None:
            self.error = at.error(line, self.form.send)
            return True
        self.verbose = not line[0].isdigit()
        if code == at.ERROR or code == at.NO_CARRIER:
            self.error = at.CommandError(
                "ERROR" if code == at.ERROR else "NO CARRIER", self.form.send
            )
        return True

    def _take_verdict(self, name: str, line: str) -> bool:
        awaited = self.then == name and self.outcome is None
        if awaited or not _succeeded(line):
            self.outcome = line
        return True

    def result(self) -> list:
        """The information response, with the outcome line at its end; raises what went wrong."""
        error = self.error
        if self.outcome is not None and not isinstance(error, at.Rebooted):
            if not _succeeded(self.outcome):
                if not isinstance(error, at.CmeError):  # which says more
                    error = at.CommandError(self.outcome, self.form.send)
                error.outcome = self.outcome
            elif error is None:
                self.lines.append(self.outcome)
        if error is not None:
            raise error
        return self.lines

    def answers(self, name: str, line: str) -> bool:
        """Whether a line fits what the form says of its information response."""
        form = self.form
        if form.answer == "#":
            return line.isdigit() and len(line) > 1
        if form.answer[:1] == "*" and name != form.answer[1:]:
            return name not in dialect.URCS and line not in dialect.BANNERS
        if form.answer[:1] == "*":
            return True
        if not form.answer or at.bare(name) != at.bare(form.answer):
            return False
        return self._is_mine(line) and at.read(line, form.shape) is not None

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


def _succeeded(outcome: str) -> bool:
    values = at.params(outcome)
    if at.prefix(outcome) == dialect.VERDICT:
        return "OK" in values
    return bool(values) and values[-1] not in dialect.FAILED


def is_final(line: str) -> bool:
    """Whether a line ends a command: a result code other than RING, or an error."""
    code = at.result(line)
    if code is None:
        return at.prefix(line) in ("+CME ERROR", "+CMS ERROR")
    return code != at.RING
