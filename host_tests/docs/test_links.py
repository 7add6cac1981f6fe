"""Every link leads somewhere, and nothing in the documents is of one machine."""

import re
import socket
from pathlib import Path

import pytest

from host_tests.docs.markdown import ROOT, Document, documents

PAIRS = [(document, link) for document in documents() for link in document.links]
ELSEWHERE = ("https://", "http://")
FILE = re.compile(r"[\w./-]+\.(?:py|md|toml|json|txt|csv|html)")
HERE = ("lib/", "firmware/", "tools/", "host_tests/", "docs/")
OF_A_MACHINE = re.compile(r"/home/|/root/|/Users/|/tmp/|/work/|[A-Z]:\\|localhost:\d")


@pytest.mark.parametrize(("document", "link"), PAIRS, ids=lambda each: str(each)[:60])
def test_a_link_leads_somewhere(document: Document, link: str):
    if link.startswith(ELSEWHERE):
        assert link.startswith("https://"), "no link without TLS"
        return
    path, _, anchor = link.partition("#")
    target = (document.path.parent / path).resolve() if path else document.path
    assert target.exists(), f"{document.name}: {link}"
    assert target.is_relative_to(ROOT)
    if anchor:
        assert anchor in Document(target).anchors, f"{document.name}: {link}"


@pytest.mark.parametrize("document", documents(), ids=str)
def test_every_document_is_reached_from_the_readme(document: Document):
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        inner = [link.partition("#")[0] for link in Document(path).links]
        todo += [(path.parent / each).resolve() for each in inner if each and "://" not in each]
    assert document.path in seen


@pytest.mark.parametrize("document", documents(), ids=str)
def test_files_that_are_named_are_there(document: Document):
    plain = " ".join(document.text.split())
    for span in document.spans:
        if FILE.fullmatch(span) and span.startswith(HERE) and f"new file `{span}`" not in plain:
            assert (ROOT / span).exists(), f"{document.name}: {span}"


@pytest.mark.parametrize("document", documents(), ids=str)
def test_nothing_is_of_one_machine(document: Document):
    assert not OF_A_MACHINE.search(document.text)
    assert socket.gethostname() not in document.text.split()
