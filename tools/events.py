"""One line of a bench's log: what happened, when in virtual time."""

import re
from dataclasses import dataclass

_SECRETS = re.compile(r'(\+CPIN=|"password",\s*|\+CLCK=[^\r]*?)"[^\r]*', re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """Something that happened: its virtual time in microseconds, its kind, and what it was."""

    at_us: int
    kind: str
    detail: str

    def __str__(self) -> str:
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in self.detail)
        return f"{self.at_us:>16} {self.kind:<8} {text}"


def printable(data: bytes) -> str:
    """Bytes of the module's line as one line of text, without PIN and password."""
    text = _SECRETS.sub(r'\1"***"', data.decode("latin-1"))
    return ascii(text)[1:-1]
