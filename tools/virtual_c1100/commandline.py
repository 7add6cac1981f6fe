"""Taking a V.250 command line apart, and checking arguments against a command's table entry."""

from dataclasses import dataclass
from typing import Any

EXTENDED = "+^$*%"  # first characters of extended commands
QUOTE = '"'


class Malformed(Exception):
    """The line is no command line: answered with ERROR."""


class BadArgument(Exception):
    """The form is right, a value is not."""


@dataclass(frozen=True)
class Parsed:
    """One command of a line. `kind`: "run", "read" (?), "test" (=?) or "write" (=...)."""

    name: str
    kind: str
    arguments: str = ""


@dataclass(frozen=True)
class Argument:
    """One argument as sent."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Int:
    """A decimal number from `low` to `high`. `default` makes it optional."""

    low: int
    high: int
    default: int | None = None
    optional: bool = False

    def take(self, given: Argument) -> int:
        if given.quoted or not given.text.isascii() or not given.text.isdigit():
            raise BadArgument
        if len(given.text) > 10 or not self.low <= int(given.text) <= self.high:
            raise BadArgument
        return int(given.text)


@dataclass(frozen=True)
class Text:
    """A quoted string of `low` to `high` characters; `bare` takes it without quotes too."""

    high: int
    low: int = 0
    default: str | None = None
    optional: bool = False
    bare: bool = False

    def take(self, given: Argument) -> str:
        if not (given.quoted or self.bare) or not self.low <= len(given.text) <= self.high:
            raise BadArgument
        return given.text


Spec = Int | Text


def split_line(body: str) -> list[Parsed]:
    """The commands of a line (without "AT" and the terminator). Raises Malformed."""
    commands = []
    rest = body.strip()
    while rest:
        if rest[0] == ";":
            rest = rest[1:].lstrip()
            continue
        take = _extended if rest[0] in EXTENDED else _basic
        command, rest = take(rest)
        commands.append(command)
        rest = rest.lstrip()
    return commands


def split_arguments(text: str) -> list[Argument]:
    """`1,"a,b",,x` apart. Raises Malformed for a quote that does not close or has a neighbour."""
    arguments = []
    at = 0
    while True:
        while at < len(text) and text[at] == " ":
            at += 1
        if text[at : at + 1] == QUOTE:
            end = text.find(QUOTE, at + 1)
            if end < 0:
                raise Malformed
            arguments.append(Argument(text[at + 1 : end], True))
            comma = text.find(",", end)
            between = text[end + 1 : comma if comma >= 0 else None]
            if between.strip():
                raise Malformed
        else:
            comma = text.find(",", at)
            value = text[at : comma if comma >= 0 else None].strip()
            if QUOTE in value:
                raise Malformed
            arguments.append(Argument(value, False))
        if comma < 0:
            return arguments
        at = comma + 1


def check_arguments(given: list[Argument], specs: tuple[Spec, ...]) -> list[Any]:
    """The values by the table entry, None (or its default) for one left out.

    Raises BadArgument: too many, one missing, or outside its range.
    """
    if len(given) > len(specs):
        raise BadArgument
    values: list[Any] = []
    for n, spec in enumerate(specs):
        if n < len(given) and (given[n].text or given[n].quoted):
            values.append(spec.take(given[n]))
        elif spec.optional or spec.default is not None:
            values.append(spec.default)
        else:
            raise BadArgument
    return values


def _extended(text: str) -> tuple[Parsed, str]:
    """Up to the next `;` that is not inside quotes."""
    end, quoted = len(text), False
    for n, char in enumerate(text):
        if char == QUOTE:
            quoted = not quoted
        elif char == ";" and not quoted:
            end = n
            break
    command, rest = text[:end], text[end + 1 :]
    # The manual prints blanks after "AT+" and around "="; neither belongs to a name.
    stop = next((n for n, char in enumerate(command) if char in "=?:"), len(command))
    name = command[:stop].replace(" ", "").upper()
    if len(name) < 2 or not name[1:].isalnum() or not name.isascii():
        raise Malformed
    tail = command[stop:].rstrip()
    if not tail:
        return Parsed(name, "run"), rest
    if tail == "?":
        return Parsed(name, "read"), rest
    if tail[0] == "=" and tail[1:].strip() == "?":
        return Parsed(name, "test"), rest
    # The manual prints AT+LSHTTPCFG:"contenttype",0; no other command takes a colon.
    if tail[0] == "=" or (tail[0] == ":" and name == "+LSHTTPCFG"):
        return Parsed(name, "write", tail[1:].strip(" ")), rest
    raise Malformed


def _basic(text: str) -> tuple[Parsed, str]:
    """One letter, or & and a letter, with its number; S registers; D takes the rest."""
    head = text[:2].upper() if text[0] == "&" else text[0].upper()
    rest = text[len(head) :]
    if not head[-1].isalpha() or not head.isascii():
        raise Malformed
    if head == "D":
        end = rest.find(";")
        dialled, rest = (rest, "") if end < 0 else (rest[:end], rest[end + 1 :])
        return Parsed("D", "write", dialled.strip()), rest
    number = _digits(rest)
    rest = rest[len(number) :]
    if head == "S":
        register = "S" + (number or "0")
        if rest.startswith("?"):
            return Parsed("S", "read", register[1:]), rest[1:]
        if not rest.startswith("="):
            raise Malformed
        value = _digits(rest[1:])
        return Parsed("S", "write", f"{register[1:]},{value}"), rest[1 + len(value) :]
    return Parsed(head, "write", number or "0"), rest


def _digits(text: str) -> str:
    end = 0
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return text[:end]
