"""What a node says against docs/schema: what of it does not fit, in words."""

import functools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tools.monitor import senml

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schema"
MOST = 3  # of one message
TEXT = 100  # characters


@functools.cache
def _errors(kind: str) -> Callable[[Any], Iterable[Any]]:
    """kind -- telemetry or result"""
    import jsonschema  # late: it takes a moment to load

    schema = json.loads((FOLDER / f"{kind}.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema).iter_errors


def unfit(kind: str, payload: bytes) -> list[str]:
    """What does not fit, in the order of the message; nothing for what is no message at all."""
    try:
        found = senml.parsed(payload) if kind == "telemetry" else json.loads(payload)
    except (ValueError, RecursionError):
        return []
    try:
        errors = sorted(_errors(kind)(found), key=lambda error: list(map(str, error.path)))
        return list(dict.fromkeys(_said(found, error) for error in errors))[:MOST]
    except (RecursionError, OverflowError):
        return ["it cannot be looked through"]


def _said(found: Any, error: Any) -> str:
    """The value's name, and what is wrong with it."""
    place = list(error.absolute_path)
    name = ""
    if place and isinstance(found, list) and isinstance(place[0], int):
        record = found[place[0]]
        name = str(record.get("n", "")) if isinstance(record, dict) else ""
    elif place:
        name = str(place[0])
    return f"{name[:TEXT] or 'message'}: {error.message[-TEXT:]}"
