"""AT grammar: parameters, result codes, command lines and the errors of the driver.

Sans-IO. ITU-T V.250 for the framing, 3GPP TS 27.007 clause 9 for +CME ERROR, TS 27.005 clause
3.2.5 for +CMS ERROR.
"""

from micropython import const

TYPE_CHECKING = const(0)  # those who check types take it for true

_LF = const(10)
_CR = const(13)
_BLANK = const(32)
_QUOTE = const(34)
_COMMA = const(44)
_ZERO = const(48)
_NINE = const(57)
_DELETE = const(127)
_LONGEST_TEXT = const(64)  # that is read without making text of the whole line

# Result codes, numbered as ATV0 prints them (manual 3.1).
OK = 0
CONNECT = 1
RING = 2
NO_CARRIER = 3
ERROR = 4

_RESULTS = {
    "0": OK,
    "1": CONNECT,
    "2": RING,
    "3": NO_CARRIER,
    "4": ERROR,
    "OK": OK,
    "CONNECT": CONNECT,
    "RING": RING,
    "NO CARRIER": NO_CARRIER,
    "ERROR": ERROR,
    "NO DIALTONE": NO_CARRIER,
    "BUSY": NO_CARRIER,
    "NO ANSWER": NO_CARRIER,
}


# What lines begin with that have a name, and so an owner.
MARKS = "+^$%#*&!@"


class C1100Error(Exception):
    """Whatever goes wrong between the driver and the module.

    command -- the form of the command that failed, without the values that were sent, so that a
    PIN or a password never gets into a log; None when no command was at fault
    status -- of the HTTP answer whose body is at fault; None where there is none
    """

    status: int | None = None

    def __init__(self, text: str, command: str | None = None) -> None:
        if command:
            i = command.find("{")  # its fields mean nothing to a reader
            text = "AT%s: %s" % (command if i < 0 else command[:i] + "...", text)
        super().__init__(text)
        self.command = command


class BadArgument(C1100Error):
    """A value that cannot be sent. Nothing has been sent."""


class Timeout(C1100Error):
    """No result code within the command's time. The channel resynchronises before the next one."""


class BadAnswer(C1100Error):
    """The command succeeded, but its answer is missing or not of the expected form."""


class CommandError(C1100Error):
    """The module answered ERROR, or the failure that the command's form names.

    outcome -- the line that told of the failure; None when the result code was all
    """

    outcome: str | None = None


class Refused(CommandError):
    """What is beyond the module has refused: a broker, a server, an operator. The text names the
    values that may be wrong, but no secrets, and no command: the module has done what it was told.
    No restart of it mends that.
    """

    def __init__(self, text: str, command: str | None = None) -> None:
        super().__init__(text)
        self.command = command


class Rebooted(C1100Error):
    """The module restarted in the middle of a command."""


class Overflow(C1100Error):
    """More data than the receiver had room for."""


# More of them are in errors.py, and have a name here as well: loaded when one is needed.
if TYPE_CHECKING:
    from .errors import (  # noqa: F401 -- at.Asleep and the others
        Asleep,
        CmeError,
        CmsError,
        NoModule,
        NotConnected,
        NotRegistered,
        NotSupported,
        PayloadError,
        PinRefused,
        RegistrationDenied,
        SimError,
        TooWeak,
    )
else:

    def __getattr__(name: str):
        from . import errors

        return getattr(errors, name)


def text(line) -> str:
    """A line as str. Bytes that are neither printable nor UTF-8 become ``?``. Leading ones vanish,
    and blanks: what a module puts in front of a line while it boots or changes its rate is noise.
    """
    if not 32 < line[0] < 127:
        i = 1
        n = len(line)
        while i < n and not 32 < line[i] < 127:
            i += 1
        line = line[i:]
    try:
        return str(line, "utf-8")
    except UnicodeError:  # noise inside the line
        return "".join([chr(c) if 32 <= c < 127 else "?" for c in line])


def prefix(line: str) -> str:
    """What names a line: ``+CEREG`` of ``+CEREG: 5`` and of ``+CEREG=5``, else the whole line."""
    end = line.find(":")
    equals = line.find("=") if end < 0 else line.find("=", 0, end)
    if equals >= 0:
        end = equals
    return (line if end < 0 else line[:end]).rstrip()


def bare(name: str) -> str:
    """A prefix without the LS that some lines of the module have in it, and others lack."""
    return "+" + name[3:] if name.startswith("+LS") else name


def other(name: str) -> str:
    """A prefix with LS where it has none, and without where it has one."""
    short = bare(name)
    return short if short != name or name[:1] != "+" else "+LS" + name[1:]


def same(one: str, other: str) -> bool:
    """Whether two prefixes are the same, with or without LS."""
    if one == other:
        return True
    return (one.startswith("+LS") or other.startswith("+LS")) and bare(one) == bare(other)


def params(line: str, start: int | None = None) -> list:
    """Parameters of an information response or URC: int, str, or None where one is empty.

    line  -- with or without its prefix; blanks around parameters do not count, commas inside
             quotes do not separate
    start -- where the parameters begin; found from the prefix when not given
    """
    found = _words(line, _start(line) if start is None else start)
    for i, word in enumerate(found):
        found[i] = _value(word)
    return found


# The last texts that stood in quotes: (bytes with the quote behind, text, bytes with both quotes)
_texts: list = [(b'"', "", 2)] * 8


def values(buf, i: int, found: list, most: int = 0) -> int:
    """Read what params() would of a buffer's bytes, from the sign behind a prefix, at i, to the
    end of the line, without making text of the whole of them.

    most -- stop at the comma behind so many

    Returns where it has stopped; 0 where they are not as clean as usual: then it takes params().
    """
    while True:
        i += 1
        c = buf[i]
        if c >= _ZERO:
            if c > _NINE:
                i = _word_at(found, buf, i)
                if not i:
                    return 0
                c = buf[i]
            else:
                value = c - _ZERO
                i += 1
                c = buf[i]
                while c >= _ZERO:
                    if c > _NINE:
                        return 0
                    value = 10 * value + c - _ZERO
                    i += 1
                    c = buf[i]
                found.append(value)
        elif c == _QUOTE:
            # Areas, cells and addresses come again and again, and to make text takes long.
            value = _texts[(buf[i + 1] ^ buf[i + 2]) & 7]
            if buf.startswith(value[0], i + 1):
                found.append(value[1])
                i += value[2]
            else:
                i = _quoted_at(found, buf, i + 1)
                if not i:
                    return 0
            c = buf[i]
        elif c == _BLANK:
            continue
        elif c == _COMMA or c == _CR or c == _LF:  # noqa: SIM109 -- half as long
            if c == _COMMA or found:
                found.append(None)
        else:
            i = _word_at(found, buf, i)
            if not i:
                return 0
            c = buf[i]
        if c == _COMMA:
            most -= 1
            if not most:
                return i
        elif c == _CR or c == _LF:  # noqa: SIM109
            return i
        else:
            return 0


def _quoted_at(found: list, buf, i: int) -> int:
    """Read text that begins behind a quote. Returns where it ends; 0 if it is not clean."""
    end = buf.find(b'"', i, i + _LONGEST_TEXT) + 1
    raw = bytes(buf[i:end])
    if not end or b"\r" in raw or b"\n" in raw:
        return 0
    try:
        text = str(raw, "utf-8")[:-1]
    except UnicodeError:
        return 0
    _texts[(raw[0] ^ buf[i + 1]) & 7] = (raw, text, end - i + 1)
    found.append(text)
    return end


def _word_at(found: list, buf, i: int) -> int:
    """Read a parameter that is neither text in quotes nor a number from 0."""
    end = i
    while buf[end] != _COMMA and buf[end] != _CR and buf[end] != _LF:
        end += 1
    raw = bytes(buf[i:end])
    if not _BLANK < raw[-1] < _DELETE or not _BLANK < raw[0] < _DELETE or raw[0] in b":=":
        return 0
    try:
        found.append(_value(str(raw, "utf-8")))
    except UnicodeError:
        return 0
    return end


def read(line: str, shape: str) -> list | None:
    """The values that a shape names, a letter each; None when the line does not fit it.

    ``i`` a whole number   ``d`` one below 100 that is not written as an area is: modes, states
    ``s`` text   ``?`` anything   ``r``, alone: the whole line as text, quotes and prefix removed

    A capital letter may be missing or empty: None. A number may have leading zeros, blanks and
    quotes; text may lack its quotes, and keeps its digits. More parameters follow as params()
    gives them. Fewer do not fit: a URC that lacks the leading <n> of its query's answer is none.
    """
    found = _simple(line, shape)
    if found is not None:
        return found
    start = _start(line)
    if shape == "r":
        rest = line[start:].replace('"', "").strip()
        return [rest] if rest else None
    found = _words(line, start)
    bare = not found or found[0][:1] != '"'
    few = len(found) < 3
    n = len(shape)
    while len(found) < n:
        found.append("")
    for i in range(len(found)):
        word = found[i]
        kind = shape[i] if i < n else "?"
        if kind == "?":
            found[i] = _value(word)
            continue
        plain = word
        if word[:1] == '"':
            plain = word[1:].strip()
        if not plain:
            if kind >= "a":
                return None
            found[i] = None
        elif kind in "sS":
            found[i] = plain
        else:
            found[i] = value = _value(plain)
            if not isinstance(value, int):
                return None
            # Where an answer has its state, a URC has the area: alone in quotes, of four digits,
            # and with the cell behind it.
            if kind in "dD" and (
                value > 99 or (len(plain) > 3 and not few) or (bare and plain is not word)
            ):
                return None
    return found


def _simple(line: str, shape: str) -> list | None:
    """read() of whole numbers that are written as usual; None for whatever else."""
    for kind in shape:
        if kind != "i" and kind != "I":
            return None
    i = line.find(":")
    if not shape or i < 0 or line.find("=", 0, i) >= 0 or not line.startswith("+"):
        return None
    found = []
    if not values(line.encode() + b"\r\0", i, found):
        return None
    for value in found:
        if not isinstance(value, int):
            return None
    while len(found) < len(shape):
        if shape[len(found)] == "i":
            return None
        found.append(None)
    return found


def _start(line: str) -> int:
    """Where the parameters of a line begin, behind its prefix if it has one."""
    if not line or line[0] not in "+^$*#%":
        return 0
    n = len(line)
    i = len(prefix(line))
    while i < n and line[i] in " :=":
        i += 1
    return i


def _words(line: str, i: int) -> list:
    """The parameters from there on, as text; what is in quotes keeps the one in front of it."""
    rest = line[i:].strip()
    if not rest:
        return []
    if '"' not in rest:
        return [word.strip() for word in rest.split(",")]
    n = len(line)
    found = []
    while True:
        while i < n and line[i] == " ":
            i += 1
        if i < n and line[i] == '"':
            end = line.find('"', i + 1)
            if end < 0:
                end = n
            found.append(line[i:end])
            i = line.find(",", end)
        else:
            end = line.find(",", i)
            found.append((line[i:] if end < 0 else line[i:end]).strip())
            i = end
        if i < 0:
            return found
        i += 1


def _value(word: str):
    if not word:
        return None
    if word[0] == '"':
        return word[1:]
    if not (word[1:] if word[0] == "-" else word).isdigit():
        return word
    try:
        return int(word)
    except ValueError:  # a digit of another script
        return word


def result(line: str) -> int | None:
    """The result code that a whole line is, in numeric or verbose form; None if it is none."""
    if line.startswith("+"):
        return None
    line = line.strip()
    code = _RESULTS.get(line)
    if code is None and line.startswith("CONNECT "):  # V.250 6.3.1: CONNECT <text>
        return CONNECT
    return code


def error(line: str, command: str | None = None) -> C1100Error | None:
    """The error that a ``+CME ERROR`` or ``+CMS ERROR`` line stands for; None for other lines."""
    name = prefix(line)
    if name != "+CME ERROR" and name != "+CMS ERROR":
        return None
    from . import errors

    return errors.told(name, line[len(name) :].lstrip(" :=").strip(), command)


def render(form: str, args: tuple = ()) -> str:
    """Fill a command form such as ``+LSMQTTOPEN={host:q64},{port:d65535}`` with values.

    A field names its argument and its kind: ``q`` text in quotes (with the largest length behind),
    ``d`` a number from 0 (with the largest value behind), ``h`` bytes as hex digits in quotes
    (with the largest number of bytes behind).

    Raises BadArgument when a value is of the wrong type, too long or too large, or holds what
    would end or split the command line. Nothing that a caller passes can become a second command.
    """
    if "{" not in form and not args:
        return form
    pieces = form.split("{")
    out = [pieces[0]]
    if len(args) != len(pieces) - 1:
        raise BadArgument("%d values for %d fields" % (len(args), len(pieces) - 1), form)
    for i, value in enumerate(args):
        field, rest = pieces[i + 1].split("}")
        name, spec = field.split(":")
        limit = int(spec[1:]) if len(spec) > 1 else None
        out.append(_FIELDS[spec[0]](value, name, limit, form))
        out.append(rest)
    return "".join(out)


def _quoted(value, name: str, limit: int | None, form: str) -> str:
    if not isinstance(value, str):
        raise BadArgument("%s must be text" % name, form)
    if limit is not None and len(value) > limit:
        raise BadArgument("%s has %d characters, %d allowed" % (name, len(value), limit), form)
    for c in value:
        if not " " <= c <= "~" or c == '"':
            raise BadArgument("%s must be printable ASCII without quotes" % name, form)
    return '"' + value + '"'


def _decimal(value, name: str, limit: int | None, form: str) -> str:
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, int) or value < 0 or (limit is not None and value > limit):
        top = "" if limit is None else " to %d" % limit
        raise BadArgument("%s must be a whole number from 0%s" % (name, top), form)
    return str(value)


def _hex(value, name: str, limit: int | None, form: str) -> str:
    if isinstance(value, str):
        value = value.encode()
    if type(value) not in (bytes, bytearray, memoryview):
        raise BadArgument("%s must be bytes or text" % name, form)
    if limit is not None and len(value) > limit:
        raise BadArgument("%s has %d bytes, %d allowed" % (name, len(value), limit), form)
    from binascii import hexlify

    return '"' + hexlify(value).decode() + '"'


_FIELDS = {"q": _quoted, "d": _decimal, "h": _hex}


def check_line(command: str) -> str:
    """A command given as text, if it is one line of printable ASCII; else BadArgument."""
    for c in command:
        if not " " <= c <= "~":
            raise BadArgument("a command is one line of printable ASCII", command.split("=")[0])
    return command
