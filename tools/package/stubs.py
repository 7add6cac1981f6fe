"""Type stubs of the driver for editors and type checkers, as a package for pip: c1100-stubs.

    python -m tools stubs          writes build/c1100_stubs-VERSION-py3-none-any.whl
    pip install --target typings build/c1100_stubs-*.whl      beside those of the MicroPython

Made of the driver's own source: signatures, hints and docstrings, without what they do. Private
names are left out, but for classes.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import failure
from tools.deploy import project
from tools.package import project as about
from tools.package.wheel import Wheel

NAME = "c1100"
DESCRIPTION = """\
# c1100-stubs

Type stubs of `c1100`, the MicroPython driver for the LongSung C1100 module, for editors and type
checkers; nothing of it runs. Use them with the stubs of the board's MicroPython, such as
`micropython-esp32-stubs`.
"""
_PLAIN = (int, str, bytes, bool, float)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, default=Path("build"), metavar="DIR",
                        help="default build")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Build. Returns 0, or 1 when it cannot be written."""
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        name = wheel().write(args.out)
    except OSError as error:
        print(f"stubs: {failure.words(error)}", file=sys.stderr)
        return 1
    print(args.out / name)
    return 0


def wheel() -> Wheel:
    """The package."""
    made = Wheel(
        {
            "Name": f"{NAME}-stubs", "Version": about()["version"], "License": "MIT",
            "Summary": "Type stubs of the MicroPython driver for the LongSung C1100",
            "Description-Content-Type": "text/markdown",
        },
        DESCRIPTION,
    )  # fmt: skip
    for path in sorted((project.ROOT / "lib" / NAME).glob("*.py")):
        made.add(f"{NAME}-stubs/{path.stem}.pyi", stub(path.read_text()).encode())
    return made


def stub(source: str) -> str:
    """The stub of a module."""
    tree = ast.parse(source)
    tree.body = list(_kept(tree.body))
    # Whatever has no hint that can be told from its value may be anything.
    used = any(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree))
    at = 1 if ast.get_docstring(tree) else 0
    tree.body[at:at] = ast.parse("from typing import Any").body if used else []
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _kept(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield node
            case ast.Expr(value=ast.Constant(value=str())):
                yield node
            case ast.If(test=ast.Name(id="TYPE_CHECKING" | "_HINTS")):
                yield from _kept(node.body)
            case ast.ClassDef():
                attributes = list(_attributes(node))  # before __init__ is without its body
                node.body = [*_kept(node.body), *attributes] or [ast.Pass()]
                yield node
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not _private(node.name):
                yield _signature(node)
            case ast.Assign() | ast.AnnAssign():
                yield from _names(node)


def _private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    text = ast.get_docstring(node, clean=False)
    node.body = [ast.Expr(ast.Constant(value)) for value in (text, ...) if value]
    arguments = node.args
    for defaults in (arguments.defaults, arguments.kw_defaults):
        for n, value in enumerate(defaults):
            if value is not None and not isinstance(value, ast.Constant):
                defaults[n] = ast.Constant(...)
    return node


def _names(node: ast.Assign | ast.AnnAssign) -> Iterator[ast.stmt]:
    if isinstance(node, ast.AnnAssign):
        if isinstance(node.target, ast.Name) and not _private(node.target.id):
            yield ast.AnnAssign(node.target, node.annotation, None, 1)
        return
    first = node.targets[0]
    if isinstance(first, ast.Tuple) and isinstance(node.value, ast.Tuple):
        for name, value in zip(first.elts, node.value.elts, strict=True):
            yield from _names(ast.Assign([name], value))
        return
    names = [target for target in node.targets if isinstance(target, ast.Name)]
    if (isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "namedtuple") or [
        name.id for name in names
    ] == ["__all__"]:
        yield node
    else:
        for name in names:
            if not _private(name.id) and name.id != "TYPE_CHECKING":
                yield ast.AnnAssign(name, ast.Name(_kind(node.value)), None, 1)


def _attributes(node: ast.ClassDef) -> Iterator[ast.stmt]:
    """What __init__ gives an object, and the class has not named."""
    told = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    for part in _kept(
        [part for part in node.body if isinstance(part, ast.Assign | ast.AnnAssign)]
    ):
        told |= {name.id for name in ast.walk(part) if isinstance(name, ast.Name)}
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "__init__":
            continue
        hints = {a.arg: a.annotation for a in (*method.args.args, *method.args.kwonlyargs)}
        for step in ast.walk(method):
            if not isinstance(step, ast.Assign | ast.AnnAssign):
                continue
            hint = step.annotation if isinstance(step, ast.AnnAssign) else None
            target = step.target if isinstance(step, ast.AnnAssign) else step.targets[0]
            several = isinstance(target, ast.Tuple)
            for each in target.elts if several else [target]:
                if not isinstance(each, ast.Attribute) or _private(each.attr) or each.attr in told:
                    continue
                told.add(each.attr)
                value = None if several else step.value
                if hint is None and isinstance(value, ast.Name):
                    hint = hints.get(value.id)
                kind = hint or ast.Name(_kind(value))
                yield ast.AnnAssign(ast.Name(each.attr), kind, None, 1)


def _kind(value: ast.expr | None) -> str:
    """The type of a constant; Any of what is none, or may become something else."""
    match value:
        case ast.Call(func=ast.Name(id="const"), args=[inner]):
            return _kind(inner)
        case ast.Call(func=ast.Name(id=name)) if name[:1].isupper():
            return name
        case ast.Constant(value=plain) if isinstance(plain, _PLAIN):
            return type(plain).__name__
        case ast.List() | ast.Dict() | ast.Tuple():
            return type(value).__name__.lower()
    return "Any"
