"""Private names are short on a board: nothing else changes, and no two meet that must not."""

import ast
import io
import re
import textwrap
import tokenize

import pytest

from tools.deploy import names, project


def short(**texts: str) -> dict[str, str]:
    """What is compiled of some files that are on a board together, by their names."""
    given = {name: textwrap.dedent(text).encode() for name, text in texts.items()}
    return {name: text.decode() for name, text in names.shortened(given).items()}


def test_private_names_are_short_and_lines_stay_where_they_are() -> None:
    found = short(
        one="""
            _TABLE = {"a": 1}  # of _TABLE

            class One:
                def __init__(self, _given):
                    self._first, self._second = _given, _TABLE
                    self.third = self._sum()

                def _sum(self):
                    return self._first, self._second
        """,
        other="_HERE = 5\n\n\ndef _there():\n    return _HERE\n",
    )
    assert "_first" not in found["one"] and "_sum" not in found["one"]
    assert "# of _TABLE" in found["one"] and "third" in found["one"]
    assert "__init__" in found["one"]
    assert re.findall(r"_\d+", found["other"]) == ["_0", "_1", "_0"]  # as others have in one
    assert len(set(re.findall(r"_\d+", found["one"]))) == 5


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import asyncio\nasyncio._queue = _queue = 1", "_queue"),
        ("import a.core as core\n_queue = core._queue", "_queue"),
        ("value = given._replace(x=1)", "_replace"),
        ("_name = 1\nvalue = getattr(value, '_name')", "_name"),
        ("async def _flow(): pass", "_flow"),
        ("from micropython import const\n_SIZE = const(4)", "_SIZE"),
        ("def f(_key=1): pass\nf(_key=2)", "_key"),
        ("for _ in (): pass", "_"),
        ("class A:\n    def __len__(self): return 1", "__len__"),
    ],
)
def test_what_is_not_ours_alone_stays(text, name) -> None:
    assert short(one=text)["one"] == text
    assert name in text


@pytest.mark.parametrize(
    "piece",
    [
        *(f"{before}{q}it is _n{q}" for before in ("", "r", "B", "f", "Rb", "u") for q in "'\""),
        *(f"{q}it is _n,\n'\" and _n{q}" for q in ("'''", '"""')),
        r"""'it\'s _n'""",
        r"""r'it\'s _n'""",
        r"""'it is \\' + '_n'""",
        "'it is \\\n_n'",
        r"""'''it is _n\'''\''''""",
        "0x_1",
        "1_0",
        "x_n",
        "x1_n",
        "3  # it is _n, isn't it",
        '3  # it is """_n',
    ],
)
def test_a_name_is_short_only_where_it_is_a_word_of_its_own(piece) -> None:
    text = f"_n = 1\nx_n = x1_n = 2\nvalue = {piece}\nvalue = _n\n"
    tokens = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline)]
    found = names._replaced(text.encode(), {"_n": "_0"}).decode()
    changed = [t.string for t in tokenize.generate_tokens(io.StringIO(found).readline)]
    assert changed == ["_0" if word == "_n" else word for word in tokens]
    assert changed.count("_0") == 2


def test_what_only_a_docstring_says_is_short() -> None:
    assert "_TABLE" not in short(one='"""Of x."""\n_TABLE = {}\nvalue = _TABLE\n')["one"]
    found = short(one='"""Of _TABLE."""\n_TABLE = {}\nvalue = _TABLE\n')["one"]
    assert found.count("_TABLE") == 1


ARGUMENTS = """
class Kept:
    def run(self, shown):
        return [hidden for hidden in shown if self._less(hidden)]

    def _less(self, inner, given=1, *several, **others):
        return lambda entry: inner < entry + self.twice

    def twice(self, twice):
        def wrapped(within):
            return within + sum(twice)

        return wrapped


def free(shown, node):
    return Kept()._less(shown, given=node)
"""
SHORT = {"inner", "several", "others", "entry", "within"}  # of what is private, or inside


@pytest.mark.parametrize(
    ("target", "renamed"),
    [
        ("lib/c1100/x.py", SHORT),
        ("firmware/x.py", SHORT | {"shown", "node"}),
        ("firmware/node.py", SHORT),
        ("firmware/boards/x.py", SHORT),
        ("x.py", SHORT),
    ],
)
def test_arguments_that_nobody_gives_by_name_are_short(target, renamed) -> None:
    found = names.shortened({target: ARGUMENTS.encode()})[target].decode()
    pairs = zip(_words(ARGUMENTS.encode()), _words(found.encode()), strict=True)
    changed = {was: now for was, now in pairs if was != now and was != "_less"}
    assert set(changed) == renamed
    assert len(set(changed.values())) == len(renamed)
    ast.parse(found)


@pytest.mark.parametrize(
    "text",
    [
        "import late\ndef f(late): pass",
        "from x import y as late\ndef f(late): pass",
        "def f(late):\n    from .x.late import y",
        "late = 1\ndef f(late): pass",
        "def late(): pass\ndef f(late): pass",
        "class late: pass\ndef f(late): pass",
        "class A:\n    late = 1\ndef f(late): pass",
        "def f(late): pass\ndef g(x): return x.late",
        "def f(late): pass\nf(late=1)",
        "def f(late): pass\nf(**{'late': 1})",
        "def f(late): pass\ndef g():\n    global late\n    late = 1",
        "def f(sum): pass\nvalue = sum([1])",
        "def f(late): pass\nvalue = [late for late in ()]",
    ],
)
def test_an_argument_that_is_something_else_too_stays(text) -> None:
    assert re.findall(
        "late|sum", names.shortened({"firmware/x.py": text.encode()})["firmware/x.py"].decode()
    ) == re.findall("late|sum", text)


def test_what_another_file_gives_by_name_stays() -> None:
    texts = {"firmware/a.py": b"def f(late): pass\n", "lib/b.py": b"a.f(late=1)\n"}
    assert names.shortened(texts) == texts


def test_what_several_files_have_is_the_same_in_all() -> None:
    found = short(
        box="class Box:\n    def __init__(self):\n        self._a = self._b = 0\n",
        opening="_z = 1\n\n\ndef settle(box):\n    box._b = _z\n",
    )
    b = re.findall(r"\b_\d+", found["box"])[1]
    assert f"box.{b} =" in found["opening"]


@pytest.mark.parametrize("base", ["Base", "base.Base"])
def test_one_object_has_each_name_once(base) -> None:
    """Classes of several files make it up; a class between them need not have private names."""
    found = short(
        base="class Base:\n    def __init__(self):\n        self._a = self._b = 0\n",
        middle=f"class Middle({base}):\n    pass\n",
        top="class Top(Middle):\n    def __init__(self):\n        self._c = self._d = 0\n",
        sibling="class Sibling(Base):\n    def __init__(self):\n        self._e = 0\n",
    )
    taken = {name: set(re.findall(r"\b_\d+", text)) for name, text in found.items()}
    assert len(taken["base"] | taken["top"]) == 4
    assert not taken["base"] & taken["sibling"]


def test_the_projects_files_mean_the_same() -> None:
    """Word by word they are the sources, but for names that each file has renamed one to one."""
    sources = {target: path.read_bytes() for target, path in project.sources().items()}
    meant: dict[str, dict[str, str]] = {}
    for target, text in names.shortened(sources).items():
        given = sources[target]
        pairs = zip(_words(given), _words(text), strict=True)
        changed = {(was, now) for was, now in pairs if was != now}
        assert len(changed) == len(dict(changed)) == len({now for _, now in changed}), target
        arguments = {node.arg for node in ast.walk(ast.parse(given)) if isinstance(node, ast.arg)}
        assert all(was.startswith("_") or was in arguments for was, _ in changed)
        assert all(now not in _words(given) for _, now in changed)
        meant[target] = dict(changed)
        assert len(given.splitlines()) == len(text.splitlines())
        ast.parse(text)
    first = {}
    for changed in meant.values():
        for was, now in changed.items():
            assert first.setdefault(was, now) == now  # one name, one short name
    assert len(first) > 300 > 2 * len(set(first.values()))


def _words(text: bytes) -> list[str]:
    return re.findall(r"\w+", text.decode())


def test_an_attribute_that_somebody_else_gives_an_object_keeps_its_name():
    texts = {
        "a.py": b"class A:\n    def __init__(self):\n        self._first = 1\n",
        "b.py": b"def mark(a):\n    a._marked = 2\n    return a._marked\n",
    }
    found = names.shortened(texts)
    assert b"_marked" in found["b.py"]
    assert b"_first" not in found["a.py"]
