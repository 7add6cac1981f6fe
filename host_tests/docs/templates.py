"""Texts of the sources, as far as they are known before they are printed."""

import ast
import functools
import re

from host_tests.docs.markdown import ROOT

FOLDERS = ("firmware", "lib", "tools")
LEAST = 4  # letters that a piece of a text must have to be told from others
# What is in no text: what the system says, how a package is called, a plural that is made.
OF_OTHERS = ("Connection refused", "Name or service not known", "serial", "records")
FIELD = re.compile(r"%%|%[-+ #0]*[\d*]*(?:\.\d+)?[sdrfxX]")


def pattern_of(template: str) -> re.Pattern[str]:
    """What a template of the % operator may become."""
    return re.compile(_pattern(template), re.DOTALL)


def _pattern(template: str) -> str:
    parts, begin = [], 0
    for field in FIELD.finditer(template):
        parts.append(re.escape(template[begin : field.start()]))
        parts.append("%" if field[0] == "%%" else "(.*)")
        begin = field.end()
    return "".join(parts) + re.escape(template[begin:])


@functools.cache
def _pieces() -> list[str]:
    """What stands between the fields of the sources' texts, the longest first."""
    found: set[str] = set()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.update(FIELD.split(node.value.replace("`", "")))
                    rows = [line for line in node.value.splitlines() if "|" in line]
                    cells = [cell for row in rows for cell in row.split("|")]  # of a table
                    found.update(cell.lstrip("0123456789 ") for cell in cells)
    long_enough = [piece for piece in found if sum(c.isalpha() for c in piece) >= LEAST]
    return sorted(long_enough, key=len, reverse=True)


def unknown(text: str) -> list[str]:
    """The words of a text that stand in no text of the sources, and are no values: those have
    digits, capitals, marks or dots in them.
    """
    text = text.replace("`", "")
    for known in sorted((*_pieces(), *OF_OTHERS), key=len, reverse=True):
        if known in text:
            begin = "(?<![a-z])" if known[0].isalpha() else ""
            end = "(?![a-z])" if known[-1].isalpha() else ""
            text = re.sub(begin + re.escape(known) + end, " * ", text)
    return [word for word in text.split() if re.fullmatch(r"[a-z]{4,}[.,:;?]?", word)]
