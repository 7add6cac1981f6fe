"""The driver's parts, each a package that needs only its own modules and the core's.

What belongs to a part is found from its entries by the imports in the sources. The facade opens
each feature when it is first asked for; a feature whose files are not there costs nothing.
"""

import ast
from pathlib import Path

from tools.deploy import DeployError, project

NAME = "c1100"
CORE = "core"
FACADE = ("modem",)  # whose late imports are the parts
ENTRIES = {
    "mqtt": ("mqtt",),
    "http": ("http",),
    "sockets": ("sockets", "pdp", "passthrough", "streams", "tls", "socket", "mqtts", "blocking"),
    "gnss": ("gnss",),
    "lwm2m": ("lwm2m",),
    "ppp": ("ppp",),
    "power": ("power",),
}


def folder() -> Path:
    """Where the driver is."""
    return project.ROOT / "lib" / NAME


def modules() -> dict[str, list[str]]:
    """Part -> names of its modules, without the core's, which comes first. What no import leads
    to is of the core, and so is what several parts need. Raises DeployError when the core needs a
    part.
    """
    entries = {name: part for part, names in ENTRIES.items() for name in names}
    core = _closure(["__init__"], without=frozenset(entries))
    if needless := [name for name in core if name in entries]:
        raise DeployError(f"the core cannot do without {', '.join(needless)}, which are of a part")
    parts: dict[str, list[str]] = {CORE: []}
    for part, names in ENTRIES.items():
        present = [name for name in names if (folder() / f"{name}.py").is_file()]
        parts[part] = sorted(_closure(present) - core)
    found = [name for names in parts.values() for name in names]
    shared = {name for name in found if found.count(name) > 1}
    for part in ENTRIES:
        parts[part] = [name for name in parts[part] if name not in shared]
    others = set(found) - shared
    parts[CORE] = sorted({path.stem for path in folder().glob("*.py")} - others)
    return parts


def files(part: str) -> list[str]:
    """Paths below lib/ of all that a part needs, the core's among them."""
    parts = modules()
    names = parts[CORE] + (parts[part] if part != CORE else [])
    return [f"{NAME}/{name}.py" for name in sorted(names)]


def _closure(names: list[str], without: frozenset[str] = frozenset()) -> set[str]:
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        needed = imported(name)
        left += needed - without if name in FACADE else needed
    return found


def imported(name: str) -> set[str]:
    """The driver's modules that one of them imports, now or later."""
    names = set()
    tree = ast.parse((folder() / f"{name}.py").read_text())
    # What is imported for its hints is never loaded.
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "_HINTS")
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names |= {node.module} if node.module else {alias.name for alias in node.names}
    return {str(each) for each in names}
