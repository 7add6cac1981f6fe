"""The driver's own table and grammar, on CPython: what is judged is what the driver would see."""

import importlib
import sys
import time
import types
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[2] / "lib"

if "micropython" not in sys.modules:
    micropython = types.ModuleType("micropython")
    micropython.const = lambda value: value  # type: ignore[attr-defined]
    sys.modules["micropython"] = micropython
if not hasattr(time, "ticks_ms"):  # imported by name with the driver, not called here
    time.ticks_ms = lambda: int(time.monotonic() * 1000) & 0x3FFFFFFF  # type: ignore[attr-defined]
    time.ticks_add = lambda ticks, ms: ticks + ms  # type: ignore[attr-defined]
    time.ticks_diff = lambda later, earlier: later - earlier  # type: ignore[attr-defined]
sys.path.append(str(LIB))

at: Any = importlib.import_module("c1100.at")
dialect: Any = importlib.import_module("c1100.dialect")
exchange: Any = importlib.import_module("c1100.exchange")


def forms() -> dict[str, Any]:
    """Every form of the dialect by its name, in the order of the table."""
    return dialect.forms()
