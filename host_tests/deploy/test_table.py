"""The dialect's table is compiled without what only a reader needs, and says the same."""

import ast

from tools.deploy import project, table

SOURCE = (project.ROOT / table.TARGET).read_text()


def made(source: str) -> dict:
    found: dict = {}
    exec(source, found)
    return found


def test_every_form_is_the_same_but_for_its_source() -> None:
    whole = made(SOURCE)
    slim = made(table.slim(table.TARGET, SOURCE))
    forms, others = whole["forms"](), slim["forms"]()
    assert list(forms) == list(others) and len(forms) > 60
    for name, form in forms.items():
        assert others[name] == form._replace(source=""), name
        assert form.source
        assert slim["find"](form.send).send == form.send
    assert slim["urcs"]() == whole["urcs"]()


def test_lines_keep_their_numbers() -> None:
    slim = table.slim(table.TARGET, SOURCE)
    assert len(slim) < len(SOURCE) - 1000

    def lines(source: str) -> dict[str, int]:
        tree = ast.parse(source)
        return {n.name: n.lineno for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}

    assert lines(slim) == lines(SOURCE)
    assert slim.count("\n") == SOURCE.count("\n")


def test_other_modules_stay_as_they_are() -> None:
    assert table.slim("lib/c1100/at.py", SOURCE) == SOURCE
    for text in ("", "x = 1\n", '_FORMS = "a"\n', '_FORMS = """\n'):
        assert table.slim(table.TARGET, text) == text


def test_rows_that_a_user_wrote() -> None:
    begin, end = '_FORMS = """\n', '"""\nB = 1\n'
    rows = 'A | +X="y" | mine\n\n# note\n  B|+Y={n:d5}|me| +Y |i| | 5 once >\nC | +Z |\n'
    slim = table.slim(table.TARGET, begin + rows + end)
    kept = 'A |+X="y"|\nB |+Y={n:d5}||+Y|i||5 once >\nC |+Z|\n'
    assert slim == begin + kept + '"""\n\n\nB = 1\n'
