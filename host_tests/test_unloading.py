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


# Who stays and holds another all the same: that has no state, and no errors of its own.
HELD = {("own.checking", "config"), ("own.sensors", "trial")}


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


def stays() -> set[str]:
    """What is left of the firmware once a session is over."""
    app = TREES["app"][1]
    names = next(
        ast.literal_eval(node.value).split()
        for node in app.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_STAYS"
    )
    packages = tuple(name for name in names if name.endswith("."))
    return set(names) - set(packages) | {name for name in TREES if name.startswith(packages)}


def test_what_stays_is_there_and_holds_nothing_of_a_session() -> None:
    staying = stays()
    assert staying <= set(TREES)
    assert {name for name in staying if "c1100" in packages_of(name)} == set()
    found = {(name, other) for name in staying for other in held(name) if other in TREES}
    assert {(name, other) for name, other in found if other not in staying} <= HELD


def packages_of(name: str) -> Iterator[str]:
    """The packages other than this that a module holds from its first line on."""
    for node in TREES[name][1].body:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]
        if isinstance(node, ast.Import):
            yield from [alias.name.partition(".")[0] for alias in node.names]
