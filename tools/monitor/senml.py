"""SenML (RFC 8428) in JSON or CBOR: a pack resolved into values with their own name and time."""

import base64
import json
import math
from typing import Any, NamedTuple

from tools.monitor import cbor

SINCE_NOW = 2**28  # below this a time is relative to now (RFC 8428 clause 4.5.3)
LATEST = 253402300799  # the end of the year 9999: later ones are none
PER_SECOND = "\N{MIDDLE DOT}s"  # of a sum: it is integrated over time
KINDS = {"v": (int, float), "vs": str, "vb": bool, "vd": str}


class Value(NamedTuple):
    """name -- base name and name; at -- Unix time; a data value is bytes"""

    name: str
    value: float | str | bool | bytes
    unit: str
    at: float


def parsed(payload: bytes) -> list[Any]:
    """A pack as JSON has it, whichever of both forms it is in. Raises ValueError that says what is
    wrong with it.
    """
    if cbor.is_cbor(payload):
        return [cbor.numbers(record) for record in cbor.pack(payload)]
    try:
        pack = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(pack, list):
        raise ValueError("no array of records")
    return pack


def resolve(payload: bytes, now: float) -> list[Value]:
    """The values of a pack, in its order. Raises ValueError that says what is wrong with it.

    now -- Unix time, for values without a time of their own
    """
    pack = parsed(payload)
    base: dict[str, Any] = {"bn": "", "bt": 0, "bu": "", "bv": 0, "bs": 0}
    found = []
    for record in pack:
        if not isinstance(record, dict):
            raise ValueError("a record is no object")
        base |= {key: record[key] for key in base if key in record}
        kinds = [key for key in KINDS if key in record]
        if len(kinds) > 1:
            raise ValueError("a record has more than one value")
        name, own = base["bn"], record.get("n", "")
        if not isinstance(name, str) or not isinstance(own, str):
            raise ValueError("a name is no text")
        if not _number(base["bt"]) or not _number(record.get("t", 0)):
            raise ValueError("a time is no number")
        at = _sum(base["bt"], record.get("t", 0))
        if not abs(at) <= LATEST:  # also what is not a number
            raise ValueError("a time is none")
        unit = str(record.get("u", base["bu"]))
        moment = float(at) if at >= SINCE_NOW else now + float(at)
        if _number(record.get("s")):  # of the values over time (RFC 8428 clause 4.2)
            total = _sum(record["s"], base["bs"] if _number(base["bs"]) else 0)
            found.append(Value(f"{name}{own} (sum)", total, f"{unit}{PER_SECOND}", moment))
        if not kinds:
            continue
        value = record[kinds[0]]
        if not isinstance(value, KINDS[kinds[0]]) or (kinds[0] == "v" and not _number(value)):
            raise ValueError(f"{kinds[0]} has a value of the wrong kind")
        if kinds[0] == "v" and _number(base["bv"]):
            value = _sum(value, base["bv"])
        elif kinds[0] == "vd":
            value = _data(value)
        found.append(Value(name + own, value, unit, moment))
    return found


def _sum(a: float, b: float) -> float:
    """Of two numbers, whole ones exactly; infinite where it is more than a float holds."""
    if not b:
        return a
    try:
        return a + b
    except OverflowError:
        return math.inf if a > -b else -math.inf


def _data(text: str) -> str | bytes:
    """A data value (RFC 8428 clause 4.3: base64url without padding); what is none stays text."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), "-_", True)
    except ValueError:
        return text


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
