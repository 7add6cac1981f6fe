"""What the firmware forgets once all is delivered is held by none that stays: it would live on
beside the one that is loaded next, and its errors would be none that anyone catches.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FIRMWARE = Path("firmware")
TREES = {
    ".".join(path.relative_to(FIRMWARE).with_suffix("").parts).removesuffix(".__init__"): (
        path.name == "__init__.py",
        ast.parse(path.read_text()),
    )
    for path in FIRMWARE.rglob("*.py")
}


def of_delivery() -> set[str]:
    """What is forgotten once all is delivered: the uplinks, and what works for them."""
    found = {name for name in TREES if name.startswith("uplinks.") and is_uplink(TREES[name][1])}
    for node in TREES["session"][1].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_OF_DELIVERY":
            found |= set(ast.literal_eval(node.value))
    return found


def is_uplink(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ClassDef) and node.name == "Uplink" for node in tree.body)


def held(name: str) -> Iterator[str]:
    """The modules of the firmware that one holds from its first line on."""
    is_package, tree = TREES[name]
    parents = name.split(".") if name else []
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = parents[: len(parents) - node.level + is_package]
        path = ".".join([*base, *filter(None, [node.module])])
        yield path
        yield from [".".join(filter(None, [path, alias.name])) for alias in node.names]


@pytest.mark.parametrize("name", sorted(of_delivery()))
def test_nobody_who_stays_holds_what_is_unloaded(name: str) -> None:
    assert {other for other in TREES if name in held(other)} <= of_delivery()
