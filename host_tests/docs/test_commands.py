"""Each command of README and docs is run, as printed; what it prints is what the document shows.
`make docs` also runs those that take minutes, at their full length.
"""

import argparse
import importlib
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from typing import NamedTuple

import pytest

from host_tests.docs import shown, stand_ins
from host_tests.docs.desk import ID, KEY, Desk, Done, in_place
from host_tests.docs.markdown import ROOT, Block, Document, commands, documents
from host_tests.docs.session import Step, live
from host_tests.docs.stand_ins import HOW, NAMES, Way
from host_tests.node.conftest import Node
from host_tests.peers import any_broker
from tools.__main__ import COMMANDS
from tools.broker import Address
from tools.virtual_c1100 import Profile

IN_FULL = os.environ.get("DOCS") == "full"
FIRST_NODE = Document(ROOT / "docs/first-node.md")
DESK_HEADING = "On a desk, without hardware"  # its commands belong together
STOPPED = (0, 130)  # of what Ctrl-C has ended
TALK = "python -m tools command "  # with a node that lives meanwhile
DOCUMENTS = [document for document in documents() if not document.name.endswith(".zh.md")]


class Case(NamedTuple):
    """A command of a document; shown -- what the document says that it prints"""

    document: Document
    line: int
    command: str
    shown: str


def cases() -> list[Case]:
    """Every command once, but for translations, which are held to the same ones."""
    found: dict[tuple[str, str], Case] = {}
    for document in DOCUMENTS:
        for block, following in zip_longest(document.blocks, document.blocks[1:]):
            if block.language != "sh" or block.heading == DESK_HEADING:
                continue
            lines = commands(block)
            for command in lines:
                text = following.text if following and shows(following, block) else ""
                text = text if command == lines[-1] else ""
                case = Case(document, block.line, command, text)
                found.setdefault((re.sub(r"\s+#.*", "", command), text), case)
    return list(found.values())


def shows(following: Block, block: Block) -> bool:
    """Whether a block is what the commands of the one above it print."""
    return (
        following.language == "text"
        and following.heading == block.heading
        and not following.before.strip().startswith("In virtual time")
    )


CASES = cases()


@pytest.fixture(scope="module")
def broker() -> Iterator[Address]:
    with any_broker() as address:
        yield address


@pytest.fixture(scope="module")
def desk(broker: Address, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("docs"), broker)


@pytest.fixture(scope="module", autouse=True)
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[list[Step]] | None]:
    """It goes on beside the other commands: most of its time it waits for the node. None where no
    test that runs asks for it.
    """
    wanted = test_a_node_on_a_desk_as_first_node_has_it.__name__
    if all(item.name != wanted for item in request.session.items):
        yield None
        return
    with ThreadPoolExecutor(1) as pool:
        desk = Desk(tmp_path_factory.mktemp("session"), Address("127.0.0.1", 0))
        yield pool.submit(live, desk, FIRST_NODE, DESK_HEADING)


def title(case: Case) -> str:
    return f"{case.document.name}:{case.line} {case.command[:60]}"


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_command_does_what_the_document_says(case: Case, desk: Desk, broker, tmp_path):
    how = stand_ins.way(case.command)
    if how.way is Way.PARSED and not (IN_FULL and how.full):
        parse(case.command, desk)
        return
    if IN_FULL and how.full and case.command.startswith("make "):
        done = subprocess.run(case.command, shell=True, cwd=ROOT, check=False, env=plain())
        assert done.returncode == 0
        return
    shortened = how.way is Way.INSTEAD and not (IN_FULL and how.full)
    command = in_place(case.command, how) if shortened else case.command
    with desk.peers(command) as real:
        if command.startswith(TALK):
            done = talk(desk, command, real, broker, tmp_path)
        elif how.way is Way.UNTIL:
            started = desk.start(command, **real)
            started.until(how.text or ".")
            done = started.interrupt()
            assert done.code in STOPPED, done.said
            done = Done(0, done.said)
        else:
            done = desk.run(command, **real)
    assert done.code == 0, done.said
    assert shown.missing(case.shown, done.said) == [], done.said


def plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DOCS"}


def talk(desk: Desk, command: str, real: dict[str, str], broker: Address, tmp_path) -> Done:
    """Run a command to a node, which lives in virtual time until it has ended."""
    secrets = {"commands": {"key": KEY}}
    node = Node(tmp_path / "flash", broker, Profile(), secrets, source=False, id=ID)
    started = desk.start(command, **real)
    try:
        node.bench.run(until=lambda: node.asleep and started.is_over, limit_s=10**7)
    finally:
        node.bench.close()
    return started.ended()


def parse(command: str, desk: Desk) -> None:
    """Have a command read by its own parser. Raises AssertionError, SystemExit."""
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        done = desk.run(shlex.join(["make", "-n", *words[1:]]))
        assert done.code == 0, done.said
        return
    assert words[:3] == ["python", "-m", "tools"], command
    parser = argparse.ArgumentParser(prog=command)
    importlib.import_module(COMMANDS[words[3]][0]).add_arguments(parser)
    parser.parse_args(words[4:])


def test_a_node_on_a_desk_as_first_node_has_it(session: Future[list[Step]]):
    steps = session.result()
    assert len(steps) >= 8
    assert sum(bool(step.shown) for step in steps) >= 4
    for step in steps:
        assert step.code in STOPPED, step
        assert shown.missing(step.shown, step.said) == [], step.said


# Commands within the text ----------------------------------------------------------------------


def spans() -> list[tuple[str, str]]:
    """(document, command in `code`); `demo --fault X` is one of the tools, too."""
    found = []
    for document in DOCUMENTS:
        for span in document.spans:
            words = span.split()
            is_tool = words[0] in COMMANDS and len(words) > 1 and words[1].startswith("--")
            if span.startswith(("python -m tools ", "make ", "--")) or is_tool:
                found.append((document.name, span))
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("document", "span"), spans())
def test_what_the_text_calls_by_name_is_there(document, span, desk):
    words = shlex.split(span.replace("...", ""))
    if words[0] == "make":
        target = next((word for word in words[1:] if "=" not in word), None)
        makefile = (ROOT / "Makefile").read_text()
        assert target is None or re.search(rf"^{target}:", makefile, re.MULTILINE), span
        return
    if words[0].startswith("--"):
        known = set().union(*(options(name) for name in COMMANDS))
    else:
        words = words[3:] if words[0] == "python" else words
        known = options(words[0]) | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{document}: {span}"


def options(name: str) -> set[str]:
    parser = argparse.ArgumentParser()
    importlib.import_module(COMMANDS[name][0]).add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


# The tables themselves -------------------------------------------------------------------------


def test_every_tool_is_in_a_document():
    printed = " ".join(case.command for case in CASES) + " ".join(FIRST_NODE.spans)
    text = "".join(document.text for document in DOCUMENTS)
    for name in COMMANDS:
        assert f"tools {name}" in printed or f"`{name}" in text, name


def test_nothing_stands_in_that_no_document_prints():
    printed = [case.command for case in CASES]
    printed += [
        c for block in FIRST_NODE.blocks if block.language == "sh" for c in commands(block)
    ]
    for name in NAMES:
        of = [c + " " for c in printed if not name.of or c.startswith(name.of)]
        assert any(name.printed in command for command in of), name
    for how in HOW:
        assert any(command.startswith(how.begins) for command in printed), how


def test_what_nobody_knows_how_to_test_fails():
    with pytest.raises(LookupError, match="nobody knows how to test"):
        stand_ins.way("curl http://broker.example")
