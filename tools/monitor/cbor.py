"""SenML CBOR (RFC 8428 clause 6) as what SenML JSON would have been."""

import base64
import io
import json
from decimal import Decimal
from typing import Any

FIRST = 0x80  # a pack begins with an array; JSON begins below it
# Label -> its name in JSON (RFC 8428 table 4, and its registry).
LABELS = {-6: "bs", -5: "bv", -4: "bu", -3: "bt", -2: "bn", -1: "bver",
          0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd"}  # fmt: skip


def is_cbor(payload: bytes) -> bool:
    """Whether a payload is a CBOR array, and so no JSON."""
    return bool(payload) and FIRST <= payload[0] < 0xA0


def pack(payload: bytes) -> list[dict[str, Any]]:
    """The pack as JSON would have it, but for decimal fractions, which stay Decimal. Raises
    ValueError that says what is wrong with it.
    """
    import cbor2  # late: few nodes speak it

    stream = io.BytesIO(payload)
    try:
        found = cbor2.load(stream)
    except (cbor2.CBORError, ValueError, RecursionError, OverflowError, MemoryError) as error:
        raise ValueError(f"no CBOR: {error}") from error
    except (
        ArithmeticError,
        TypeError,
        LookupError,
    ) as error:  # of a tag that holds something else
        raise ValueError(f"no CBOR: {type(error).__name__}") from error
    if stream.tell() != len(payload):
        raise ValueError("there is something behind the array")
    if not isinstance(found, list):
        raise ValueError("no array of records")
    return [_record(record) for record in found]


def _record(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise ValueError("a record is no map")
    fields: dict[str, Any] = {}
    for label, value in record.items():
        name = LABELS.get(label) if type(label) is int else label
        if not isinstance(name, str):
            continue  # of a later version, or nobody's
        if isinstance(value, bytes) and name == "vd":
            value = base64.urlsafe_b64encode(value).decode().rstrip("=")
        elif not isinstance(value, int | float | str | bool | Decimal):
            raise ValueError(f"{name} has a value of the wrong kind")
        fields[name] = value
    return fields


def numbers(fields: dict[str, Any]) -> dict[str, Any]:
    """A record with the numbers that a reader of JSON gives."""
    return {k: float(v) if isinstance(v, Decimal) else v for k, v in fields.items()}


def text(payload: bytes) -> bytes:
    """The pack as JSON text, in the order in which a node writes it. Raises ValueError."""
    order = ["bn", "bt", *LABELS.values()]
    parts = []
    for record in pack(payload):
        names = sorted(record, key=lambda name: order.index(name) if name in order else 99)
        fields = [f"{json.dumps(name)}:{_written(record[name])}" for name in names]
        parts.append("{" + ",".join(fields) + "}")
    return ("[" + ",".join(parts) + "]").encode()


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, Decimal) else json.dumps(value)
