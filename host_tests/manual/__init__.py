r"""The manual's exchanges as data, one file per chapter, run against driver and virtual module.

A file `<chapter>.txt` is UTF-8 text:

    chapter: 3.1            the manual's number
    title: ...              what the flow is for
    source: M S             where the bytes come from: M manual, F field, S standard, I inferred
    after: 3.6.1            the chapter whose exchange comes before this one (may be absent)
    profile: sim.pin="1234" a setting of the virtual module's profile as TOML (any number)
                            an empty line ends the header
    # ...                   a remark: above all what the manual leaves open
    > AT+CSQ\r              the DTE sends exactly these bytes
    < +CSQ: 22,99\r\n       the module answers, in ATV0 and with echo off
    < 0\r                   every line of the answer by itself; the last is the result code
    = {"a":1}\r\n           in an answer, bytes that have no frame and are the same in ATV1
    ! +MQTTCALL:1\r\n       the module sends this later, unasked
    ~ \x7e\xff             data mode: what the module sends begins so, and is no text (last line)
    * 1 send 313233         the network peer of connection 1 sends this (hex), or by then it has
    * 1 expect 313233       received this, or it closes (close)

Blanks at the end of a line count where bytes follow: write \x20. Escapes are those of Python byte
strings. The file holds what comes in ATV0 without echo, as the manual prints it; `framed` gives
the same in ATV1, `echoed` what echo adds.
"""

import codecs
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
WORDS = {b"0": b"OK", b"1": b"CONNECT", b"2": b"RING", b"3": b"NO CARRIER", b"4": b"ERROR"}
SENT, ANSWER, BODY, LATER, PEER, DATA_MODE = ">", "<", "=", "!", "*", "~"


@dataclass(frozen=True)
class Step:
    """One line of a file: its kind (SENT, ANSWER, BODY, LATER, PEER, DATA_MODE) and its bytes."""

    kind: str
    data: bytes


@dataclass
class Exchange:
    """One file."""

    chapter: str
    title: str
    source: str
    after: str = ""
    profile: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def chapters() -> list[str]:
    """The numbers of all chapters that have a file."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def load(chapter: str) -> Exchange:
    """The exchange of one chapter. Raises ValueError that names file and line of a mistake."""
    path = FOLDER / f"{chapter}.txt"
    lines = path.read_text("utf-8").splitlines()
    end = lines.index("")
    header: dict[str, str] = {}
    profile = []
    for number, line in enumerate(lines[:end], 1):
        key, colon, value = line.partition(":")
        if not colon or key not in ("chapter", "title", "source", "after", "profile"):
            raise ValueError(f"{path.name}:{number}: not a header line: {line!r}")
        if key == "profile":
            profile.append(value.strip())
        else:
            header[key] = value.strip()
    exchange = Exchange(
        header["chapter"], header["title"], header["source"], header.get("after", ""), profile
    )
    if exchange.chapter != chapter:
        raise ValueError(f"{path.name}:1: this is not chapter {exchange.chapter}")
    for number, line in enumerate(lines[end + 1 :], end + 2):
        if not line.strip() or line.startswith("#"):
            continue
        if line[1:2] != " " or line[0] not in (SENT, ANSWER, BODY, LATER, PEER, DATA_MODE):
            raise ValueError(f"{path.name}:{number}: not a step: {line!r}")
        data = codecs.escape_decode(line[2:].encode("utf-8"))[0]
        exchange.steps.append(Step(line[0], bytes(data)))
    return exchange


def framed(data: bytes, verbose: bool) -> bytes:
    """A line of the module in ATV1 form when `verbose`; prompts and the like are unchanged."""
    if not verbose or not data.endswith((b"\r", b"\r\n")):
        return data
    text = data.removesuffix(b"\n").removesuffix(b"\r").removeprefix(b"\r")
    if data == text + b"\r":
        text = WORDS.get(text, text)
    return b"\r\n" + text + b"\r\n"


def echoed(data: bytes) -> bytes:
    """What echo sends back: a command line up to its carriage return; of other data nothing."""
    return data[: data.index(b"\r") + 1] if data[:2].upper() == b"AT" else b""
