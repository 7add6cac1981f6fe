"""The driver with an edited dialect: lib/c1100 under another name, its dialect.py rewritten as a
user would.
"""

import ast
import importlib.util
import itertools
import re
import sys
import types
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[2] / "lib" / "c1100"
SOURCE = (LIB / "dialect.py").read_text()
_numbers = itertools.count()


def entries(source: str = SOURCE) -> dict[str, ast.Assign]:
    """The statement of each entry of the table, by its name."""
    return {
        node.targets[0].id: node
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if node.targets[0].id != "TYPE_CHECKING"
    }


def rewrite(name: str, text: str, source: str = SOURCE) -> str:
    """The source with another value for an entry."""
    node = entries(source)[name]
    lines = source.splitlines(keepends=True)
    assert node.end_lineno is not None
    lines[node.lineno - 1 : node.end_lineno] = [f"{name} = {text}\n"]
    return "".join(lines)


def rewrite_form(name: str, fields: dict[str, Any], source: str = SOURCE) -> str:
    """The source with another line for a form."""
    how = [str(fields["wait"]), "" if fields["again"] else "once", ">" if fields["prompt"] else ""]
    cells = [name, *(fields[key] for key in ("send", "source", "answer", "shape", "then"))]
    row = " | ".join([*cells, " ".join(how)])
    edited, count = re.subn(rf"^{name} \|.*$", lambda _: row, source, flags=re.MULTILINE)
    assert count == 1
    return edited


def load(source: str) -> types.ModuleType:
    """The package with this dialect. Several can be loaded side by side."""
    name = f"edited_c1100_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(
        name, LIB / "__init__.py", submodule_search_locations=[str(LIB)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    dialect = types.ModuleType(name + ".dialect")
    dialect.__package__ = name
    sys.modules[dialect.__name__] = dialect
    exec(compile(source, "edited dialect.py", "exec"), dialect.__dict__)
    package.dialect = dialect  # type: ignore[attr-defined]
    spec.loader.exec_module(package)
    return package


def unload(package: types.ModuleType) -> None:
    for name in list(sys.modules):
        if name == package.__name__ or name.startswith(package.__name__ + "."):
            del sys.modules[name]
