"""Modules of driver and firmware are read once: a wake unloads dozens, and loads them again.

What a module does when it is imported, it does each time; only its named tuples stay, which
CPython compiles.
"""

import collections
import functools
import sys
from collections.abc import Sequence
from copy import copy
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import ClassVar

_ROOT = Path(__file__).resolve().parents[2]
_PLACES = tuple(f"{_ROOT / name}/" for name in ("lib", "firmware"))


class Loader(SourceFileLoader):
    """Keeps the code of its file."""

    _code: CodeType | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        if self._code is None:
            self._code = super().get_code(fullname)
        return self._code


class Finder:
    """Finds submodules where they were before."""

    _specs: ClassVar[dict[tuple[str, ...], ModuleSpec]] = {}

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or name.partition(".")[0] not in ("c1100", "firmware"):
            return None
        key = (name, *path)
        if key not in cls._specs:
            found = PathFinder.find_spec(name, path, target)
            if found is None or not (found.origin or "").startswith(_PLACES):
                return found
            found.loader = Loader(name, str(found.origin))
            cls._specs[key] = found
        return copy(cls._specs[key])


_namedtuple = collections.namedtuple


@functools.cache
def _kept_tuple(module: str, name: str, fields: str | tuple[str, ...]) -> type:
    return _namedtuple(name, fields, module=module)


@functools.wraps(_namedtuple)
def _tuple(name, fields, **options):
    module = sys._getframe(1).f_globals.get("__name__", "__main__")
    if module.partition(".")[0] in ("c1100", "firmware"):
        return _kept_tuple(module, name, fields if isinstance(fields, str) else tuple(fields))
    return _namedtuple(name, fields, **{"module": module, **options})


def install() -> None:
    """Before all other finders."""
    sys.meta_path.insert(0, Finder)  # type: ignore[arg-type]
    collections.namedtuple = _tuple
