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
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

WORD = re.compile(r"\b_[A-Za-z]\w*\b")
# Of a source, whole: a comment, a text with what is in front of it, a word or a number.
PIECE = re.compile(
    r"""
    \#.*
    | (?: [bfru]{1,2} )? (?:
        \"{3} (?: [^\\] | \\[\s\S] )*? \"{3} | '{3} (?: [^\\] | \\[\s\S] )*? '{3}
        | " (?: [^"\\\n] | \\[\s\S] )* " | ' (?: [^'\\\n] | \\[\s\S] )* '
    )
    | \w+
    """,
    re.VERBOSE | re.IGNORECASE,
)
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
        self.arguments: set[str] = set()
        self.by_name: set[str] = set()
        self.names = set(WORD.findall(text.decode()))
        self._others_call: set[str] = {"self", "cls", *dir(builtins)}
        self._lasting: set[str] = set()  # what means something beyond one function
        self._all: defaultdict[type, list[Any]] = defaultdict(list)  # nodes, by what they are
        self._in_class: set[ast.AST] = set()
        self._sort(ast.parse(text), in_class=False, in_function=False, is_closed=is_closed)
        self._functions(is_shown)
        self._classes()
        self._attributes()
        self._variables()
        self._texts()
        self.arguments -= self._others_call | self.names | self._lasting
        del self._all, self._in_class  # else all trees of a board are there at once

    def _sort(self, tree: ast.AST, in_class: bool, in_function: bool, is_closed: bool) -> None:
        """is_closed -- all callers of what is in `tree` are known"""
        for node in ast.iter_child_nodes(tree):
            kind = type(node)
            self._all[kind].append(node)
            if in_class:
                self._in_class.add(node)
            if kind is ast.Name and not in_function:
                self._lasting.add(node.id)  # type: ignore[attr-defined]
            name = getattr(node, "name", None) or ""
            ours = is_closed or kind is ast.Lambda or (name[:1] == "_" != name[1:2])
            if isinstance(node, FUNCTIONS):
                of = self.arguments if ours else self._others_call
                of |= {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
                self._sort(node, in_class, True, True)  # nobody else has what is within
            elif kind is ast.ClassDef:
                self._sort(node, True, in_function, ours)
            else:
                self._sort(node, in_class, in_function, is_closed)

    def _functions(self, is_shown: bool) -> None:
        for node in self._all[ast.FunctionDef] + self._all[ast.AsyncFunctionDef]:
            stays = is_shown and isinstance(node, ast.AsyncFunctionDef)
            (self.kept if stays else self.made).add(node.name)
            self._lasting.add(node.name)
            if node in self._in_class:
                self.own.add(node.name)

    def _classes(self) -> None:
        for node in self._all[ast.ClassDef]:
            self.made.add(node.name)
            self._lasting.add(node.name)
            self.classes.add(node.name)
            self.bases |= {ast.unparse(base).rpartition(".")[2] for base in node.bases}

    def _attributes(self) -> None:
        modules: set[str] = set()  # that are none of ours, as they are called here
        for node in self._all[ast.Import]:
            modules |= {a.asname or a.name.partition(".")[0] for a in node.names}
        for node in self._all[ast.Attribute]:
            of = node.value.id if isinstance(node.value, ast.Name) else ""
            self._lasting.add(node.attr)
            if of in modules:
                self.kept.add(node.attr)
            elif isinstance(node.ctx, ast.Store):
                self.made.add(node.attr)
            is_own = of in ("self", "cls") and node in self._in_class
            (self.own if is_own else self.others).add(node.attr)

    def _variables(self) -> None:
        for node in self._all[ast.Assign]:
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name("const"))
                ):
                    self.kept.add(name)
        for node in self._all[ast.Name]:
            if isinstance(node.ctx, ast.Store):
                self.made.add(node.id)
                if node in self._in_class:
                    self.own.add(node.id)
        self.made |= {node.arg for node in self._all[ast.arg]}
        for node in self._all[ast.Import] + self._all[ast.ImportFrom]:
            self._lasting |= {*(getattr(node, "module", None) or "").split(".")}
            for alias in node.names:
                self._lasting |= {*alias.name.split("."), alias.asname or ""}
        for node in self._all[ast.Global] + self._all[ast.Nonlocal]:
            self._lasting |= {*node.names}

    def _texts(self) -> None:
        told = {node.value for node in self._all[ast.Expr]}  # to readers
        for node in self._all[ast.Constant]:
            if isinstance(node.value, str):
                self.by_name.add(node.value)
                if node not in told:
                    self.kept |= set(WORD.findall(node.value))
        for node in self._all[ast.keyword]:
            self.by_name.add(node.arg)
            if node.arg:
                self.kept.add(node.arg)


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
    return PIECE.sub(lambda piece: short.get(piece[0], piece[0]), text.decode()).encode()
