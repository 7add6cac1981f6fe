"""The dialect's table as a board needs it: without the words that are there for who reads it."""

import re

TARGET = "lib/c1100/dialect.py"
_TABLE = re.compile(r'^_FORMS = """\n(.*?)"""[^\n]*\n', re.M | re.S)
_SOURCE = 2  # which column


def slim(target: str, source: str) -> str:
    """A module without the comments, sources and blanks of its table; other modules as they are.
    The lines behind the table keep their numbers.
    """
    found = _TABLE.search(source) if target == TARGET else None
    if not found:
        return source
    lines = found[1].split("\n")[:-1]
    rows = [_row(line) for line in lines if line.strip() and not line.startswith("#")]
    table = '_FORMS = """\n' + "".join(row + "\n" for row in rows) + '"""\n'
    kept = table + "\n" * (len(lines) - len(rows))
    return source[: found.start()] + kept + source[found.end() :]


def _row(line: str) -> str:
    cells = [cell.strip() for cell in line.split("|")]
    cells[_SOURCE:] = ["", *cells[_SOURCE + 1 :]]
    while len(cells) > _SOURCE + 1 and not cells[-1]:
        cells.pop()
    return f"{cells[0]} |{'|'.join(cells[1:])}"
