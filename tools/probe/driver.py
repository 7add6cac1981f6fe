"""The driver's own table and grammar, on CPython: what is judged is what the driver would see."""

import sys
import types
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib"

if "micropython" not in sys.modules:
    micropython = types.ModuleType("micropython")
    micropython.const = lambda value: value  # type: ignore[attr-defined]
    sys.modules["micropython"] = micropython
sys.path.append(str(LIB))

from c1100 import at, dialect, exchange  # noqa: E402

__all__ = ["at", "dialect", "exchange", "forms"]


def forms() -> dict[str, dialect.Form]:
    """Every form of the dialect by its name, in the order of the table."""
    return {name: form for name, form in vars(dialect).items() if isinstance(form, dialect.Form)}
