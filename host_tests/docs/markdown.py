"""Markdown as far as this project's documents use it."""

import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)$")
LINK = re.compile(r"\[((?:[^][]|\[[^]]*\])*)\]\(([^()\s]+)\)")
SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)


class Block(NamedTuple):
    """A fenced block. before -- the text between it and the heading or block above it"""

    language: str
    text: str
    line: int
    heading: str
    before: str


class Document:
    """A file. Lines count from 1."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text()

    def __repr__(self) -> str:
        return self.name

    @cached_property
    def blocks(self) -> list[Block]:
        found: list[Block] = []
        heading, begin, language = "", 0, ""
        before: list[str] = []
        inside: list[str] | None = None
        for number, line in enumerate(self.text.splitlines(), 1):
            fence = FENCE.match(line)
            if inside is not None:
                if line == "```":
                    text = "".join(f"{each}\n" for each in inside)
                    found.append(Block(language, text, begin, heading, "\n".join(before)))
                    inside, before = None, []
                else:
                    inside.append(line)
            elif fence:
                inside, begin, language = [], number, fence[1]
            elif re.match("#+ ", line):
                heading, before = line.lstrip("# "), []
            else:
                before.append(line)
        assert inside is None, f"{self.name}: the block of line {begin} has no end"
        return found

    @cached_property
    def prose(self) -> str:
        """Without fenced blocks."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    @property
    def headings(self) -> list[tuple[int, str]]:
        """(level, text)"""
        found = re.findall(r"^(#+) (.+)$", self.prose, re.MULTILINE)
        return [(len(marks), text) for marks, text in found]

    @property
    def anchors(self) -> set[str]:
        """Of its headings, as GitHub makes them."""
        return {anchor(text) for _, text in self.headings}

    @property
    def links(self) -> list[str]:
        """Targets, in order."""
        plain = SPAN.sub(lambda found: "`" * len(found[0]), self.prose)
        return [target for _, target in LINK.findall(plain)]

    @property
    def spans(self) -> list[str]:
        """`code`, in order, each on one line."""
        return [" ".join(text.split()) for _, text in SPAN.findall(self.prose)]

    @property
    def tables(self) -> list[list[list[str]]]:
        """Rows of cells, the head first."""
        found: list[list[list[str]]] = []
        rows: list[list[str]] = []
        for line in [*self.prose.splitlines(), ""]:
            if line.startswith("|"):
                cells = re.split(r"(?<!\\)\|", line)[1:-1]
                rows.append([cell.strip() for cell in cells])
            elif rows:
                found.append([rows[0], *rows[2:]])
                rows = []
        return found

    def table(self, *head: str) -> list[list[str]]:
        """The rows of the table whose head begins so."""
        for rows in self.tables:
            if tuple(rows[0][: len(head)]) == head:
                return rows[1:]
        raise AssertionError(f"{self.name} has no table {head}")


def anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    plain = re.sub(r"[^\w\- ]", "", heading.lower())
    return plain.replace(" ", "-")


def documents() -> list[Document]:
    """README in both languages, and all that it leads to."""
    paths = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md"))
    return [Document(path) for path in paths]


def commands(block: Block) -> list[str]:
    """The command lines of a block, comments and all."""
    joined = block.text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and line.strip()[0] != "#"]
