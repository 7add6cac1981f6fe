"""Private names are short on a board, and the same in many files.

MicroPython keeps every name that its code has, for good: 8 bytes of heap and its letters, in
pools that double. A name with an underscore in front is nobody's business outside: `_0`, `_1`, ...
do as well, and two files that have nothing to do with each other may have the same. Lines stay
where they are, and so do the names of a session's coroutines, by which a traceback is read, and
all that is public.

So does an argument of a function that nobody calls by that name: of the firmware but for what a
sensor is handed, and of what is private in the driver. The interpreter keeps the names of
arguments for callers that use them, and only for these.

Names are left alone that stand in a text too (getattr), that are none of ours, and constants, of
which the compiler leaves nothing.
"""

import ast
import builtins
import functools
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

WORD = re.compile(r"\b_[A-Za-z]\w*\b")
OURS_ALONE = "firmware/"  # nobody else calls its functions,
FOLDERS = ("firmware/", "lib/")  # whose coroutines are short too,
# but for those that a traceback from a field is read by
SHOWN = ("firmware/session.py", "firmware/app.py", "lib/c1100/line.py", "lib/c1100/channel.py")
HANDED_OUT = (
    "firmware/node.py",
    "firmware/boards/",
)  # but for what a sensor of a user's is handed
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def shortened(texts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Path on the board -> what is compiled, of all files that are on a board together: a private
    name that several of them have is the same in all.
    """
    return dict(_shortened(tuple(sorted(texts.items()))))


@functools.lru_cache(maxsize=4)
def _shortened(texts: tuple[tuple[str, bytes], ...]) -> dict[str, bytes]:
    try:
        files = {
            target: _File(text, _is_closed(target), _is_shown(target)) for target, text in texts
        }
    except SyntaxError:  # the compiler says where
        return dict(texts)
    kept = set().union(*(file.kept for file in files.values()))
    # What no class says of itself, somebody else gives to its objects: who knows which they are?
    kept |= set().union(*(file.others for file in files.values())) - set().union(
        *(file.own for file in files.values())
    )
    ours = set().union(*(file.made for file in files.values())) - kept
    by_name = set().union(*(file.by_name for file in files.values()))
    used = {target: file.names & ours | file.arguments - by_name for target, file in files.items()}
    short = _short([*used.values()], _families(files.values()))
    return {
        target: _replaced(text, {name: short[name] for name in used[target]})
        for target, text in texts
    }


def _is_closed(target: str) -> bool:
    return target.startswith(OURS_ALONE) and not target.startswith(HANDED_OUT)


def _is_shown(target: str) -> bool:
    return target in SHOWN or not target.startswith(FOLDERS)


class _File:
    """names -- private ones, wherever they stand
    made -- those that the file gives to something; kept -- those that must stay as they are
    own -- attributes that classes here say of themselves; others -- those of other objects
    bases -- names of classes that others here are made of; classes -- of those here
    arguments -- that are nothing else here, of functions whose callers are all known
    by_name -- what is given by name somewhere; words of texts too, for `**`
    """

    def __init__(self, text: bytes, is_closed: bool = False, is_shown: bool = True) -> None:
        self.made: set[str] = set()
        self.kept: set[str] = set()
        self.own: set[str] = set()
        self.others: set[str] = set()
        self.bases: set[str] = set()
        self.classes: set[str] = set()
        tree = ast.parse(text)
        self.names = set(WORD.findall(text.decode()))
        self._modules: set[str] = set()  # that are none of ours, as they are called here
        self._is_shown = is_shown
        self._walk(tree)
        self._attributes(tree, in_class=False)
        self.by_name = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)} | {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        self.arguments: set[str] = set()
        self._others_call: set[str] = {"self", "cls", *dir(builtins)}
        self._arguments(tree, is_closed)
        self.arguments -= self._others_call | self.names | _lasting(tree)

    def _arguments(self, tree: ast.AST, is_closed: bool) -> None:
        for node in ast.iter_child_nodes(tree):
            name = getattr(node, "name", None) or ""
            ours = is_closed or isinstance(node, ast.Lambda) or (name[:1] == "_" != name[1:2])
            if isinstance(node, FUNCTIONS):
                of = self.arguments if ours else self._others_call
                of |= {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
                self._arguments(node, is_closed=True)  # nobody else has what is within
            else:
                self._arguments(node, ours if isinstance(node, ast.ClassDef) else is_closed)

    def _attributes(self, tree: ast.AST, in_class: bool) -> None:
        for node in ast.iter_child_nodes(tree):
            match node:
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if in_class:
                    self.own.add(name)
                case ast.Attribute(attr=name):
                    self.others.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if in_class:
                    self.own.add(name)
                case ast.Name(id=name, ctx=ast.Store()) if in_class:
                    self.own.add(name)
            self._attributes(node, in_class or isinstance(node, ast.ClassDef))

    def _walk(self, tree: ast.AST) -> None:
        told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # to readers
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._modules |= {a.asname or a.name.partition(".")[0] for a in node.names}
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=module), attr=name) if (
                    module in self._modules
                ):
                    self.kept.add(name)
                case ast.AsyncFunctionDef(name=name) if self._is_shown:
                    self.kept.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self.made.add(name)
                case ast.ClassDef(name=name, bases=bases):
                    self.made.add(name)
                    self.classes.add(name)
                    self.bases |= {ast.unparse(base).rpartition(".")[2] for base in bases}
                case ast.Assign(
                    targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name("const"))
                ):
                    self.kept.add(name)
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                    self.made.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()):
                    self.made.add(name)
                case ast.keyword(arg=str(name)):
                    self.kept.add(name)
                case ast.Constant(value=str(value)) if node not in told:
                    self.kept |= set(WORD.findall(value))


def _lasting(tree: ast.Module) -> set[str]:
    """Names that mean something beyond one function: of modules, classes and their attributes."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {*(getattr(node, "module", None) or "").split(".")}
                for alias in names:
                    found |= {*alias.name.split("."), alias.asname or ""}
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found |= {*names}
    return found | {*_outside_functions(tree)}


def _outside_functions(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Name):
            yield node.id
        if not isinstance(node, FUNCTIONS):
            yield from _outside_functions(node)


def _families(files: Iterable[_File]) -> list[set[str]]:
    """Private names that one object may have, of files whose classes are made of each other's."""
    families: list[tuple[set[str], set[str]]] = []  # classes and their bases, names
    for file in files:
        linked, names = file.classes | file.bases, set(file.names)
        apart = []
        for others, theirs in families:
            if linked & others:
                linked, names = linked | others, names | theirs
            else:
                apart.append((others, theirs))
        families = [*apart, (linked, names)]
    return [names for _, names in families]


def _short(used: list[set[str]], families: list[set[str]]) -> dict[str, str]:
    """Name -> a short one, which no other has in the same file or family."""
    often = Counter(name for names in used for name in names)
    near: dict[str, set[str]] = {name: set() for name in often}
    for names in [*used, *(names & often.keys() for names in families)]:
        for name in names:
            near[name] |= names
    short: dict[str, str] = {}
    for name in sorted(often, key=lambda name: (-often[name], name)):
        taken = {short.get(other) for other in near[name]}
        number = 0
        while f"_{number}" in taken:
            number += 1
        short[name] = f"_{number}"
    return short


def _replaced(text: bytes, short: Mapping[str, str]) -> bytes:
    lines = text.decode().splitlines(keepends=True)
    tokens = [t for t in tokenize.tokenize(io.BytesIO(text).readline) if t.type == tokenize.NAME]
    for token in reversed(tokens):
        if token.string in short:
            row, (begin, end) = token.start[0] - 1, (token.start[1], token.end[1])
            lines[row] = lines[row][:begin] + short[token.string] + lines[row][end:]
    return "".join(lines).encode()
