"""What a command family is made of: table entries, a call, and the ways in which a call ends."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from tools.virtual_c1100.commandline import Spec


class Result(enum.IntEnum):
    """Result codes of V.250 clause 5.7.1; the values are those of ATV0 (manual 3.1)."""

    OK = 0
    CONNECT = 1
    RING = 2
    NO_CARRIER = 3
    ERROR = 4


WORDS = {
    Result.OK: "OK",
    Result.CONNECT: "CONNECT",
    Result.RING: "RING",
    Result.NO_CARRIER: "NO CARRIER",
    Result.ERROR: "ERROR",
}

# 3GPP TS 27.007 clause 9.2, those that the module uses.
CME_WORDS = {
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    15: "SIM wrong",
    16: "incorrect password",
    30: "no network service",
    50: "incorrect parameters",
    100: "unknown",
    126: "insufficient resources",
    127: "missing or unknown APN",
    128: "unknown PDP address or PDP type",
    129: "user authentication failed",
    130: "activation rejected by GGSN, Serving GW or PDN GW",
    131: "activation rejected, unspecified",
    132: "service option not supported",
    133: "requested service option not subscribed",
    134: "service option temporarily out of order",
    148: "unspecified GPRS error",
    177: "operator determined barring",
    190: "network failure",
}


class Failure(Exception):
    """A call ends with ERROR."""


class CmeFailure(Failure):
    """A call ends with +CME ERROR: `code`, in the form that AT+CMEE asks for."""

    def __init__(self, code: int) -> None:
        super().__init__(f"+CME ERROR: {code} ({CME_WORDS[code]})")
        self.code = code


class Later:
    """A handler returns LATER when it will finish its call itself."""


LATER = Later()

DataSink = Callable[[bytes], bytes | None]
"""Takes raw bytes; returns None while it wants more, else what it did not use."""


class Call:
    """One running command: what its handler sees.

    `args` are the checked values of the table entry, or the raw text where it has none.
    """

    def __init__(self, name: str, args: list[Any], raw: str, port: "Port") -> None:
        self.name = name
        self.args = args
        self.raw = raw
        self._port = port

    def info(self, text: str | bytes, end: str = "\r\n", lead: str = "") -> None:
        """Send an information line. `end`, `lead`: around it in ATV0 (some LS lines: CR alone)."""
        self._port.information(text, end, lead)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._port.raw(data)

    def finish(self, result: Result = Result.OK, text: str = "") -> None:
        """End a call whose handler returned LATER. `text` replaces the result's word."""
        self._port.finished(self, result, text)

    def fail(self, failure: Failure) -> None:
        """End a call whose handler returned LATER with an error."""
        self._port.failed(self, failure)

    def collect(self, prompt: bytes, sink: DataSink) -> None:
        """Send `prompt` as it is and give every byte that arrives to `sink`, unechoed."""
        self._port.collect(prompt, sink)

    def release(self, unused: bytes) -> None:
        """End collecting from outside the sink; `unused` goes back to the command line."""
        self._port.release(unused)

    def when_sent(self, fn: Callable[[], None]) -> None:
        """Call `fn()` once the final result has left the UART."""
        self._port.when_sent(fn)


class Port(Protocol):
    """What a `Call` needs of the interpreter."""

    def information(self, text: str | bytes, end: str, lead: str) -> None: ...
    def raw(self, data: bytes) -> None: ...
    def finished(self, call: Call, result: Result, text: str) -> None: ...
    def failed(self, call: Call, failure: Failure) -> None: ...
    def collect(self, prompt: bytes, sink: DataSink) -> None: ...
    def release(self, unused: bytes) -> None: ...
    def when_sent(self, fn: Callable[[], None]) -> None: ...


Handler = Callable[[Call], Later | None]


@dataclass(frozen=True)
class Command:
    """One row of a family's table.

    source -- where the form comes from: M manual, F field, S standard, I inferred
    args -- of the write form; None: the handler takes `call.raw` apart itself
    test -- what =? answers, or a handler; the empty text: only OK
    """

    name: str
    source: str
    write: Handler | None = None
    args: tuple[Spec, ...] | None = ()
    read: Handler | None = None
    run: Handler | None = None
    test: str | Handler = ""


def table(*families: Iterable[Command]) -> dict[str, Command]:
    """All families' rows by name. Raises ValueError for a name that is there twice."""
    rows: dict[str, Command] = {}
    for family in families:
        for row in family:
            if row.name in rows:
                raise ValueError(f"{row.name} is in two command tables")
            rows[row.name] = row
    return rows
