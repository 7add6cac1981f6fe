"""README.zh.md has what README.md has: the same commands and examples, tables, names and links."""

import re

import pytest

from host_tests.docs.markdown import ROOT, Block, Document, anchor

ENGLISH = Document(ROOT / "README.md")
CHINESE = Document(ROOT / "README.zh.md")
COMMENT = re.compile(r"\s+#.*")
HAN = re.compile("[\u4e00-\u9fff]")


def plain(block: Block) -> str:
    """Without comments, which are words."""
    lines = block.text.splitlines()
    return "\n".join(COMMENT.sub("", line) for line in lines)


def test_the_same_commands_and_examples():
    assert [block.language for block in CHINESE.blocks] == [
        block.language for block in ENGLISH.blocks
    ]
    for chinese, english in zip(CHINESE.blocks, ENGLISH.blocks, strict=True):
        assert plain(chinese) == plain(english)


def test_the_same_headings():
    assert [level for level, _ in CHINESE.headings] == [level for level, _ in ENGLISH.headings]


def code(cell: str) -> list[str]:
    return re.findall(r"`[^`]+`", cell)


def test_the_same_tables():
    assert len(CHINESE.tables) == len(ENGLISH.tables)
    for chinese, english in zip(CHINESE.tables, ENGLISH.tables, strict=True):
        assert len(chinese) == len(english)
        for ours, theirs in zip(chinese, english, strict=True):
            assert len(ours) == len(theirs)
            for our, their in zip(ours, theirs, strict=True):
                assert code(our) == code(their), their
                assert numbers(our) == numbers(their), their
                assert bool(our) == bool(their), their


def numbers(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])-?\d[\d.]*", re.sub("`[^`]+`", "", text))


def sections(document: Document) -> list[str]:
    return re.split(r"^#+ .+$", document.prose, flags=re.MULTILINE)


@pytest.mark.parametrize("number", range(len(sections(ENGLISH))))
def test_the_same_names_and_links_in_each_section(number):
    english, chinese = sections(ENGLISH)[number], sections(CHINESE)[number]
    assert sorted(code(chinese)) == sorted(code(english))
    assert targets(chinese) == targets(english)


def targets(section: str) -> list[str]:
    """Files that it leads to; the other language, and its own headings, have other names."""
    found = re.findall(r"\]\(([^)]+)\)", section)
    return sorted(link for link in found if not link.startswith(("#", "README")))


def test_links_within_the_page_lead_to_the_same_headings():
    order = {
        document.name: [anchor(text) for _, text in document.headings]
        for document in (ENGLISH, CHINESE)
    }
    found = {
        document.name: [
            order[document.name].index(link[1:]) for link in document.links if link.startswith("#")
        ]
        for document in (ENGLISH, CHINESE)
    }
    assert found["README.md"] == found["README.zh.md"]
    assert len(found["README.md"]) >= 4


def test_each_leads_to_the_other():
    assert CHINESE.name in ENGLISH.links
    assert ENGLISH.name in CHINESE.links


def test_it_is_translated():
    """Every paragraph and every row with words has Chinese ones."""
    for part in re.split(r"\n\n|\n(?=[|*])", CHINESE.prose):
        words = re.sub(r"`[^`]+`|\[[^]]*\]\([^)]*\)|[A-Z][\w/.]*|\W|\d", "", part)
        assert HAN.search(part) or len(words) < 12, part
