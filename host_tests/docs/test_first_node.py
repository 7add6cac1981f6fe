"""docs/first-node.md, with parts: the settings that its commands write are those that it prints,
and a node with them prints what it shows. Without parts: test_commands.py.
"""

import argparse
import json
import re
import shlex
from pathlib import Path

import pytest

from host_tests.docs import shown
from host_tests.docs.markdown import ROOT, Block, Document, commands
from tools.provision import cli, wiring
from tools.virtual_c1100 import Profile

DOCUMENT = Document(ROOT / "docs/first-node.md")
HEADINGS = ("With an ESP32", "With a pyboard")


def blocks(heading: str, language: str) -> list[Block]:
    return [b for b in DOCUMENT.blocks if (b.heading, b.language) == (heading, language)]


def printed(heading: str) -> dict:
    found = blocks(heading, "json")
    assert len(found) == 1
    return json.loads(found[0].text)


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_command_writes_the_settings_that_are_printed(heading: str, tmp_path: Path):
    lines = [line for block in blocks(heading, "sh") for line in commands(block)]
    line = next(line for line in lines if "tools provision" in line)
    words = shlex.split(line)[4:]
    at = words.index("--port")
    words[at : at + 2] = ["--folder", str(tmp_path)]  # there is no board
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    assert cli.run(parser.parse_args(words)) == 0
    assert json.loads((tmp_path / "config.json").read_text()) == printed(heading)


@pytest.mark.parametrize(
    ("heading", "name"), list(zip(HEADINGS, ("esp32", "pyboard"), strict=True))
)
def test_the_text_names_the_pins_of_the_wiring(heading: str, name: str):
    section = DOCUMENT.text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    wires = section.partition("**Wires.**")[2].partition("\n\n")[0]
    for key, pin in wiring.WIRINGS[name].settings.items():
        if key != "uart.id":
            assert re.search(rf"\b{pin}\b", wires), key


def test_a_node_prints_what_is_shown(node, broker):
    text = next(b.text for b in blocks(HEADINGS[0], "text") if "In virtual time" in b.before)
    profile = Profile()
    profile.routes[("broker.example", 1883)] = tuple(broker)
    n = node(profile)
    (n.flash / "config.json").write_text(json.dumps(printed(HEADINGS[0])))
    n.live(1)
    said = "\n".join(line for _, line in n.bench.console)
    assert shown.missing(text, said) == [], said
    assert len(text.splitlines()) == len(n.bench.console)
